/** The desk: every command's use case, whichever door it came through. It authorizes, decides from what is stored, and queues the work. */
import { createHash } from 'node:crypto';
import { type Answer, askDigest } from '../change/ask.js';
import type { AuditEvent } from '../change/audit-log.js';
import type { Actor, Change } from '../change/change.js';
import { stillStands } from '../change/run.js';
import {
  answerAsks,
  answered,
  asking,
  cancel,
  type DecisionRules,
  decide,
  retry,
  rollBack,
} from '../change/transition.js';
import { Refusal } from '../errors.js';
import { uncovered } from '../plan/adopt.js';
import { sayNoRestart } from '../words/trouble.js';
import { actionOf, authorize } from './access.js';
import { checkNothingBuilt } from './built-on.js';
import type { BotCommand } from './command.js';
import type { Desk, DeskDeps } from './desk.js';
import { formatCommand } from './format.js';
import { answerQuery } from './query.js';
import type { Reply } from './reply.js';
import {
  type Begun,
  requestAdd,
  requestAdopt,
  requestBuild,
  requestDeliver,
  requestRemove,
  requestRepair,
} from './request.js';
import { viewChange } from './view.js';
import { acknowledge, control, mute, unmute } from './watching.js';

/** A repeated command within this time is taken for a double one (Q21). In seconds. */
const REPEATED_WITHIN_S = 60;

export function createDesk(deps: DeskDeps): Desk {
  return {
    run: async (command, actor, origin) => {
      await allow(deps, actor, command.kind);
      switch (command.kind) {
        case 'add-node':
          return once(deps, command, actor, () => requestAdd(deps, command, actor, origin));
        case 'remove-node':
          return once(deps, command, actor, () => requestRemove(deps, command, actor, origin));
        case 'repair':
          return once(deps, command, actor, () => requestRepair(deps, command, actor, origin));
        case 'adopt':
          if (command.list === undefined) return { kind: 'form', form: 'adopt' };
          return once(deps, command, actor, () => requestAdopt(deps, command, actor, origin));
        case 'build':
          return once(deps, command, actor, () => requestBuild(deps, command, actor, origin));
        case 'deliver':
          return once(deps, command, actor, () => requestDeliver(deps, command, actor, origin));
        case 'approve':
          return takeDecision(deps, command.id, 'approve', null, undefined, actor);
        case 'deny':
          return takeDecision(deps, command.id, 'deny', null, command.reason, actor);
        case 'confirm':
          return answer(deps, command.id, 'yes', null, actor);
        case 'decline':
          return answer(deps, command.id, 'no', null, actor);
        case 'cancel':
          return cancelChange(deps, command.id, actor);
        case 'retry':
          return again(deps, command.id, actor, 'retry');
        case 'rollback':
          return again(deps, command.id, actor, 'rollback');
        case 'ack':
          return acknowledge(deps, command, actor);
        case 'mute':
          return mute(deps, command, actor);
        case 'unmute':
          return unmute(deps, command, actor);
        case 'control':
          return control(deps, command, actor, origin);
        default:
          return answerQuery(deps, command, actor, origin);
      }
    },
    decide: async (id, verdict, planHash, reason, actor) => {
      await allow(deps, actor, verdict);
      return takeDecision(deps, id, verdict, planHash, reason, actor);
    },
    tryDecide: async (id, verdict, planHash, actor) => {
      await allow(deps, actor, verdict);
      decide(await deps.changes.get(id), actor, verdict, planHash, rulesOf(deps), new Date());
    },
    answer: async (id, verdict, digests, actor) => {
      await allow(deps, actor, verdict === 'yes' ? 'confirm' : 'decline');
      return answer(deps, id, verdict, digests, actor);
    },
    view: (id) => viewChange(deps, deps.config.cluster, id),
  };
}

async function allow(deps: DeskDeps, actor: Actor, kind: BotCommand['kind']): Promise<void> {
  authorize(actor, actionOf(kind), await deps.access());
}

/** The same words by the same person within a minute lead to the change that they started, unless that came to an end. */
async function once(
  deps: DeskDeps,
  command: Parameters<typeof formatCommand>[0],
  actor: Actor,
  begin: () => Promise<Begun>,
): Promise<Reply> {
  const more = command.kind === 'adopt' ? `\n${command.list}` : '';
  const said = `${formatCommand(command)}${more}`;
  const digest = createHash('sha256').update(said).digest('hex').slice(0, 24);
  const key = deps.keys.recentCommand(actor.id, digest);
  const earlier = await deps.redis.get(key);
  if (earlier !== null) {
    const change = await deps.changes.load(earlier);
    if (change !== null && change.finishedAt === undefined) return { kind: 'already-running', id: earlier };
  }
  const { id, fresh } = await begin();
  if (!fresh) return { kind: 'already-running', id };
  await deps.redis.set(key, id, 'EX', REPEATED_WITHIN_S);
  return { kind: 'change-card', id };
}

