import { describe, expect, test } from '@jest/globals';
import { inWindow, parseWindow } from '../../src/time.js';
import { lookAgainAfter } from '../../src/watch/cadence.js';
import { assign, digestOf, type Notice, type Told, untold } from '../../src/watch/notice.js';
import { hushOf } from '../../src/watch/silence.js';
import { unseen } from '../../src/watch/watched.js';
import { Story } from './support/story.js';

const NOW = '2026-11-27T03:00:00.000Z';
const told = (count: number): Told[] =>
  Array.from({ length: count }, (_, index) => ({ host: `h${index}`, incident: `i${index}`, reason: 'down' }));
const notice = (secondsAgo: number, of: Told[] = told(1)): Notice => ({
  id: 'n1',
  version: 1,
  channel: 'C1',
  at: new Date(Date.parse(NOW) - secondsAgo * 1000).toISOString(),
  told: of,
  cards: [],
});

describe('news', () => {
  test('has a card each while it is little, one for all when it is much', () => {
    expect(assign(told(3), [], NOW).fresh).toEqual(told(3).map((each) => [each]));
    expect(assign(told(4), [], NOW).fresh).toEqual([told(4)]);
    expect(assign(told(2), [notice(10), notice(20)], NOW).fresh).toEqual([told(2)]);
    expect(assign(told(2), [notice(70), notice(80)], NOW).fresh).toHaveLength(2);
    expect(assign(told(1), [notice(1), notice(2)], NOW).fresh).toHaveLength(1);
  });

  test('that comes one by one has a card each, one too many too, which rings; what comes then goes on that one: a storm', () => {
    const older = [notice(10), notice(20), notice(40)];
    expect(assign(told(1), older, NOW)).toEqual({ joins: null, fresh: [told(1)] });
    const newest = notice(1);
    const joins = { notice: newest, told: told(1) };
    expect(assign(told(1), [newest, ...older], NOW)).toEqual({ joins, fresh: [] });
    expect(assign(told(1), [newest, ...older.slice(1), notice(70)], NOW).joins).toBeNull();
    const storm = notice(2, told(2));
    expect(assign(told(1), [storm, ...older], NOW).joins).toEqual({ notice: storm, told: told(1) });
    const digest = { ...notice(1), digest: { hosts: [] } };
    expect(assign(told(1), [digest, ...older], NOW)).toEqual({ joins: null, fresh: [told(1)] });
  });

  test('joins a storm that is on, and no other card', () => {
    const storm = notice(100, told(9));
    expect(assign(told(2), [notice(1), storm], NOW)).toEqual({
      joins: { notice: storm, told: told(2) },
      fresh: [],
    });
    expect(assign(told(1), [notice(200, told(9))], NOW).joins).toBeNull();
  });

  test('is what has no card yet and is not kept back', () => {
    const story = new Story().sees(0).sees(30, { kubelet: 11 });
    expect(untold([story.watched])).toEqual([
      { host: 'win03', incident: 'i1', reason: 'restarted', component: 'kubelet' },
    ]);
    const incidents = story.watched.incidents;
    expect(
      untold([{ ...story.watched, incidents: incidents.map((each) => ({ ...each, notice: 'n1' })) }]),
    ).toEqual([]);
    expect(
      untold([
        { ...story.watched, incidents: incidents.map((each) => ({ ...each, hushed: 'muted' as const })) },
      ]),
    ).toEqual([]);
  });

  test('of little weight is for the digest, of which there is none without any', () => {
    const host = { ...unseen('lin01'), boot: 'b' };
    expect(digestOf([host])).toBeNull();
    expect(
      digestOf([
        { ...host, skew: -31 },
        { ...host, host: 'lin02', stray: ['192.168.9.0/24'] },
      ])?.hosts,
    ).toHaveLength(2);
    expect(digestOf([{ ...host, skew: 300, silentSince: NOW }])).toBeNull();
  });
});

describe('quiet', () => {
  test('is kept about a host or a process, until its time', () => {
    const silences = [
      { host: 'win03', until: '2026-11-27T04:00:00.000Z', by: 'T:U1' },
      { host: 'lin01', component: 'kubelet' as const, until: '2026-11-27T04:00:00.000Z', by: 'T:U1' },
    ];
    const at = (time: string, host: string, component?: 'kubelet' | 'kube-proxy') =>
      hushOf(silences, [], host, component, new Date(time));
    expect(at(NOW, 'win03')).toBe('muted');
    expect(at(NOW, 'win03', 'kube-proxy')).toBe('muted');
    expect(at('2026-11-27T04:00:00.000Z', 'win03')).toBeNull();
    expect(at(NOW, 'lin01', 'kubelet')).toBe('muted');
    expect(at(NOW, 'lin01', 'kube-proxy')).toBeNull();
    expect(at(NOW, 'lin01')).toBeNull();
  });

  test.each([
    ['sat 22:00-02:00', '2026-11-28T23:00:00Z', true],
    ['sat 22:00-02:00', '2026-11-29T01:59:00Z', true],
    ['sat 22:00-02:00', '2026-11-29T02:00:00Z', false],
    ['sun 22:00-02:00', '2026-11-30T01:00:00Z', true],
    ['daily 03:00-03:30', '2026-11-27T03:10:00Z', true],
    ['daily 03:00-03:30', '2026-11-27T03:30:00Z', false],
    ['Mon 00:00-24:00', '2026-11-30T23:59:00Z', true],
  ])('is kept in a window: %s at %s: %s', (text, at, is) => {
    expect(inWindow(parseWindow(text) ?? [], new Date(at))).toBe(is);
  });

  test.each(['', 'sat', 'someday 01:00-02:00', 'sat 25:00-26:00', 'sat 1:00-2:00', 'sat 01:00-24:30'])(
    'window "%s" is none',
    (text) => {
      expect(parseWindow(text)).toBeNull();
    },
  );
});

describe('the next look', () => {
  const at = (ms: number) => new Date(Date.parse(NOW) + ms).toISOString();

  test('comes at its turn, unless something went away a moment ago', () => {
    expect(lookAgainAfter(unseen('lin01'), NOW)).toBeNull();
    const gone = { ...unseen('lin01'), gone: { kubelet: NOW } };
    expect([0, 300, 4000, 9000].map((ms) => lookAgainAfter(gone, at(ms)))).toEqual([200, 200, 2000, 1000]);
    expect(lookAgainAfter(gone, at(10_000))).toBeNull();
    const silent = { ...gone, silentSince: NOW };
    expect([0, 18_000, 20_000].map((ms) => lookAgainAfter(silent, at(ms)))).toEqual([5000, 2000, null]);
  });
});
