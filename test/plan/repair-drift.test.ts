import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isRefusal } from '../../src/errors.js';
import type { Cidr } from '../../src/ip.js';
import { desiredRoutes, diffRoutes, type ObservedRoute } from '../../src/network/route.js';
import type { Node, Os } from '../../src/node/node.js';
import type { Observation, RepairPlan } from '../../src/plan/plan.js';
import { podSide } from '../../src/plan/pod-side.js';
import type { HostReading } from '../../src/plan/reading.js';
import { clusterRoutes } from '../../src/plan/reading.js';
import { isRestoring, planRepair, type RepairInput, slicesMoved } from '../../src/plan/repair-drift.js';
import { stepHolds } from '../../src/plan/step.js';
import { clean, driftOf, grow, readingsOf, render } from '../support/model-cluster.js';
import { applyTo, freshHost, type ModelHosts, stepped } from '../support/model-host.js';

const NONE: ReadonlySet<Cidr> = new Set();
type Cluster = ReturnType<typeof grow>;
type More = Partial<Pick<RepairInput, 'node' | 'accounted' | 'resting' | 'strays' | 'readings'>>;

function repair({ inventory, policy }: Cluster, hosts: ModelHosts, more: More = {}): RepairPlan {
  const readings = readingsOf(hosts);
  return planRepair({
    inventory,
    readings,
    accounted: NONE,
    resting: NONE,
    strays: 'remove',
    policy,
    render,
    ...more,
  });
}

/** null: there is nothing to repair. */
function orNothing(run: () => RepairPlan): RepairPlan | null {
  try {
    return run();
  } catch (error) {
    if (isRefusal(error, 'nothing-to-repair')) return null;
    throw error;
  }
}

/** What may befall a host; `pick` chooses among its routes. */
type Harm =
  | { kind: 'lost' | 'wrong' | 'foreign'; pick: number }
  | { kind: 'stray' | 'stranger'; slice: number }
  | { kind: 'reboot' | 'forwarding' };

const harms = fc.array(
  fc.record({
    host: fc.nat(),
    harm: fc.oneof(
      fc.record({ kind: fc.constantFrom('lost' as const, 'wrong' as const), pick: fc.nat() }),
      fc.record({
        kind: fc.constantFrom('stray' as const, 'stranger' as const),
        slice: fc.integer({ min: 100, max: 110 }),
      }),
      fc.record({ kind: fc.constantFrom('reboot' as const, 'forwarding' as const) }),
    ),
  }),
  { minLength: 1, maxLength: 12 },
);
const kinds = fc.array(fc.constantFrom<Os>('linux', 'windows'), { minLength: 1, maxLength: 6 });
const modes = fc.constantFrom('node-address' as const, 'pod-gateway' as const);

const isOurs = (route: ObservedRoute) => route.ours;

function harmed(host: Observation, node: Node, harm: Harm): Observation {
  const ours = host.routes.filter(isOurs);
  const others = (gone: ObservedRoute | undefined) => host.routes.filter((route) => route !== gone);
  const made = (destination: Cidr, nextHop: string, mine: boolean): ObservedRoute => ({
    destination,
    nextHop,
    device: host.nodeDevice ?? '',
    ours: mine,
    metric: 0,
  });
  switch (harm.kind) {
    case 'lost':
      return { ...host, routes: others(ours[harm.pick % ours.length]) };
    case 'wrong':
    case 'foreign': {
      const route = ours[harm.pick % ours.length];
      if (!route) return host;
      return {
        ...host,
        routes: [...others(route), made(route.destination, '10.0.0.99', harm.kind === 'wrong')],
      };
    }
    case 'stray':
    case 'stranger': {
      const destination = `192.168.${harm.slice}.0/24`;
      if (host.routes.some((route) => route.destination === destination)) return host;
      return { ...host, routes: [...host.routes, made(destination, '10.0.0.98', harm.kind === 'stray')] };
    }
    case 'forwarding':
      return { ...host, forwarding: false };
    case 'reboot': {
      const fresh = freshHost(node);
      return { ...fresh, boot: 'b2', routes: [...fresh.routes, ...host.routes.filter(isForeign)] };
    }
  }
}

