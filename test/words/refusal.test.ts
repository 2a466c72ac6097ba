import { describe, expect, test } from '@jest/globals';
import { Refusal, type RefusalCode, type RefusalFacts } from '../../src/errors.js';
import { stored } from '../../src/words/mrkdwn.js';
import { refusalText, sayRefusal } from '../../src/words/refusal.js';
import { plainVoice, slackVoice, storedVoice } from '../../src/words/voice.js';

/** One of each: the compiler asks for a new one when a code is added. */
const facts: { [C in RefusalCode]: RefusalFacts[C] } = {
  'no-build-host': {},
  'not-built': { component: 'kubelet', version: 'v1.5.0' },
  'no-windows-node': {},
  'not-windows': { name: 'lin01' },
  'build-host-unreadable': { host: 'builder', why: 'connect ECONNREFUSED' },
  'build-host-unfit': {
    host: 'builder',
    lacks: [
      { what: 'go-old', has: '1.6', needs: '1.7.1' },
      { what: 'go-new', has: '1.19.8', version: 'v1.5.0', newest: '1.9' },
      { what: 'disk', freeBytes: 1e9, needsBytes: 4 * 1024 ** 3 },
      { what: 'make' },
      { what: 'disk-unknown' },
    ],
  },
  'tag-unknown': { version: 'v1.5.99', source: 'https://github.com/kubernetes/kubernetes', why: '' },
  'unknown-command': { said: 'nod' },
  'extra-word': { word: 'now', usage: 'nodes' },
  'bad-argument': { argument: 'address', got: '10.7', takes: 'an IPv4 address', example: '10.0.0.7' },
  'windows-only': { option: 'container-nic', instead: 'add linux node lin02 10.0.0.8' },
  forbidden: { doing: 'approve and deny', role: 'approver', who: ['U01', 'S01'], unreadable: ['S01'] },
  'node-exists': { name: 'win03', address: '10.0.0.7', podCidr: '192.168.3.0/24' },
  'node-unknown': { name: 'win04', suggestion: 'win03' },
  'node-still-owed': { name: 'win03', podCidr: '192.168.3.0/24', peers: ['lin01', 'win01'] },
  'node-leaving': { name: 'win03', changeId: 'c7' },
  'address-taken': { address: '10.0.0.7', holder: 'win03', changeId: 'c1' },
  'address-in-pod-cidr': { address: '192.168.3.7', podCidr: '192.168.3.0/24', holder: 'win03' },
  'address-unusable': { address: '127.0.0.1', because: 'it is a loopback address' },
  'pod-cidr-outside': { podCidr: '10.0.0.0/24', clusterCidr: '192.168.0.0/16' },
  'pod-cidr-size': { podCidr: '192.168.0.0/25', prefixLength: 24 },
  'pod-cidr-differs': { name: 'win03', podCidr: '192.168.3.0/24', there: '192.168.9.0/24' },
  'pod-cidr-held': { podCidr: '192.168.3.0/24', holder: 'win03', restsUntil: '2026-11-23T12:00:00.000Z' },
  'pod-cidr-overlaps': {
    podCidr: '192.168.3.0/24',
    overlap: 'host-route',
    with: '192.168.3.0/24',
    owner: 'lin01',
  },
  'cluster-full': {
    clusterCidr: '192.168.0.0/16',
    slices: 256,
    resting: 3,
    soonestFreeAt: '2026-11-23T12:00:00.000Z',
  },
  'slices-routed': {
    clusterCidr: '192.168.0.0/16',
    free: 12,
    host: 'lin01',
    destination: '192.168.0.0/16',
    hosts: 3,
  },
  'node-unreadable': { name: 'win03', address: '10.0.0.7', why: 'connect ECONNREFUSED' },
  'other-os': { name: 'win03', address: '10.0.0.7', os: 'linux' },
  'address-not-there': { name: 'win03', address: '10.0.0.7' },
  'not-on-link': { from: 'lin01', to: 'win03', address: '10.9.0.7' },
  'node-not-ready': { name: 'win03', os: 'windows', address: '10.0.0.7', count: 2 },
  'nothing-to-repair': { name: 'win03', read: 3, unread: [], foreign: [] },
  'list-missing': {},
  'list-too-long': { most: 65_536 },
  'list-broken': { line: 3, got: '&a' },
  'list-wrong': {
    problems: [
      { line: 4, key: 'adress', what: 'unknown', known: ['name', 'address'] },
      { line: 5, key: 'os', what: 'takes', takes: 'linux or windows', got: 'bsd' },
    ],
    more: 1,
  },
  'nothing-to-adopt': { unchanged: 1, leftOut: 2 },
  'manifest-missing': {},
  'manifest-too-long': { most: 1 << 20 },
  'manifest-broken': { line: 3, why: 'Nested mappings are not allowed' },
  'manifest-other': { line: 1 },
  'file-unreadable': { name: 'pod.yaml', why: 'missing_scope' },
  'file-too-big': { name: 'pod.yaml', most: 1 << 20 },
  'change-in-the-way': {
    id: 'c1',
    name: 'win03',
    kind: 'add-node',
    state: 'owing',
    requester: 'T01:U01',
  },
  'incident-unknown': { id: 'i7' },
  'change-unknown': { id: 'c1' },
  'change-not-sealed': { id: 'c1' },
  'change-not-pending': {
    id: 'c1',
    state: 'denied',
    by: 'T01:U01',
    at: '2026-11-23T12:00:00.000Z',
    command: 'remove node win03',
  },
  'change-expired': { id: 'c1', command: 'remove node win03' },
  'plan-outdated': { id: 'c1' },
  'own-request': { id: 'c1' },
  'already-decided-by-you': { id: 'c1' },
  'nothing-asked': { id: 'c7' },
  'not-cancellable': { id: 'c1', state: 'applied' },
  'not-retryable': { id: 'c1', state: 'applied' },
  'not-rollbackable': { id: 'c1', state: 'denied' },
  'joined-since': { id: 'c1', name: 'win03', joined: ['lin02'] },
  'node-replaced': { id: 'c1', name: 'win03', podCidr: '192.168.3.0/24' },
  'built-on': { id: 'c1', by: ['c2', 'c3'] },
};
const refusals = Object.entries(facts).map(([code, each]) => new Refusal(code as RefusalCode, each));

