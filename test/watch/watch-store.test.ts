import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connectRedis, keys as keysOf } from '../../src/redis.js';
import type { Incident } from '../../src/watch/incident.js';
import type { Notice } from '../../src/watch/notice.js';
import { WatchStore } from '../../src/watch/watch-store.js';
import { unseen, type Watched } from '../../src/watch/watched.js';

const redis = connectRedis(process.env['REDIS_URL'] ?? '');
const prefix = `{test-watch-${process.pid}-${Date.now()}}`;
const keys = keysOf(prefix);
const store = new WatchStore(redis, keys);

async function clean(): Promise<void> {
  const mine = await redis.keys(`${prefix}*`);
  if (mine.length > 0) await redis.del(mine);
}
beforeEach(clean);
afterAll(async () => {
  await clean();
  redis.disconnect();
});

const AT = new Date().toISOString();
const incident = (id: string): Incident => ({
  id,
  reason: 'down',
  component: 'kubelet',
  state: 'bad',
  count: 1,
  firstAt: AT,
  lastAt: AT,
});
const notice = (id: string): Notice => ({ id, version: 0, channel: 'C1', at: AT, told: [], cards: [] });
const read = async (name: string): Promise<Watched> => {
  const [found] = await store.of([name]);
  if (!found) throw new Error(`no record of ${name}`);
  return found;
};

describe('a record', () => {
  test('is written only as the next version of the one that was read', async () => {
    expect(await store.commit({ hosts: [unseen('lin01')] })).toBe(true);
    expect(await store.commit({ hosts: [unseen('lin01')] })).toBe(false);
    const first = await read('lin01');
    expect(first.version).toBe(1);
    expect(await store.commit({ hosts: [{ ...first, skew: 5 }] })).toBe(true);
    expect(await store.commit({ hosts: [{ ...first, skew: 6 }] })).toBe(false);
    expect(await read('lin01')).toMatchObject({ version: 2, skew: 5 });
  });

  test('of many writers at once none is lost', async () => {
    await store.commit({ hosts: [unseen('lin01')] });
    const writers = Array.from({ length: 12 }, () =>
      store.update('lin01', (stored) => ({ ...stored, misses: stored.misses + 1 })),
    );
    await Promise.all(writers);
    expect(await read('lin01')).toMatchObject({ version: 13, misses: 12 });
  });

  test('goes together with its notice, or neither is written', async () => {
    await store.commit({ hosts: [unseen('lin01'), unseen('lin02')], untold: ['lin01', 'lin02'] });
    const [one, two] = [await read('lin01'), await read('lin02')];
    await store.update('lin02', (stored) => ({ ...stored, skew: 1 }));
    const both = { notices: [notice('n1')], hosts: [one, two], told: ['lin01'], stale: ['n1'] };
    expect(await store.commit(both)).toBe(false);
    expect(await store.notice('n1')).toBeNull();
    expect((await store.untoldHosts()).sort()).toEqual(['lin01', 'lin02']);
    expect(await store.commit({ ...both, hosts: [one] })).toBe(true);
    expect(await store.notice('n1')).toMatchObject({ version: 1 });
    expect(await store.untoldHosts()).toEqual(['lin02']);
    expect(await store.dueNotices()).toEqual(['n1']);
  });

  test('of a host that left is gone, and its incidents are among the past ones', async () => {
    await store.commit({ hosts: [{ ...unseen('lin01'), incidents: [incident('i1')] }] });
    const gone = await read('lin01');
    expect(
      await store.commit({ gone: [gone], past: [{ ...incident('i1'), host: 'lin01', overAt: AT }] }),
    ).toBe(true);
    expect(await store.all()).toEqual([]);
    expect(await store.past(10)).toMatchObject([{ id: 'i1', host: 'lin01' }]);
  });
});

describe('incidents', () => {
  test('get ids that nobody else has', async () => {
    const fresh = [incident('new-1'), incident('i9'), incident('new-2')];
    const named = await Promise.all([store.named(fresh), store.named(fresh)]);
    const ids = named.flat().map(({ id }) => id);
    expect(ids.filter((id) => id === 'i9')).toHaveLength(2);
    expect(new Set(ids).size).toBe(5);
  });
});

describe('notices', () => {
  test('are found again, newest first, for as long as they matter', async () => {
    const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();
    await store.commit({
      notices: [
        { ...notice('n1'), at: ago(31 * 24 * 3600_000) },
        { ...notice('n2'), at: ago(60_000) },
        { ...notice('n3'), at: ago(1000) },
      ],
    });
    const recent = await store.noticesSince(new Date(Date.now() - 3600_000));
    expect(recent.map(({ id }) => id)).toEqual(['n3', 'n2']);
    expect(await store.notice('n1')).toBeNull();
  });

  test('keep every message that shows them, whoever writes', async () => {
    await store.commit({ notices: [notice('n1')] });
    const add = (ts: string) => store.setCards('n1', (cards) => [...cards, { channel: 'C1', ts }]);
    await Promise.all(['1', '2', '3', '4'].map(add));
    expect((await store.notice('n1'))?.cards).toHaveLength(4);
    await store.setCards('n1', (cards) => cards.filter(({ ts }) => ts !== '2'));
    expect((await store.notice('n1'))?.cards.map(({ ts }) => ts).sort()).toEqual(['1', '3', '4']);
  });
});

