/** Leases of an adoption: many at once, these very slices, all of them or none. */
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isRefusal } from '../../src/errors.js';
import { overlaps } from '../../src/ip.js';
import { createLeaseStore } from '../../src/network/lease-store.js';
import type { Node } from '../../src/node/node.js';
import { createNodeStore } from '../../src/node/node-store.js';
import { connectRedis, keys } from '../../src/redis.js';

const redis = connectRedis(process.env['REDIS_URL'] ?? '');
const names = keys(`{test-adopt-leases-${process.pid}}`);
const store = createLeaseStore(redis, names, {
  clusterCidr: '192.168.0.0/16',
  nodePrefixLength: 24,
  serviceCidr: '10.96.0.0/12',
  reserved: ['192.168.250.0/24'],
});
const inventory = createNodeStore(redis, names);
const now = new Date('2026-11-23T12:00:00Z');
const later = (minutes: number) => new Date(now.getTime() + minutes * 60_000);

async function clear(): Promise<void> {
  await redis.del(names.leases, names.inventory, names.inventoryRevision);
}
beforeEach(clear);
afterAll(async () => {
  await clear();
  await redis.quit();
});

const node = (name: string, host: number, slice: number): Node => ({
  name,
  os: 'linux',
  address: `10.0.0.${host}`,
  podCidr: `192.168.${slice}.0/24`,
});
const three = [node('lin01', 4, 0), node('win01', 5, 7), node('win02', 6, 2)];
const adopt = (changeId: string, nodes: readonly Node[], at = now) =>
  store.adopt({ changeId, nodes, now: at });
const claim = (changeId: string, host: number) =>
  store.claim({
    changeId,
    node: { name: `n${host}`, os: 'linux', address: `10.0.1.${host}` },
    excluded: [],
    now,
  });
const listed = async (at = now) =>
  (await store.list(at)).map(({ podCidr, node: { name }, state }) => `${podCidr} ${name} ${state}`);

test('takes the very slices of all its nodes, once; then they are held; the next claim passes them over', async () => {
  expect((await adopt('c1', three)).map((lease) => lease.podCidr)).toEqual(three.map((each) => each.podCidr));
  expect(await adopt('c1', three)).toHaveLength(3);
  expect(await listed()).toEqual([
    '192.168.0.0/24 lin01 claimed',
    '192.168.2.0/24 win02 claimed',
    '192.168.7.0/24 win01 claimed',
  ]);
  expect(await store.confirmAll('c1')).toHaveLength(3);
  expect(await store.confirmAll('c1')).toMatchObject([
    { state: 'held' },
    { state: 'held' },
    { state: 'held' },
  ]);
  expect(await store.release('c1')).toBe('held');
  expect((await claim('c2', 1)).lease.podCidr).toBe('192.168.1.0/24');
  expect((await claim('c3', 2)).lease.podCidr).toBe('192.168.3.0/24');
});

test.each<[what: string, other: Node, code: string]>([
  ['a slice', node('other', 99, 2), 'pod-cidr-held'],
  ['a name', node('win02', 99, 9), 'node-exists'],
  ['an address', node('other', 6, 9), 'address-taken'],
])(
  '%s that somebody has: none is taken, be it a claim or a member without a lease',
  async (_what, other, code) => {
    await adopt('c9', [other]);
    const before = await listed();
    await expect(adopt('c1', three)).rejects.toMatchObject({ code });
    expect(await listed()).toEqual(before);
    await store.release('c9');
    await inventory.add(other);
    await expect(adopt('c1', three)).rejects.toMatchObject({ code });
    expect(await listed()).toEqual([]);
  },
);

test('what no node may have, no adopted one may: outside, another size, reserved, over an address', async () => {
  const odd = (podCidr: string, address = '10.0.0.9'): Node => ({
    name: 'odd',
    os: 'linux',
    address,
    podCidr,
  });
  for (const [bad, code] of [
    [odd('172.16.0.0/24'), 'pod-cidr-outside'],
    [odd('192.168.0.0/25'), 'pod-cidr-size'],
    [odd('192.168.250.0/24'), 'pod-cidr-overlaps'],
    [odd('192.168.3.0/24', '192.168.3.9'), 'pod-cidr-overlaps'],
    [odd('192.168.3.0/24', '192.168.2.9'), 'address-in-pod-cidr'],
  ] as const)
    await expect(adopt('c1', [...three, bad])).rejects.toMatchObject({ code });
  expect(await listed()).toEqual([]);
});

test('two of one adoption never share a slice, an address or a name, whatever was asked', async () => {
  for (const twin of [node('twin', 99, 2), node('twin', 6, 9), node('win02', 99, 9)])
    await expect(adopt('c1', [...three, twin])).rejects.toThrow();
  expect(await listed()).toEqual([]);
});

test('given up before it was confirmed, all of it is free at once', async () => {
  await adopt('c1', three);
  expect(await store.release('c1')).toBe('released');
  expect(await listed()).toEqual([]);
});

test("a node's own slice that rests may be its own again, nobody else's; given up, it rests on", async () => {
  const [lin01] = three as [Node, ...Node[]];
  await adopt('c1', [lin01]);
  await store.confirmAll('c1');
  await store.quarantine({ podCidr: lin01.podCidr, node: 'lin01', peersOwing: [], until: later(60) });
  await expect(adopt('c2', [{ ...lin01, name: 'thief', address: '10.0.0.66' }])).rejects.toMatchObject({
    code: 'pod-cidr-held',
  });
  await expect(adopt('c2', [{ ...lin01, address: '10.0.0.66' }])).rejects.toThrow();
  await adopt('c2', three);
  await store.release('c2');
  expect(await listed()).toEqual(['192.168.0.0/24 lin01 resting']);
  expect(await listed(later(61))).toEqual([]);
  await adopt('c3', three);
  await store.confirmAll('c3');
  expect(await listed(later(61))).toHaveLength(3);
});

test('while a peer may still route it, a resting slice is nobody’s', async () => {
  const [lin01] = three as [Node, ...Node[]];
  await adopt('c1', [lin01]);
  await store.confirmAll('c1');
  await store.quarantine({ podCidr: lin01.podCidr, node: 'lin01', peersOwing: ['win01'], until: later(60) });
  await expect(adopt('c2', [lin01])).rejects.toMatchObject({ code: 'node-still-owed' });
});

test('whatever is claimed and adopted, in whatever order and at once, no two share an address of theirs', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('claim' as const), host: fc.integer({ min: 1, max: 40 }) }),
    fc.record({
      kind: fc.constant('adopt' as const),
      of: fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 9 }), fc.nat(9)), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      await clear();
      await Promise.all(
        steps.map(async (each, index) => {
          const id = `c${index}`;
          const nodes =
            each.kind === 'adopt' ? each.of.map(([name, host, slice]) => node(`n${name}`, host, slice)) : [];
          try {
            if (each.kind === 'claim') await claim(id, each.host);
            else expect(await adopt(id, nodes)).toHaveLength(nodes.length);
          } catch (error) {
            if (!isRefusal(error)) throw error;
            expect((await store.list(now)).filter((lease) => lease.changeId === id)).toEqual([]);
          }
        }),
      );
      const leases = await store.list(now);
      for (const [i, a] of leases.entries())
        for (const b of leases.slice(i + 1)) {
          expect(overlaps(a.podCidr, b.podCidr)).toBe(false);
          expect([a.node.name, a.node.address]).not.toContain(b.node.name);
          expect(a.node.address).not.toBe(b.node.address);
        }
    }),
    { numRuns: 60 },
  );
});
