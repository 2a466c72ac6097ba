/** Plans a change: reads every host it would touch, builds the plan, seals it, and offers it for approval. */
import type { Change, MembershipChange } from '../src/change/change.js';
import { isMembership } from '../src/change/subject.js';
import { isRefusal, Refusal } from '../src/errors.js';
import { type Cidr, overlaps, prefixLength } from '../src/ip.js';
import { podCidrs } from '../src/network/allocation.js';
import { claimedNodes } from '../src/network/lease-store.js';
import type { Node } from '../src/node/node.js';
import { nextHopsTo, planAddNode, type RouteInTheWay, routesInTheWay } from '../src/plan/add-node.js';
import { NotReady } from '../src/plan/checks.js';
import type { Plan } from '../src/plan/plan.js';
import { clusterRoutes, type HostReading } from '../src/plan/reading.js';
import { planRemoveNode } from '../src/plan/remove-node.js';
import { checkLine } from '../src/words/check.js';
import { sayRefusal } from '../src/words/refusal.js';
import { bareVoice, storedVoice } from '../src/words/voice.js';
import { type AskedSlices, askSlices, asOfApi } from './ask-slices.js';
import type { WorkerDeps } from './deps.js';
import { NothingToAdopt, planAdopting } from './plan-adopt.js';
import { planBuilding } from './plan-build.js';
import { planDelivering } from './plan-deliver.js';
import { planRepairing } from './plan-repair.js';
import { planPolicy, readHosts, renderer } from './read-hosts.js';
import { refusePlan, sealPlan } from './seal-plan.js';

/** Slices that turned out to be routed somewhere are passed over this often before the cluster is called full. */
const CLAIMS = 8;

/** Processes `plan-change`. Safe to repeat, and to run twice at once: only a change that is still in planning is sealed or refused. */
export async function planChange(deps: WorkerDeps, changeId: string): Promise<void> {
  const change = await deps.changes.get(changeId);
  // Else a planner died after that, and what follows is still to be done.
  if (change.state === 'planning') await planOrRefuse(deps, change);
  // Refused; or cancelled while its hosts were read: a slice that was taken after that belongs to nobody.
  if ((await deps.changes.get(changeId)).finishedAt !== undefined) await deps.leases.release(changeId);
  await deps.jobs.card(changeId);
}

async function planOrRefuse(deps: WorkerDeps, change: Change): Promise<void> {
  try {
    const plan = await planned(deps, change);
    if (plan !== null) await sealPlan(deps, change.id, plan);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await refusePlan(deps, change.id, sayRefusal(error, storedVoice), detailOf(error));
  }
}

/** The lines below a refusal that is about several things. */
function detailOf(error: Refusal): readonly string[] {
  if (error instanceof NothingToAdopt) return error.leftOut;
  if (error instanceof NotReady) return error.checks.map((each) => checkLine(each, null, bareVoice));
  return [];
}

/** Null when another planner was faster. */
async function planned(deps: WorkerDeps, change: Change): Promise<Plan | null> {
  switch (change.kind) {
    case 'add-node':
      return planAdding(deps, change);
    case 'remove-node':
      return planRemoving(deps, change);
    case 'repair':
      return planRepairing(deps, change);
    case 'adopt':
      return planAdopting(deps, change);
    case 'build':
      return planBuilding(deps, change);
    case 'deliver':
      return planDelivering(deps, change);
  }
}

/** Where the API server has a slice for the node already, that is the one, as if it had been asked for. */
async function planAdding(deps: WorkerDeps, asked: MembershipChange): Promise<Plan | null> {
  const api = await askSlices(deps, asked.node.name, asked.podCidrAsked);
  if (api.own === null) return planWithSlice(deps, asked, api);
  const change = { ...asked, podCidrAsked: api.own };
  return planWithSlice(deps, change, api).catch((error: unknown) => {
    throw asOfApi(error, asked.node.name);
  });
}

