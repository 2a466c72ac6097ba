/** The plan that ends a membership: every peer's route to the node first, the node's own last. Pure. */
import type { Inventory, Made, Node } from '../node/node.js';
import { ensureRoute, inverse, inverses } from './pair.js';
import type { HostPlan, MembershipPlan, Step } from './plan.js';
import { type PlanPolicy, type RenderCommands, withCommands } from './policy.js';
import type { HostReading } from './reading.js';
import { stepHolds } from './step.js';

export interface RemoveNodeInput {
  node: Node;
  inventory: Inventory;
  readings: ReadonlyMap<string, HostReading>;
  policy: PlanPolicy;
  render: RenderCommands;
}

/** Builds the plan. Routes that are not ours stay and are warned of; what Fairway made on the node goes with it. */
export function planRemoveNode({
  node,
  inventory,
  readings,
  policy,
  render,
}: RemoveNodeInput): MembershipPlan {
  const peers = inventory.nodes.filter((peer) => peer.name !== node.name);
  const foreign: MembershipPlan['foreign'] = [];
  const plan = (host: Node, role: HostPlan['role'], steps: Step[]): HostPlan => {
    const reading = readings.get(host.name) ?? { observed: null, unreadable: 'not read', keyChanged: false };
    const common = { host: host.name, os: host.os, podCidr: host.podCidr, role };
    if (!reading.observed) {
      // A node that was reinstalled is another machine: nothing of ours is left on it to take back.
      const todo = role === 'node' && reading.keyChanged ? [] : steps;
      return withCommands(
        {
          ...common,
          steps: todo,
          undo: inverses(todo),
          observed: null,
          unreadable: reading.unreadable,
          // By the time that it is back the key of a node that left may be pinned no more.
          hostKey: reading.pinned === undefined ? null : { fingerprint: reading.pinned, firstContact: false },
        },
        host,
        render,
      );
    }
    const { observed, fingerprint, firstContact } = reading;
    const todo = steps.filter((step) => !stepHolds(step, observed));
    for (const step of steps) {
      const kept = observed.routes.find(
        (route) => step.kind === 'route' && route.destination === step.route.destination && !route.ours,
      );
      if (kept) foreign.push({ host: host.name, route: kept });
    }
    return withCommands(
      { ...common, steps: todo, undo: inverses(todo), observed, hostKey: { fingerprint, firstContact } },
      host,
      render,
    );
  };
  return {
    kind: 'remove-node',
    node,
    made: node.made ?? { bridge: false, podNetwork: false, forwarding: false },
    basedOn: inventory.revision,
    together: [],
    hosts: [
      ...peers.map((peer) => plan(peer, 'peer', [inverse(ensureRoute(peer, node, policy.nextHop))])),
      plan(node, 'node', [
        ...peers.map((peer) => inverse(ensureRoute(node, peer, policy.nextHop))),
        ...nodeRemains(node, node.made, policy),
      ]),
    ],
    foreign,
  };
}

/** What adding the node made on it, taken back in reverse. What was there before Fairway stays. */
function nodeRemains(node: Node, made: Made | undefined, policy: PlanPolicy): Step[] {
  const steps: Step[] = [];
  if (node.os === 'linux') {
    if (made?.persistence) steps.push({ kind: 'persistence', action: 'remove' });
    const { bridge } = policy;
    const ownBridge = made?.bridge ?? false;
    if (made?.gateway ?? true)
      steps.push({ kind: 'bridge', action: 'remove', bridge, podCidr: node.podCidr, ownBridge });
  } else if (made?.podNetwork) {
    const containerNic = node.containerNic ?? '';
    steps.push(
      { kind: 'pod-gateway', action: 'remove', podCidr: node.podCidr, containerNic },
      { kind: 'pod-network', action: 'remove', network: policy.network, podCidr: node.podCidr, containerNic },
    );
  }
  if (made?.forwarding) steps.push({ kind: 'forwarding', action: 'remove' });
  return steps;
}
