/** The change's state machine: who may move it where, and what it becomes; stores apply the result by compare-and-set. Pure. */
import { Refusal, type RefusalFacts } from '../errors.js';
import { FAIRWAY, isPolicy, isSamePerson, personOf, policyId } from '../principal.js';
import type { Answer, Ask } from './ask.js';
import type { Actor, Change, ChangeState, Decision, HostResult } from './change.js';

/** States in which a change still holds something: a slice, hosts or somebody's attention. */
export const OPEN_STATES: readonly ChangeState[] = [
  'planning',
  'pending',
  'approved',
  'applying',
  'proving',
  'owing',
  'rolling-back',
];

/** States of a change that never touched a host. */
export const HANDS_OFF_STATES: readonly ChangeState[] = [
  'planning',
  'refused',
  'pending',
  'denied',
  'expired',
  'stale',
];

export interface DecisionRules {
  required: number;
  /** Whether the requester may approve the own request. */
  own: boolean;
}

/**
 * Takes one decision. `planHash` is the one on the card that was clicked; null from a typed command, which means the current one.
 * Throws a Refusal for every click that doesn't count; each has its own code, so each has its own sentence.
 */
export function decide(
  change: Change,
  actor: Actor,
  verdict: Decision['verdict'],
  planHash: string | null,
  rules: DecisionRules,
  now: Date,
  reason?: string,
): Change {
  const { id } = change;
  if (change.state === 'planning') throw new Refusal('change-not-sealed', { id });
  if (change.state === 'expired' || isExpired(change, now))
    throw new Refusal('change-expired', { id, command: change.command });
  if (change.state !== 'pending') throw new Refusal('change-not-pending', notPending(change));
  if (planHash !== null && planHash !== change.planHash) throw new Refusal('plan-outdated', { id });
  if (verdict === 'approve' && isSamePerson(actor.id, change.requester) && !rules.own)
    throw new Refusal('own-request', { id });
  const again = change.decisions.some(
    (decision) => isSamePerson(decision.actor, actor.id) && decision.verdict === verdict,
  );
  if (again) throw new Refusal('already-decided-by-you', { id });
  const decision: Decision = {
    actor: actor.id,
    verdict,
    at: now.toISOString(),
    planHash: change.planHash ?? '',
    ...(reason ? { reason } : {}),
  };
  const decided = { ...change, decisions: [...change.decisions, decision] };
  if (verdict === 'deny')
    return { ...decided, state: 'denied', finishedAt: decision.at, ...(reason ? { reason } : {}) };
  return approvals(decided) >= rules.required ? { ...decided, state: 'approved' } : decided;
}

/** A host of a change that asks, and what. */
export interface Asking {
  host: string;
  ask: Ask;
}

/** Those of the hosts that ask. */
export function asking(hosts: Iterable<HostResult>): Asking[] {
  return [...hosts].flatMap(({ host, status, ask }) => (status === 'asking' && ask ? [{ host, ask }] : []));
}

/**
 * Answers all that the change asks. Whoever may not approve the own request may not answer it with yes either. Throws the Refusals
 * `nothing-asked` and `own-request`.
 */
export function answerAsks(
  change: Change,
  actor: Actor,
  verdict: Answer['verdict'],
  asked: readonly Asking[],
  rules: Pick<DecisionRules, 'own'>,
  now: Date,
): Change {
  const { id, requester, answers = [] } = change;
  if (asked.length === 0 || change.cancelRequestedBy !== undefined)
    throw new Refusal('nothing-asked', { id });
  if (verdict === 'yes' && isSamePerson(actor.id, requester) && !rules.own)
    throw new Refusal('own-request', { id });
  const at = now.toISOString();
  return {
    ...change,
    answers: [...answers, ...asked.map((each) => ({ ...each, verdict, actor: actor.id, at }))],
  };
}

/** How hosts stand once they were answered: they go on, but for one that can't without the restart. `why` is said of that. */
export function answered(
  hosts: Iterable<HostResult>,
  verdict: Answer['verdict'],
  why: string,
  now: Date,
): HostResult[] {
  const at = now.toISOString();
  return [...hosts].flatMap(({ ask, ...host }) => {
    if (host.status !== 'asking' || !ask) return [];
    const isStuck = verdict === 'no' && ask.kind === 'reboot';
    return [
      isStuck
        ? { ...host, status: 'failed' as const, error: why, at }
        : { ...host, status: 'waiting' as const, at },
    ];
  });
}

/** How many different people approved. A policy counts for as many as are needed. */
export function approvals(change: Change): number {
  const approvers = change.decisions.filter(({ verdict }) => verdict === 'approve').map(({ actor }) => actor);
  if (approvers.some(isPolicy)) return change.approvalsRequired;
  return new Set(approvers.map(personOf)).size;
}

