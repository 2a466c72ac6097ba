/** Asks for the repair of hosts that lost something, without anybody's word: by policy, and after a reboot. */
import type { Incident } from '../src/watch/incident.js';
import { isLost } from '../src/watch/watched.js';
import { whyRepair, whyRepairs } from '../src/words/notice.js';
import { askRepair } from './ask-repair.js';
import type { WorkerDeps } from './deps.js';

/** More hosts than this are one plan: as many cards would bury the channel. */
const ALONE = 3;

/**
 * Under `DRIFT=repair` whatever is lost is asked for, and approved by that policy. Else only what a boot lost, for an approver to decide
 * on; a route that vanished by itself has the button on its card. What an open repair has in hand already is left to it.
 */
export async function restoreHosts(deps: WorkerDeps): Promise<void> {
  const isAll = deps.config.drift === 'repair';
  const losers = (await deps.watch.all()).flatMap(({ host, incidents, silentSince }) => {
    const incident = incidents.find((each) => hasLost(each) && (isAll || each.reason !== 'lost'));
    return incident && silentSince === undefined ? [{ host, incident }] : [];
  });
  if (losers.length === 0) return;
  const repairs = (await deps.changes.open()).filter((change) => change.kind === 'repair');
  if (repairs.some((change) => change.node === undefined)) return;
  const others = losers.filter(({ host }) => !repairs.some((change) => change.node?.name === host));
  if (others.length > ALONE) await askRepair(deps, undefined, whyRepairs(others.length), lastOf(others));
  else
    for (const { host, incident } of others)
      await askRepair(deps, host, whyRepair(incident), incident.lastAt);
}

/** When the last of them lost something. */
function lastOf(losers: readonly { incident: Incident }[]): string {
  return (
    losers
      .map(({ incident }) => incident.lastAt)
      .sort()
      .at(-1) ?? ''
  );
}

function hasLost({ state, lost, hushed }: Incident): boolean {
  return state === 'bad' && !hushed && isLost(lost);
}
