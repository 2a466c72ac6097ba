import { describe, expect, test } from '@jest/globals';
import { NOTHING_LOST } from '../../src/watch/watched.js';
import { ROUTE, ROUTE_LOST, Story } from './support/story.js';

const story = () => new Story().sees(0);
const HALF_A_MINUTE = 30;
const MINUTES = 60;

describe('a process', () => {
  test('that is the same as before is no news, and neither is one that was never there', () => {
    expect(story().sees(HALF_A_MINUTE).now).toEqual([]);
    expect(new Story().sees(0, { kubelet: null }).sees(30).now).toEqual([]);
    expect(new Story().sees(0, { kubelet: null }).sees(30, { kubelet: 11 }).now).toEqual([]);
  });

  test('with another id restarted; again within 20 minutes it counts up, on the same card', () => {
    const told = story().sees(HALF_A_MINUTE, { proxy: 21 });
    expect(told.now).toEqual(['restarted kube-proxy good']);
    const [first] = told.watched.incidents;
    expect(first).toMatchObject({ from: { pid: 20 }, to: { pid: 21 } });
    told.sees(10 * MINUTES, { proxy: 22 });
    expect(told.now).toEqual(['restarted kube-proxy good 2']);
    expect(told.watched.incidents[0]).toMatchObject({ id: first?.id, from: { pid: 21 }, to: { pid: 22 } });
    expect(told.sees(21 * MINUTES).now).toEqual([]);
    expect(told.over).toHaveLength(1);
  });

  test('with the same id but another start is another one', () => {
    const told = story();
    told.watched = {
      ...told.watched,
      running: { ...told.watched.running, kubelet: { pid: 10, started: 'earlier', startedAt: '' } },
    };
    expect(told.sees(30).now).toEqual(['restarted kubelet good']);
  });

  test('that is away for a moment restarted; for ten seconds, it is down, and green when it is back', () => {
    const told = story().sees(1, { kubelet: null });
    expect(told.now).toEqual([]);
    expect(new Story().sees(0).sees(1, { kubelet: null }).sees(2, { kubelet: 11 }).now).toEqual([
      'restarted kubelet good',
    ]);
    expect(told.sees(9).now).toEqual([]);
    expect(told.sees(1).now).toEqual(['down kubelet bad']);
    expect(told.sees(HALF_A_MINUTE).now).toEqual(['down kubelet bad']);
    expect(told.sees(HALF_A_MINUTE, { kubelet: 12 }).now).toEqual(['down kubelet good']);
    expect(told.sees(5 * MINUTES, { kubelet: null }).sees(11).now).toEqual(['down kubelet bad 2']);
  });

  test('that starts five times in 20 minutes is in a crash loop, until 20 quiet minutes are over', () => {
    const told = story();
    for (let pid = 11; pid < 15; pid += 1) told.sees(MINUTES, { kubelet: pid });
    expect(told.now).toEqual(['restarted kubelet good 4']);
    expect(told.sees(MINUTES, { kubelet: 15 }).now).toEqual(['crash-loop kubelet bad 5']);
    expect(told.over.map(({ reason }) => reason)).toEqual(['restarted']);
    told.sees(MINUTES, { kubelet: null }).sees(MINUTES);
    expect(told.now).toEqual(['crash-loop kubelet bad 5']);
    expect(told.sees(1, { kubelet: 16 }).now).toEqual(['crash-loop kubelet bad 6']);
    expect(told.sees(19 * MINUTES).now).toEqual(['crash-loop kubelet bad 6']);
    expect(told.sees(MINUTES).now).toEqual(['crash-loop kubelet good 6']);
    expect(told.sees(20 * MINUTES).now).toEqual([]);
  });

  test('that ends for good while its crash loop counts as over is down, and says so', () => {
    const told = story();
    for (let pid = 11; pid < 16; pid += 1) told.sees(MINUTES, { kubelet: pid });
    told.sees(20 * MINUTES);
    expect(told.now).toEqual(['crash-loop kubelet good 5']);
    told.sees(MINUTES, { kubelet: null }).sees(10);
    expect(told.now).toEqual(['crash-loop kubelet good 5', 'down kubelet bad']);
    expect(told.sees(MINUTES, { kubelet: 16 }).now).toEqual([
      'crash-loop kubelet good 5',
      'down kubelet good',
    ]);
  });

  test('that we restart or stop ourselves is no news, but when it comes back it ends what was told', () => {
    const told = story();
    told.expected.add('kubelet');
    expect(told.sees(1, { kubelet: null }).sees(60).now).toEqual([]);
    expect(told.sees(1, { kubelet: 11 }).now).toEqual([]);
    told.expected.clear();
    told.sees(1, { kubelet: null }).sees(10);
    told.expected.add('kubelet');
    expect(told.sees(1, { kubelet: 12 }).now).toEqual(['down kubelet good']);
  });
});

