/** What a press of a card's button does; afterwards the card shows how things stand. */
import type { Reply } from '../command/reply.js';
import { isRefusal, Refusal } from '../errors.js';
import { detailsFollow } from '../words/reply.js';
import { sayDeadCard, sayNoDialog, sayUnreadableCard } from '../words/trouble.js';
import { type ButtonValue, parseButtonValue } from './buttons.js';
import { denyModal } from './deny-modal.js';
import { answer, type ListenerDeps } from './guard.js';
import type { Call } from './payload.js';
import { replyMessage, say } from './reply.js';
import { isSlackAway, slackError } from './web.js';

export type Pressed = (call: Call, deps: ListenerDeps, value: ButtonValue) => Promise<void>;

/** A click on a card of a change that is (still) known; afterwards the card shows how things stand, whatever came of the click. */
export async function pressed(call: Call, deps: ListenerDeps, handle: Pressed): Promise<void> {
  const value = parseButtonValue(call.value);
  if (value === null) return unreadable(call, deps);
  try {
    await handle(call, deps, value);
  } catch (error) {
    if (isRefusal(error, 'change-unknown')) await retire(call, deps);
    else if (isRefusal(error)) await refresh(call, deps, value.id);
    throw error;
  }
}

/** Takes the decision on the plan that the card showed. Throws the desk's Refusals, as all of these do. */
export async function approve(call: Call, deps: ListenerDeps, value: ButtonValue): Promise<void> {
  await told(call, deps, value, deps.desk.decide(value.id, 'approve', value.hash, undefined, call.actor));
}

/** The same of a denial, with the reason that the dialog asked for. */
export async function deny(call: Call, deps: ListenerDeps, value: ButtonValue): Promise<void> {
  const reason = call.text.trim();
  await told(
    call,
    deps,
    value,
    deps.desk.decide(value.id, 'deny', value.hash, reason || undefined, call.actor),
  );
}

/** Opens the dialog, where a denial would count now: a trigger_id lives 3 s, asking takes milliseconds. */
export async function askWhy(call: Call, deps: ListenerDeps, value: ButtonValue): Promise<void> {
  await deps.desk.tryDecide(value.id, 'deny', value.hash, call.actor);
  try {
    await deps.slack.views.open({ trigger_id: call.triggerId, view: denyModal(value, call) });
  } catch (error) {
    const why = slackError(error);
    if (why === null && !isSlackAway(error)) throw error;
    deps.log.warn({ change: value.id, why, err: error }, 'the dialog could not be opened');
    await answer(deps, call, say(sayNoDialog(why, value.id)));
  }
}

/** The whole plan and all results, as a file. */
export async function details(call: Call, deps: ListenerDeps, value: ButtonValue): Promise<void> {
  // Asked for as `change <id>`, so that who may read it is decided in the one place.
  await deps.desk.run({ kind: 'change', id: value.id }, call.actor, call.origin);
  await deps.jobs.file(value.id, call.origin);
  await answer(deps, call, say(detailsFollow(value.id)));
}

/** Answers what the card showed as asked, and nothing that came since: nobody has seen that yet. */
export async function answerAsked(
  verdict: 'yes' | 'no',
  call: Call,
  deps: ListenerDeps,
  value: ButtonValue,
): Promise<void> {
  await checkPlan(deps, value);
  const digests = value.asks?.match(/.{6}/g) ?? [];
  await told(call, deps, value, deps.desk.answer(value.id, verdict, digests, call.actor));
}

/** What the words would do, on the plan that the card showed. */
export async function asCommand(
  verb: 'cancel' | 'retry' | 'rollback',
  call: Call,
  deps: ListenerDeps,
  value: ButtonValue,
): Promise<void> {
  await checkPlan(deps, value);
  await told(call, deps, value, deps.desk.run({ kind: verb, id: value.id }, call.actor, call.origin));
}

/** Once it is done the card shows it, and the person hears what came of it. */
async function told(
  call: Call,
  deps: ListenerDeps,
  { id }: ButtonValue,
  done: Promise<Reply>,
): Promise<void> {
  const reply = await done;
  await refresh(call, deps, id);
  await tell(call, deps, reply);
}

/** A Redis that lost its data gives ids anew: a card from before may bear that of another change. Throws the Refusal `plan-outdated`. */
async function checkPlan(deps: ListenerDeps, { id, hash }: ButtonValue): Promise<void> {
  const view = await deps.desk.view(id);
  if (view && hash !== null && view.change.planHash !== hash) throw new Refusal('plan-outdated', { id });
}

/** Buttons vanish at once (Q4). A copy that was not on record yet is from now on. */
async function refresh(call: Call, deps: ListenerDeps, changeId: string): Promise<void> {
  const view = await deps.desk.view(changeId);
  const card = call.clicked?.card;
  if (
    view &&
    card &&
    !view.change.cards.some((copy) => copy.ts === card.ts && copy.channel === card.channel)
  ) {
    await deps.cards.addCard(changeId, card);
  }
  if (!(await deps.outbox.renderNow(changeId))) await deps.jobs.card(changeId);
}

/** The button carries nothing that a card of ours does. */
export async function unreadable(call: Call, deps: ListenerDeps): Promise<void> {
  await retire(call, deps);
  await answer(deps, call, say(sayUnreadableCard()));
}

/** Takes the buttons off a card that belongs to nothing any more. */
async function retire(call: Call, deps: ListenerDeps): Promise<void> {
  if (call.clicked === undefined) return;
  const { card, blocks } = call.clicked;
  const dead = say(sayDeadCard());
  const kept = blocks.filter((block) => block['type'] !== 'actions');
  try {
    await deps.slack.chat.update({
      channel: card.channel,
      ts: card.ts,
      text: dead.text,
      blocks: [...dead.blocks, ...(kept as never[])].slice(0, 50),
    });
  } catch (error) {
    deps.log.warn({ card, err: error }, 'a dead card kept its buttons');
  }
}

/** `quiet`: only the person sees it, and it takes nobody's turn in the channel. */
export function tell(call: Call, deps: ListenerDeps, reply: Reply, quiet = false): Promise<void> {
  return answer(deps, call, replyMessage(reply, deps.cluster, deps.now()), quiet);
}
