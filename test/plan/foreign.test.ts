/** Routes of others, where ours lead or would lead: found before, and nothing is ever sent that could touch them. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isRefusal } from '../../src/errors.js';
import type { HostRequest } from '../../src/host/host.js';
import { platformOf } from '../../src/host/platform.js';
import { holds, type NextHopMode, nextHopTo, type ObservedRoute } from '../../src/network/route.js';
import type { Inventory, Node, Os } from '../../src/node/node.js';
import { planAddNode, routesInTheWay } from '../../src/plan/add-node.js';
import type { Observation, Plan, Step } from '../../src/plan/plan.js';
import { planRemoveNode } from '../../src/plan/remove-node.js';
import { planRepair } from '../../src/plan/repair-drift.js';
import { conflicts, stepHolds } from '../../src/plan/step.js';
import { grow, nodeOf, readingsOf, render } from '../support/model-cluster.js';
import { applyTo, freshHost, type ModelHosts } from '../support/model-host.js';
import { PROGRAMS } from '../support/programs.js';

const oses = fc.array(fc.constantFrom<Os>('linux', 'windows'), { minLength: 1, maxLength: 5 });
const modes = fc.constantFrom<NextHopMode>('node-address', 'pod-gateway');
/**
 * Of which host, to which of the cluster's slices, and where to: null is a network of the host's own, such as another bridge; `ours` is
 * the very route that we would make, made by somebody else.
 */
const foreign = fc.record({
  host: fc.nat(),
  slice: fc.nat(),
  nextHop: fc.constantFrom('10.0.0.200', '10.0.0.201', 'ours', null),
  metric: fc.constantFrom(0, 50),
});
type Foreign = typeof foreign extends fc.Arbitrary<infer T> ? T : never;

/** A cluster, with one more node that has a slice but is no member yet. */
function scene(kinds: readonly Os[], mode: NextHopMode) {
  const { hosts, inventory, policy } = grow(kinds, mode);
  const newcomer = nodeOf(kinds.length, kinds[0] ?? 'linux');
  const all = new Map([...hosts, [newcomer.name, freshHost(newcomer)] as const]);
  return { hosts: all, inventory, policy, newcomer, nodes: [...inventory.nodes, newcomer] };
}

/** The hosts with others' routes on them, but for a host's own slice: what is there is the node's own network. */
function spoilt(
  hosts: ModelHosts,
  nodes: readonly Node[],
  routes: readonly Foreign[],
  mode: NextHopMode,
): ModelHosts {
  const next = new Map(hosts);
  for (const { host, slice, nextHop, metric } of routes) {
    const on = nodes[host % nodes.length] as Node;
    const to = nodes[slice % nodes.length] as Node;
    const held = next.get(on.name) as Observation;
    if (to === on) continue;
    const via = nextHop === 'ours' ? nextHopTo(to, on.os, mode) : nextHop;
    const route: ObservedRoute = {
      destination: to.podCidr,
      nextHop: via,
      device: 'eth9',
      ours: false,
      metric,
    };
    const others = held.routes.filter(
      ({ destination, nextHop: hop }) => destination !== to.podCidr || hop !== via,
    );
    next.set(on.name, { ...held, routes: [...others, route] });
  }
  return next;
}

const theirs = ({ routes }: Observation) => routes.filter((route) => !route.ours && route.device === 'eth9');

interface Sent {
  verb: string;
  destination: string;
  nextHop: string | undefined;
}

/** What the requests would have the host do to its routes. */
function sentIn(requests: readonly HostRequest[]): Sent[] {
  return requests.flatMap(({ script, params }): Sent[] => {
    if (script === 'sync')
      return [...String(params['batch']).matchAll(/^route (\S+) (\S+)(?: via (\S+))?/gm)].map(
        ([, verb = '', destination = '', nextHop]) => ({ verb, destination, nextHop }),
      );
    const as = (verb: string, key: string) =>
      ((params[key] ?? []) as { destination: string; nextHop: string }[]).map((route) => ({
        verb,
        ...route,
      }));
    return script === 'sync-routes' ? [...as('add', 'add'), ...as('del', 'remove')] : [];
  });
}

/** What a visit sends for these steps, held against what the host holds. */
function checkVisit(node: Node, steps: readonly Step[], observed: Observation): void {
  const context = {
    target: { name: node.name, address: node.address, os: node.os },
    clusterCidr: '192.168.0.0/16',
    podCidr: node.podCidr,
    network: 'transparent',
    bridge: 'cbr0',
    ...PROGRAMS,
    owned: [],
  };
  for (const { verb, destination, nextHop } of sentIn(
    platformOf(node.os).apply(steps, context, observed, 1),
  )) {
    const own = observed.routes.filter((route) => route.ours && route.destination === destination);
    expect(['add', 'del']).toContain(verb);
    if (verb === 'del') expect(own.map((route) => route.nextHop)).toContain(nextHop);
    // Not even tried: that the kernel would refuse it is the second line of defence.
    else expect(theirs(observed).map((route) => route.destination)).not.toContain(destination);
  }
  // And the visit says so, instead of taking the route for done.
  for (const step of steps)
    if (step.kind === 'route' && step.action === 'ensure')
      expect(conflicts(step, observed) !== null).toBe(
        theirs(observed).some(
          (route) => route.destination === step.route.destination && !holds(route, step.route),
        ),
      );
}

