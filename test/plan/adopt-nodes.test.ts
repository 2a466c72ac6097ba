import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isRefusal } from '../../src/errors.js';
import { overlaps, podGateway } from '../../src/ip.js';
import type { NetworkPolicy } from '../../src/network/allocation.js';
import type { Lease } from '../../src/network/lease-store.js';
import type { ObservedRoute } from '../../src/network/route.js';
import { nextHopTo } from '../../src/network/route.js';
import type { Node, NodeEntry, Os } from '../../src/node/node.js';
import { routesInTheWay } from '../../src/plan/add-node.js';
import type { AdoptInput } from '../../src/plan/adopt-draft.js';
import { noLongerAdopted, planAdopt } from '../../src/plan/adopt-nodes.js';
import type { AdoptPlan, Observation } from '../../src/plan/plan.js';
import type { HostReading } from '../../src/plan/reading.js';
import { planRemoveNode } from '../../src/plan/remove-node.js';
import { planRepair } from '../../src/plan/repair-drift.js';
import { grow, nodeOf, readingsOf, render } from '../support/model-cluster.js';
import { freshHost, stepped } from '../support/model-host.js';

const network: NetworkPolicy = {
  clusterCidr: '192.168.0.0/16',
  nodePrefixLength: 24,
  serviceCidr: '10.96.0.0/12',
  reserved: ['192.168.200.0/24'],
};
type Cluster = ReturnType<typeof grow>;

function adopt(
  { policy, hosts }: Pick<Cluster, 'policy' | 'hosts'>,
  asked: readonly NodeEntry[],
  more: Partial<AdoptInput> = {},
): AdoptPlan {
  return planAdopt({
    asked,
    inventory: { revision: 0, nodes: [] },
    leases: [],
    readings: readingsOf(hosts),
    network,
    policy,
    ...more,
  });
}

function entryOf({ name, os, address, podCidr }: Node, withCidr = true): NodeEntry {
  return { name, os, address, ...(withCidr ? { podCidr } : {}) };
}

/** What is said against each, by name. */
const conflictsOf = (plan: AdoptPlan) =>
  Object.fromEntries(plan.leftOut.map(({ name, conflict }) => [name, conflict]));

/** A Windows host as if its journal were lost: nothing tells whose its routes are. */
function forgotten({ hosts, inventory }: Cluster): Map<string, Observation> {
  return new Map(
    inventory.nodes.map((node) => {
      const host = hosts.get(node.name) ?? freshHost(node);
      const routes = host.routes.map((route) => ({ ...route, ours: node.os === 'linux' && route.ours }));
      return [node.name, { ...host, routes }];
    }),
  );
}

const kinds = fc.array(fc.constantFrom<Os>('linux', 'windows'), { minLength: 1, maxLength: 6 });
const modes = fc.constantFrom('node-address' as const, 'pod-gateway' as const);

describe('a cluster that Fairway built and forgot', () => {
  test('comes back as it was, with pod CIDRs said or read, and every route known', () => {
    fc.assert(
      fc.property(kinds, modes, fc.boolean(), (oses, mode, said) => {
        const cluster = grow(oses, mode);
        const { nodes } = cluster.inventory;
        const plan = adopt(
          { ...cluster, hosts: forgotten(cluster) },
          nodes.map((node) => entryOf(node, said)),
        );
        expect(plan.leftOut).toEqual([]);
        expect(plan.toNobody).toEqual([]);
        expect(plan.nodes.map(({ made: _made, ...node }) => node)).toEqual(
          nodes.map(({ made: _made, containerNic: _nic, ...node }) => node),
        );
        for (const { host, wanted, held, notOurs, own } of plan.routes) {
          const isWindows = nodes.find((node) => node.name === host)?.os === 'windows';
          expect([wanted, held, notOurs, own.length]).toEqual([
            nodes.length - 1,
            nodes.length - 1,
            0,
            isWindows ? nodes.length - 1 : 0,
          ]);
        }
        // Nothing is done anywhere.
        expect(
          plan.hosts.every(({ steps, undo, commands }) => [...steps, ...undo, ...commands].length === 0),
        ).toBe(true);
      }),
    );
  });

  test('needs no repair then, and gives up on removal what it held of ours, and nothing that it did not make', () => {
    fc.assert(
      fc.property(kinds, modes, (oses, mode) => {
        const cluster = grow(oses, mode);
        const plan = adopt(
          { ...cluster, hosts: forgotten(cluster) },
          cluster.inventory.nodes.map((node) => entryOf(node)),
        );
        const inventory = { revision: 1, nodes: plan.nodes };
        // With the journal that the plan writes, hosts are read as before.
        const readings = readingsOf(cluster.hosts);
        const { policy } = cluster;
        const common = { inventory, readings, policy, render };
        const none = new Set<string>();
        try {
          planRepair({ ...common, accounted: none, resting: none, strays: 'remove' });
          throw new Error('there was something to repair');
        } catch (error) {
          if (!isRefusal(error, 'nothing-to-repair')) throw error;
        }
        const [node] = plan.nodes;
        if (!node) return;
        const removal = planRemoveNode({ ...common, node });
        expect(removal.foreign).toEqual([]);
        const steps = removal.hosts.flatMap((host) => host.steps);
        expect(steps.every((step) => step.kind === 'route' && step.action === 'remove')).toBe(true);
        expect(steps).toHaveLength(2 * (plan.nodes.length - 1));
      }),
    );
  });
});

