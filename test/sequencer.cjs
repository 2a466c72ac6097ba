// Jest's own order on a fresh checkout is by file size. The suites that wait the longest for hosts begin first, so that none of them is left alone
// at the end; but not all at once: those that need a processor run beside them.
const { default: Sequencer } = require('@jest/test-sequencer');

const LONGEST = [
  'e2e/lab',
  'e2e/deliver',
  'e2e/watch-lab',
  'host/windows/component',
  'host/linux-cases',
  'e2e/watch',
  'e2e/crash',
  'e2e/deliver-trouble',
  'host/windows/machine',
  'e2e/again',
  'host/windows/pod-network',
  'host/windows/provision',
  'host/windows/cases',
  'host/windows/services',
];

function placeOf({ path }) {
  const place = LONGEST.findIndex((suite) => path.endsWith(`/test/${suite}.test.ts`));
  return place === -1 ? LONGEST.length : place;
}

module.exports = class extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests).sort((a, b) => placeOf(a) - placeOf(b));
    const long = sorted.filter((test) => placeOf(test) < LONGEST.length);
    const short = sorted.slice(long.length);
    const order = long.splice(0, 3);
    while (long.length > 0) order.push(...short.splice(0, 6), ...long.splice(0, 1));
    return [...order, ...short];
  }
};