async function planWithSlice(
  deps: WorkerDeps,
  change: MembershipChange,
  { others: given, unread }: AskedSlices,
): Promise<Plan | null> {
  const policy = planPolicy(deps);
  // The address book knows best: a planner that died may have taken another slice without telling the change.
  let taken = await takeSlice(deps, change, []);
  const excluded = new Set(given);
  const isGiven = (podCidr: Cidr) => given.some((slice) => overlaps(slice, podCidr));
  if (taken !== null && isGiven(taken.node.podCidr)) taken = await takeSlice(deps, change, given);
  for (let claim = 0; ; claim += 1) {
    if (taken === null) return null;
    const { node, together } = taken;
    const inventory = await deps.nodes.read();
    const others = together.filter((other) => !inventory.nodes.some((member) => member.name === other.name));
    const peers = [...inventory.nodes, ...others];
    const readings = await readHosts(deps, [node, ...peers], new Set([node.name]));
    const found = routesInTheWay(node.podCidr, node, readings, policy, nextHopsTo(node, peers, policy));
    const [inTheWay] = found;
    if (inTheWay === undefined) {
      return planAddNode({
        node,
        inventory,
        together: others,
        readings,
        policy,
        render: renderer(deps.config),
        ...(unread === undefined ? {} : { apiUnread: unread }),
      });
    }
    const routed = routedSlices(deps, readings);
    if (change.podCidrAsked !== undefined) {
      const isLast = (await deps.leases.freeCount([...excluded, ...routed], new Date())) === 0;
      throw routedElsewhere(node.podCidr, inTheWay, isLast);
    }
    for (const slice of routed) excluded.add(slice);
    if (claim + 1 === CLAIMS) throw await allRouted(deps, found);
    try {
      taken = await takeSlice(deps, change, [...excluded]);
    } catch (error) {
      // Its own slice is free but for the route: the cluster is not full.
      throw isRefusal(error, 'cluster-full') ? await allRouted(deps, found) : error;
    }
  }
}

/**
 * The slice that the change has or, when some are routed somewhere, the lowest one that is not; the change follows. Null when it is
 * not in planning any more: then its slice is not to be moved from under its plan.
 */
async function takeSlice(
  deps: WorkerDeps,
  change: MembershipChange,
  routed: readonly Cidr[],
): Promise<{ node: Node; together: Node[] } | null> {
  if ((await deps.changes.get(change.id)).state !== 'planning') return null;
  const { podCidr: old, made: _made, ...spec } = change.node;
  const { podCidrAsked: explicit } = change;
  const { lease, others } = await deps.leases.claim({
    changeId: change.id,
    node: spec,
    excluded: routed,
    another: routed.length > 0 || (explicit !== undefined && explicit !== old),
    now: new Date(),
    ...(explicit === undefined ? {} : { explicit }),
  });
  // Unmoved: whoever claimed since then has this change in its own plan.
  if (lease.podCidr === change.node.podCidr && change.together !== undefined) {
    return { node: change.node, together: change.together };
  }
  const next = {
    node: { ...change.node, podCidr: lease.podCidr },
    together: claimedNodes(others),
  };
  const told = await deps.changes.moveOnce(
    change.id,
    (current) => (current.state === 'planning' && isMembership(current) ? { ...current, ...next } : current),
    new Date(),
  );
  return told && next;
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

/** Nothing is left to give but what some host routes already. */
async function allRouted(deps: WorkerDeps, found: readonly RouteInTheWay[]): Promise<Refusal> {
  const [widest] = [...found].sort(
    (a, b) => prefixLength(a.route.destination) - prefixLength(b.route.destination),
  );
  return new Refusal('slices-routed', {
    clusterCidr: deps.config.cluster.clusterCidr,
    // The change holds one of them itself.
    free: 1 + (await deps.leases.freeCount([], new Date())),
    host: widest?.host ?? '',
    destination: widest?.route.destination ?? '',
    hosts: new Set(found.map(({ host }) => host)).size,
  });
}

function routedElsewhere(podCidr: string, { host, route }: RouteInTheWay, isLast: boolean): Refusal {
  return new Refusal('pod-cidr-overlaps', {
    podCidr,
    overlap: 'host-route',
    with: route.destination,
    owner: host,
    ...(isLast ? { isLast } : {}),
  });
}
