/** An approved adoption: the gate, and what is recorded. Every part is safe to repeat, and no host is changed by any. */
import type { AdoptChange, Change } from '../src/change/change.js';
import { isRefusal } from '../src/errors.js';
import type { Node } from '../src/node/node.js';
import { noLongerAdopted } from '../src/plan/adopt-nodes.js';
import type { AdoptPlan } from '../src/plan/plan.js';
import type { HostReading } from '../src/plan/reading.js';
import { canonicalJson } from '../src/plan/seal.js';
import { leftOutLine, sayAdoptStale, sayNotAsSealed, sayOtherKey } from '../src/words/adopt.js';
import { sayJoinedSince } from '../src/words/trouble.js';
import { storedVoice } from '../src/words/voice.js';
import { begin, changedSince, makeStale, withdraw } from './admit-changes.js';
import type { WorkerDeps } from './deps.js';
import { planOf } from './plan-adopt.js';

/**
 * Plans once more, on hosts read now. What would be recorded has to be what was approved; then the slices are taken, all of them or
 * none, and the change goes on to be recorded.
 */
export async function admitAdoption(deps: WorkerDeps, change: AdoptChange): Promise<void> {
  const sealed = await adoptPlan(deps, change);
  if (change.cancelRequestedBy !== undefined) return withdraw(deps, change);
  const names = new Set([...sealed.nodes.map((node) => node.name), ...sealed.unchanged]);
  const now = await planOf(
    deps,
    change,
    change.asked.filter((entry) => names.has(entry.name)),
  );
  const known = new Set([...sealed.hosts, ...sealed.unread].map(({ host }) => host));
  const inventory = await deps.nodes.read();
  const stranger = inventory.nodes.find((member) => !known.has(member.name));
  if (stranger) return makeStale(deps, change, sayJoinedSince(stranger.name), []);
  const detail = [
    ...noLongerAdopted(sealed, now).map(({ name, conflict }) => {
      const node = sealed.nodes.find((each) => each.name === name);
      return node && conflict
        ? leftOutLine({ name, address: node.address, conflict }, storedVoice)
        : sayNotAsSealed(name);
    }),
    ...(await changedSince(deps, change, sealed, inventory, readingsOf(now))),
    ...otherKeys(sealed, now),
  ];
  if (detail.length > 0 || ownOf(sealed) !== ownOf(now))
    return makeStale(deps, change, sayAdoptStale(), detail);
  try {
    await deps.leases.adopt({ changeId: change.id, nodes: sealed.nodes, now: new Date() });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // Somebody was faster, within milliseconds.
    return makeStale(deps, change, sayAdoptStale(), []);
  }
  await begin(deps, change, []);
}

/** What an adoption that runs, or is rolled back, comes to. After a crash it is done again. */
export async function settleAdoption(deps: WorkerDeps, { id }: Change): Promise<void> {
  const change = await deps.changes.get(id);
  if (change.kind !== 'adopt') return;
  if (change.state === 'applying') {
    const plan = await adoptPlan(deps, change);
    const nodes = await record(deps, change, plan);
    const recorded = nodes.map(({ name, address, podCidr }) => `${name} ${address} ${podCidr}`);
    await finish(deps, change, 'applied', {
      recorded,
      journal: plan.routes.filter(({ own }) => own.length > 0),
    });
    // Watched from now on.
    if (nodes.length > 0) await deps.jobs.look(nodes.map((node) => node.name));
  } else if (change.state === 'rolling-back') await finish(deps, change, 'rolled-back', {});
}

/** Makes the nodes members: those that still have the slice that this change took. Keys and journal first. */
async function record(deps: WorkerDeps, change: AdoptChange, plan: AdoptPlan): Promise<Node[]> {
  const leases = await deps.leases.confirmAll(change.id);
  const held = new Set(leases.map((lease) => `${lease.node.name} ${lease.podCidr}`));
  const nodes = plan.nodes.filter((node) => held.has(`${node.name} ${node.podCidr}`));
  const names = new Set(nodes.map((node) => node.name));
  // Only now: what was approved and came to nothing leaves no key behind.
  for (const { host, hostKey } of plan.hosts)
    if (hostKey && names.has(host)) await deps.hostKeys.pin(host, hostKey.fingerprint);
  for (const { host, own } of plan.routes) await deps.works.own(host, own);
  for (const node of nodes) {
    await deps.nodes.add(node);
    await deps.redis.hset(deps.keys.nodeChanges, node.name, change.id);
  }
  return nodes;
}

/** Takes the records away again. The slices rest, for the hosts go on with them. */
export async function forgetAdopted(deps: WorkerDeps, change: Change, plan: AdoptPlan): Promise<void> {
  const until = new Date(Date.now() + deps.config.quarantineMs);
  for (const { name, podCidr } of plan.nodes) {
    const member = (await deps.nodes.read()).nodes.find((node) => node.name === name);
    if (member && member.podCidr !== podCidr) continue;
    await deps.leases.quarantine({ podCidr, node: name, peersOwing: [], until });
    await deps.nodes.remove(name);
    await deps.hostKeys.unpin(name);
    if ((await deps.redis.hget(deps.keys.nodeChanges, name)) === change.id)
      await deps.redis.hdel(deps.keys.nodeChanges, name);
  }
  for (const { host, own } of plan.routes) await deps.works.disown(host, own);
}

async function finish(
  deps: WorkerDeps,
  change: AdoptChange,
  state: 'applied' | 'rolled-back',
  facts: Readonly<Record<string, unknown>>,
): Promise<void> {
  const now = new Date();
  await deps.audit.append({
    at: now.toISOString(),
    actor: 'fairway',
    what: `change-${state}`,
    changeId: change.id,
    facts,
  });
  await deps.changes.update(
    change.id,
    (current) =>
      current.state === change.state && !current.restart
        ? { ...current, state, finishedAt: now.toISOString() }
        : current,
    now,
  );
  await deps.jobs.card(change.id);
}

async function adoptPlan(deps: WorkerDeps, change: AdoptChange): Promise<AdoptPlan> {
  const plan = await deps.changes.plan(change.id);
  if (plan?.kind !== 'adopt') throw new Error(`adoption ${change.id} has no plan`);
  return plan;
}

function readingsOf({ hosts }: AdoptPlan): Map<string, HostReading> {
  return new Map(
    hosts.flatMap(({ host, observed, hostKey }) =>
      observed && hostKey ? [[host, { observed, ...hostKey }] as const] : [],
    ),
  );
}

/** Hosts that show another key than the one approved. */
function otherKeys(sealed: AdoptPlan, now: AdoptPlan): string[] {
  const shown = new Map(now.hosts.map(({ host, hostKey }) => [host, hostKey?.fingerprint]));
  return sealed.hosts.flatMap(({ host, hostKey }) => {
    const fingerprint = shown.get(host);
    return fingerprint === undefined || fingerprint === hostKey?.fingerprint
      ? []
      : [sayOtherKey(host, fingerprint)];
  });
}

/** Which routes would go into the journal. */
function ownOf({ routes }: AdoptPlan): string {
  return canonicalJson(routes.flatMap(({ host, own }) => (own.length > 0 ? [{ host, own }] : [])));
}