function checkPlan(plan: Plan, nodes: readonly Node[], hosts: ModelHosts): void {
  for (const host of plan.hosts) {
    const node = nodes.find(({ name }) => name === host.host);
    const observed = hosts.get(host.host);
    if (!node || !observed) continue;
    checkVisit(node, host.steps, observed);
    // Rolled back, whatever of it came about.
    const clear = host.steps.filter((step) => conflicts(step, observed) === null);
    const after = applyTo(new Map([[host.host, observed]]), [{ host: host.host, steps: clear }]);
    checkVisit(node, host.undo, after.get(host.host) ?? observed);
  }
}

describe('routes of others', () => {
  test('to a slice that a node is to get are found, on whichever host, and however large', () => {
    fc.assert(
      fc.property(oses, modes, fc.nat(), fc.constantFrom(22, 24, 25, 32), (kinds, mode, pick, length) => {
        const { hosts, policy, newcomer, nodes } = scene(kinds, mode);
        const on = nodes[pick % kinds.length] as Node;
        const hop = (host: string) =>
          nextHopTo(newcomer, nodes.find(({ name }) => name === host)?.os ?? 'linux', mode);
        expect(routesInTheWay(newcomer.podCidr, newcomer, readingsOf(hosts), policy, hop)).toEqual([]);
        const base = length === 22 ? '192.168.0.0' : newcomer.podCidr.split('/')[0];
        const route = {
          destination: `${base}/${length}`,
          nextHop: '10.0.0.200',
          device: 'eth9',
          ours: false,
          metric: 0,
        };
        const held = hosts.get(on.name) as Observation;
        const now = new Map([...hosts, [on.name, { ...held, routes: [...held.routes, route] }] as const]);
        const found = routesInTheWay(newcomer.podCidr, newcomer, readingsOf(now), policy, hop);
        // A /22 from 0 covers the slices of the first four nodes.
        expect(found).toEqual(length === 22 && kinds.length > 3 ? [] : [{ host: on.name, route }]);
      }),
    );
  });

  test('are left alone: no plan, and no roll-back, sends anything that could touch them', () => {
    fc.assert(
      fc.property(oses, modes, fc.array(foreign, { maxLength: 6 }), fc.nat(), (kinds, mode, routes, pick) => {
        const { hosts, inventory, policy, newcomer, nodes } = scene(kinds, mode);
        const leaver = inventory.nodes[pick % inventory.nodes.length] as Node;
        const held = spoilt(hosts, nodes, routes, mode);
        const common = { inventory, policy, render };
        // Planned before they came, and with them there.
        for (const readings of [readingsOf(hosts), readingsOf(held)]) {
          checkPlan(planAddNode({ node: newcomer, together: [], readings, ...common }), nodes, held);
          checkPlan(planRemoveNode({ node: leaver, readings, ...common }), nodes, held);
        }
        const plan = repairOf(inventory, held, policy);
        if (plan) checkPlan(plan, nodes, held);
      }),
    );
  });

  test('are kept and named by a repair that would need their place', () => {
    fc.assert(
      fc.property(oses, modes, fc.array(foreign, { minLength: 1, maxLength: 6 }), (kinds, mode, routes) => {
        const { hosts, inventory, policy } = scene(kinds, mode);
        // Nothing of ours is left, so that a repair wants all of it back.
        const bare = new Map(
          [...spoilt(hosts, inventory.nodes, routes, mode)].map(([name, host]) => [
            name,
            { ...host, routes: host.routes.filter((route) => !route.ours) },
          ]),
        );
        const plan = repairOf(inventory, bare, policy);
        for (const host of plan?.hosts ?? []) {
          const observed = bare.get(host.host) as Observation;
          for (const step of host.steps) {
            expect(stepHolds(step, observed)).toBe(false);
            if (step.kind === 'route')
              expect(theirs(observed).map((route) => route.destination)).not.toContain(
                step.route.destination,
              );
          }
        }
        for (const node of inventory.nodes)
          for (const route of theirs(bare.get(node.name) as Observation)) {
            const to = inventory.nodes.find(({ podCidr }) => podCidr === route.destination) as Node;
            const isGood = route.nextHop === nextHopTo(to, node.os, mode);
            if (plan && !isGood) expect(plan.foreign).toContainEqual({ host: node.name, route });
          }
      }),
    );
  });
});

/** Null when there is nothing that it may repair. */
function repairOf(
  inventory: Inventory,
  hosts: ModelHosts,
  policy: Parameters<typeof planRepair>[0]['policy'],
) {
  try {
    return planRepair({
      inventory,
      readings: readingsOf(hosts),
      accounted: new Set(),
      resting: new Set(),
      strays: 'remove',
      policy,
      render,
    });
  } catch (error) {
    if (isRefusal(error, 'nothing-to-repair')) return null;
    throw error;
  }
}