/** Approves, by a setting of the administrator's, the repair that Fairway itself asked for; whatever else comes is left to people. */
export function approveByPolicy(change: Change, setting: string, now: Date): Change {
  if (change.kind !== 'repair' || change.state !== 'pending' || change.requester !== FAIRWAY) return change;
  const decision: Decision = {
    actor: policyId(setting),
    verdict: 'approve',
    at: now.toISOString(),
    planHash: change.planHash ?? '',
  };
  return { ...change, decisions: [...change.decisions, decision], state: 'approved' };
}

/** True for a change that was cancelled before it had begun: nothing was run. */
export function isWithdrawn(change: Change): boolean {
  return change.state === 'cancelled' && change.admittedAt === undefined;
}

/** True once a pending plan is older than its life. */
export function isExpired(change: Change, now: Date): boolean {
  return (
    change.state === 'pending' && change.expiresAt !== undefined && now.toISOString() >= change.expiresAt
  );
}

/** True when the change's node is no member once it is through. */
export function isLeaving({ kind, direction }: Pick<Change, 'kind' | 'direction'>): boolean {
  return (
    ['add-node', 'remove-node', 'adopt'].includes(kind) && (kind === 'remove-node') === (direction === 'do')
  );
}

/** Asks a queued or running change to stop at the next host boundary, withdraws one that nobody approved yet, or gives up what is owed. */
export function cancel(change: Change, actor: Actor, now: Date): Change {
  if (change.state === 'planning' || change.state === 'pending') {
    return { ...change, state: 'cancelled', cancelRequestedBy: actor.id, finishedAt: now.toISOString() };
  }
  if (['approved', 'applying', 'owing', 'rolling-back'].includes(change.state)) {
    return { ...change, cancelRequestedBy: actor.id };
  }
  throw new Refusal('not-cancellable', { id: change.id, state: change.state });
}

/** Whether there is something to run again. What never passed the gate has nothing: it is asked for anew, with a fresh plan. */
export function isRetryable(change: Change): boolean {
  return change.state === 'failed' || isAtRest(change);
}

/** Whether there is something to undo: its inverse was approved with it (N2). */
export function isReversible(change: Change): boolean {
  // What was built is nothing but a file.
  if (change.direction === 'undo' || change.kind === 'build') return false;
  return change.state === 'applied' || change.state === 'failed' || isAtRest(change);
}

/** Owing, and nobody gives that up just now; or cancelled, after it had begun. */
function isAtRest(change: Change): boolean {
  if (change.state === 'owing') return change.cancelRequestedBy === undefined;
  return change.state === 'cancelled' && change.admittedAt !== undefined;
}

/** Runs again what is not done. */
export function retry(change: Change): Change {
  if (!isRetryable(change)) throw new Refusal('not-retryable', { id: change.id, state: stateNow(change) });
  return {
    ...fresh(change),
    state: change.direction === 'undo' ? 'rolling-back' : 'applying',
    starts: 'retry',
  };
}

/** Turns the change around. */
export function rollBack(change: Change, actor: Actor): Change {
  if (!isReversible(change))
    throw new Refusal('not-rollbackable', { id: change.id, state: stateNow(change) });
  return {
    ...fresh(change),
    state: 'rolling-back',
    direction: 'undo',
    starts: 'undo',
    rolledBackBy: actor.id,
  };
}

/** Without what the run before came to. */
function fresh(change: Change): Change {
  const {
    cancelRequestedBy: _asked,
    finishedAt: _at,
    reason: _reason,
    detail: _detail,
    proof: _proof,
    answers: _answers,
    ...rest
  } = change;
  return rest;
}

/** As a person would call it. */
function stateNow({ state, cancelRequestedBy }: Change): string {
  return state === 'owing' && cancelRequestedBy !== undefined ? 'being cancelled' : state;
}

/** How many pairs of pods could not be asked whether they reach each other. */
export function unasked({ proof = [] }: Change): number {
  return proof.filter((row) => row.answer === 'unknown').length;
}

/** The state that a change comes to rest in, from its hosts' results. What was given up on one host waits for what others are still owed. */
export function outcome(change: Change, hosts: readonly HostResult[]): ChangeState {
  if (hosts.some((host) => host.status === 'failed' && !isGivenUp(host))) return 'failed';
  if (hosts.some(({ status }) => ['waiting', 'asking', 'cancelled'].includes(status)))
    return change.cancelRequestedBy ? 'cancelled' : 'failed';
  if (hosts.some((host) => host.status === 'owed')) return 'owing';
  if (hosts.some(isGivenUp)) return 'failed';
  return change.direction === 'undo' ? 'rolled-back' : 'applied';
}

/** True for a host that did not come back while it was owed its part. */
export function isGivenUp({ status, debt }: HostResult): boolean {
  return status === 'failed' && debt !== undefined;
}

/** Whoever approved a change that went stale since did not make it stale: a decision is told where it is what stands. */
function notPending(change: Change): RefusalFacts['change-not-pending'] {
  const { id, state, command, decisions, finishedAt } = change;
  const decision = state === 'approved' || state === 'denied' ? decisions.at(-1) : undefined;
  return { id, state, by: decision?.actor ?? '', at: decision?.at ?? finishedAt ?? '', command };
}
