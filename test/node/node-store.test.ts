import { afterAll, beforeEach, expect, test } from '@jest/globals';
import type { Node } from '../../src/node/node.js';
import { createNodeStore } from '../../src/node/node-store.js';
import { connectRedis, keys } from '../../src/redis.js';

const redis = connectRedis(process.env['REDIS_URL'] ?? '');
const names = keys(`{test-nodes-${process.pid}}`);
const store = createNodeStore(redis, names);
const lin01: Node = { name: 'lin01', os: 'linux', address: '10.0.0.1', podCidr: '192.168.0.0/24' };
const win01: Node = { name: 'win01', os: 'windows', address: '10.0.0.2', podCidr: '192.168.10.0/24' };
const win02: Node = { name: 'win02', os: 'windows', address: '10.0.0.3', podCidr: '192.168.9.0/24' };

async function clear(): Promise<void> {
  await redis.del(names.inventory, names.inventoryRevision, names.windowsBuilds);
}
beforeEach(clear);
afterAll(async () => {
  await clear();
  await redis.quit();
});

test('an empty inventory has revision 0', async () => {
  expect(await createNodeStore(redis, names).read()).toEqual({ revision: 0, nodes: [] });
});

test('every change bumps the revision; repeating one does not', async () => {
  const fresh = createNodeStore(redis, names);
  const first = await fresh.add(win01);
  expect(await fresh.add(lin01)).toBe(first + 1);
  expect(await fresh.add(win02)).toBe(first + 2);
  expect(
    await fresh.add({ podCidr: win02.podCidr, address: win02.address, os: 'windows', name: 'win02' }),
  ).toBe(first + 2);
  expect(await fresh.read()).toEqual({ revision: first + 2, nodes: [lin01, win02, win01] });
  expect(await fresh.remove('win02')).toBe(first + 3);
  expect(await fresh.remove('win02')).toBe(first + 3);
  const made = { bridge: true, podNetwork: false, forwarding: true };
  expect(await fresh.add({ ...lin01, made })).toBe(first + 4);
  expect((await fresh.read()).nodes.map((node) => [node.name, node.made?.bridge])).toEqual([
    ['lin01', true],
    ['win01', undefined],
  ]);
});

test("a read sees another process' write, and is the same object while nothing changes", async () => {
  const reader = createNodeStore(redis, names);
  await store.add(lin01);
  const first = await reader.read();
  expect(await reader.read()).toBe(first);
  await store.add(win01);
  expect(await reader.read()).toEqual({ revision: first.revision + 1, nodes: [lin01, win01] });
});

test('a Redis that lost its data never brings back a revision for another inventory, whoever remembers the old one', async () => {
  const remembers = createNodeStore(redis, names);
  await store.add(lin01);
  await store.add(win01);
  const before = await remembers.read();
  await clear();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await store.add(win02);
  await store.add(win01);
  expect((await remembers.read()).nodes).toEqual([win02, win01]);
  expect((await remembers.read()).revision).toBeGreaterThan(before.revision);
});

test('two members never share an address or a pod CIDR', async () => {
  const first = await store.add(lin01);
  await expect(store.add({ ...win01, podCidr: lin01.podCidr })).rejects.toThrow('shares');
  await expect(store.add({ ...win01, address: lin01.address })).rejects.toThrow('shares');
  // 10.0.0.1 is a part of 10.0.0.11 as text only.
  expect(await store.add({ ...win01, address: '10.0.0.11' })).toBe(first + 1);
});

test('the build of a member is the one that was noted last, and goes with it; nobody else has one', async () => {
  const revision = await store.add(win01);
  await store.noteBuilds(
    new Map([
      ['win01', 14393],
      ['win02', 14393],
    ]),
  );
  await store.noteBuilds(new Map([['win01', 17763]]));
  await store.noteBuilds(new Map());
  expect(await store.builds()).toEqual(new Map([['win01', 17763]]));
  // What waits for approval does not get stale by a look.
  expect((await store.read()).revision).toBe(revision);
  await store.remove('win01');
  await store.add(win01);
  expect(await store.builds()).toEqual(new Map());
});

test('50 adds at once: none lost, one revision each', async () => {
  const nodes = Array.from(
    { length: 50 },
    (_, i): Node => ({
      name: `n${i}`,
      os: 'linux',
      address: `10.0.1.${i + 1}`,
      podCidr: `192.168.${i}.0/24`,
    }),
  );
  const revisions = await Promise.all(nodes.map((node) => store.add(node)));
  expect(new Set(revisions).size).toBe(50);
  const revision = Math.max(...revisions);
  expect(await createNodeStore(redis, names).read()).toEqual({ revision, nodes });
});
