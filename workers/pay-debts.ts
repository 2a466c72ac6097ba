/** Tries again the hosts that are owed something. They read themselves, so a debt that was paid by hand is simply gone. */
import type { WorkerDeps } from './deps.js';

/** Processes `pay-debts`. Hosts that still don't answer stay owing and are tried at the next turn. */
export async function payDebts(deps: WorkerDeps): Promise<void> {
  await deps.jobs.syncHosts(await deps.works.owing());
}