function isForeign(route: ObservedRoute): boolean {
  return !route.ours && route.nextHop === '10.0.0.98';
}

function harmAll(
  { hosts, inventory }: Cluster,
  list: readonly { host: number; harm: Harm }[],
): Map<string, Observation> {
  const after = new Map(hosts);
  for (const { host, harm } of list) {
    const node = inventory.nodes[host % inventory.nodes.length];
    const before = node && after.get(node.name);
    if (node && before) after.set(node.name, harmed(before, node, harm));
  }
  return after;
}

/** In an order of their own, so that hosts can be compared. */
function sorted(host: Observation | undefined) {
  const byText = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return (
    host && { ...host, routes: [...host.routes].sort(byText), addresses: [...host.addresses].sort(byText) }
  );
}

describe('a repair, as properties', () => {
  test('of all leaves no drift and nothing that a boot lost, and a second one has nothing to do', () => {
    fc.assert(
      fc.property(kinds, modes, harms, (oses, mode, list) => {
        const cluster = grow(oses, mode);
        const broken = harmAll(cluster, list);
        const plan = orNothing(() => repair(cluster, broken));
        const hosts = plan ? applyTo(broken, plan.hosts) : broken;
        for (const drift of driftOf(hosts, cluster.inventory, cluster.policy)) expect(drift).toEqual(clean);
        for (const node of cluster.inventory.nodes) {
          const host = hosts.get(node.name) ?? freshHost(node);
          for (const step of podSide(node, host, cluster.policy)) expect(stepHolds(step, host)).toBe(true);
        }
        expect(orNothing(() => repair(cluster, hosts))).toBeNull();
      }),
    );
  });

  test('of one node leaves none on it, and no peer without its route to it; other pairs are not its business', () => {
    fc.assert(
      fc.property(kinds, modes, harms, fc.nat(), (oses, mode, list, pick) => {
        const cluster = grow(oses, mode);
        const { inventory, policy } = cluster;
        const node = inventory.nodes[pick % inventory.nodes.length];
        if (!node) return;
        const broken = harmAll(cluster, list);
        const plan = orNothing(() => repair(cluster, broken, { node }));
        const hosts = plan ? applyTo(broken, plan.hosts) : broken;
        expect(driftOf(hosts, inventory, policy)[inventory.nodes.indexOf(node)]).toEqual(clean);
        for (const peer of inventory.nodes) {
          if (peer.name === node.name) continue;
          const held = clusterRoutes(hosts.get(peer.name) ?? freshHost(peer), policy.clusterCidr);
          const { missing, wrong } = diffRoutes(desiredRoutes(peer, [node], policy.nextHop), held);
          expect([...missing, ...wrong]).toEqual([]);
        }
        for (const { role, steps } of plan?.hosts ?? []) {
          if (role === 'peer') expect(steps).toHaveLength(1);
        }
        expect(orNothing(() => repair(cluster, hosts, { node }))).toBeNull();
      }),
    );
  });

  test('never touches a foreign route, whatever is broken, and names those in the way', () => {
    const foreign = fc.array(fc.record({ host: fc.nat(), pick: fc.nat() }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(kinds, modes, harms, foreign, (oses, mode, list, ways) => {
        const cluster = grow(oses, mode);
        const blocked = ways.map(({ host, pick }) => ({ host, harm: { kind: 'foreign' as const, pick } }));
        // The harm that takes routes away comes first, so that what stands in the way stays.
        const broken = harmAll({ ...cluster, hosts: harmAll(cluster, blocked) }, list.filter(isNoReboot));
        const theirs = (hosts: ModelHosts) =>
          [...hosts].map(([name, host]) => [
            name,
            host.routes.filter((route) => !route.ours && route.nextHop),
          ]);
        const plan = orNothing(() => repair(cluster, broken));
        const hosts = plan ? applyTo(broken, plan.hosts) : broken;
        expect(theirs(hosts)).toEqual(theirs(broken));
        const inTheWay = driftOf(broken, cluster.inventory, cluster.policy).flatMap((drift) => drift.foreign);
        if (plan) expect(plan.foreign.map(({ route }) => route)).toEqual(inTheWay);
        const named = (plan?.hosts ?? []).flatMap(({ host, steps, undo }) =>
          [...steps, ...undo].flatMap((step) =>
            step.kind === 'route' ? [`${host} ${step.route.destination}`] : [],
          ),
        );
        for (const [host, routes] of theirs(broken)) {
          for (const route of routes as ObservedRoute[]) {
            if (route.nextHop === '10.0.0.99') expect(named).not.toContain(`${host} ${route.destination}`);
          }
        }
      }),
    );
  });

  test('is undone to what the hosts held before, but for forwarding, which stays on', () => {
    fc.assert(
      fc.property(kinds, modes, harms, (oses, mode, list) => {
        const cluster = grow(oses, mode);
        const broken = harmAll(cluster, list);
        const plan = orNothing(() => repair(cluster, broken));
        if (!plan) return;
        const undone = applyTo(
          applyTo(broken, plan.hosts),
          plan.hosts.map(({ host, undo }) => ({ host, steps: undo })),
        );
        for (const { host } of plan.hosts) {
          const before = broken.get(host);
          if (before) expect(sorted(undone.get(host))).toEqual(sorted({ ...before, forwarding: true }));
        }
      }),
    );
  });

  test('that may not take strays away only ever restores', () => {
    fc.assert(
      fc.property(kinds, modes, harms, (oses, mode, list) => {
        const cluster = grow(oses, mode);
        const plan = orNothing(() => repair(cluster, harmAll(cluster, list), { strays: 'leave' }));
        if (plan) expect(isRestoring(plan)).toBe(true);
      }),
    );
  });
});

function isNoReboot({ harm }: { harm: Harm }): boolean {
  return harm.kind !== 'reboot';
}

describe('a repair', () => {
  const cluster = grow(['linux', 'windows', 'linux'], 'node-address');
  const [lin0, , lin2] = cluster.inventory.nodes as [Node, Node, Node];
  const stray = (slice: number): Harm => ({ kind: 'stray', slice });
  const hit = (...list: [host: number, harm: Harm][]) =>
    harmAll(
      cluster,
      list.map(([host, harm]) => ({ host, harm })),
    );
  const refused = (hosts: ModelHosts, more: More = {}) => {
    try {
      repair(cluster, hosts, more);
    } catch (error) {
      if (isRefusal(error, 'nothing-to-repair')) return error.facts;
    }
    throw new Error('there was something to repair');
  };
  const unread: HostReading = { observed: null, unreadable: 'no answer', keyChanged: false };

  test('of a rebooted Linux node: its bridge, forwarding and routes, and its peers are left in peace', () => {
    const plan = repair(cluster, hit([0, { kind: 'reboot' }]), { node: lin0 });
    expect(plan.hosts.map(({ host, role }) => [host, role])).toEqual([['lin0', 'node']]);
    expect(plan.hosts[0]?.steps.map((step) => step.kind)).toEqual(['bridge', 'forwarding', 'route', 'route']);
    expect(plan.read).toBe(3);
    expect(slicesMoved(plan)).toEqual(['192.168.0.0/24', '192.168.1.0/24', '192.168.2.0/24']);
  });

  test('of a rebooted Windows node: its network and pod gateway too', () => {
    const plan = repair(cluster, hit([1, { kind: 'reboot' }]));
    expect(plan.hosts.map(({ host }) => host)).toEqual(['win1']);
    expect(plan.hosts[0]?.steps.map((step) => step.kind)).toEqual([
      'forwarding',
      'routing-service',
      'reboot',
      'image',
      'virtual-switch',
      'pod-network',
      'pod-gateway',
      'route',
      'route',
      'component',
      'component',
    ]);
  });

  test('of a named node keeps it on the plan though only a peer differs', () => {
    const hosts = new Map(hit([1, { kind: 'lost', pick: 1 }]));
    const plan = repair(cluster, hosts, { node: lin2 });
    expect(plan.hosts.map(({ host, steps }) => [host, steps.length])).toEqual([
      ['lin2', 0],
      ['win1', 1],
    ]);
  });

  test('shows a host that could not be read, and plans nothing for it', () => {
    const broken = hit([0, { kind: 'lost', pick: 0 }]);
    const readings = new Map([...readingsOf(broken), ['win1', unread] as const]);
    const plan = repair(cluster, broken, { readings });
    expect(plan.hosts.map(({ host, steps }) => [host, steps.length])).toEqual([['lin0', 1]]);
    expect(plan.unread).toEqual([{ host: 'win1', why: 'no answer' }]);
    expect(plan.read).toBe(2);
  });

  test('leaves routes alone that an open change or owed work will see to', () => {
    const broken = hit([0, stray(100)], [0, stray(101)]);
    const plan = repair(cluster, broken, { accounted: new Set(['192.168.100.0/24']) });
    expect(plan.hosts.flatMap(({ steps }) => steps)).toEqual([
      {
        kind: 'route',
        action: 'remove',
        peer: null,
        route: { destination: '192.168.101.0/24', nextHop: '10.0.0.98' },
      },
    ]);
    expect(isRestoring(plan)).toBe(false);
  });

  test('takes away what is left of a removed node for good: no roll-back brings that back', () => {
    const broken = hit([0, stray(100)], [0, stray(101)]);
    const plan = repair(cluster, broken, { resting: new Set(['192.168.100.0/24']) });
    const routes = (steps: RepairPlan['hosts'][number]['steps'] = []) =>
      steps.map((step) => (step.kind === 'route' ? `${step.action} ${step.route.destination}` : step.kind));
    expect(routes(plan.hosts[0]?.steps)).toEqual(['remove 192.168.100.0/24', 'remove 192.168.101.0/24']);
    expect(routes(plan.hosts[0]?.undo)).toEqual(['ensure 192.168.101.0/24']);
  });

  test('renews a route that is only half there, and no roll-back halves it again', () => {
    const win1 = cluster.hosts.get('win1') ?? freshHost(lin0);
    const half = win1.routes.map((route) =>
      route.destination === lin0.podCidr ? { ...route, partial: true } : route,
    );
    const plan = repair(cluster, new Map([...cluster.hosts, ['win1', { ...win1, routes: half }] as const]));
    expect(plan.hosts[0]).toMatchObject({ host: 'win1', steps: [{ kind: 'route', peer: 'lin0' }], undo: [] });
  });

  test('puts a bridge up again that is down, and no roll-back takes its address', () => {
    const host = cluster.hosts.get('lin0') ?? freshHost(lin0);
    const down = { ...host, routes: host.routes.filter((route) => route.destination !== lin0.podCidr) };
    const plan = repair(cluster, new Map([...cluster.hosts, ['lin0', down] as const]));
    expect(plan.hosts[0]).toMatchObject({ steps: [{ kind: 'bridge', ownBridge: false }], undo: [] });
    const after = plan.hosts[0]?.steps.reduce(stepped, down);
    expect(after?.routes).toContainEqual(expect.objectContaining({ destination: lin0.podCidr }));
  });

  test('a pod gateway on a bridge of another name is good as it is', () => {
    const cluster = grow(['linux', 'linux'], 'node-address');
    const hosts = new Map(
      [...cluster.hosts].map(([name, host]) => {
        const rename = (device: string) => device.replace('cbr0', 'br-pods');
        const renamed = {
          ...host,
          bridges: ['br-pods'],
          addresses: host.addresses.map((held) => ({ ...held, device: rename(held.device) })),
          routes: host.routes.map((route) => ({ ...route, device: rename(route.device) })),
        };
        return [name, renamed];
      }),
    );
    expect(orNothing(() => repair(cluster, hosts))).toBeNull();
  });

  test('of what is as it should be is refused, with what was looked at, could not be read, or is in the way', () => {
    expect(refused(cluster.hosts)).toEqual({ read: 3, unread: [], foreign: [] });
    expect(refused(cluster.hosts, { node: lin0 })).toEqual({
      name: 'lin0',
      read: 3,
      unread: [],
      foreign: [],
    });
    const blocked = hit([0, { kind: 'foreign', pick: 0 }]);
    const readings = new Map([...readingsOf(blocked), ['win1', unread] as const]);
    expect(refused(blocked, { readings })).toEqual({
      read: 2,
      unread: [{ host: 'win1', why: 'no answer' }],
      foreign: [{ host: 'lin0', destination: '192.168.1.0/24' }],
    });
  });
});