describe('every refusal', () => {
  test.each(refusals.map((refusal) => [refusal.code, refusal] as const))(
    '%s is a short sentence',
    (_code, refusal) => {
      for (const voice of [slackVoice, plainVoice]) {
        const text = sayRefusal(refusal, voice);
        expect(text).toMatch(/[.?`]$/);
        expect(text).not.toMatch(/undefined|null|\[object|\s{2}| \.|\.\./);
        expect(text.length).toBeLessThan(400);
      }
    },
  );

  test('no two read the same', () => {
    const texts = refusals.map((refusal) => sayRefusal(refusal, plainVoice));
    expect(new Set(texts).size).toBe(Object.keys(refusalText).length);
  });
});

describe('what people and hosts wrote is harmless in Slack', () => {
  const hostile = '<!channel> `x` & <@U01>\n\u202e*';

  test('in code', () => {
    const text = sayRefusal(new Refusal('unknown-command', { said: hostile }));
    expect(text).toContain('`&lt;!channel&gt; ˋxˋ &amp; &lt;@U01&gt;⏎·*`');
    expect(text).not.toMatch(/<!|<@|\n|\u202e/);
  });

  test('in a quotation of a host', () => {
    const text = sayRefusal(
      new Refusal('node-unreadable', { name: 'win03', address: '10.0.0.7', why: hostile }),
    );
    expect(text).not.toMatch(/<!|<@|\n|\u202e/);
  });

  test('in what is stored and shown on a card', () => {
    const refusal = new Refusal('node-unreadable', { name: 'win`03', address: '10.0.0.7', why: hostile });
    const text = stored(sayRefusal(refusal, storedVoice));
    expect(text).not.toMatch(/<!|<@|\n|\u202e/);
    expect(text.match(/`[^`]*`/g)).toEqual(['`winˋ03`', '`ssh winˋ03`']);
  });

  test('long texts are cut', () => {
    expect(sayRefusal(new Refusal('unknown-command', { said: 'x'.repeat(5000) })).length).toBeLessThan(300);
  });
});

test('Slack mentions people and groups; a terminal names them', () => {
  const refusal = new Refusal('forbidden', {
    doing: 'approve and deny',
    role: 'approver',
    who: ['U01', 'T01:W02', 'S03', 'console:ops'],
    unreadable: [],
  });
  expect(sayRefusal(refusal)).toBe(
    'Only an approver may approve and deny. Ask <@U01>, <@W02>, <!subteam^S03> or `console:ops`.',
  );
  expect(sayRefusal(refusal, plainVoice)).toContain('U01, T01:W02, S03 or console:ops');
});

describe('another change of the node is in the way: what it is, who asked for it, and the remedy that fits', () => {
  const say = (kind: string, state: string) =>
    sayRefusal(
      new Refusal('change-in-the-way', { id: 'c4', name: 'win03', kind, state, requester: 'T01:U02' }),
    );
  test.each([
    ['remove-node', 'planning', /removes `win03` and is being planned\. `cancel c4` withdraws it/],
    ['remove-node', 'pending', /removes `win03` and waits for approval\. `cancel c4` withdraws it/],
    ['add-node', 'applying', /adds `win03` and is running\. Wait .*`cancel c4` stops it/],
    [
      'add-node',
      'proving',
      /adds `win03` and is running\. Wait for its end \(`change c4`\), then ask again\.$/,
    ],
    ['add-node', 'rolling-back', /adds `win03` and is being rolled back\. Wait/],
    ['add-node', 'owing', /hosts that did not answer\. `rollback c4` undoes it; `cancel c4` gives up/],
    ['remove-node', 'owing', /by themselves when they are back: nothing is left to ask for\.$/],
  ])('%s, %s', (kind, state, words) => {
    expect(say(kind, state)).toMatch(/^`c4`, asked for by <@U02>, /);
    expect(say(kind, state)).toMatch(words);
  });
});

describe('a click that comes too late', () => {
  const facts = { id: 'c6', by: '', at: '2026-11-23T12:00:00.123Z', command: 'remove node win03' };
  const say = (state: string, by = '') =>
    sayRefusal(new Refusal('change-not-pending', { ...facts, state, by }));

  test('is told the time in the reader’s zone, and without milliseconds where Slack can’t', () => {
    expect(say('approved', 'T01:U02')).toBe(
      '`c6` is approved by <@U02> since <!date^1795435200^{date_short_pretty} {time}|2026-11-23 12:00 UTC>, so there is nothing left to decide. `change c6` shows it.',
    );
  });

  test('on a stale change is told how to ask again', () => {
    expect(say('stale')).toMatch(/decide\. To ask again: `remove node win03`\.$/);
    expect(sayRefusal(new Refusal('change-expired', facts))).toMatch(/To ask again: `remove node win03`\.$/);
  });
});

test('a host’s own full stop is not doubled', () => {
  const why = 'operable program or batch file.';
  const refusal = new Refusal('node-unreadable', { name: 'win03', address: '10.0.0.7', why });
  expect(sayRefusal(refusal)).toContain('batch file. When `ssh win03` works');
});

test('a host of the other operating system: the command for it', () => {
  const say = (os: 'linux' | 'windows') =>
    sayRefusal(new Refusal('other-os', { name: 'h1', address: '10.0.0.7', os }));
  expect(say('linux')).toContain('answers as a Windows host, not as a Linux one');
  expect(say('linux')).toContain('`add windows node h1 10.0.0.7`');
  expect(say('windows')).toContain('`add linux node h1 10.0.0.7`');
});

test('the cluster is full: how many rest, and when the next is free', () => {
  const text = sayRefusal(new Refusal('cluster-full', facts['cluster-full']), plainVoice);
  expect(text).toBe(
    '192.168.0.0/16 is full: all 256 slices are taken, reserved or resting. 3 are resting; the next is free at 2026-11-23 12:00 UTC.',
  );
});
