/** Plans a change: reads every host it would touch, builds the plan, seals it, and offers it for approval. */
import type { Change, MembershipChange } from '../src/change/change.js';
import { isMembership } from '../src/change/subject.js';
import { isRefusal, Refusal } from '../src/errors.js';
import { overlaps } from '../src/ip.js';
import { podCidrs } from '../src/network/allocation.js';
import { nextHopTo } from '../src/network/route.js';
import type { Node } from '../src/node/node.js';
import { planAddNode, type RouteInTheWay, routesInTheWay } from '../src/plan/add-node.js';
import type { Plan } from '../src/plan/plan.js';
import { clusterRoutes, type HostReading } from '../src/plan/reading.js';
import { planRemoveNode } from '../src/plan/remove-node.js';
import { sayRefusal } from '../src/words/refusal.js';
import { storedVoice } from '../src/words/voice.js';
import type { WorkerDeps } from './deps.js';
import { NothingToAdopt, planAdopting } from './plan-adopt.js';
import { planRepairing } from './plan-repair.js';
import { planPolicy, readHosts, renderer } from './read-hosts.js';
import { refusePlan, sealPlan } from './seal-plan.js';

/** Slices that turned out to be routed somewhere are passed over this often before the cluster is called full. */
const CLAIMS = 8;

/** Processes `plan-change`. Safe to repeat: a change that is no longer in planning is left alone. */
export async function planChange(deps: WorkerDeps, changeId: string): Promise<void> {
  const change = await deps.changes.get(changeId);
  if (change.state !== 'planning') return;
  try {
    await sealPlan(deps, changeId, await planned(deps, change));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const detail = error instanceof NothingToAdopt ? error.leftOut : [];
    await refusePlan(deps, changeId, sayRefusal(error, storedVoice), detail);
  }
  await deps.jobs.card(changeId);
}

async function planned(deps: WorkerDeps, change: Change): Promise<Plan> {
  switch (change.kind) {
    case 'add-node':
      return planAdding(deps, change);
    case 'remove-node':
      return planRemoving(deps, change);
    case 'repair':
      return planRepairing(deps, change);
    case 'adopt':
      return planAdopting(deps, change);
  }
}

async function planAdding(deps: WorkerDeps, change: MembershipChange): Promise<Plan> {
  const policy = planPolicy(deps);
  // The address book knows best: a planner that died may have taken another slice without telling the change.
  let { node, together } = await takeSlice(deps, change, []);
  const excluded = new Set<string>();
  for (let claim = 0; claim < CLAIMS; claim += 1) {
    const inventory = await deps.nodes.read();
    const others = together.filter((other) => !inventory.nodes.some((member) => member.name === other.name));
    const peers = [...inventory.nodes, ...others];
    const readings = await readHosts(deps, [node, ...peers], new Set([node.name]));
    const hop = (host: string) =>
      nextHopTo(node, peers.find((peer) => peer.name === host)?.os ?? 'linux', policy.nextHop);
    const [inTheWay] = routesInTheWay(node.podCidr, node, readings, policy, hop);
    if (inTheWay === undefined) {
      return planAddNode({
        node,
        inventory,
        together: others,
        readings,
        policy,
        render: renderer(deps.config),
      });
    }
    if (change.podCidrAsked !== undefined) throw routedElsewhere(node.podCidr, inTheWay);
    for (const slice of routedSlices(deps, readings)) excluded.add(slice);
    ({ node, together } = await takeSlice(deps, change, [...excluded]));
  }
  throw new Refusal('cluster-full', { clusterCidr: policy.clusterCidr, slices: excluded.size, resting: 0 });
}

/** The slice that the change has or, when some are routed somewhere, the lowest one that is not; the change follows. */
async function takeSlice(
  deps: WorkerDeps,
  change: MembershipChange,
  routed: string[],
): Promise<{ node: Node; together: Node[] }> {
  const { podCidr: _old, made: _made, ...spec } = change.node;
  const { lease, others } = await deps.leases.claim({
    changeId: change.id,
    node: spec,
    excluded: routed,
    another: routed.length > 0,
    now: new Date(),
    ...(change.podCidrAsked === undefined ? {} : { explicit: change.podCidrAsked }),
  });
  // Unmoved: whoever claimed since then has this change in its own plan.
  if (lease.podCidr === change.node.podCidr && change.together !== undefined) {
    return { node: change.node, together: change.together };
  }
  const next = {
    node: { ...change.node, podCidr: lease.podCidr },
    together: others.filter(isClaimed).map((other) => ({ ...other.node, podCidr: other.podCidr })),
  };
  await deps.changes.update(
    change.id,
    (current) => (isMembership(current) ? { ...current, ...next } : current),
    new Date(),
  );
  return next;
}

async function planRemoving(deps: WorkerDeps, change: MembershipChange): Promise<Plan> {
  const inventory = await deps.nodes.read();
  const node = inventory.nodes.find((member) => member.name === change.node.name);
  if (!node) throw new Refusal('node-unknown', { name: change.node.name });
  const readings = await readHosts(deps, inventory.nodes, new Set([node.name]));
  return planRemoveNode({
    node,
    inventory,
    readings,
    policy: planPolicy(deps),
    render: renderer(deps.config),
  });
}

/** Every slice that shares an address with a route of any host that could be read. */
function routedSlices(deps: WorkerDeps, readings: ReadonlyMap<string, HostReading>): string[] {
  const { clusterCidr, nodePrefixLength } = deps.config.cluster;
  const routes = [...readings.values()].flatMap((reading) =>
    reading.observed ? clusterRoutes(reading.observed, clusterCidr) : [],
  );
  return [...podCidrs(clusterCidr, nodePrefixLength)].filter((slice) =>
    routes.some((route) => overlaps(route.destination, slice)),
  );
}

function routedElsewhere(podCidr: string, { host, route }: RouteInTheWay): Refusal {
  return new Refusal('pod-cidr-overlaps', {
    podCidr,
    overlap: 'host-route',
    with: route.destination,
    owner: host,
  });
}

function isClaimed(lease: { state: string }): boolean {
  return lease.state === 'claimed';
}