/** A host by hand: a bridge or a network with this slice, and these routes. */
function byHand(node: Node, routes: ObservedRoute[] = [], bridge = 'cbr0'): Observation {
  const host =
    node.os === 'linux'
      ? stepped(freshHost(node), {
          kind: 'bridge',
          action: 'ensure',
          bridge,
          podCidr: node.podCidr,
          ownBridge: true,
        })
      : stepped(freshHost(node), {
          kind: 'pod-network',
          action: 'ensure',
          network: 'transparent',
          podCidr: node.podCidr,
          containerNic: '',
        });
  return { ...host, routes: [...host.routes, ...routes] };
}
const route = (destination: string, nextHop: string | null, ours = false): ObservedRoute => ({
  destination,
  nextHop,
  device: 'eth0',
  ours,
  metric: 0,
});
const { policy } = grow([], 'node-address');
const [lin0, win1, lin2] = [nodeOf(0, 'linux'), nodeOf(1, 'windows'), nodeOf(2, 'linux')] as const;
const hostsOf = (...pairs: [Node, Observation][]) => new Map(pairs.map(([node, host]) => [node.name, host]));

describe('what speaks against a node', () => {
  const good = hostsOf([lin0, byHand(lin0)], [win1, byHand(win1)], [lin2, byHand(lin2)]);
  const all = [lin0, win1, lin2];
  const check = (
    hosts: Map<string, Observation>,
    asked: readonly NodeEntry[],
    more: Partial<AdoptInput> = {},
  ) => adopt({ policy, hosts }, asked, more);

  test('nothing: two routes are missing on each', () => {
    const plan = check(
      good,
      all.map((node) => entryOf(node, false)),
    );
    expect(plan.nodes.map(({ name, podCidr }) => `${name} ${podCidr}`)).toEqual(
      all.map(({ name, podCidr }) => `${name} ${podCidr}`),
    );
    expect(plan.routes.map(({ held, wanted }) => [held, wanted])).toEqual([
      [0, 2],
      [0, 2],
      [0, 2],
    ]);
    expect(plan.nodes.every(({ made }) => made && Object.values(made).every((each) => !each))).toBe(true);
  });

  test('routes by other hands are good on Linux, and stay theirs; on Windows those that fit become known, and no others', () => {
    const hosts = hostsOf(
      [lin0, byHand(lin0, [route(win1.podCidr, win1.address), route(lin2.podCidr, lin2.address, true)])],
      [
        win1,
        byHand(win1, [
          route(lin0.podCidr, lin0.address),
          { ...route(lin2.podCidr, lin2.address), partial: true },
        ]),
      ],
      [lin2, byHand(lin2)],
    );
    const plan = check(
      hosts,
      all.map((node) => entryOf(node)),
    );
    expect(plan.leftOut).toEqual([]);
    expect(plan.routes).toEqual([
      { host: lin0.name, wanted: 2, held: 2, notOurs: 1, own: [] },
      {
        host: win1.name,
        wanted: 2,
        held: 1,
        notOurs: 0,
        own: [{ destination: lin0.podCidr, nextHop: lin0.address }],
      },
      { host: lin2.name, wanted: 2, held: 0, notOurs: 0, own: [] },
    ]);
  });

  test.each<
    [what: string, hosts: [Node, Observation][], asked: NodeEntry[], conflicts: Record<string, object>]
  >([
    [
      'a host without the address',
      [[lin0, { ...byHand(lin0), nodeDevice: null }]],
      [entryOf(lin0)],
      { [lin0.name]: { kind: 'address-not-there' } },
    ],
    [
      'no pod CIDR',
      [[lin0, freshHost(lin0)]],
      [entryOf(lin0, false)],
      { [lin0.name]: { kind: 'no-pod-cidr', held: [] } },
    ],
    [
      'a bridge of another size',
      [
        [
          lin0,
          {
            ...freshHost(lin0),
            bridges: ['docker0'],
            addresses: [
              { address: lin0.address, prefixLength: 24, device: 'eth0' },
              { address: '192.168.0.1', prefixLength: 16, device: 'docker0' },
            ],
          },
        ],
      ],
      [entryOf(lin0, false)],
      { [lin0.name]: { kind: 'no-pod-cidr', held: ['docker0 192.168.0.1/16'] } },
    ],
    [
      'another pod CIDR than it is said to have',
      [[lin0, byHand(lin0)]],
      [{ ...entryOf(lin0), podCidr: '192.168.9.0/24' }],
      {
        [lin0.name]: {
          kind: 'other-pod-cidr',
          asked: '192.168.9.0/24',
          found: [lin0.podCidr],
          held: ['cbr0 192.168.0.1/24'],
        },
      },
    ],
    [
      'a network of another name',
      [
        [
          win1,
          {
            ...freshHost(win1),
            windows: {
              ...(freshHost(win1).windows as NonNullable<Observation['windows']>),
              podNetworks: [
                {
                  name: 'l2',
                  driver: 'transparent',
                  subnet: win1.podCidr,
                  gateway: podGateway(win1.podCidr),
                },
              ],
            },
          },
        ],
      ],
      [entryOf(win1, false)],
      { [win1.name]: { kind: 'network-name', network: 'l2', configured: 'transparent' } },
    ],
    [
      'a network card that it does not have',
      [[win1, byHand(win1)]],
      [{ ...entryOf(win1), containerNic: '00-15-5D-99-99-99' }],
      { [win1.name]: { kind: 'nic-unknown', mac: '00-15-5D-99-99-99', has: expect.any(Array) } },
    ],
    [
      'outside the cluster',
      [[lin0, byHand(lin0)]],
      [{ ...entryOf(lin0), podCidr: '172.16.0.0/24' }],
      { [lin0.name]: { kind: 'outside' } },
    ],
    [
      'the wrong size',
      [[lin0, byHand(lin0)]],
      [{ ...entryOf(lin0), podCidr: '192.168.0.0/25' }],
      { [lin0.name]: { kind: 'size' } },
    ],
    [
      'reserved',
      [[lin0, byHand({ ...lin0, podCidr: '192.168.200.0/24' })]],
      [entryOf(lin0, false)],
      { [lin0.name]: { kind: 'overlaps', overlap: 'reserved' } },
    ],
    [
      'around the address of another of the list',
      [
        [lin0, byHand(lin0)],
        [lin2, byHand({ ...lin2, address: '192.168.0.77' })],
      ],
      [entryOf(lin0), { ...entryOf(lin2), address: '192.168.0.77' }],
      { [lin0.name]: { kind: 'overlaps', overlap: 'node-address', owner: lin2.name } },
    ],
    [
      'an address in the services’ range',
      [[lin0, byHand(lin0)]],
      [{ ...entryOf(lin0), address: '10.96.0.1' }],
      { [lin0.name]: { kind: 'address-unusable' } },
    ],
    [
      'two with one slice: neither is taken for the right one',
      [
        [lin0, byHand(lin0)],
        [lin2, byHand({ ...lin2, podCidr: lin0.podCidr })],
      ],
      [entryOf(lin0, false), entryOf(lin2, false)],
      {
        [lin0.name]: { kind: 'shared', what: 'pod-cidr', value: lin0.podCidr, with: [lin2.name] },
        [lin2.name]: { kind: 'shared', what: 'pod-cidr', value: lin0.podCidr, with: [lin0.name] },
      },
    ],
    [
      'a host that leads the slice elsewhere, whoever made that route',
      [
        [lin0, byHand(lin0, [route(lin2.podCidr, '10.0.0.99', true)])],
        [lin2, byHand(lin2)],
      ],
      [entryOf(lin0), entryOf(lin2)],
      {
        [lin2.name]: {
          kind: 'routed',
          host: lin0.name,
          destination: lin2.podCidr,
          nextHop: '10.0.0.99',
          otherMode: false,
        },
      },
    ],
    [
      'a host that holds the slice itself',
      [
        [lin0, byHand(lin0, [route(lin2.podCidr, null)])],
        [lin2, byHand(lin2)],
      ],
      [entryOf(lin0), entryOf(lin2)],
      { [lin2.name]: { kind: 'routed', host: lin0.name, nextHop: null } },
    ],
    [
      'routes of a wider or narrower range',
      [
        [lin0, byHand(lin0, [route('192.168.2.128/25', '10.0.0.99')])],
        [win1, byHand(win1, [route('192.168.2.0/23', '10.0.0.99')])],
        [lin2, byHand(lin2)],
      ],
      [entryOf(lin0), entryOf(win1), entryOf(lin2)],
      { [lin2.name]: { kind: 'routed', destination: '192.168.2.128/25' } },
    ],
    [
      'Windows routes in the form of the other NEXT_HOP',
      [
        [win1, byHand(win1, [route(lin0.podCidr, podGateway(lin0.podCidr))])],
        [lin0, byHand(lin0)],
      ],
      [entryOf(win1), entryOf(lin0)],
      { [lin0.name]: { kind: 'routed', host: win1.name, otherMode: true } },
    ],
  ])('%s', (_what, hosts, asked, conflicts) => {
    const plan = check(hostsOf(...hosts), asked);
    expect(conflictsOf(plan)).toMatchObject(conflicts);
    expect(plan.leftOut).toHaveLength(Object.keys(conflicts).length);
    expect(plan.nodes).toHaveLength(asked.length - Object.keys(conflicts).length);
  });

  test('a host that can’t be read: unknown, not empty', () => {
    const readings = new Map<string, HostReading>([
      ...readingsOf(good),
      [win1.name, { observed: null, unreadable: 'no route to host', keyChanged: false }],
    ]);
    const plan = check(
      good,
      all.map((node) => entryOf(node)),
      { readings },
    );
    expect(conflictsOf(plan)).toEqual({ [win1.name]: { kind: 'unreadable', why: 'no route to host' } });
    // The others' routes to it are not taken for routes to nobody.
    expect(plan.toNobody).toEqual([]);
  });

  test('of several bridges the configured one’s slice is taken; of others, the one that is said', () => {
    const two = byHand({ ...lin0, podCidr: '192.168.9.0/24' }, [], 'br1');
    const both = {
      ...two,
      bridges: ['br1', 'cbr0'],
      addresses: [...two.addresses, { address: '192.168.0.1', prefixLength: 24, device: 'cbr0' }],
    };
    expect(check(hostsOf([lin0, both]), [entryOf(lin0, false)]).nodes).toMatchObject([
      { podCidr: lin0.podCidr },
    ]);
    const neither = {
      ...both,
      addresses: both.addresses.map((held) => ({ ...held, device: held.device.replace('cbr0', 'br1') })),
    };
    expect(conflictsOf(check(hostsOf([lin0, neither]), [entryOf(lin0, false)]))).toEqual({
      [lin0.name]: { kind: 'several-pod-cidrs', found: ['192.168.9.0/24', '192.168.0.0/24'] },
    });
    expect(check(hostsOf([lin0, neither]), [entryOf(lin0)]).nodes).toMatchObject([{ podCidr: lin0.podCidr }]);
  });

  test('members: the same facts are unchanged, others a conflict; and nobody else gets what is theirs', () => {
    const inventory = {
      revision: 4,
      nodes: [{ ...lin0, made: { bridge: true, podNetwork: false, forwarding: true } }],
    };
    const plan = check(good, [entryOf(lin0, false), entryOf(win1)], { inventory });
    expect([plan.unchanged, plan.nodes.map(({ name }) => name), plan.leftOut]).toEqual([
      [lin0.name],
      [win1.name],
      [],
    ]);
    expect(plan.routes).toMatchObject([
      { host: win1.name, wanted: 1 },
      { host: lin0.name, wanted: 1 },
    ]);
    const differs = check(good, [{ ...entryOf(lin0), address: '10.0.0.99', podCidr: '192.168.9.0/24' }], {
      inventory,
    });
    expect(conflictsOf(differs)).toEqual({
      [lin0.name]: {
        kind: 'member-differs',
        podCidr: lin0.podCidr,
        address: lin0.address,
        differs: ['address', 'podCidr'],
      },
    });
    const other = { ...lin0, name: 'other' };
    const thief = check(new Map([...good, ['other', byHand(other)]]), [entryOf(other)], { inventory });
    expect(conflictsOf(thief)).toEqual({
      other: { kind: 'taken', what: 'address', value: lin0.address, holder: lin0.name },
    });
  });

  test('leases: claimed by an open change, or resting for another, it is taken; its own resting one is not', () => {
    const lease = (over: Partial<Lease>): Lease => ({
      podCidr: lin0.podCidr,
      node: { name: 'win9', os: 'windows', address: '10.0.0.99' },
      changeId: 'c9',
      state: 'claimed',
      claimedAt: '2026-11-23T12:00:00.000Z',
      owing: [],
      ...over,
    });
    const of = (over: Partial<Lease>) =>
      conflictsOf(check(good, [entryOf(lin0)], { leases: [lease(over)] }))[lin0.name];
    const own = { name: lin0.name, os: lin0.os, address: lin0.address };
    expect(of({})).toEqual({
      kind: 'taken',
      what: 'pod-cidr',
      value: lin0.podCidr,
      holder: 'win9',
      changeId: 'c9',
    });
    expect(of({ podCidr: '192.168.50.0/24', node: own })).toMatchObject({
      kind: 'taken',
      what: 'name',
      changeId: 'c9',
    });
    const restsUntil = '2026-11-23T13:00:00.000Z';
    expect(of({ state: 'resting', restsUntil })).toMatchObject({
      kind: 'taken',
      what: 'pod-cidr',
      restsUntil,
    });
    expect(of({ state: 'resting', restsUntil, node: own })).toBeUndefined();
    expect(of({ state: 'resting', restsUntil, node: own, owing: ['lin2'] })).toMatchObject({
      owing: ['lin2'],
    });
    expect(of({ state: 'held', node: own })).toMatchObject({ kind: 'taken', what: 'name' });
    expect(of({ state: 'held' })).toMatchObject({ kind: 'taken', what: 'pod-cidr' });
  });
});

