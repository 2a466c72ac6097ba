/** Tries again the hosts that are owed something. They read themselves, so a debt that was paid by hand is simply gone. */
import type { WorkerDeps } from './deps.js';

/**
 * Processes `pay-debts`. Hosts that still don't answer stay owing and are tried at the next turn; the first turn after a debt's end
 * that finds them absent gives it up (`unreached`).
 */
export async function payDebts(deps: WorkerDeps): Promise<void> {
  await deps.jobs.syncHosts(await deps.works.owing());
}

/** For whoever sees that a host is back: it need not wait for the next turn. True when it is owed something. */
export async function payHost(
  { works, jobs }: Pick<WorkerDeps, 'works' | 'jobs'>,
  host: string,
): Promise<boolean> {
  const owing = await works.isOwing(host);
  if (owing) await jobs.syncHosts([host]);
  return owing;
}
