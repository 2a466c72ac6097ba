/** Moves every open change as far as it can go. It decides from what is stored, so it may run at any time, after any crash. */
import type { Change, HostResult } from '../src/change/change.js';
import { nextMove } from '../src/change/phase.js';
import { isExpired, outcome } from '../src/change/transition.js';
import type { Work } from '../src/change/work.js';
import type { Node } from '../src/node/node.js';
import type { HostPlan, Plan } from '../src/plan/plan.js';
import { admitChanges } from './admit-changes.js';
import type { WorkerDeps } from './deps.js';
import { expireChange } from './expire-change.js';
import { restartChange } from './restart-change.js';

/** Processes `advance-changes`. BullMQ's deduplication sees to it that never two run at once. */
export async function advanceChanges(deps: WorkerDeps): Promise<void> {
  const open = await deps.changes.open();
  await admitChanges(
    deps,
    open.filter((change) => change.state === 'approved'),
  );
  for (const { id } of open) {
    const change = await deps.changes.get(id);
    if (change.restart) await restartChange(deps, change);
    else if (['applying', 'rolling-back', 'owing'].includes(change.state)) await move(deps, change);
    else if (change.state === 'proving') await deps.jobs.prove();
    else if (isExpired(change, new Date())) await expireChange(deps, id);
  }
}

async function move(deps: WorkerDeps, change: Change): Promise<void> {
  const plan = await deps.changes.plan(change.id);
  if (!plan) throw new Error(`change ${change.id} is ${change.state} without a plan`);
  const results = await deps.changes.results(change.id);
  if (change.cancelRequestedBy !== undefined) {
    const inHand = await cancelWaiting(deps, change, results);
    return inHand ? undefined : finish(deps, change, plan, results);
  }
  const holding = await deps.works.holding(
    change.id,
    plan.hosts.map((host) => host.host),
  );
  const next = nextMove(plan, change, results, holding);
  if (next.kind === 'dispatch') await dispatch(deps, change, plan, next.hosts);
  else if (next.kind === 'wait') await deps.jobs.syncHosts([...holding]);
  else await finish(deps, change, plan, results);
}

async function dispatch(
  deps: WorkerDeps,
  change: Change,
  plan: Plan,
  hosts: readonly HostPlan[],
): Promise<void> {
  const inventory = await deps.nodes.read();
  const byName = new Map([...inventory.nodes, plan.node].map((node) => [node.name, node]));
  const works: Work[] = [];
  const absent: HostResult[] = [];
  for (const host of hosts) {
    const node = byName.get(host.host);
    // Nothing to do there; or a pending node that this plan went together with, and that never became a member.
    if (!node || stepsOf(change, host).length === 0)
      absent.push({ host: host.host, status: 'unchanged', at: new Date().toISOString() });
    else works.push(workOf(change, host, node));
  }
  await deps.changes.setResults(change.id, absent);
  await deps.works.dispatch(change.id, works);
  await deps.jobs.syncHosts(works.map((work) => work.node.name));
  if (works.length === 0) await deps.jobs.advance();
}

function stepsOf(change: Change, host: HostPlan): HostPlan['steps'] {
  return change.direction === 'undo' ? host.undo : host.steps;
}

function workOf(change: Change, host: HostPlan, node: Node): Work {
  return {
    changeId: change.id,
    node,
    role: host.role,
    steps: stepsOf(change, host),
    fingerprint: host.hostKey?.fingerprint ?? null,
  };
}

/** Cancelling stops at host boundaries: hosts that have not begun lose their work. True while some are still in hand. */
async function cancelWaiting(
  deps: WorkerDeps,
  change: Change,
  results: Map<string, HostResult>,
): Promise<boolean> {
  // Cancelling a change that owes gives up what is owed.
  const waiting = [...results.values()].filter(({ status }) => status === 'waiting' || status === 'owed');
  await deps.works.withdraw(
    change.id,
    waiting.map((result) => result.host),
  );
  const held = await deps.hostLeases.held(waiting.map((result) => result.host));
  const at = new Date().toISOString();
  const cancelled = waiting
    .filter((result) => !held.has(result.host))
    .map((result): HostResult => ({ ...result, status: 'cancelled', at }));
  await deps.changes.setResults(change.id, cancelled);
  for (const result of cancelled) results.set(result.host, result);
  return held.size > 0;
}

async function finish(
  deps: WorkerDeps,
  change: Change,
  plan: Plan,
  results: ReadonlyMap<string, HostResult>,
): Promise<void> {
  const hosts = plan.hosts.flatMap((host) => results.get(host.host) ?? []);
  const settled = outcome(change, hosts);
  const leaves = (plan.kind === 'remove-node') === (change.direction === 'do');
  if (leaves) {
    for (const host of hosts) {
      if (host.status === 'done' || host.status === 'unchanged')
        await deps.leases.settle(plan.node.podCidr, host.host);
    }
  }
  const proves = !leaves && (settled === 'applied' || settled === 'owing' || settled === 'rolled-back');
  if (settled === change.state) return;
  const state = proves ? 'proving' : settled;
  const now = new Date();
  const moved = await deps.changes.update(
    change.id,
    (current) =>
      current.state === change.state && !current.restart
        ? { ...current, state, ...(proves ? {} : { finishedAt: now.toISOString() }) }
        : current,
    now,
  );
  if (moved.state !== state) return;
  // Not while it is owed something: when it returns, it must still be the same host.
  if (leaves && ['applied', 'rolled-back', 'cancelled'].includes(settled))
    await deps.hostKeys.unpin(plan.node.name);
  await deps.audit.append(
    { at: now.toISOString(), actor: 'fairway', what: `change-${state}`, changeId: change.id },
    ...hosts.map((host) => ({
      at: host.at,
      actor: 'fairway',
      what: 'host-settled',
      changeId: change.id,
      host: host.host,
      facts: {
        status: host.status,
        commands: commandsOf(plan, change, host.host),
        error: host.error ?? '',
        printed: host.printed ?? '',
      },
    })),
  );
  if (proves) await deps.jobs.prove();
  await deps.jobs.card(change.id);
}

function commandsOf(plan: Plan, change: Change, host: string): string[] {
  const of = plan.hosts.find((each) => each.host === host);
  return (change.direction === 'undo' ? of?.undoCommands : of?.commands) ?? [];
}
