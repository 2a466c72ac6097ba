/** Whether an adoption can still be taken back without a trace. */

import { isAbout, isMembership } from '../change/subject.js';
import { approvals, HANDS_OFF_STATES } from '../change/transition.js';
import { Refusal } from '../errors.js';
import type { RequestDeps } from './desk.js';

/**
 * Throws the Refusal `built-on` when other changes moved routes since an adoption was approved, or are about to move one of its nodes:
 * what they made on hosts would be nobody's. Other kinds of changes take back what they made, whatever came after.
 */
export async function checkNothingBuilt(deps: RequestDeps, id: string): Promise<void> {
  const change = await deps.changes.load(id);
  if (change?.kind !== 'adopt' || change.state !== 'applied') return;
  const since = new Date(change.decisions.at(-1)?.at ?? change.requestedAt);
  const movers = await Promise.all(
    (await deps.changes.movers(since, change)).map((each) => deps.changes.load(each)),
  );
  const moved = movers.filter(
    (other) =>
      other !== null &&
      approvals(other) >= other.approvalsRequired &&
      ![...HANDS_OFF_STATES, 'rolled-back'].includes(other.state),
  );
  const open = (await deps.changes.open()).filter(
    (other) => isMembership(other) && isAbout(change, other.node.name),
  );
  const by = [...new Set([...moved, ...open].flatMap((other) => other?.id ?? []))];
  if (by.length > 0) throw new Refusal('built-on', { id, by });
}
