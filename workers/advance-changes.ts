/** Moves every open change as far as it can go. It decides from what is stored, so it may run at any time, after any crash. */
import type { Change, HostResult } from '../src/change/change.js';
import { nextDelivery } from '../src/change/delivery.js';
import { isPatient, type NextMove, nextMove } from '../src/change/phase.js';
import { answerAsks, answered, asking, isExpired } from '../src/change/transition.js';
import type { Work } from '../src/change/work.js';
import type { Node } from '../src/node/node.js';
import { type HostPlan, isBinaryPlan, isMembershipPlan, type Plan } from '../src/plan/plan.js';
import { FAIRWAY } from '../src/principal.js';
import { sayNoRestart } from '../src/words/trouble.js';
import { admitAdoption } from './admit-adoption.js';
import { admitChanges } from './admit-changes.js';
import type { WorkerDeps } from './deps.js';
import { expireChange } from './expire-change.js';
import { finishChange } from './finish-change.js';
import { admitBuild } from './plan-build.js';
import { admitDelivery } from './plan-deliver.js';
import { startRun } from './start-run.js';

/**
 * Processes `advance-changes`. BullMQ's deduplication sees to it that never two run at once. Changes approved while others are being
 * applied wait for those, and then go together from phase to phase: so k of them cost a host two visits, not k.
 */
export async function advanceChanges(deps: WorkerDeps): Promise<void> {
  const open = await deps.changes.open();
  const approved = open.filter((change) => change.state === 'approved');
  const isRunning = await moveAll(
    deps,
    open.filter((change) => change.state !== 'approved'),
  );
  const now = new Date();
  const ready = approved.filter((change) => !(isRunning && isPatient(change, now)));
  await admitChanges(
    deps,
    ready.filter(({ kind }) => !['adopt', 'build', 'deliver'].includes(kind)),
  );
  for (const change of ready) {
    if (change.kind === 'adopt') await admitAdoption(deps, change);
    if (change.kind === 'build') await admitBuild(deps, change);
    if (change.kind === 'deliver') await admitDelivery(deps, change);
  }
  await moveAll(deps, ready);
  await proveWhenIdle(deps);
}

/** Proofs keep hosts busy: they wait for what is still being applied, and then share their visits too. */
async function proveWhenIdle(deps: WorkerDeps): Promise<void> {
  const now = new Date();
  const open = await deps.changes.open();
  const isBusy = open.some((change) => change.state === 'applying' && isPatient(change, now));
  if (open.some((change) => change.state === 'proving' && !(isBusy && isPatient(change, now))))
    await deps.jobs.prove();
}

interface Moving {
  change: Change;
  plan: Plan;
  results: Map<string, HostResult>;
  /** Hosts that have work of it. */
  holding: Set<string>;
  next: NextMove;
}

/** True when hosts are still being worked on. */
async function moveAll(deps: WorkerDeps, changes: readonly Change[]): Promise<boolean> {
  const moving: Moving[] = [];
  let begun = false;
  for (const { id } of changes) {
    const change = await deps.changes.get(id);
    if (isExpired(change, new Date())) await expireChange(deps, id);
    if (!['applying', 'rolling-back', 'owing'].includes(change.state)) continue;
    const plan = await deps.changes.plan(id);
    // Nothing can be done with it, and it must not keep the others from going on.
    if (plan === null) deps.log.error({ change: id, state: change.state }, 'a change has lost its plan');
    else if (change.starts === undefined) moving.push(await look(deps, change, plan));
    else if (await startRun(deps, change, plan)) begun = true;
  }
  // What is built, or delivered, shares no visit with anything.
  const sharing = moving.filter(({ plan }) => !isBinaryPlan(plan));
  const last = Math.min(...sharing.map(phaseAtWork));
  const now = new Date();
  const hosts = new Set<string>();
  for (const each of moving) {
    const shares = sharing.includes(each);
    const waits =
      shares && each.next.kind === 'dispatch' && each.next.phase > last && isPatient(each.change, now);
    if (!waits) for (const host of await move(deps, each)) hosts.add(host);
  }
  // Only now, when the work of all changes lies ready: a host does all of it in one visit.
  await deps.jobs.syncHosts([...hosts]);
  if (begun) await deps.jobs.advance();
  return last !== Infinity;
}

/** The phase that hosts are at work on; one that waits for somebody's word keeps nobody waiting. */
function phaseAtWork({ next, results }: Moving): number {
  return next.kind === 'finish' || asking(results.values()).length > 0 ? Infinity : next.phase;
}

async function look(deps: WorkerDeps, change: Change, plan: Plan): Promise<Moving> {
  const results = await deps.changes.results(change.id);
  const holding = await deps.works.holding(
    change.id,
    plan.hosts.map((host) => host.host),
  );
  const next = plan.kind === 'deliver' ? nextDelivery : nextMove;
  return { change, plan, results, holding, next: next(plan, change, results, holding) };
}

