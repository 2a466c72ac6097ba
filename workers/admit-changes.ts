/** The gate between approval and the hosts: read every host again, and let through only what is still as it was sealed. */
import type { Change } from '../src/change/change.js';
import type { Inventory, Node } from '../src/node/node.js';
import { adoptPairs, uncovered } from '../src/plan/adopt.js';
import {
  type HostPlan,
  isMembershipPlan,
  type MembershipPlan,
  type Plan,
  type RepairPlan,
} from '../src/plan/plan.js';
import { differences, type HostReading } from '../src/plan/reading.js';
import { sayJoinedSince, sayLeftSince, saySliceLost, sayStale } from '../src/words/trouble.js';
import type { WorkerDeps } from './deps.js';
import { planPolicy, readHosts, renderer } from './read-hosts.js';

/** Lets approved changes through, one after the other, with one reading of each host for all of them. */
export async function admitChanges(deps: WorkerDeps, approved: readonly Change[]): Promise<void> {
  if (approved.length === 0) return;
  const before = await deps.nodes.read();
  const plans = new Map<string, Plan>();
  for (const change of approved) {
    const plan = await deps.changes.plan(change.id);
    if (plan) plans.set(change.id, plan);
  }
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
  if (change.cancelRequestedBy !== undefined) return withdraw(deps, change);
  const named = inventory.nodes.find((member) => member.name === plan.node?.name);
  if (plan.node && (named?.podCidr !== plan.node.podCidr || named.address !== plan.node.address))
    return makeStale(deps, change, sayLeftSince(plan.node.name), []);
  const detail = await changedSince(deps, change, plan, inventory, readings);
  if (detail.length > 0) return makeStale(deps, change, sayStale(), detail);
  await begin(deps, change, []);
}

async function admitMembership(
  deps: WorkerDeps,
  change: Change,
  plan: MembershipPlan,
  readings: ReadonlyMap<string, HostReading>,
): Promise<void> {
  const inventory = await deps.nodes.read();
  // After a crash in between, the inventory may have moved already: then it goes on, and stops as a running change does.
  const entered = inventory.nodes.some((node) => node.name === plan.node.name) === (plan.kind === 'add-node');
  if (change.cancelRequestedBy !== undefined && !entered) return withdraw(deps, change);
  const strangers = uncovered(plan, inventory);
  const adopted: Node[] = [];
  for (const member of strangers) {
    if (!(await isCoveredBy(deps, plan, member)))
      return makeStale(deps, change, sayJoinedSince(member.name), []);
    adopted.push(member);
  }
  const detail = await changedSince(deps, change, plan, inventory, readings);
  if (detail.length > 0) return makeStale(deps, change, sayStale(), detail);
  if (plan.kind === 'add-node' && !(await holdsSlice(deps, change, plan, inventory))) {
    return makeStale(deps, change, saySliceLost(plan.node.podCidr), []);
  }
  if (adopted.length > 0) {
    const policy = planPolicy(deps);
    await deps.changes.savePlan(change.id, adoptPairs(plan, adopted, policy, renderer(deps.config)));
    const at = new Date().toISOString();
    const results = adopted.map((member) => ({ host: member.name, status: 'waiting' as const, at }));
    await deps.changes.setResults(change.id, results);
  }
  await enterInventory(deps, change, plan, inventory);
  await begin(deps, change, adopted);
}

export async function begin(deps: WorkerDeps, change: Change, adopted: readonly Node[]): Promise<void> {
  const now = new Date();
  await deps.changes.update(
    change.id,
    (current) => (current.state === 'approved' ? { ...current, state: 'applying' } : current),
    now,
  );
  await deps.audit.append({
    at: now.toISOString(),
    actor: 'fairway',
    what: 'apply-started',
    changeId: change.id,
    ...(change.planHash ? { planHash: change.planHash } : {}),
    ...(adopted.length > 0 ? { facts: { adopted: adopted.map((member) => member.name) } } : {}),
  });
  await deps.jobs.card(change.id);
}

