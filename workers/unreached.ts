/** What becomes of work on a host that could not be worked on: it is owed, for as long as a debt is kept, or it failed. */
import type { Debt, HostResult } from '../src/change/change.js';
import { isLeaving } from '../src/change/transition.js';
import type { Work } from '../src/change/work.js';
import type { HostError } from '../src/host/host.js';
import { redact } from '../src/log.js';
import { sayGivenUp, sayHostError, sayReinstalled } from '../src/words/trouble.js';
import type { WorkerDeps } from './deps.js';

/**
 * How the host stands in this change after such a visit. `isKnown`: some key was expected of it. A debt that is past its end has just
 * been tried for the last time.
 */
export async function unreached(
  deps: WorkerDeps,
  work: Work,
  isKnown: boolean,
  error: HostError,
): Promise<HostResult> {
  const now = new Date();
  const host = work.node.name;
  // It has nothing left that could be taken back: so planning has it too.
  if (error.kind === 'host-key-changed' && isKnown && work.role === 'node' && isLeaving(work))
    return { host, status: 'unchanged', error: sayReinstalled(host, error.message), at: now.toISOString() };
  const failed: HostResult = {
    host,
    status: 'failed',
    error: redact(sayHostError(error)),
    ...(error.detail.printed ? { printed: redact(error.detail.printed) } : {}),
    at: now.toISOString(),
  };
  if (!mayReturn(error) || isNewNode(work)) return failed;
  const debt = await debtOf(deps, work, now);
  if (now.toISOString() < debt.until) return { ...failed, status: 'owed', debt };
  const { nodes } = await deps.nodes.read();
  const isMember = nodes.some((node) => node.name === host);
  return { ...failed, debt, error: sayGivenUp(host, debt, isMember, failed.error ?? '') };
}

/** It began when the host did not answer first, however often it was tried since. */
async function debtOf({ changes, config }: WorkerDeps, work: Work, now: Date): Promise<Debt> {
  const before = await changes.result(work.changeId, work.node.name);
  const until = new Date(now.getTime() + config.debtTtlMs).toISOString();
  return before?.debt ?? { since: now.toISOString(), until };
}

function mayReturn({ kind }: HostError): boolean {
  return kind === 'unreachable' || kind === 'timeout' || kind === 'auth';
}

/** A new node that went away has nothing that anybody could owe it; peers, and members to repair, catch up when they return. */
function isNewNode({ role, kind, steps }: Work): boolean {
  return role === 'node' && kind !== 'repair' && steps.some((step) => step.action === 'ensure');
}
