/** The gate between approval and the hosts: read every host again, and let through only what is still as it was sealed. */
import type { Change, HostResult } from '../src/change/change.js';
import { isRefusal } from '../src/errors.js';
import type { Inventory, Node } from '../src/node/node.js';
import { nextHopsTo, routesInTheWay } from '../src/plan/add-node.js';
import { adoptPairs, knewBefore, uncovered } from '../src/plan/adopt.js';
import {
  type HostPlan,
  isMembershipPlan,
  type MembershipPlan,
  type Plan,
  type RepairPlan,
} from '../src/plan/plan.js';
import { differences, type HostReading, scopeOf } from '../src/plan/reading.js';
import { planHash } from '../src/plan/seal.js';
import { FAIRWAY } from '../src/principal.js';
import { routeText } from '../src/words/plan.js';
import { sayRefusal } from '../src/words/refusal.js';
import {
  sayApiDisagrees,
  sayJoinedSince,
  sayLeftSince,
  sayNodeAway,
  sayNotMember,
  sayPlanAltered,
  saySliceLost,
  saySliceRouted,
  sayStale,
} from '../src/words/trouble.js';
import { storedVoice } from '../src/words/voice.js';
import { askSlices } from './ask-slices.js';
import type { WorkerDeps } from './deps.js';
import { makeStale, withdraw } from './end-untouched.js';
import { planPolicy, readHosts, renderer } from './read-hosts.js';
import { startRun } from './start-run.js';

/** Lets approved changes through, one after the other, with one reading of each host for all of them. */
export async function admitChanges(deps: WorkerDeps, approved: readonly Change[]): Promise<void> {
  if (approved.length === 0) return;
  const before = await deps.nodes.read();
  const plans = new Map<string, Plan>();
  for (const change of approved) {
    if (change.cancelRequestedBy !== undefined) await withdraw(deps, change);
    else {
      const plan = await approvedPlan(deps, change, before);
      if (plan) plans.set(change.id, plan);
      else await makeStale(deps, change, sayPlanAltered());
    }
  }
  if (plans.size === 0) return;
  const moving = [...plans.values()].flatMap((plan) => (isMembershipPlan(plan) ? [plan.node] : []));
  const nodes = uniqueByName([...before.nodes, ...moving]);
  const readings = await readHosts(deps, nodes, readInFull([...plans.values()]));
  for (const [host, { observed }] of readings) if (observed) deps.recent.note(host, observed);
  for (const change of approved) {
    const plan = plans.get(change.id);
    if (plan?.kind === 'repair') await admitRepair(deps, change, plan, readings);
    else if (plan && isMembershipPlan(plan)) await admitMembership(deps, change, plan, readings);
  }
}

/**
 * The plan, if it is the very one that was approved. Approving it accepted the fingerprints that it showed for hosts met for the first
 * time, so from here on those hosts have to show them. A node that is pending itself is for its own plan to accept.
 */
async function approvedPlan(deps: WorkerDeps, change: Change, { nodes }: Inventory): Promise<Plan | null> {
  const plan = await deps.changes.sealedPlan(change.id);
  if (plan === null || planHash(plan, planPolicy(deps)) !== change.planHash) return null;
  for (const { host, role, hostKey } of plan.hosts) {
    const isInIt = role === 'node' || nodes.some((member) => member.name === host);
    if (hostKey?.firstContact && isInIt) await deps.hostKeys.pin(host, hostKey.fingerprint);
  }
  return plan;
}

/** Hosts that were planned for with all that they hold are compared with all of it. */
function readInFull(plans: readonly Plan[]): Set<string> {
  const isFull = (host: HostPlan) => host.role === 'node' || host.observed?.windows !== undefined;
  return new Set(plans.flatMap((plan) => plan.hosts.filter(isFull).map((host) => host.host)));
}

/** The inventory is what it goes by, and stays as it is: so does the node that was named, or there is nothing to restore. */
async function admitRepair(
  deps: WorkerDeps,
  change: Change,
  plan: RepairPlan,
  readings: ReadonlyMap<string, HostReading>,
): Promise<void> {
  const inventory = await deps.nodes.read();
  if (plan.node && !isMember(plan.node, inventory))
    return makeStale(deps, change, sayLeftSince(plan.node.name));
  const detail = await changedSince(deps, change, plan, inventory, readings);
  if (detail.length > 0) return makeStale(deps, change, sayStale(), detail);
  await begin(deps, change, plan, []);
}

async function admitMembership(
  deps: WorkerDeps,
  change: Change,
  plan: MembershipPlan,
  readings: ReadonlyMap<string, HostReading>,
): Promise<void> {
  const inventory = await deps.nodes.read();
  if (plan.kind === 'remove-node' && !isMember(plan.node, inventory))
    return makeStale(deps, change, sayNotMember(plan.node.name));
  const own = readings.get(plan.node.name);
  // It answered when it was planned. A member is nothing that a machine out of reach could become.
  if (plan.kind === 'add-node' && !own?.observed)
    return makeStale(deps, change, sayNodeAway(plan.node.name, own?.unreadable ?? ''));
  const strangers = uncovered(plan, inventory);
  const added = strangers.length > 0 ? await deps.nodes.addedBy() : new Map<string, string>();
  for (const member of strangers)
    if (knewBefore(plan, member) || !(await isCoveredBy(deps, plan, added.get(member.name))))
      return makeStale(deps, change, sayJoinedSince(member.name));
  const detail = await changedSince(deps, change, plan, inventory, readings);
  if (detail.length > 0) return makeStale(deps, change, sayStale(), detail);
  if (plan.kind === 'add-node') {
    const disagrees = await apiDisagrees(deps, plan);
    if (disagrees !== null) return makeStale(deps, change, sayApiDisagrees(disagrees));
    const inTheWay = slicesRoutedNow(deps, plan, inventory, readings);
    if (inTheWay.length > 0) return makeStale(deps, change, saySliceRouted(plan.node.podCidr, inTheWay));
    if (!(await holdsSlice(deps, change, plan)))
      return makeStale(deps, change, saySliceLost(plan.node.podCidr));
  }
  await begin(deps, change, plan, strangers);
}

