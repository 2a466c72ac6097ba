/** The end of planning: a sealed plan, or a refusal. */
import type { Change } from '../src/change/change.js';
import { isMembership } from '../src/change/subject.js';
import { approveByPolicy } from '../src/change/transition.js';
import { isMembershipPlan, type Plan } from '../src/plan/plan.js';
import { isRestoring, slicesMoved } from '../src/plan/repair-drift.js';
import { planHash } from '../src/plan/seal.js';
import { FAIRWAY, isPolicy } from '../src/principal.js';
import type { WorkerDeps } from './deps.js';

/** Stores the plan and offers it for approval; what the policy may approve is approved in the same write. */
export async function sealPlan(deps: WorkerDeps, changeId: string, plan: Plan): Promise<void> {
  const now = new Date();
  const hash = planHash(plan, deps.config.cluster.clusterCidr);
  const expiresAt = new Date(now.getTime() + deps.config.approvalTtlMs).toISOString();
  await deps.changes.savePlan(changeId, plan);
  await deps.changes.setResults(
    changeId,
    // An adoption visits no host.
    plan.kind === 'adopt'
      ? []
      : plan.hosts.map((host) => ({ host: host.host, status: 'waiting' as const, at: now.toISOString() })),
  );
  // In one write: a plan that the policy approves is never seen waiting for somebody.
  const decided = (change: Change) =>
    isForPolicy(deps, plan) ? approveByPolicy(change, REPAIR, now) : change;
  const sealed = await deps.changes.update(
    changeId,
    (change) =>
      change.state === 'planning'
        ? decided({
            ...settledBy(change, plan),
            state: 'pending',
            planHash: hash,
            sealedAt: now.toISOString(),
            expiresAt,
          })
        : change,
    now,
  );
  // Cancelled while its hosts were read: a slice that was taken after that belongs to nobody.
  if (sealed.finishedAt !== undefined) await deps.leases.release(changeId);
  if (sealed.state !== 'pending' && sealed.state !== 'approved') return;
  const record = { at: now.toISOString(), changeId, planHash: hash };
  await deps.audit.append(
    { ...record, actor: FAIRWAY, what: 'plan-sealed' },
    ...sealed.decisions
      .filter(({ actor }) => isPolicy(actor))
      .map(({ actor, verdict }) => ({ ...record, actor, what: verdict })),
  );
  if (sealed.state === 'approved') await deps.jobs.advance();
  else await deps.jobs.expireChange(changeId, deps.config.approvalTtlMs);
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
  const more = detail.length > 0 ? { detail: [...detail] } : {};
  await deps.leases.release(changeId);
  await deps.changes.update(
    changeId,
    (change) =>
      change.state === 'planning'
        ? { ...change, state: 'refused', reason, ...more, finishedAt: now.toISOString() }
        : change,
    now,
  );
  await deps.audit.append({
    at: now.toISOString(),
    actor: 'fairway',
    what: 'plan-refused',
    changeId,
    facts: { reason, ...more },
  });
}
