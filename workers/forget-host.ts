/** A node leaves: nobody does any more what other changes wanted of its host. */
import type { WorkerDeps } from './deps.js';

/** Takes the work of all other changes off the host, and lets them come to their end without it. Safe to repeat. */
export async function forgetHost(deps: WorkerDeps, host: string, leavingBy: string): Promise<void> {
  const others = (await deps.works.of(host)).filter(({ changeId }) => changeId !== leavingBy);
  if (others.length === 0) return;
  const at = new Date().toISOString();
  for (const { changeId } of others) {
    // In this order: as long as there is work, this is done again after a crash.
    await deps.changes.setResults(changeId, [{ host, status: 'unchanged', visited: true, at }]);
    await deps.works.withdraw(changeId, [host]);
    await deps.jobs.card(changeId);
  }
  await deps.jobs.advance();
}