test('routes to slices of nobody are told, with the hosts that have them', () => {
  const stray = route('192.168.50.0/24', '10.0.0.50', true);
  const hosts = hostsOf(
    [lin0, byHand(lin0, [stray])],
    [lin2, byHand(lin2, [{ ...stray, ours: false }, route('192.168.60.0/24', null)])],
  );
  expect(adopt({ policy, hosts }, [entryOf(lin0), entryOf(lin2)]).toNobody).toEqual([
    { destination: '192.168.50.0/24', nextHop: '10.0.0.50', ours: true, hosts: [lin0.name, lin2.name] },
  ]);
});

/** Any mess: hosts with any slices and routes, a list with or without pod CIDRs, members and leases among them. */
const mess = fc.array(
  fc.record({
    os: fc.constantFrom<Os>('linux', 'windows'),
    slice: fc.nat(5),
    said: fc.option(fc.nat(5), { nil: undefined }),
    readable: fc.boolean(),
    as: fc.constantFrom('asked', 'asked', 'asked', 'member', 'lease'),
    routes: fc.array(fc.tuple(fc.nat(6), fc.nat(8)), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 7 },
);
const sliceOf = (number: number) => `192.168.${number}.0/24`;

function messy(parts: typeof mess extends fc.Arbitrary<infer T> ? T : never): AdoptInput {
  const nodes = parts.map(
    (part, index): Node => ({ ...nodeOf(index, part.os), podCidr: sliceOf(part.slice) }),
  );
  const readings = new Map<string, HostReading>();
  const taken = new Set<number>();
  const input: AdoptInput = {
    asked: [],
    inventory: { revision: 1, nodes: [] },
    leases: [],
    readings,
    network,
    policy,
  };
  const [asked, members, leases]: [NodeEntry[], Node[], Lease[]] = [[], [], []];
  parts.forEach(({ said, readable, as, routes, slice }, index) => {
    const node = nodes[index] as Node;
    const held = routes.map(([to, via]) => route(sliceOf(to), `10.0.0.${via + 4}`));
    const unreadable: HostReading = { observed: null, unreadable: '', keyChanged: false };
    readings.set(
      node.name,
      readable ? { observed: byHand(node, held), fingerprint: 'SHA256:x', firstContact: true } : unreadable,
    );
    // Members and leases never share a slice: the script sees to that.
    if (as !== 'asked' && taken.has(slice)) return;
    if (as !== 'asked') taken.add(slice);
    const { name, os, address } = node;
    if (as === 'member') members.push(node);
    else if (as === 'lease')
      leases.push({
        podCidr: node.podCidr,
        node: { name, os, address },
        changeId: 'c1',
        state: 'claimed',
        claimedAt: '',
        owing: [],
      });
    else asked.push({ name, os, address, ...(said === undefined ? {} : { podCidr: sliceOf(said) }) });
  });
  return { ...input, asked, leases, inventory: { revision: 1, nodes: members } };
}

test('whatever is asked and found: no two nodes share a slice, nothing contradicts what is recorded, nobody is forgotten', () => {
  fc.assert(
    fc.property(mess, (parts) => {
      const input = messy(parts);
      const plan = planAdopt(input);
      const members = input.inventory.nodes;
      const all = [...members, ...plan.nodes];
      const holders = [...all, ...input.leases.map(({ podCidr, node }) => ({ ...node, podCidr }))];
      for (const [i, a] of holders.entries())
        for (const b of holders.slice(i + 1)) {
          expect(overlaps(a.podCidr, b.podCidr)).toBe(false);
          expect(a.name).not.toBe(b.name);
          expect(a.address).not.toBe(b.address);
        }
      for (const node of plan.nodes) {
        const os = (host: string) =>
          [...members, ...input.asked].find(({ name }) => name === host)?.os ?? 'linux';
        const hop = (host: string) => nextHopTo(node, os(host), policy.nextHop);
        expect(routesInTheWay(node.podCidr, node, input.readings, policy, hop)).toEqual([]);
        const entry = input.asked.find(({ name }) => name === node.name);
        expect(node).toMatchObject({ ...entry });
      }
      const told = [...plan.nodes, ...plan.leftOut].map(({ name }) => name).concat(plan.unchanged);
      expect(told.sort()).toEqual(input.asked.map(({ name }) => name).sort());
      // The same again is the same.
      expect(noLongerAdopted(plan, planAdopt(input))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('250 nodes are planned for in seconds', () => {
  const nodes = Array.from(
    { length: 250 },
    (_, i): Node => ({
      ...nodeOf(i, i % 2 ? 'windows' : 'linux'),
      address: `10.0.${Math.floor(i / 200)}.${(i % 200) + 4}`,
    }),
  );
  const hosts = new Map(
    nodes.map((node) => [
      node.name,
      byHand(
        node,
        nodes.filter((peer) => peer !== node).map((peer) => route(peer.podCidr, peer.address)),
      ),
    ]),
  );
  const began = process.cpuUsage();
  const plan = adopt(
    { policy, hosts },
    nodes.map((node) => entryOf(node)),
  );
  const { user } = process.cpuUsage(began);
  expect(plan.nodes).toHaveLength(249);
  expect(conflictsOf(plan)).toMatchObject({
    [nodes[200]?.name ?? '']: { kind: 'overlaps', overlap: 'reserved' },
  });
  expect(user / 1_000_000).toBeLessThan(4);
});
