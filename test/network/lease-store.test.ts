import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nodeArgs } from '../../sandbox/program.js';
import { isRefusal } from '../../src/errors.js';
import { type Cidr, cidrAround, toText } from '../../src/ip.js';
import { firstFree, type NetworkPolicy, neverGiven } from '../../src/network/allocation.js';
import { type Claim, createLeaseStore } from '../../src/network/lease-store.js';
import type { NodeSpec } from '../../src/node/node.js';
import { createNodeStore } from '../../src/node/node-store.js';
import { connectRedis, keys } from '../../src/redis.js';

const url = process.env['REDIS_URL'] ?? '';
const redis = connectRedis(url);
const prefix = `{test-leases-${process.pid}}`;
const names = keys(prefix);
const policy: NetworkPolicy = {
  clusterCidr: '192.168.0.0/16',
  nodePrefixLength: 24,
  serviceCidr: '10.96.0.0/12',
  reserved: [],
};
const store = createLeaseStore(redis, names, policy);
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

function node(name: string, address: string): NodeSpec {
  return { name, os: 'windows', address };
}

function claim(change: number, options: Partial<Claim> = {}) {
  const spec = node(`win${change}`, `10.0.${Math.floor(change / 250)}.${(change % 250) + 1}`);
  return store.claim({ changeId: `c${change}`, node: spec, excluded: [], now, ...options });
}

describe('claim', () => {
  test("gives the lowest slices in turn, and tells of the ones before: the guide's example (S18)", async () => {
    const first = await claim(1);
    const second = await claim(2);
    const third = await claim(3);
    expect([first, second, third].map(({ lease }) => lease.podCidr)).toEqual([
      '192.168.0.0/24',
      '192.168.1.0/24',
      '192.168.2.0/24',
    ]);
    expect(third.lease).toEqual({
      podCidr: '192.168.2.0/24',
      node: node('win3', '10.0.0.4'),
      changeId: 'c3',
      state: 'claimed',
      claimedAt: now.toISOString(),
      owing: [],
    });
    expect(first.others).toEqual([]);
    expect(new Set(third.others.map((other) => other.changeId))).toEqual(new Set(['c1', 'c2']));
  });

  test('asked again by the same change, gives the same slice', async () => {
    const first = await claim(1);
    await claim(2);
    const again = await claim(1, { now: later(5) });
    expect(again.lease).toEqual(first.lease);
    expect(again.others).toHaveLength(1);
  });

  test('passes over reserved and excluded ranges, the service CIDR, and every node address', async () => {
    const narrow = createLeaseStore(redis, names, {
      ...policy,
      serviceCidr: '192.168.1.0/24',
      reserved: ['192.168.0.0/25'],
    });
    const spec = node('odd', '192.168.3.9');
    const { lease } = await narrow.claim({ changeId: 'c1', node: spec, excluded: ['192.168.2.64/26'], now });
    expect(lease.podCidr).toBe('192.168.4.0/24');
    const next = await claim(2, { excluded: ['192.168.0.0/23'] });
    expect(next.lease.podCidr).toBe('192.168.2.0/24');
    expect((await claim(3, { excluded: ['192.168.0.0/23'] })).lease.podCidr).toBe('192.168.5.0/24');
  });

  test('an explicit slice is honoured', async () => {
    expect((await claim(1, { explicit: '192.168.77.0/24' })).lease.podCidr).toBe('192.168.77.0/24');
    expect((await claim(2)).lease.podCidr).toBe('192.168.0.0/24');
  });

  test.each<[what: string, explicit: Cidr, code: string, facts: Record<string, unknown>]>([
    ['held by another claim', '192.168.5.0/24', 'pod-cidr-held', { holder: 'win5', changeId: 'c5' }],
    ['outside the cluster', '172.16.0.0/24', 'pod-cidr-outside', {}],
    ['of the wrong size', '192.168.6.0/25', 'pod-cidr-size', {}],
    [
      'routed by a host',
      '192.168.7.0/24',
      'pod-cidr-overlaps',
      { overlap: 'host-route', with: '192.168.7.0/26' },
    ],
    [
      "around another claim's address",
      '192.168.9.0/24',
      'pod-cidr-overlaps',
      { overlap: 'node-address', owner: 'lan' },
    ],
  ])('an explicit slice %s is refused', async (_what, explicit, code, facts) => {
    await claim(5, { explicit: '192.168.5.0/24' });
    await claim(6, { node: node('lan', '192.168.9.1') });
    await expect(claim(1, { explicit, excluded: ['192.168.7.0/26'] })).rejects.toMatchObject({ code, facts });
    expect(await store.list(now)).toHaveLength(2);
  });

  test('a name or an address that another change holds is refused with that change', async () => {
    await claim(1);
    await expect(claim(2, { node: node('win1', '10.0.9.9') })).rejects.toMatchObject({
      code: 'node-exists',
      facts: { name: 'win1', address: '10.0.0.2', podCidr: '192.168.0.0/24', changeId: 'c1' },
    });
    await expect(claim(2, { node: node('other', '10.0.0.2') })).rejects.toMatchObject({
      code: 'address-taken',
      facts: { address: '10.0.0.2', holder: 'win1', changeId: 'c1' },
    });
  });

  test('an address among the pods of a claimed slice is refused', async () => {
    await claim(1);
    await expect(claim(2, { node: node('inside', '192.168.0.9') })).rejects.toMatchObject({
      code: 'address-in-pod-cidr',
      facts: { podCidr: '192.168.0.0/24', holder: 'win1' },
    });
  });

  test('members keep their slice, name and address even when every lease is lost', async () => {
    await inventory.add({ ...node('win01', '10.0.7.7'), podCidr: '192.168.0.0/24' });
    expect((await claim(1)).lease.podCidr).toBe('192.168.1.0/24');
    await expect(claim(2, { explicit: '192.168.0.0/24' })).rejects.toMatchObject({
      code: 'pod-cidr-held',
      facts: { holder: 'win01' },
    });
    await expect(claim(2, { node: node('win01', '10.0.7.8') })).rejects.toMatchObject({
      code: 'node-exists',
    });
    await expect(claim(2, { node: node('win02', '10.0.7.7') })).rejects.toMatchObject({
      code: 'address-taken',
    });
  });
});

