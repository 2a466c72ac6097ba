/** The beginning of a run of a change, the first one or another: the inventory follows what was decided, and the hosts' results are reset. */
import type { AuditEvent } from '../src/change/audit-log.js';
import type { Change, HostResult } from '../src/change/change.js';
import type { Alongside } from '../src/change/change-store.js';
import { resultsFor, stillStands } from '../src/change/run.js';
import type { Node } from '../src/node/node.js';
import { adoptPairs, uncovered } from '../src/plan/adopt.js';
import type { MembershipPlan, Plan } from '../src/plan/plan.js';
import { FAIRWAY } from '../src/principal.js';
import { sayOvertaken, sayReplaced } from '../src/words/trouble.js';
import type { WorkerDeps } from './deps.js';
import { forgetHost } from './forget-host.js';
import { buildsIn, planPolicy, renderer } from './read-hosts.js';
import { forgetAdopted, recordAdopted } from './record-adoption.js';

/**
 * Gets a run going that the gate, Retry or Roll back set. Safe to repeat after any crash: the last stroke is what ends the beginning.
 * False when it can't begin yet: the safety net asks again.
 */
export async function startRun(deps: WorkerDeps, change: Change, plan: Plan): Promise<boolean> {
  if (change.starts === 'first') return startFirst(deps, change, plan);
  if (change.starts === 'retry') return startRetry(deps, change, plan);
  if (change.starts === 'undo') return startUndo(deps, change, plan);
  return true;
}

/** Desired state moves first; the hosts follow it. */
async function startFirst(deps: WorkerDeps, change: Change, plan: Plan): Promise<boolean> {
  if (plan.kind === 'add-node') {
    await deps.nodes.add({ ...plan.node, made: plan.made }, change.id);
    await deps.nodes.noteBuilds(buildsIn(plan.hosts));
  }
  if (plan.kind === 'remove-node') {
    await restSlice(deps, plan.node);
    await deps.nodes.remove(plan.node.name);
    await forgiveDebts(deps, plan.node.name);
    await forgetHost(deps, plan.node.name, change.id);
  }
  if (plan.kind === 'adopt')
    return started(deps, change, { record: await recordAdopted(deps, change, plan) });
  return started(deps, change, {});
}

async function startRetry(deps: WorkerDeps, change: Change, plan: Plan): Promise<boolean> {
  if (change.direction === 'do' && plan.kind === 'add-node' && !(await stands(deps, change, plan)))
    return giveUp(deps, change, sayOvertaken(plan.node.name));
  const results = await resultsOf(deps, change);
  await deps.works.withdraw(change.id, results.map(hostOf));
  return started(deps, change, { results: resultsFor('retry', results, new Date().toISOString()) });
}

async function startUndo(deps: WorkerDeps, change: Change, plan: Plan): Promise<boolean> {
  const before = await resultsOf(deps, change);
  // Whoever has a host in hand may be doing there what is to be undone; once that is settled this is asked for again.
  if ((await deps.works.withdrawWaiting(change.id, before.map(hostOf))).size > 0) return false;
  const at = new Date().toISOString();
  const results = resultsFor('undo', await resultsOf(deps, change), at);
  const record = (): AuditEvent[] => [
    { at, actor: change.rolledBackBy ?? FAIRWAY, what: 'rollback-started', changeId: change.id },
  ];
  if (plan.kind === 'add-node') {
    const inventory = await deps.nodes.read();
    const isMember = inventory.nodes.some((node) => node.name === plan.node.name);
    if (isMember && !(await stands(deps, change, plan)))
      return giveUp(deps, change, sayOvertaken(plan.node.name));
    await restSlice(deps, plan.node);
    await deps.nodes.remove(plan.node.name);
    await forgetHost(deps, plan.node.name, change.id);
    const whole = withJoined(deps, plan, uncovered(plan, inventory), at);
    return started(deps, change, { ...whole, results: [...results, ...whole.results], record });
  }
  if (plan.kind === 'remove-node') {
    const { node } = plan;
    if ((await deps.leases.restore(node, change.id, new Date())) === null)
      return giveUp(deps, change, sayReplaced(node.name, node.podCidr));
    // The pin went when it left. Before anybody meets it anew.
    if (change.unpinned !== undefined) await deps.hostKeys.pin(node.name, change.unpinned);
    await deps.nodes.add(node);
    await deps.nodes.noteBuilds(buildsIn(plan.hosts));
  }
  if (plan.kind === 'adopt') await forgetAdopted(deps, change, plan);
  return started(deps, change, { results, record });
}

/** Whoever joined after the node has routes to it by an approved plan of its own, and the node to them. They go with it too. */
function withJoined(deps: WorkerDeps, plan: MembershipPlan, members: readonly Node[], at: string) {
  const joined = members.filter((member) => member.name !== plan.node.name);
  const results = joined.map(
    ({ name }): HostResult => ({ host: name, status: 'waiting', visited: true, at }),
  );
  if (joined.length === 0) return { results };
  return { results, running: adoptPairs(plan, joined, planPolicy(deps), renderer(deps.config)) };
}

async function started(deps: WorkerDeps, change: Change, alongside: Alongside): Promise<true> {
  await deps.changes.update(
    change.id,
    (current) => {
      const { starts, ...rest } = current;
      return starts === change.starts ? rest : current;
    },
    new Date(),
    alongside,
  );
  return true;
}

/** The run has nothing to do, and must not do it to others: the change stays as its first run left it. */
async function giveUp(deps: WorkerDeps, change: Change, reason: string): Promise<true> {
  const now = new Date();
  const at = now.toISOString();
  await deps.changes.update(
    change.id,
    (current) => {
      const { starts, ...rest } = current;
      if (starts !== change.starts) return current;
      return { ...rest, state: 'failed', direction: 'do', reason, finishedAt: at };
    },
    now,
    {
      record: () => [{ at, actor: FAIRWAY, what: 'change-failed', changeId: change.id, facts: { reason } }],
    },
  );
  await deps.jobs.card(change.id);
  return true;
}

async function stands(deps: WorkerDeps, change: Change, plan: MembershipPlan): Promise<boolean> {
  const [inventory, added] = await Promise.all([deps.nodes.read(), deps.nodes.addedBy()]);
  return stillStands(change, plan, inventory, added);
}

/** Puts the slice of a node that leaves to rest, until every peer has confirmed and the time has passed. */
async function restSlice(deps: WorkerDeps, node: Node): Promise<void> {
  const { nodes } = await deps.nodes.read();
  await deps.leases.quarantine({
    podCidr: node.podCidr,
    node: node.name,
    peersOwing: nodes.map((member) => member.name).filter((name) => name !== node.name),
    until: new Date(Date.now() + deps.config.quarantineMs),
  });
}

/** A node that leaves sends no more packets to slices that rest; they need not wait for it. */
async function forgiveDebts(deps: WorkerDeps, name: string): Promise<void> {
  for (const lease of await deps.leases.list(new Date())) {
    if (lease.owing.includes(name)) await deps.leases.settle(lease.podCidr, name);
  }
}

async function resultsOf(deps: WorkerDeps, change: Change): Promise<HostResult[]> {
  return [...(await deps.changes.results(change.id)).values()];
}

function hostOf({ host }: HostResult): string {
  return host;
}
