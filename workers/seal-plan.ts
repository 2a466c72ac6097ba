/** The end of planning: a sealed plan, or a refusal. */
import type { AuditEvent } from '../src/change/audit-record.js';
import type { Change } from '../src/change/change.js';
import { isMembership } from '../src/change/subject.js';
import { approveByPolicy } from '../src/change/transition.js';
import { isMembershipPlan, type Plan } from '../src/plan/plan.js';
import { isRestoring, slicesMoved } from '../src/plan/repair-drift.js';
import { planHash } from '../src/plan/seal.js';
import { FAIRWAY, isPolicy } from '../src/principal.js';
import type { WorkerDeps } from './deps.js';
import { planPolicy } from './read-hosts.js';

/**
 * Offers the plan for approval; what the policy may approve is approved in the same write. The plan, its hash and what hosts wait for
 * are stored in one stroke: whoever comes late changes nothing of them any more.
 */
export async function sealPlan(deps: WorkerDeps, changeId: string, plan: Plan): Promise<void> {
  const now = new Date();
  const at = now.toISOString();
  const hash = planHash(plan, planPolicy(deps));
  const expiresAt = new Date(now.getTime() + deps.config.approvalTtlMs).toISOString();
  // In one write: a plan that the policy approves is never seen waiting for somebody.
  const decided = (change: Change) =>
    isForPolicy(deps, plan) ? approveByPolicy(change, REPAIR, now) : change;
  const record = { at, changeId, planHash: hash };
  const sealed = await deps.changes.moveOnce(
    changeId,
    (change) =>
      change.state === 'planning'
        ? decided({
            ...settledBy(change, plan),
            state: 'pending',
            planHash: hash,
            sealedAt: at,
            expiresAt,
          })
        : change,
    now,
    {
      sealed: plan,
      // An adoption visits no host.
      results: plan.kind === 'adopt' ? [] : plan.hosts.map(({ host }) => ({ host, status: 'waiting', at })),
      record: ({ decisions }) => [
        { ...record, actor: FAIRWAY, what: 'plan-sealed', ...keysIn(plan) },
        ...decisions
          .filter(({ actor }) => isPolicy(actor))
          .map(({ actor, verdict }) => ({ ...record, actor, what: verdict })),
      ],
    },
  );
  if (sealed === null) return;
  if (sealed.state === 'approved') await deps.jobs.advance();
  else await deps.jobs.expireChange(changeId, deps.config.approvalTtlMs);
}

/** The keys that whoever approves it accepts. */
function keysIn({ hosts }: Plan): Pick<AuditEvent, 'facts'> {
  const hostKeys = hosts.flatMap(({ host, hostKey }) =>
    hostKey?.firstContact ? [{ host, key: hostKey.fingerprint }] : [],
  );
  return hostKeys.length > 0 ? { facts: { hostKeys } } : {};
}

/** The setting that approves what Fairway found by itself. */
const REPAIR = 'DRIFT=repair';

function isForPolicy({ config }: WorkerDeps, plan: Plan): boolean {
  return config.drift === 'repair' && plan.kind === 'repair' && isRestoring(plan);
}

/** What is known of the change's subject only now. */
function settledBy(change: Change, plan: Plan): Change {
  if (change.kind === 'adopt' && plan.kind === 'adopt')
    return { ...change, moves: plan.nodes.map((node) => node.podCidr) };
  if (change.kind === 'repair' && plan.kind === 'repair')
    return { ...change, moves: slicesMoved(plan), ...(plan.node ? { node: plan.node } : {}) };
  return isMembership(change) && isMembershipPlan(plan) ? { ...change, node: plan.node } : change;
}

/** Ends the change before there was a plan. */
export async function refusePlan(
  deps: WorkerDeps,
  changeId: string,
  reason: string,
  detail: readonly string[] = [],
): Promise<void> {
  const now = new Date();
  const at = now.toISOString();
  const more = detail.length > 0 ? { detail: [...detail] } : {};
  await deps.changes.update(
    changeId,
    (change) =>
      change.state === 'planning' ? { ...change, state: 'refused', reason, ...more, finishedAt: at } : change,
    now,
    { record: () => [{ at, actor: FAIRWAY, what: 'plan-refused', changeId, facts: { reason, ...more } }] },
  );
}