describe('what could be given', () => {
  test('leaves out what is reserved, what services have, and where nodes are', async () => {
    const narrow = createLeaseStore(redis, names, {
      ...policy,
      clusterCidr: '192.168.0.0/20',
      serviceCidr: '192.168.14.0/23',
      reserved: ['192.168.13.128/25'],
    });
    expect(await narrow.freeCount([], now)).toBe(13);
    await narrow.claim({ changeId: 'c1', node: node('lan', '192.168.12.9'), excluded: [], now });
    // Its own slice, and the one that its address is in.
    expect(await narrow.freeCount([], now)).toBe(11);
    // A member whose lease was lost, and what hosts route.
    await inventory.add({ ...node('win01', '192.168.11.1'), podCidr: '192.168.1.0/24' });
    expect(await narrow.freeCount([], now)).toBe(9);
    expect(await narrow.freeCount(['192.168.0.0/21', '10.0.0.0/8'], now)).toBe(3);
    for (let i = 3; i < 12; i += 1)
      await narrow.claim({ changeId: `c${i}`, node: node(`n${i}`, `10.0.0.${i}`), excluded: [], now });
    expect(await narrow.freeCount([], now)).toBe(0);
    await expect(
      narrow.claim({ changeId: 'c99', node: node('last', '10.0.0.99'), excluded: [], now }),
    ).rejects.toMatchObject({ code: 'cluster-full' });
  });
});