describe('quiet', () => {
  test('ends by itself, or by a word', async () => {
    const silence = (host: string, ms: number) => ({
      host,
      until: new Date(Date.now() + ms).toISOString(),
      by: 'T:U1',
    });
    await store.mute(silence('lin01', -1));
    await store.mute(silence('lin02', 60_000));
    await store.mute({ ...silence('lin02', 60_000), component: 'kubelet' });
    expect((await store.silences(new Date())).map(({ host }) => host)).toEqual(['lin02', 'lin02']);
    expect(await store.unmute('lin02', 'kube-proxy')).toBe(0);
    expect(await store.unmute('lin02', 'kubelet')).toBe(1);
    expect(await store.unmute('lin02')).toBe(1);
    expect(await store.silences(new Date())).toEqual([]);
    // That of Fairway's own work is not theirs to end.
    const until = new Date(Date.now() + 60_000).toISOString();
    await store.mute({ host: 'lin02', until, by: 'c4', atWork: true });
    expect(await store.unmute('lin02')).toBe(0);
    expect(await store.silences(new Date())).toMatchObject([{ host: 'lin02', by: 'c4' }]);
    await store.workOver('lin02');
    expect(await store.silences(new Date())).toEqual([]);
  });

  test('is kept about what we do ourselves: a restart for a while, a stop until it runs again', async () => {
    await store.expect('lin01', 'kubelet', 'restart');
    await store.expect('lin01', 'kube-proxy', 'stop');
    const expected = await store.expected(['lin01', 'lin02']);
    expect([...(expected.get('lin01') ?? [])].sort()).toEqual(['kube-proxy', 'kubelet']);
    expect(expected.get('lin02')?.size).toBe(0);
    expect(await redis.pttl(keys.expectedRestart('lin01', 'kubelet'))).toBeGreaterThan(60_000);
    await store.expectNoMore('lin01', 'kubelet');
    expect(await redis.pttl(keys.expectedRestart('lin01', 'kubelet'))).toBeLessThan(6000);
    await redis.del(keys.expectedRestart('lin01', 'kubelet'), keys.expectedRestart('lin01', 'kube-proxy'));
    expect([...((await store.expected(['lin01'])).get('lin01') ?? [])]).toEqual(['kube-proxy']);
    await store.runsAgain('lin01', 'kube-proxy');
    expect((await store.expected(['lin01'])).get('lin01')?.size).toBe(0);
  });
});

describe('what stops with kubelet', () => {
  const forget = () =>
    redis.del(keys.expectedRestart('win01', 'kubelet'), keys.expectedRestart('win01', 'kube-proxy'));
  /** Whose being away is no news, once nobody waits for a restart. */
  const inPeace = async () => {
    await forget();
    return [...((await store.expected(['win01'])).get('win01') ?? [])];
  };

  test('is left in peace as long, until it is seen to run', async () => {
    expect(await store.expect('win01', 'kubelet', 'stop')).toEqual([]);
    expect(await inPeace()).toEqual(['kubelet', 'kube-proxy']);
    await store.runsAgain('win01', 'kube-proxy');
    expect(await inPeace()).toEqual(['kubelet']);
  });

  test('a look in the midst of the stop takes no mark away, though kubelet runs yet', async () => {
    await store.expect('win01', 'kubelet', 'stop');
    await store.runsAgain('win01', 'kubelet');
    expect(await inPeace()).toEqual(['kubelet', 'kube-proxy']);
    await store.runsAgain('win01', 'kubelet');
    expect(await inPeace()).toEqual(['kube-proxy']);
  });

  test('a stop that failed leaves nobody in peace, but for what a command of its own stopped', async () => {
    await store.expect('win01', 'kube-proxy', 'stop');
    await store.expect('win01', 'kubelet', 'stop');
    await store.notStopped('win01', 'kubelet');
    expect(await inPeace()).toEqual(['kube-proxy']);
    await store.notStopped('win01', 'kube-proxy');
    expect(await inPeace()).toEqual([]);
  });

  test.each(['start', 'restart'] as const)(
    'starts with its %s, and is news when it does not',
    async (action) => {
      await store.expect('win01', 'kubelet', 'stop');
      expect(await store.expect('win01', 'kubelet', action)).toEqual([]);
      expect(await inPeace()).toEqual([]);
    },
  );

  test.each(['before', 'after'])(
    'stays stopped when a command of its own stopped it, %s kubelet',
    async (when) => {
      const stops = [
        () => store.expect('win01', 'kube-proxy', 'stop'),
        () => store.expect('win01', 'kubelet', 'stop'),
      ];
      for (const stop of when === 'before' ? stops : stops.reverse()) await stop();
      expect(await store.expect('win01', 'kubelet', 'start')).toEqual(['kube-proxy']);
      expect(await inPeace()).toEqual(['kube-proxy']);
      expect(await store.expect('win01', 'kube-proxy', 'start')).toEqual([]);
      expect(await inPeace()).toEqual([]);
    },
  );
});