describe('a reboot', () => {
  test('is one incident, not three', () => {
    const told = story().sees(HALF_A_MINUTE, { boot: 'b2', kubelet: 5, proxy: 6 });
    expect(told.now).toEqual(['rebooted good']);
  });

  test('has its processes come when they come; away for longer than a boot takes, they are down', () => {
    const told = story().sees(HALF_A_MINUTE, { boot: 'b2', kubelet: null, proxy: null });
    expect(told.sees(MINUTES, { proxy: 6 }).now).toEqual(['rebooted good']);
    expect(told.sees(3 * MINUTES).now).toEqual(['rebooted good']);
    expect(told.sees(MINUTES).now).toEqual(['rebooted good', 'down kubelet bad']);
    expect(told.sees(MINUTES, { kubelet: 7 }).now).toEqual(['rebooted good', 'down kubelet good']);
  });

  test('carries what it lost, and is green again when that is mended', () => {
    const told = story().sees(HALF_A_MINUTE, { boot: 'b2', kubelet: 5, proxy: 6, lost: ROUTE_LOST });
    expect(told.now).toEqual(['rebooted bad']);
    const told2 = told.sees(HALF_A_MINUTE);
    expect(told2.now).toEqual(['rebooted bad']);
    expect(told2.watched.incidents[0]?.lost?.routes).toEqual([ROUTE]);
    expect(told.sees(HALF_A_MINUTE, { lost: NOTHING_LOST }).now).toEqual(['rebooted good']);
  });

  test('that was heard as silence stays on that card', () => {
    const told = story().misses(1).misses(10).misses(10);
    expect(told.now).toEqual(['unreachable bad']);
    told.sees(MINUTES, { boot: 'b2', kubelet: 5, proxy: 6, lost: ROUTE_LOST });
    expect(told.now).toEqual(['unreachable bad']);
    expect(told.watched.incidents[0]).toMatchObject({ rebooted: true, lost: ROUTE_LOST });
    expect(told.sees(HALF_A_MINUTE).now).toEqual(['unreachable bad']);
    expect(told.sees(HALF_A_MINUTE, { lost: NOTHING_LOST }).now).toEqual(['unreachable good']);
  });

  test('ends what was told of its processes', () => {
    const told = story().sees(1, { kubelet: null }).sees(11);
    expect(told.now).toEqual(['down kubelet bad']);
    told.sees(HALF_A_MINUTE, { boot: 'b2', kubelet: 5, proxy: 6 });
    expect(told.now).toEqual(['rebooted good']);
    expect(told.over.map(({ reason }) => reason)).toEqual(['down']);
  });

  test('is not what a clock step of some seconds looks like on Windows', () => {
    const windows = new Story().sees(0, { boot: '2026-11-20T08:00:00.0000000Z' });
    expect(windows.sees(30, { boot: '2026-11-20T08:00:02.0000000Z' }).now).toEqual([]);
    const quick = new Story().sees(0, { boot: '2026-11-20T08:00:00.0000000Z' });
    expect(quick.sees(30, { boot: '2026-11-20T08:00:02.0000000Z', kubelet: 5, proxy: 6 }).now).toEqual([
      'rebooted good',
    ]);
  });
});

describe('a host', () => {
  test('that misses one look is given time; after two, and 20 s, it does not answer; then it does again', () => {
    const told = story().misses(HALF_A_MINUTE);
    expect(told.now).toEqual([]);
    expect(told.misses(5).misses(10).now).toEqual([]);
    expect(told.misses(5).now).toEqual(['unreachable bad']);
    expect(told.watched.incidents[0]).toMatchObject({
      why: 'connect timed out',
      firstAt: '2026-11-27T03:00:30.000Z',
    });
    expect(told.misses(HALF_A_MINUTE).now).toEqual(['unreachable bad']);
    expect(told.sees(HALF_A_MINUTE).now).toEqual(['unreachable good']);
    expect(told.sees(MINUTES).misses(1).misses(30).now).toEqual(['unreachable bad 2']);
  });

  test('that does not answer has lost nothing that is known of, and its processes are not down', () => {
    const told = story().sees(30, { lost: ROUTE_LOST });
    expect(told.now).toEqual(['lost bad']);
    told.sees(1, { kubelet: null }).misses(1).misses(30);
    expect(told.now).toEqual(['lost bad', 'unreachable bad']);
  });

  test('that lost a route is told at once, also when it was never seen with it', () => {
    expect(new Story().sees(0, { lost: ROUTE_LOST }).now).toEqual(['lost bad']);
    const told = story().sees(HALF_A_MINUTE, { lost: ROUTE_LOST });
    expect(told.now).toEqual(['lost bad']);
    expect(told.sees(HALF_A_MINUTE).now).toEqual(['lost bad']);
    expect(told.sees(HALF_A_MINUTE, { lost: NOTHING_LOST }).now).toEqual(['lost good']);
    expect(told.sees(HALF_A_MINUTE, { lost: { ...NOTHING_LOST, forwarding: true } }).now).toEqual([
      'lost bad 2',
    ]);
  });

  test('whose looks all see the same leaves nothing to write', () => {
    const told = story().sees(30, { lost: ROUTE_LOST, kubelet: null }).sees(30).sees(30);
    const before = JSON.stringify(told.watched);
    expect(JSON.stringify(told.sees(30, { skew: 1 }).watched)).toBe(before);
    const silent = story().misses(30).misses(30).misses(30);
    const incidents = JSON.stringify(silent.watched.incidents);
    expect(JSON.stringify(silent.misses(30).watched.incidents)).toBe(incidents);
  });
});

describe('a silence', () => {
  test('keeps news back; what is bad still when it ends is told then, what is over is not', () => {
    const told = story();
    told.hush = () => 'muted';
    told.sees(1, { kubelet: null, proxy: 21 }).sees(11);
    expect(told.now).toEqual(['restarted kube-proxy good muted', 'down kubelet bad muted']);
    told.hush = () => null;
    expect(told.sees(30).now).toEqual(['restarted kube-proxy good muted', 'down kubelet bad']);
    expect(told.sees(30, { proxy: 22 }).now).toEqual(['restarted kube-proxy good 2', 'down kubelet bad']);
  });

  test('of one process leaves the other and the host aloud', () => {
    const told = story();
    told.hush = (component) => (component === 'kubelet' ? 'muted' : null);
    told.sees(1, { kubelet: 11, proxy: 21, lost: ROUTE_LOST });
    expect(told.now).toEqual(['restarted kubelet good muted', 'restarted kube-proxy good', 'lost bad']);
  });
});
