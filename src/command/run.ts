/** The desk: every command's use case, whichever door it came through. It authorizes, decides from what is stored, and queues the work. */
import { createHash } from 'node:crypto';
import type { Actor, Change } from '../change/change.js';
import { cancel, decide, retry, rollBack } from '../change/transition.js';
import { Refusal } from '../errors.js';
import { actionOf, authorize } from './access.js';
import type { BotCommand } from './command.js';
import { type Desk, type DeskDeps, unknownNode } from './desk.js';
import { formatCommand } from './format.js';
import { answerQuery } from './query.js';
import type { Origin, Reply } from './reply.js';
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
        case 'approve':
          return takeDecision(deps, command.id, 'approve', null, undefined, actor);
        case 'deny':
          return takeDecision(deps, command.id, 'deny', null, command.reason, actor);
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
  begin: () => Promise<Change>,
): Promise<Reply> {
  const digest = createHash('sha256').update(formatCommand(command)).digest('hex').slice(0, 24);
  const key = deps.keys.recentCommand(actor.id, digest);
  const earlier = await deps.redis.get(key);
  if (earlier !== null) {
    const change = await deps.changes.load(earlier);
    if (change !== null && change.finishedAt === undefined) return { kind: 'already-running', id: earlier };
  }
  const change = await begin();
  await deps.redis.set(key, change.id, 'EX', REPEATED_WITHIN_S);
  return { kind: 'change-card', id: change.id };
}

async function requestAdd(
  deps: DeskDeps,
  command: Extract<BotCommand, { kind: 'add-node' }>,
  actor: Actor,
  origin: Origin,
): Promise<Change> {
  const id = await deps.changes.nextId();
  const { spec, podCidr: asked } = command;
  const { lease, others } = await deps.leases.claim({
    changeId: id,
    node: spec,
    excluded: [],
    now: new Date(),
    ...(asked ? { explicit: asked } : {}),
  });
  // Whoever claimed earlier and is not a member yet: this plan covers the pair with it, should both be approved.
  const together = others
    .filter((other) => other.state === 'claimed')
    .map((other) => ({ ...other.node, podCidr: other.podCidr }));
  return start(deps, actor, origin, formatCommand(command), {
    id,
    kind: 'add-node',
    node: { ...spec, podCidr: lease.podCidr },
    together,
    ...(asked ? { podCidrAsked: asked } : {}),
  });
}

async function requestRemove(
  deps: DeskDeps,
  command: Extract<BotCommand, { kind: 'remove-node' }>,
  actor: Actor,
  origin: Origin,
): Promise<Change> {
  const { nodes } = await deps.nodes.read();
  const node = nodes.find((member) => member.name === command.name);
  if (!node)
    throw unknownNode(
      command.name,
      nodes.map((member) => member.name),
    );
  const running = (await deps.changes.open()).find((change) => change.node.name === node.name);
  if (running) throw new Refusal('already-running', { id: running.id });
  const id = await deps.changes.nextId();
  return start(deps, actor, origin, formatCommand(command), { id, kind: 'remove-node', node });
}

/** Saved first, then posted, then planned: a crash in between leaves a change that can be seen. */
async function start(
  deps: DeskDeps,
  actor: Actor,
  origin: Origin,
  command: string,
  of: Pick<Change, 'id' | 'kind' | 'node'> & Partial<Change>,
): Promise<Change> {
  const now = new Date();
  const change: Change = {
    version: 1,
    state: 'planning',
    requester: actor.id,
    command,
    channel: origin.channel,
    ...(origin.thread ? { thread: origin.thread } : {}),
    requestedAt: now.toISOString(),
    approvalsRequired: deps.config.access.approvalsRequired,
    decisions: [],
    cards: [],
    direction: 'do',
    ...of,
  };
  await deps.changes.create(change, now);
  await Promise.all([deps.jobs.card(change.id), deps.jobs.planChange(change.id)]);
  await deps.audit.append({
    at: now.toISOString(),
    actor: actor.id,
    what: 'change-requested',
    changeId: change.id,
    facts: { command, via: actor.via },
  });
  return change;
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
  const rules = { required: deps.config.access.approvalsRequired, own: deps.config.access.approveOwn };
  const change = await deps.changes.update(
    id,
    (current) => decide(current, actor, verdict, planHash, rules, now, reason),
    now,
  );
  await deps.audit.append({
    at: now.toISOString(),
    actor: actor.id,
    what: verdict,
    changeId: id,
    planHash: change.planHash ?? '',
    facts: { via: actor.via, reason: reason ?? '' },
  });
  if (change.state === 'denied') await deps.leases.release(id);
  if (change.state === 'approved') {
    await pinKeys(deps, id);
    await deps.jobs.advance();
  }
  await deps.jobs.card(id);
  const approved = new Set(
    change.decisions.filter((each) => each.verdict === 'approve').map((each) => each.actor),
  ).size;
  return { kind: 'decided', id, verdict, approved, required: rules.required };
}

/** Approving a plan accepts the fingerprints that it showed for hosts met for the first time. */
async function pinKeys(deps: DeskDeps, id: string): Promise<void> {
  const plan = await deps.changes.plan(id);
  for (const host of plan?.hosts ?? []) {
    if (host.hostKey?.firstContact) await deps.hostKeys.pin(host.host, host.hostKey.fingerprint);
  }
}

async function cancelChange(deps: DeskDeps, id: string, actor: Actor): Promise<Reply> {
  const now = new Date();
  const change = await deps.changes.update(id, (current) => cancel(current, actor, now), now);
  await deps.audit.append({ at: now.toISOString(), actor: actor.id, what: 'cancel', changeId: id });
  if (change.state === 'cancelled') await deps.leases.release(id);
  else await deps.jobs.advance();
  await deps.jobs.card(id);
  return { kind: 'accepted', id, what: 'cancel' };
}

/** A removed node needs its slice again before anything else; by now it may be another's. */
async function takeSliceBack(deps: DeskDeps, id: string, actor: Actor, now: Date): Promise<void> {
  const change = await deps.changes.load(id);
  if (change?.kind !== 'remove-node') return;
  rollBack(change, actor);
  if ((await deps.leases.restore(change.node, id, now)) === null) {
    throw new Refusal('node-replaced', { id, name: change.node.name, podCidr: change.node.podCidr });
  }
}

async function again(deps: DeskDeps, id: string, actor: Actor, what: 'retry' | 'rollback'): Promise<Reply> {
  const now = new Date();
  if (what === 'rollback') await takeSliceBack(deps, id, actor, now);
  await deps.changes.update(
    id,
    (current) => (what === 'retry' ? retry(current) : rollBack(current, actor)),
    now,
  );
  await deps.audit.append({ at: now.toISOString(), actor: actor.id, what, changeId: id });
  await deps.jobs.advance();
  await deps.jobs.card(id);
  return { kind: 'accepted', id, what };
}
