/** The plan that restores what the inventory says, where hosts differ from it: drift, and what a boot lost. Pure. */
import { Refusal } from '../errors.js';
import type { Cidr } from '../ip.js';
import { desiredRoutes, diffRoutes, type ObservedRoute } from '../network/route.js';
import type { Inventory, Node } from '../node/node.js';
import { ensureRoute, inverse } from './pair.js';
import type { HostPlan, Observation, RepairPlan, Step } from './plan.js';
import { carriesPods, isRestored, podSide, processSide } from './pod-side.js';
import { type PlanPolicy, type RenderCommands, withCommands } from './policy.js';
import { clusterRoutes, type HostReading } from './reading.js';
import { conflicts, forbidden, missing, stepHolds } from './step.js';

export interface RepairInput {
  /** The member to repair; absent: all of them. */
  node?: Node;
  inventory: Inventory;
  readings: ReadonlyMap<string, HostReading>;
  /** Slices of nodes that join or leave right now, and destinations of owed work: routes there are not stray. */
  accounted: ReadonlySet<Cidr>;
  /** Slices of removed nodes that still rest. A route left over there was to go anyway, so no roll-back brings it back. */
  resting: ReadonlySet<Cidr>;
  /** Whether stray routes of ours go too. */
  strays: 'remove' | 'leave';
  policy: PlanPolicy;
  render: RenderCommands;
}

/**
 * Builds the plan: of the named node all that is its own, of its peers the route to it; without a name all of every member.
 * Throws the Refusal `nothing-to-repair`.
 */
export function planRepair(input: RepairInput): RepairPlan {
  const { node, inventory, readings } = input;
  const foreign: RepairPlan['foreign'] = [];
  const unread: RepairPlan['unread'] = [];
  const hosts: HostPlan[] = [];
  for (const member of node ? nodeFirst(node, inventory) : inventory.nodes) {
    const reading = readings.get(member.name);
    if (reading?.observed) hosts.push(hostPlan(input, member, reading, foreign));
    else unread.push({ host: member.name, why: reading?.unreadable ?? '' });
  }
  const read = hosts.length;
  if (hosts.every((host) => host.steps.length === 0)) {
    const inTheWay = foreign.map(({ host, route }) => ({ host, destination: route.destination }));
    throw new Refusal('nothing-to-repair', {
      ...(node ? { name: node.name } : {}),
      read,
      unread,
      foreign: inTheWay,
    });
  }
  return {
    kind: 'repair',
    ...(node ? { node } : {}),
    basedOn: inventory.revision,
    together: [],
    read,
    unread,
    hosts: hosts.filter((host) => host.role === 'node' || host.steps.length > 0),
    foreign,
  };
}

function nodeFirst(node: Node, { nodes }: Inventory): Node[] {
  return [node, ...nodes.filter((peer) => peer.name !== node.name)];
}

/** The slices to or in which a repair moves routes. */
export function slicesMoved(plan: RepairPlan): Cidr[] {
  const slices = plan.hosts
    .flatMap((host) => host.steps)
    .flatMap((step) =>
      step.kind === 'route' ? step.route.destination : 'podCidr' in step ? step.podCidr : [],
    );
  return [...new Set(slices)];
}

/** True for a plan that only makes again what the inventory says, on hosts whose keys are known: what a policy may approve. */
export function isRestoring(plan: RepairPlan): boolean {
  return plan.hosts.every(
    (host) => host.hostKey?.firstContact !== true && host.steps.every((step) => step.action === 'ensure'),
  );
}

function hostPlan(
  input: RepairInput,
  member: Node,
  { observed, fingerprint, firstContact }: Extract<HostReading, { observed: Observation }>,
  foreign: RepairPlan['foreign'],
): HostPlan {
  const steps = stepsOn(input, member, observed, foreign);
  return withCommands(
    {
      host: member.name,
      os: member.os,
      podCidr: member.podCidr,
      role: input.node?.name === member.name ? 'node' : 'peer',
      steps,
      undo: steps.flatMap((step) => undoOf(step, member, observed, input)).reverse(),
      observed,
      hostKey: { fingerprint, firstContact },
    },
    member,
    input.render,
  );
}

function stepsOn(
  { node, inventory, accounted, strays, policy }: RepairInput,
  member: Node,
  observed: Observation,
  foreign: RepairPlan['foreign'],
): Step[] {
  const whole = node === undefined || node.name === member.name;
  const peers = whole ? inventory.nodes.filter((peer) => peer.name !== member.name) : [node];
  const drift = diffRoutes(
    desiredRoutes(member, peers, policy.nextHop),
    clusterRoutes(observed, policy.clusterCidr),
  );
  foreign.push(...drift.foreign.map((route) => ({ host: member.name, route })));
  // Nothing is installed by a plan that nobody looks at.
  const wanted = [
    ...(whole ? podSide(member, observed, policy) : []),
    ...peers.map((peer) => ensureRoute(member, peer, policy.nextHop)),
    ...(whole ? processSide(member, policy) : []),
  ].filter((step) => isRestored(step, member.made) && (carriesPods(step) || strays === 'remove'));
  const todo = missing(wanted, observed).filter((step) => conflicts(step, observed) === null);
  if (!whole || strays === 'leave') return todo;
  const members = new Set(inventory.nodes.map((each) => each.podCidr));
  const isStray = ({ destination }: ObservedRoute) =>
    !accounted.has(destination) && (!members.has(destination) || destination === member.podCidr);
  return [...todo, ...removals(drift.stray.filter(isStray))];
}

/** Each once. One that leads to a device is none that Fairway could have made, or can name. */
function removals(strays: readonly ObservedRoute[]): Step[] {
  const routes = strays.flatMap(({ destination, nextHop }) =>
    nextHop === null ? [] : [{ destination, nextHop }],
  );
  const unique = new Map(routes.map((route) => [`${route.destination} ${route.nextHop}`, route]));
  return [...unique.values()].map((route) => ({ kind: 'route', action: 'remove', peer: null, route }));
}

/** What gives back what the host held before the step. */
function undoOf(step: Step, member: Node, observed: Observation, { policy, resting }: RepairInput): Step[] {
  // It stays on: other nodes' pods may have come to need it.
  if (step.kind === 'forwarding' || step.kind === 'reboot') return [];
  const back = inverse(step);
  if (step.kind !== 'route') {
    const without = back.kind === 'bridge' ? { ...back, ownBridge: false } : back;
    // Half there, as a bridge that is down: taking it away altogether gives nothing back.
    return stepHolds(without, observed) ? [back] : [];
  }
  const { destination, nextHop } = step.route;
  const before = observed.routes.filter((seen) => seen.ours && seen.destination === destination);
  // Half a route can't be made again, and none would be worse.
  if (before.some((seen) => seen.nextHop === nextHop && seen.partial)) return [];
  if (step.action === 'remove') {
    const on = { address: member.address, podCidr: member.podCidr, clusterCidr: policy.clusterCidr };
    return resting.has(destination) || forbidden(back, on) !== null ? [] : [back];
  }
  const wrong = before.find((seen) => seen.nextHop !== null && seen.nextHop !== nextHop && !seen.partial);
  return [wrong?.nextHop ? { ...step, route: { destination, nextHop: wrong.nextHop } } : back];
}
