/** Ends a plan that nobody decided on in time, and gives its slice back. */
import { isExpired } from '../src/change/transition.js';
import type { WorkerDeps } from './deps.js';

/** Processes `expire-change`. A plan that was decided, or planned anew with a later end, is left alone. */
export async function expireChange(deps: WorkerDeps, changeId: string): Promise<void> {
  const now = new Date();
  const before = await deps.changes.get(changeId);
  const after = await deps.changes.update(
    changeId,
    (change) =>
      isExpired(change, now) ? { ...change, state: 'expired', finishedAt: now.toISOString() } : change,
    now,
  );
  if (after.state !== 'expired') return;
  await deps.leases.release(changeId);
  if (before.state !== 'expired') {
    await deps.audit.append({ at: now.toISOString(), actor: 'fairway', what: 'change-expired', changeId });
  }
  await deps.jobs.card(changeId);
}
