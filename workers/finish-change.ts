/** Where a change comes to rest once its hosts have settled: what it confirms, forgets and puts on record. */
import type { Change, HostResult } from '../src/change/change.js';
import { isGivenUp, isLeaving, outcome } from '../src/change/transition.js';
import { routesOf } from '../src/change/work.js';
import type { Node } from '../src/node/node.js';
import { isBinaryPlan, isMembershipPlan, type Plan } from '../src/plan/plan.js';
import { FAIRWAY } from '../src/principal.js';
import type { WorkerDeps } from './deps.js';

/** Moves the change to its state of rest, or on to its proof. Safe to repeat. */
export async function finishChange(
  deps: WorkerDeps,
  change: Change,
  plan: Plan,
  results: ReadonlyMap<string, HostResult>,
): Promise<void> {
  const hosts = plan.hosts.flatMap((host) => results.get(host.host) ?? []);
  const settled = outcome(change, hosts);
  const leaver = leavingNode(plan, change);
  if (leaver || plan.kind === 'repair') await settleSlices(deps, change, plan, leaver, hosts);
  const proves = settled === 'rolled-back' || settled === 'applied' || settled === 'owing';
  if (settled === change.state) return;
  const state = proves && isProvable(plan, change) ? 'proving' : settled;
  const unpinned = leaver ? await pinToForget(deps, leaver, settled, hosts) : null;
  const now = new Date();
  const at = now.toISOString();
  const moved = await deps.changes.moveOnce(
    change.id,
    (current) =>
      current.state === change.state && !current.starts
        ? {
            ...current,
            state,
            ...(state === 'proving' ? {} : { finishedAt: at }),
            ...(unpinned === null ? {} : { unpinned }),
          }
        : current,
    now,
    {
      ...(unpinned !== null && leaver ? { unpin: leaver.name } : {}),
      record: () => [
        { at, actor: FAIRWAY, what: `change-${state}`, changeId: change.id },
        ...hosts.map((host) => ({
          at: host.at,
          actor: FAIRWAY,
          what: 'host-settled',
          changeId: change.id,
          host: host.host,
          facts: {
            status: host.status,
            commands: commandsOf(plan, change, host.host),
            error: host.error ?? '',
            printed: host.printed ?? '',
            ...(host.note ? { note: host.note } : {}),
            ...(host.built ? { built: host.built } : {}),
          },
        })),
      ],
    },
  );
  if (moved === null) return;
  await deps.jobs.card(change.id);
}

/** Hosts that are done route what left no more. Only what is owed is written: a change that waits for one host comes by here all the time. */
async function settleSlices(
  deps: WorkerDeps,
  change: Change,
  plan: Plan,
  leaver: Node | null,
  hosts: readonly HostResult[],
): Promise<void> {
  const leases = await deps.leases.list(new Date());
  const owing = new Map(leases.map((lease) => [lease.podCidr, lease.owing]));
  for (const { host, status } of hosts) {
    if (status !== 'done' && status !== 'unchanged') continue;
    const gone = leaver ? [leaver.podCidr] : strayCidrs(plan, change, host);
    for (const podCidr of gone)
      if (owing.get(podCidr)?.includes(host)) await deps.leases.settle(podCidr, host, leaver?.name);
  }
}

/** The key of a node that left, so that it may come back as another; the change keeps it, should it be run again. Else null. */
async function pinToForget(
  deps: WorkerDeps,
  { name }: Node,
  settled: Change['state'],
  hosts: readonly HostResult[],
): Promise<string | null> {
  // Not while it is owed something: when it returns, it must still be the same host.
  const isOver = ['applied', 'rolled-back', 'cancelled'].includes(settled);
  const isLeft = settled === 'failed' && hosts.every((host) => host.status !== 'failed' || isGivenUp(host));
  if (!isOver && !isLeft) return null;
  const { nodes } = await deps.nodes.read();
  // Run again long after, it may find that another has the name.
  return nodes.some((node) => node.name === name) ? null : deps.hostKeys.pinned(name);
}

/** The node that is no member once the change is through; null when none leaves. */
function leavingNode(plan: Plan, change: Change): Node | null {
  return isMembershipPlan(plan) && isLeaving(change) ? plan.node : null;
}

/** Where the host's stray routes led that a repair took away: it has then confirmed that it routes those slices no more. */
function strayCidrs(plan: Plan, change: Change, host: string): string[] {
  if (plan.kind !== 'repair' || change.direction === 'undo') return [];
  const steps = plan.hosts.find((each) => each.host === host)?.steps ?? [];
  return routesOf(steps, 'remove').map((route) => route.destination);
}

/** What takes routes away has nothing to prove, nor what makes none. */
function isProvable(plan: Plan, change: Change): boolean {
  if (plan.kind === 'adopt' || isBinaryPlan(plan)) return false;
  return plan.kind === 'repair' ? change.direction === 'do' : leavingNode(plan, change) === null;
}

function commandsOf(plan: Plan, change: Change, host: string): string[] {
  const of = plan.hosts.find((each) => each.host === host);
  return (change.direction === 'undo' ? of?.undoCommands : of?.commands) ?? [];
}
