/** Ends a plan that nobody decided on in time, and gives its slice back. */
import { isExpired } from '../src/change/transition.js';
import { FAIRWAY } from '../src/principal.js';
import type { WorkerDeps } from './deps.js';

/** Processes `expire-change`. A plan that was decided, or planned anew with a later end, is left alone. */
export async function expireChange(deps: WorkerDeps, changeId: string): Promise<void> {
  const now = new Date();
  const at = now.toISOString();
  const change = await deps.changes.update(
    changeId,
    (current) => (isExpired(current, now) ? { ...current, state: 'expired', finishedAt: at } : current),
    now,
    { record: () => [{ at, actor: FAIRWAY, what: 'change-expired', changeId }] },
  );
  if (change.state !== 'expired') return;
  await deps.leases.release(changeId);
  await deps.jobs.card(changeId);
}