/** Makes the claim on the slice final. False when it is gone, as after a Redis restored from a backup: then it may be another's by now. */
async function holdsSlice(
  deps: WorkerDeps,
  change: Change,
  plan: MembershipPlan,
  inventory: Inventory,
): Promise<boolean> {
  const lease = await deps.leases.confirm(change.id);
  return (
    lease?.podCidr === plan.node.podCidr || inventory.nodes.some((member) => member.name === plan.node.name)
  );
}

/** Desired state moves first; the hosts follow it. Every call is safe to repeat. */
async function enterInventory(
  deps: WorkerDeps,
  change: Change,
  plan: MembershipPlan,
  inventory: Inventory,
): Promise<void> {
  if (plan.kind === 'add-node') {
    await deps.nodes.add({ ...plan.node, made: plan.made });
    await deps.redis.hset(deps.keys.nodeChanges, plan.node.name, change.id);
  } else {
    await restSlice(deps, plan.node, inventory.nodes);
    await deps.nodes.remove(plan.node.name);
    await forgiveDebts(deps, plan.node.name);
  }
}

/** A node that leaves sends no more packets to slices that rest; they need not wait for it. */
async function forgiveDebts(deps: WorkerDeps, name: string): Promise<void> {
  for (const lease of await deps.leases.list(new Date())) {
    if (lease.owing.includes(name)) await deps.leases.settle(lease.podCidr, name);
  }
}

/** Puts the slice of a node that leaves to rest, until every peer has confirmed and the time has passed. */
export async function restSlice(deps: WorkerDeps, node: Node, members: readonly Node[]): Promise<void> {
  await deps.leases.quarantine({
    podCidr: node.podCidr,
    node: node.name,
    peersOwing: members.map((member) => member.name).filter((name) => name !== node.name),
    until: new Date(Date.now() + deps.config.quarantineMs),
  });
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
    const lines = differences(host.observed, reading.observed, deps.config.cluster.clusterCidr, moved);
    return lines.map((line) => `${host.host}: ${line}`);
  });
}

function podCidrOf(node: Node): string {
  return node.podCidr;
}

/** True when the member's own approved plan names this one's node among those it goes together with. */
async function isCoveredBy(deps: WorkerDeps, { kind, node }: MembershipPlan, member: Node): Promise<boolean> {
  if (kind !== 'add-node') return false;
  const by = await deps.redis.hget(deps.keys.nodeChanges, member.name);
  const plan = by === null ? null : await deps.changes.plan(by);
  return plan?.together.includes(node.name) ?? false;
}

export async function makeStale(
  deps: WorkerDeps,
  change: Change,
  reason: string,
  detail: string[],
): Promise<void> {
  await finishUntouched(deps, change, { state: 'stale', reason, detail });
}

export async function withdraw(deps: WorkerDeps, change: Change): Promise<void> {
  await finishUntouched(deps, change, { state: 'cancelled' });
}

async function finishUntouched(
  deps: WorkerDeps,
  change: Change,
  end: Pick<Change, 'state'> & Partial<Pick<Change, 'reason' | 'detail'>>,
): Promise<void> {
  const now = new Date();
  await deps.leases.release(change.id);
  await deps.changes.update(
    change.id,
    (current) =>
      current.state === 'approved' ? { ...current, ...end, finishedAt: now.toISOString() } : current,
    now,
  );
  const facts = { reason: end.reason ?? '', detail: end.detail ?? [] };
  await deps.audit.append({
    at: now.toISOString(),
    actor: 'fairway',
    what: `change-${end.state}`,
    changeId: change.id,
    facts,
  });
  await deps.jobs.card(change.id);
}

function uniqueByName(nodes: readonly Node[]): Node[] {
  return [...new Map(nodes.map((node) => [node.name, node])).values()];
}