/** Makes the next move; the hosts that are to be visited for it. */
async function move(deps: WorkerDeps, { change, plan, results, holding, next }: Moving): Promise<string[]> {
  if (change.cancelRequestedBy !== undefined) {
    // What goes on there by itself is for a visit to end.
    const begun = [...holding].filter(
      (host) => plan.kind === 'build' && results.get(host)?.doing !== undefined,
    );
    if (begun.length > 0) return notInHand(deps, begun);
    const inHand = await cancelWaiting(deps, change, results);
    if (!inHand) await finishChange(deps, change, plan, results);
    return [];
  }
  if (await declineOld(deps, change, results)) return [];
  if (next.kind === 'dispatch') return dispatch(deps, change, plan, next.hosts);
  if (next.kind === 'finish') {
    await finishChange(deps, change, plan, results);
    return [];
  }
  // In case that their jobs got lost. Those in hand are not asked for once more.
  return notInHand(deps, [...holding]);
}

async function notInHand(deps: WorkerDeps, hosts: readonly string[]): Promise<string[]> {
  const inHand = await deps.hostLeases.held(hosts);
  return hosts.filter((host) => !inHand.has(host));
}

/** Nobody's word in time is a no: a restart is not made, a network stays. True when there was one. */
async function declineOld(
  deps: WorkerDeps,
  change: Change,
  results: ReadonlyMap<string, HostResult>,
): Promise<boolean> {
  const now = new Date();
  const asked = asking(results.values());
  const since = Math.min(...asked.map(({ host }) => Date.parse(results.get(host)?.at ?? '')));
  if (asked.length === 0 || now.getTime() - since < deps.config.approvalTtlMs) return false;
  const actor = { id: FAIRWAY, via: 'policy' } as const;
  const at = now.toISOString();
  await deps.changes.update(
    change.id,
    (current) => answerAsks(current, actor, 'no', asked, { own: true }, now),
    now,
    {
      results: answered(results.values(), 'no', sayNoRestart(), now),
      record: () =>
        asked.map(({ host, ask }) => ({
          at,
          actor: FAIRWAY,
          what: `${ask.kind}-no`,
          changeId: change.id,
          host,
        })),
    },
  );
  await deps.jobs.advance();
  await deps.jobs.card(change.id);
  return true;
}

async function dispatch(
  deps: WorkerDeps,
  change: Change,
  plan: Plan,
  hosts: readonly HostPlan[],
): Promise<string[]> {
  const inventory = await deps.nodes.read();
  const own = isMembershipPlan(plan) ? [plan.node] : plan.kind === 'build' ? [plan.builder] : [];
  const known = [...inventory.nodes, ...own];
  const byName = new Map(known.map((node) => [node.name, node]));
  const works: Work[] = [];
  const absent: HostResult[] = [];
  for (const host of hosts) {
    const node = byName.get(host.host);
    // Nothing to do there; or a pending node that this plan went together with, and that never became a member; or one that left.
    if (!node || stepsOf(change, host).length === 0)
      absent.push({ host: host.host, status: 'unchanged', at: new Date().toISOString() });
    else works.push(workOf(change, host, node));
  }
  const at = new Date().toISOString();
  const begun = works.map(
    ({ node }): HostResult => ({ host: node.name, status: 'waiting', visited: true, at }),
  );
  const isGiven = await deps.works.dispatch(change, works, [...absent, ...begun]);
  if (!isGiven || works.length === 0) await deps.jobs.advance();
  return isGiven ? works.map((work) => work.node.name) : [];
}

function stepsOf(change: Change, host: HostPlan): HostPlan['steps'] {
  return change.direction === 'undo' ? host.undo : host.steps;
}

function workOf(change: Change, host: HostPlan, node: Node): Work {
  return {
    changeId: change.id,
    kind: change.kind,
    direction: change.direction,
    node,
    role: host.role,
    steps: stepsOf(change, host),
    ...(change.kind === 'build' ? { run: Date.now().toString(36) } : {}),
    ...(change.answers ? { answers: change.answers.filter((each) => each.host === host.host) } : {}),
    fingerprint: host.hostKey?.fingerprint ?? (host.role === 'node' ? (change.unpinned ?? null) : null),
  };
}

/** Cancelling stops at host boundaries: hosts that have not begun lose their work. True while some are still in hand. */
async function cancelWaiting(
  deps: WorkerDeps,
  change: Change,
  results: Map<string, HostResult>,
): Promise<boolean> {
  // Cancelling a change that owes gives up what is owed.
  const waiting = [...results.values()].filter(({ status }) =>
    ['waiting', 'asking', 'owed'].includes(status),
  );
  const inHand = await deps.works.withdrawWaiting(
    change.id,
    waiting.map((result) => result.host),
  );
  const at = new Date().toISOString();
  const cancelled = waiting
    .filter((result) => !inHand.has(result.host))
    .map((result): HostResult => ({ ...result, status: 'cancelled', at }));
  await deps.changes.setResults(change.id, cancelled);
  for (const result of cancelled) results.set(result.host, result);
  return inHand.size > 0;
}
