/** Ends an approved change that touches no host after all: what it was planned on is so no more, or somebody withdrew it. */
import type { Change, MembershipChange } from '../src/change/change.js';
import { FAIRWAY } from '../src/principal.js';
import type { WorkerDeps } from './deps.js';

export async function makeStale(
  deps: WorkerDeps,
  change: Change,
  reason: string,
  detail: string[] = [],
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
  const at = now.toISOString();
  const facts = { reason: end.reason ?? '', detail: end.detail ?? [] };
  const unpin = change.kind === 'add-node' ? await keyToForget(deps, change) : undefined;
  const ended = await deps.changes.moveOnce(
    change.id,
    (current) => (current.state === 'approved' ? { ...current, ...end, finishedAt: at } : current),
    now,
    {
      ...(unpin === undefined ? {} : { unpin }),
      record: () => [{ at, actor: FAIRWAY, what: `change-${end.state}`, changeId: change.id, facts }],
    },
  );
  if (ended === null) return;
  await deps.leases.release(change.id, 'untouched');
  await deps.jobs.card(change.id);
}

/** The node's name, when its key was accepted together with the plan: whoever has the name next is met anew. */
async function keyToForget(deps: WorkerDeps, { id, node }: MembershipChange): Promise<string | undefined> {
  const plan = await deps.changes.sealedPlan(id);
  const own = plan?.hosts.find((host) => host.host === node.name);
  return own?.hostKey?.firstContact ? node.name : undefined;
}