describe('a lease ends', () => {
  test('released before approval: free at once', async () => {
    await claim(1);
    expect(await store.release('c1')).toBe('released');
    expect(await store.release('c1')).toBe('none');
    expect((await claim(2)).lease.podCidr).toBe('192.168.0.0/24');
  });

  test('confirmed: it can not be released, only put to rest', async () => {
    await claim(1);
    expect(await store.confirm('c1')).toMatchObject({ state: 'held', changeId: 'c1' });
    expect(await store.confirm('c1')).toMatchObject({ state: 'held' });
    expect(await store.release('c1')).toBe('held');
    expect(await store.confirm('c9')).toBeNull();
    expect((await claim(2)).lease.podCidr).toBe('192.168.1.0/24');
  });

  test('confirmed for a change that then never touched a host: free at once', async () => {
    await claim(1);
    await store.confirm('c1');
    expect(await store.release('c1', 'untouched')).toBe('released');
    expect((await claim(2)).lease.podCidr).toBe('192.168.0.0/24');
  });

  const rest = { podCidr: '192.168.0.0/24', node: 'win1', peersOwing: ['lin01', 'win02'], until: later(60) };

  test('a peer that forgot an earlier node with the slice has not forgotten this one', async () => {
    await claim(1);
    await store.quarantine(rest);
    expect(await store.settle(rest.podCidr, 'lin01', 'win9')).toBeNull();
    expect(await store.settle(rest.podCidr, 'lin01', 'win1')).toMatchObject({ owing: ['win02'] });
  });

  test('quarantined: free when every peer has settled and the time is over, not before', async () => {
    await claim(1);
    await store.confirm('c1');
    expect(await store.quarantine(rest)).toMatchObject({ state: 'resting', owing: ['lin01', 'win02'] });
    await expect(claim(2, { explicit: rest.podCidr, now: later(61) })).rejects.toMatchObject({
      code: 'pod-cidr-held',
      facts: { holder: 'win1', restsUntil: later(60).toISOString(), owing: ['lin01', 'win02'] },
    });
    expect(await store.settle(rest.podCidr, 'lin01')).toMatchObject({ owing: ['win02'] });
    expect(await store.settle(rest.podCidr, 'lin01')).toMatchObject({ owing: ['win02'] });
    expect((await claim(2, { now: later(61) })).lease.podCidr).toBe('192.168.1.0/24');

    expect(await store.settle(rest.podCidr, 'win02')).toMatchObject({ owing: [] });
    expect((await claim(3, { now: later(59) })).lease.podCidr).toBe('192.168.2.0/24');
    expect(await store.restingCount(later(59))).toBe(1);
    expect(await store.restingCount(later(60))).toBe(0);
    expect((await store.list(later(60))).map((lease) => lease.podCidr)).toEqual([
      '192.168.1.0/24',
      '192.168.2.0/24',
    ]);
    expect((await claim(4, { now: later(60) })).lease.podCidr).toBe('192.168.0.0/24');
  });

  test('repeating a quarantine brings back no settled peer and takes no other node’s slice', async () => {
    await claim(1);
    await store.quarantine(rest);
    await store.settle(rest.podCidr, 'lin01');
    expect(await store.quarantine(rest)).toMatchObject({ owing: ['win02'] });
    await store.settle(rest.podCidr, 'win02');
    const { lease } = await claim(2, { now: later(61) });
    expect(lease.podCidr).toBe(rest.podCidr);
    expect(await store.quarantine(rest)).toBeNull();
    expect(await store.settle(rest.podCidr, 'win02')).toBeNull();
    expect(await store.list(later(61))).toMatchObject([{ changeId: 'c2', state: 'claimed' }]);
  });

  test('a removed node comes back only when no peer owes its removal; then it gets another slice', async () => {
    await claim(1);
    await store.quarantine({ ...rest, peersOwing: ['lin01'] });
    await expect(claim(2, { node: node('win1', '10.0.0.2') })).rejects.toMatchObject({
      code: 'node-still-owed',
      facts: { name: 'win1', podCidr: '192.168.0.0/24', peers: ['lin01'] },
    });
    await store.settle(rest.podCidr, 'lin01');
    expect((await claim(2, { node: node('win1', '10.0.0.2') })).lease.podCidr).toBe('192.168.1.0/24');
  });
});

describe('many at once', () => {
  const run = promisify(execFile);
  test('100 claims from 4 processes: 100 different slices, none lost', async () => {
    const outputs = await Promise.all(
      ['a', 'b', 'c', 'd'].map((who) =>
        run(process.execPath, [...nodeArgs('test/network/claimer.ts'), url, prefix, who, '25']).then(
          ({ stdout }) => stdout,
        ),
      ),
    );
    const given = outputs.flatMap((output) => JSON.parse(output) as Cidr[]);
    expect(given).toHaveLength(100);
    expect(new Set(given).size).toBe(100);
    const listed = await store.list(now);
    expect(new Set(given)).toEqual(new Set(listed.map((lease) => lease.podCidr)));
    expect(listed.map((lease) => lease.podCidr)).toEqual(
      Array.from({ length: 100 }, (_, i) => `192.168.${i}.0/24`),
    );
  });

  test('256 in a /16; the 257th is refused, with how many are resting and when the next is free', async () => {
    await Promise.all(Array.from({ length: 256 }, (_, i) => claim(i)));
    await expect(claim(256)).rejects.toMatchObject({
      code: 'cluster-full',
      facts: { clusterCidr: '192.168.0.0/16', slices: 256, resting: 0 },
    });
    const [first, second] = await store.list(now);
    for (const [lease, minutes] of [
      [first, 60],
      [second, 30],
    ] as const) {
      if (!lease) throw new Error('two leases expected');
      await store.quarantine({
        podCidr: lease.podCidr,
        node: lease.node.name,
        peersOwing: [],
        until: later(minutes),
      });
    }
    await expect(claim(256)).rejects.toMatchObject({
      code: 'cluster-full',
      facts: { resting: 2, soonestFreeAt: later(30).toISOString() },
    });
    expect((await claim(256, { now: later(30) })).lease.podCidr).toBe(second?.podCidr);
  });
});

