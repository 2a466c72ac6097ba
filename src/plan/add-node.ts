/** The plan that makes a node a member: its pod network, its routes to every peer, every peer's route to it. Pure. */
import { Refusal } from '../errors.js';
import { type Cidr, cidrAround, contains, overlaps } from '../ip.js';
import type { Trouble } from '../kube/trouble.js';
import { nextHopTo, type ObservedRoute } from '../network/route.js';
import type { Inventory, Node } from '../node/node.js';
import { ensureRoute, inverses } from './pair.js';
import type { HostPlan, MembershipPlan, Observation, Step } from './plan.js';
import { podSide } from './pod-side.js';
import { type PlanPolicy, type RenderCommands, withCommands } from './policy.js';
import { clusterRoutes, type HostReading } from './reading.js';
import { stepHolds } from './step.js';
import { chooseContainerNic } from './windows-node.js';

export interface AddNodeInput {
  node: Node;
  inventory: Inventory;
  /** Nodes of other open changes that claimed their slice earlier: this plan also covers the pairs with them. */
  together: readonly Node[];
  readings: ReadonlyMap<string, HostReading>;
  policy: PlanPolicy;
  render: RenderCommands;
  /** Why the API server could not be asked for its pod CIDRs. */
  apiUnread?: Trouble;
}

/** A route that some host already has where the new slice would go. */
export interface RouteInTheWay {
  host: string;
  route: ObservedRoute;
}

/**
 * Builds the plan. Throws a Refusal when the node itself can't be read or can't carry pods, or when a peer could not reach it.
 * Which slice it gets is settled before: `routesInTheWay` of the node's pod CIDR must be empty.
 */
export function planAddNode(input: AddNodeInput): MembershipPlan {
  const { inventory, together, readings, policy, render, apiUnread } = input;
  const own = readings.get(input.node.name);
  if (own?.observed == null) {
    const { name, address, os } = input.node;
    if (own?.otherOs) throw new Refusal('other-os', { name, address, os });
    throw new Refusal('node-unreadable', { name, address, why: own?.unreadable ?? '' });
  }
  if (own.observed.nodeDevice === null) {
    throw new Refusal('address-not-there', { name: input.node.name, address: input.node.address });
  }
  const node = withNic(input.node, own.observed, policy);
  const peers = [...inventory.nodes, ...together];
  for (const peer of peers) {
    checkReach(node, own.observed, peer, policy);
    const reading = readings.get(peer.name);
    if (reading?.observed) checkReach(peer, reading.observed, node, policy);
  }
  const onNode = needed(
    [...podSide(node, own.observed, policy), ...peers.map((peer) => ensureRoute(node, peer, policy.nextHop))],
    own.observed,
  );
  const hosts = [
    hostPlan(node, 'node', onNode, own, render),
    ...peers.map((peer) => {
      const reading = readings.get(peer.name) ?? {
        observed: null,
        unreadable: 'not read',
        keyChanged: false,
      };
      const steps: Step[] = [
        { kind: 'forwarding', action: 'ensure' },
        ensureRoute(peer, node, policy.nextHop),
      ];
      return hostPlan(peer, 'peer', needed(steps, reading.observed), reading, render);
    }),
  ];
  return {
    kind: 'add-node',
    node,
    made: {
      bridge: onNode.some((step) => step.kind === 'bridge' && step.ownBridge),
      gateway: onNode.some((step) => step.kind === 'bridge'),
      podNetwork: onNode.some((step) => step.kind === 'pod-network'),
      forwarding: onNode.some((step) => step.kind === 'forwarding'),
    },
    basedOn: inventory.revision,
    together: together.map((peer) => peer.name),
    hosts,
    foreign: [],
    ...(apiUnread === undefined ? {} : { apiUnread }),
  };
}

/** Every route, on any host that could be read, that shares an address with the slice and is not what this plan would make there. */
export function routesInTheWay(
  podCidr: Cidr,
  node: Node,
  readings: ReadonlyMap<string, HostReading>,
  policy: PlanPolicy,
  nextHopOn: (host: string) => string,
): RouteInTheWay[] {
  const found: RouteInTheWay[] = [];
  for (const [host, reading] of readings) {
    if (!reading.observed) continue;
    for (const route of clusterRoutes(reading.observed, policy.clusterCidr)) {
      if (!overlaps(route.destination, podCidr)) continue;
      // A node's own pod network, made before Fairway came, is connected there.
      const ownNetwork = host === node.name && route.nextHop === null && contains(podCidr, route.destination);
      const already =
        host !== node.name && route.destination === podCidr && route.nextHop === nextHopOn(host);
      if (!ownNetwork && !already) found.push({ host, route });
    }
  }
  return found;
}

/** The next hop to the node on each host, as its plan would have it. */
export function nextHopsTo(node: Node, peers: readonly Node[], policy: PlanPolicy): (host: string) => string {
  const oses = new Map(peers.map((peer) => [peer.name, peer.os]));
  return (host) => nextHopTo(node, oses.get(host) ?? 'linux', policy.nextHop);
}

function withNic(node: Node, observed: Observation, policy: PlanPolicy): Node {
  return node.os === 'windows' ? { ...node, containerNic: chooseContainerNic(node, observed, policy) } : node;
}

/** Only what does not hold yet; all of it where the host could not be read. */
function needed(steps: Step[], observed: Observation | null): Step[] {
  return observed === null ? steps : steps.filter((step) => !stepHolds(step, observed));
}

function hostPlan(
  node: Node,
  role: HostPlan['role'],
  steps: Step[],
  reading: HostReading,
  render: RenderCommands,
): HostPlan {
  // Forwarding stays on when a peer's route is taken back: other nodes' pods may have come to need it.
  const undo = inverses(role === 'peer' ? steps.filter((step) => step.kind !== 'forwarding') : steps);
  const common = { host: node.name, os: node.os, podCidr: node.podCidr, role, steps, undo };
  return withCommands(
    reading.observed
      ? {
          ...common,
          observed: reading.observed,
          hostKey: { fingerprint: reading.fingerprint, firstContact: reading.firstContact },
        }
      : { ...common, observed: null, unreadable: reading.unreadable, hostKey: null },
    node,
    render,
  );
}

/** Plain L3 routes need the next hop on a subnet that the host is on itself (windows.md B: off-link peers are not supported). */
function checkReach(from: Node, observed: Observation, to: Node, policy: PlanPolicy): void {
  if (from.os === 'windows' && policy.nextHop === 'pod-gateway') return;
  const onLink = observed.addresses.some(
    ({ address, prefixLength }) => cidrAround(address, prefixLength) === cidrAround(to.address, prefixLength),
  );
  if (!onLink) throw new Refusal('not-on-link', { from: from.name, to: to.name, address: to.address });
}