/** What the API server has against the node's slice by now, in words; null when that is nothing, or it can't be asked. It never changes a podCIDR. */
async function apiDisagrees(deps: WorkerDeps, { node }: MembershipPlan): Promise<string | null> {
  try {
    await askSlices(deps, node.name, node.podCidr);
    return null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return sayRefusal(error, storedVoice);
  }
}

function isMember(node: Node, { nodes }: Inventory): boolean {
  const named = nodes.find((member) => member.name === node.name);
  return named?.podCidr === node.podCidr && named.address === node.address;
}

/** Hosts that were away when the slice was chosen may have routes there that nobody saw. Each names the host and its route. */
function slicesRoutedNow(
  deps: WorkerDeps,
  { node }: MembershipPlan,
  inventory: Inventory,
  readings: ReadonlyMap<string, HostReading>,
): string[] {
  const policy = planPolicy(deps);
  const hops = nextHopsTo(node, inventory.nodes, policy);
  return routesInTheWay(node.podCidr, node, readings, policy, hops).map(
    ({ host, route }) => `${host}: ${routeText(route)}`,
  );
}

/** From here on the change touches hosts. The plan that was approved stays as it was, beside the one that runs. */
export async function begin(
  deps: WorkerDeps,
  change: Change,
  plan: Plan,
  adopted: readonly Node[],
): Promise<void> {
  const now = new Date();
  const at = now.toISOString();
  const running =
    isMembershipPlan(plan) && adopted.length > 0
      ? { running: adoptPairs(plan, adopted, planPolicy(deps), renderer(deps.config)) }
      : {};
  const admitted = await deps.changes.moveOnce(
    change.id,
    (current) =>
      current.state === 'approved' && current.cancelRequestedBy === undefined
        ? { ...current, state: 'applying', admittedAt: at, starts: 'first' }
        : current,
    now,
    {
      ...running,
      results: adopted.map(({ name }): HostResult => ({ host: name, status: 'waiting', at })),
      record: () => [
        {
          ...{ at, actor: FAIRWAY, what: 'apply-started', changeId: change.id },
          ...(change.planHash ? { planHash: change.planHash } : {}),
          ...(adopted.length > 0 ? { facts: { adopted: adopted.map((member) => member.name) } } : {}),
        },
      ],
    },
  );
  // Somebody asked to cancel it meanwhile: the next turn withdraws it.
  if (admitted === null) return deps.jobs.advance();
  await startRun(deps, admitted, running.running ?? plan);
  await deps.jobs.card(change.id);
}

/** Makes the claim on the slice final. False when it is gone, as after a Redis restored from a backup: then it may be another's by now. */
async function holdsSlice(deps: WorkerDeps, change: Change, plan: MembershipPlan): Promise<boolean> {
  const lease = await deps.leases.confirm(change.id);
  return lease?.podCidr === plan.node.podCidr;
}

/** What differs between the seal and now, one line a fact. Hosts that could not be read, then or now, differ in nothing known. */
export async function changedSince(
  deps: WorkerDeps,
  change: Change,
  plan: Plan,
  inventory: Inventory,
  readings: ReadonlyMap<string, HostReading>,
): Promise<string[]> {
  const moves = await deps.changes.movedSince(new Date(change.sealedAt ?? 0), change);
  return plan.hosts.flatMap((host) => {
    const reading = readings.get(host.host);
    if (!host.observed || !reading?.observed) return [];
    // A host that joined since then got its routes to all members by its own change.
    const own = inventory.nodes.find((member) => member.name === host.host)?.podCidr;
    const moved =
      own !== undefined && moves.joined.has(own)
        ? new Set([...moves.all, ...inventory.nodes.map(podCidrOf)])
        : moves.all;
    const lines = differences(host.observed, reading.observed, scopeOf(plan, host, planPolicy(deps)), moved);
    return lines.map((line) => `${host.host}: ${line}`);
  });
}

function podCidrOf(node: Node): string {
  return node.podCidr;
}

/** True when the plan that made a member one, approved as well, names this one's node among those that it goes together with. */
async function isCoveredBy(
  deps: WorkerDeps,
  { kind, node }: MembershipPlan,
  by: string | undefined,
): Promise<boolean> {
  if (kind !== 'add-node' || by === undefined) return false;
  return (await deps.changes.plan(by))?.together.includes(node.name) ?? false;
}

function uniqueByName(nodes: readonly Node[]): Node[] {
  return [...new Map(nodes.map((node) => [node.name, node])).values()];
}