describe('a removal that is rolled back', () => {
  const rest = { podCidr: '192.168.0.0/24', node: 'win1', peersOwing: ['lin01'], until: later(60) };
  const win1 = { ...node('win1', '10.0.0.2'), podCidr: rest.podCidr };

  test('gives the node its slice again', async () => {
    await claim(1);
    await store.quarantine(rest);
    expect(await store.restore(win1, 'c7', now)).toMatchObject({ state: 'held', owing: [], changeId: 'c1' });
    expect(await store.restingCount(now)).toBe(0);
    await expect(claim(2, { explicit: rest.podCidr, now: later(90) })).rejects.toMatchObject({
      code: 'pod-cidr-held',
    });
  });

  test('also after its rest, while it is free', async () => {
    await claim(1);
    await store.quarantine({ ...rest, peersOwing: [] });
    expect(await store.restore(win1, 'c7', later(61))).toMatchObject({ state: 'held', changeId: 'c7' });
    expect((await claim(2, { now: later(61) })).lease.podCidr).toBe('192.168.1.0/24');
    expect((await store.list(later(61)))[0]?.node).toEqual(node('win1', '10.0.0.2'));
  });

  test('not when the slice is another node’s by now', async () => {
    await claim(1);
    await store.quarantine({ ...rest, peersOwing: [] });
    expect((await claim(2, { now: later(61) })).lease.podCidr).toBe(rest.podCidr);
    expect(await store.restore(win1, 'c7', later(61))).toBeNull();
    expect(await store.list(later(61))).toMatchObject([{ changeId: 'c2', state: 'claimed' }]);
  });
});

test('the script chooses as the pure allocation does, whatever is excluded and leased', async () => {
  const small: NetworkPolicy = { ...policy, clusterCidr: '192.168.0.0/20', reserved: ['192.168.4.0/25'] };
  const stores = createLeaseStore(redis, names, small);
  const range = fc
    .tuple(fc.integer({ min: 0xc0a80000, max: 0xc0a80fff }), fc.integer({ min: 21, max: 32 }))
    .map(([value, length]) => cidrAround(toText(value), length));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(range, { maxLength: 4 }), { minLength: 1, maxLength: 12 }),
      async (rounds) => {
        await clear();
        const taken: Cidr[] = [];
        for (const [i, excluded] of rounds.entries()) {
          const spec = node(`n${i}`, `10.0.0.${i + 1}`);
          const expected = firstFree(small, taken, [...neverGiven(small, [spec.address]), ...excluded]);
          const got = await stores
            .claim({ changeId: `c${i}`, node: spec, excluded, now })
            .catch((error: unknown) => {
              if (!isRefusal(error, 'cluster-full')) throw error;
              return null;
            });
          expect(got?.lease.podCidr ?? null).toBe(expected);
          if (expected !== null) taken.push(expected);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test.each([
  ['its name', 'win1', '10.0.0.99'],
  ['its address', 'other', '10.0.0.2'],
])('a removal can’t be rolled back once %s is in use again', async (_what, name, address) => {
  await claim(1);
  await store.quarantine({ podCidr: '192.168.0.0/24', node: 'win1', peersOwing: [], until: later(60) });
  await claim(2, { node: node(name, address) });
  const win1 = { ...node('win1', '10.0.0.2'), podCidr: '192.168.0.0/24' };
  expect(await store.restore(win1, 'c7', now)).toBeNull();
});

describe('another slice for the same change', () => {
  test('is taken in one stroke: the old one is free, the new one its own', async () => {
    await claim(1);
    await claim(2);
    const moved = await claim(1, { another: true, excluded: ['192.168.0.0/24'] });
    expect(moved.lease).toMatchObject({ podCidr: '192.168.2.0/24', changeId: 'c1' });
    expect(moved.others.map((other) => other.changeId)).toEqual(['c2']);
    expect((await claim(1)).lease.podCidr).toBe('192.168.2.0/24');
    expect((await claim(3)).lease.podCidr).toBe('192.168.0.0/24');
  });

  test('not once it is confirmed; and when there is none, the old one stays', async () => {
    await claim(1);
    await expect(claim(1, { another: true, excluded: ['192.168.0.0/16'] })).rejects.toMatchObject({
      code: 'cluster-full',
    });
    expect((await claim(1)).lease.podCidr).toBe('192.168.0.0/24');
    await store.confirm('c1');
    const again = await claim(1, { another: true, excluded: ['192.168.0.0/24'] });
    expect(again.lease).toMatchObject({ podCidr: '192.168.0.0/24', state: 'held' });
  });
});

test('a member whose lease was lost rests all the same when it is removed', async () => {
  const member = { ...node('win01', '10.0.7.7'), podCidr: '192.168.0.0/24' };
  await inventory.add({ ...member, made: { bridge: false, podNetwork: true, forwarding: true } });
  const rest = { podCidr: member.podCidr, node: 'win01', peersOwing: ['lin01'], until: later(60) };
  expect(await store.quarantine(rest)).toMatchObject({ state: 'resting', owing: ['lin01'] });
  await inventory.remove('win01');
  expect((await claim(1)).lease.podCidr).toBe('192.168.1.0/24');
  expect(await store.list(now)).toMatchObject([{ node: node('win01', '10.0.7.7') }, { changeId: 'c1' }]);
});