async function takeDecision(
  deps: DeskDeps,
  id: string,
  verdict: 'approve' | 'deny',
  planHash: string | null,
  reason: string | undefined,
  actor: Actor,
): Promise<Reply> {
  const now = new Date();
  const rules = rulesOf(deps);
  const change = await deps.changes.update(
    id,
    (current) => decide(current, actor, verdict, planHash, rules, now, reason),
    now,
    {
      record: (decided) => [
        {
          ...by(actor, now, verdict, id),
          planHash: decided.planHash ?? '',
          facts: { via: actor.via, reason: reason ?? '' },
        },
      ],
    },
  );
  if (change.state === 'denied') await deps.leases.release(id);
  if (change.state === 'approved') await deps.jobs.advance();
  await deps.jobs.card(id);
  const approved = new Set(
    change.decisions.filter((each) => each.verdict === 'approve').map((each) => each.actor),
  ).size;
  return { kind: 'decided', id, verdict, approved, required: rules.required };
}

/**
 * Answers what the change asks: all of it, or only what the digests name. Hosts and answer are written in one stroke, so that a second click
 * finds nothing asked.
 */
async function answer(
  deps: DeskDeps,
  id: string,
  verdict: Answer['verdict'],
  digests: readonly string[] | null,
  actor: Actor,
): Promise<Reply> {
  const now = new Date();
  const all = [...(await deps.changes.results(id)).values()];
  const asked = asking(all).filter(({ host, ask }) => digests?.includes(askDigest(host, ask)) ?? true);
  const hosts = all.filter(({ host }) => asked.some((each) => each.host === host));
  await deps.changes.update(
    id,
    (change) => answerAsks(change, actor, verdict, asked, rulesOf(deps), now),
    now,
    {
      results: answered(hosts, verdict, sayNoRestart(), now),
      record: () => asked.map(({ host, ask }) => ({ ...by(actor, now, `${ask.kind}-${verdict}`, id), host })),
    },
  );
  await deps.jobs.advance();
  await deps.jobs.card(id);
  return { kind: 'accepted', id, what: verdict === 'yes' ? 'confirm' : 'decline' };
}

function rulesOf({ config }: DeskDeps): DecisionRules {
  return { required: config.access.approvalsRequired, own: config.access.approveOwn };
}

function by(actor: Actor, now: Date, what: string, changeId: string): AuditEvent {
  return { at: now.toISOString(), actor: actor.id, what, changeId };
}

async function cancelChange(deps: DeskDeps, id: string, actor: Actor): Promise<Reply> {
  const now = new Date();
  const change = await deps.changes.update(id, (current) => cancel(current, actor, now), now, {
    record: () => [by(actor, now, 'cancel', id)],
  });
  if (change.state === 'cancelled') await deps.leases.release(id);
  else await deps.jobs.advance();
  await deps.jobs.card(id);
  const what = change.state === 'cancelled' ? 'withdraw' : change.state === 'owing' ? 'give-up' : 'cancel';
  return { kind: 'accepted', id, what };
}

/** Refuses what would come to nothing, or take from others; the worker that begins the run looks once more. */
async function checkAgain(deps: DeskDeps, change: Change, what: 'retry' | 'rollback'): Promise<void> {
  const { id, state } = change;
  const [plan, inventory, added] = await Promise.all([
    deps.changes.plan(id),
    deps.nodes.read(),
    deps.nodes.addedBy(),
  ]);
  const isTurning = what === 'rollback' || change.direction === 'do';
  if (plan === null || (isTurning && !stillStands(change, plan, inventory, added)))
    throw new Refusal(what === 'retry' ? 'not-retryable' : 'not-rollbackable', { id, state });
  const since = what === 'rollback' && plan.kind === 'remove-node' ? uncovered(plan, inventory) : [];
  // Whether the node itself came back is for its slice to say.
  const joined = since.filter((node) => node.name !== plan.node?.name);
  if (joined.length > 0)
    throw new Refusal('joined-since', {
      id,
      name: plan.node?.name ?? '',
      joined: joined.map((node) => node.name),
    });
}

/** A removed node needs its slice again before anything else; by now it may be another's. */
async function takeSliceBack(deps: DeskDeps, change: Change, now: Date): Promise<void> {
  if (change.kind !== 'remove-node') return;
  const { id, node } = change;
  if ((await deps.leases.restore(node, id, now)) === null)
    throw new Refusal('node-replaced', { id, name: node.name, podCidr: node.podCidr });
}

async function again(deps: DeskDeps, id: string, actor: Actor, what: 'retry' | 'rollback'): Promise<Reply> {
  const now = new Date();
  const turn = (change: Change) => (what === 'retry' ? retry(change) : rollBack(change, actor));
  const before = await deps.changes.get(id);
  turn(before);
  await checkAgain(deps, before, what);
  if (what === 'rollback') await checkNothingBuilt(deps, before);
  if (what === 'rollback') await takeSliceBack(deps, before, now);
  await deps.changes.update(id, turn, now, { record: () => [by(actor, now, what, id)] });
  await deps.jobs.advance();
  await deps.jobs.card(id);
  return { kind: 'accepted', id, what };
}
