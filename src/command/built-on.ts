/** Whether an adoption can still be taken back without a trace. */

import type { Change } from '../change/change.js';
import { isAbout, isMembership } from '../change/subject.js';
import { Refusal } from '../errors.js';
import type { RequestDeps } from './desk.js';

/**
 * Throws the Refusal `built-on` when other changes moved routes since an adoption was approved, or are about to move one of its nodes:
 * what they made on hosts would be nobody's. Other kinds of changes take back what they made, whatever came after.
 */
export async function checkNothingBuilt(deps: RequestDeps, change: Change): Promise<void> {
  if (change.kind !== 'adopt') return;
  const since = new Date(change.decisions.at(-1)?.at ?? change.requestedAt);
  const movers = await deps.changes.loadAll(await deps.changes.movers(since, change));
  const moved = movers.filter((other) => other.admittedAt !== undefined && other.state !== 'rolled-back');
  const open = (await deps.changes.open()).filter(
    (other) => isMembership(other) && isAbout(change, other.node.name),
  );
  const by = [...new Set([...moved, ...open].map((other) => other.id))];
  if (by.length > 0) throw new Refusal('built-on', { id: change.id, by });
}
