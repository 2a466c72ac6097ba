/** Every entry from Slack, in one table: what it is called, how its payload is read, what it does. */
import { type BotCommand, parseCommand } from '../command/grammar.js';
import { splitPasted } from '../command/pasted.js';
import type { Reply } from '../command/reply.js';
import { isRefusal, Refusal } from '../errors.js';
import { detailsFollow } from '../words/reply.js';
import { sayDeadCard, sayNoDialog, sayUnreadableCard } from '../words/trouble.js';
import { ADOPT_FORM, faultsOf, LIST_BLOCK, OPEN_FORM } from './adopt-form.js';
import { ACTION, type ButtonValue, parseButtonValue } from './buttons.js';
import { DENY_MODAL, denyModal } from './deny-modal.js';
import { answer, type ListenerDeps } from './guard.js';
import { openForm, sendFile, sendFindings } from './hand-over.js';
import { MANIFEST_BLOCK, MANIFEST_FORM, manifestFaults, OPEN_MANIFEST_FORM } from './manifest-form.js';
import { fitsManifest } from './manifest-message.js';
import { NOTICE_ACTION, type NoticePress, type NoticeValue, parseNoticeValue } from './notice-card.js';
import { type Call, readClick, readForm, readMention, readModal, readSlash } from './payload.js';
import { fitsAnswer, replyMessage, say } from './reply.js';
import { sharedManifest } from './shared-manifest.js';
import { slackError } from './web.js';

export interface Listener {
  kind: 'command' | 'event' | 'action' | 'view';
  id: string;
  /** Null: nothing to answer. Throws when Slack sends something else than it documents. */
  read(body: unknown, botUserId: string): Call | null;
  /** A form's faults, by block id, with which it stays open. Runs before the acknowledgement, so it waits for nothing. */
  check?(body: unknown, deps: ListenerDeps): Readonly<Record<string, string>> | null;
  /** Runs after the acknowledgement. Throws Refusal. */
  handle(call: Call, deps: ListenerDeps): Promise<void>;
}

export const COMMAND = '/fairway';

export const LISTENERS: readonly Listener[] = [
  { kind: 'command', id: COMMAND, read: readSlash, handle: typed },
  { kind: 'event', id: 'app_mention', read: readMention, handle: typed },
  button('approve', approve),
  button('deny', askWhy),
  button('details', details),
  button('cancel', (call, deps, value) => asCommand('cancel', call, deps, value)),
  button('retry', (call, deps, value) => asCommand('retry', call, deps, value)),
  button('rollback', (call, deps, value) => asCommand('rollback', call, deps, value)),
  onNotice('repair', ({ host }) => ({ kind: 'repair', ...(host ? { name: host } : {}) })),
  onNotice('restart', (value) => ofProcess(value, { kind: 'control', action: 'restart' })),
  onNotice('logs', (value) => ofProcess(value, { kind: 'logs' })),
  onNotice('mute', ({ host = '', component }) => ({
    kind: 'mute',
    name: host,
    ms: MUTED_FOR_MS,
    ...(component ? { component } : {}),
  })),
  onNotice('acknowledge', ({ incident = '' }) => ({ kind: 'ack', id: incident })),
  { kind: 'view', id: DENY_MODAL, read: readModal, handle: (call, deps) => pressed(call, deps, deny) },
  {
    kind: 'action',
    id: OPEN_FORM,
    read: readClick,
    handle: (call, deps) => run({ kind: 'adopt' }, call, deps),
  },
  {
    kind: 'view',
    id: ADOPT_FORM,
    read: (body) => readForm(body, LIST_BLOCK),
    check: (body, deps) => faultsOf(body, deps.cluster),
    handle: (call, deps) => run({ kind: 'adopt', list: call.text }, call, deps),
  },
  {
    kind: 'action',
    id: OPEN_MANIFEST_FORM,
    read: readClick,
    handle: (call, deps) => run({ kind: 'check-manifest' }, call, deps),
  },
  {
    kind: 'view',
    id: MANIFEST_FORM,
    read: (body) => readForm(body, MANIFEST_BLOCK),
    check: (body) => manifestFaults(body),
    handle: (call, deps) => run({ kind: 'check-manifest', text: call.text }, call, deps),
  },
];

type Pressed = (call: Call, deps: ListenerDeps, value: ButtonValue) => Promise<void>;

function button(press: keyof typeof ACTION, handle: Pressed): Listener {
  return {
    kind: 'action',
    id: ACTION[press],
    read: readClick,
    handle: (call, deps) => pressed(call, deps, handle),
  };
}

/** What `Mute 1 h` says. */
const MUTED_FOR_MS = 3_600_000;

function ofProcess(
  { host = '', component }: NoticeValue,
  of: { kind: 'control'; action: 'restart' } | { kind: 'logs' },
): BotCommand | null {
  return component ? { ...of, name: host, component } : null;
}

/** A button on the card of incidents does what its words would do; the card then shows how things stand. */
function onNotice(press: NoticePress, commandOf: (value: NoticeValue) => BotCommand | null): Listener {
  return {
    kind: 'action',
    id: NOTICE_ACTION[press],
    read: readClick,
    handle: async (call, deps) => {
      const value = parseNoticeValue(call.value);
      const command = value && commandOf(value);
      if (!value || !command) return unreadable(call, deps);
      await deps.jobs.notice(value.notice);
      await tell(call, deps, await deps.desk.run(command, call.actor, call.origin));
    },
  };
}

async function typed(call: Call, deps: ListenerDeps): Promise<void> {
  const { words, pasted } = splitPasted(call.text);
  const command = parseCommand(words === '' ? 'help' : words);
  const isText = command.kind === 'check-manifest' && pasted !== '';
  await run(isText ? { ...command, text: pasted } : command, call, deps);
}

async function run(command: BotCommand, call: Call, deps: ListenerDeps): Promise<void> {
  const reply = await deps.desk.run(command, call.actor, call.origin);
  if (reply.kind === 'form') {
    const file = reply.form === 'manifest' ? await sharedManifest(call, deps) : null;
    return file ? run({ kind: 'check-manifest', ...file }, call, deps) : openForm(reply.form, call, deps);
  }
  if (reply.kind === 'manifest' && !fitsManifest(reply)) await sendFindings(call, deps, reply);
  if (reply.kind === 'export' && !fitsAnswer(reply.text)) return sendFile(call, deps, reply);
  if (reply.kind !== 'change-card') return tell(call, deps, reply);
  // The card itself is the answer. When others go first in the channel, the person hears at once that it comes (Q14).
  if (!(await isPosted(deps, reply.id))) await tell(call, deps, reply, true);
}

/** Posts the card if its turn is now; the queue does it otherwise. */
async function isPosted(deps: ListenerDeps, changeId: string): Promise<boolean> {
  if (await deps.outbox.renderNow(changeId)) return true;
  const view = await deps.desk.view(changeId);
  return view !== null && view.change.cards.length > 0;
}

/** A click on a card of a change that is (still) known; afterwards the card shows how things stand, whatever came of the click. */
async function pressed(call: Call, deps: ListenerDeps, handle: Pressed): Promise<void> {
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

async function approve(call: Call, deps: ListenerDeps, value: ButtonValue): Promise<void> {
  const reply = await deps.desk.decide(value.id, 'approve', value.hash, undefined, call.actor);
  await refresh(call, deps, value.id);
  await tell(call, deps, reply);
}

async function deny(call: Call, deps: ListenerDeps, value: ButtonValue): Promise<void> {
  const reason = call.text.trim();
  const reply = await deps.desk.decide(value.id, 'deny', value.hash, reason || undefined, call.actor);
  await refresh(call, deps, value.id);
  await tell(call, deps, reply);
}

/** Opens the dialog, where a denial would count now: a trigger_id lives 3 s, asking takes milliseconds. */
async function askWhy(call: Call, deps: ListenerDeps, value: ButtonValue): Promise<void> {
  await deps.desk.tryDecide(value.id, 'deny', value.hash, call.actor);
  try {
    await deps.slack.views.open({ trigger_id: call.triggerId, view: denyModal(value, call) });
  } catch (error) {
    const why = slackError(error);
    if (why === null) throw error;
    deps.log.warn({ change: value.id, why }, 'the dialog could not be opened');
    await answer(deps, call, say(sayNoDialog(why, value.id)));
  }
}

async function details(call: Call, deps: ListenerDeps, value: ButtonValue): Promise<void> {
  // Asked for as `change <id>`, so that who may read it is decided in the one place.
  await deps.desk.run({ kind: 'change', id: value.id }, call.actor, call.origin);
  await deps.jobs.file(value.id, call.origin);
  await answer(deps, call, say(detailsFollow(value.id)));
}

async function asCommand(
  verb: 'cancel' | 'retry' | 'rollback',
  call: Call,
  deps: ListenerDeps,
  value: ButtonValue,
): Promise<void> {
  await checkPlan(deps, value);
  const reply = await deps.desk.run({ kind: verb, id: value.id }, call.actor, call.origin);
  await refresh(call, deps, value.id);
  await tell(call, deps, reply);
}

/** A Redis that lost its data gives ids anew: a card from before may bear that of another change. Throws the Refusal `plan-outdated`. */
async function checkPlan(deps: ListenerDeps, { id, hash }: ButtonValue): Promise<void> {
  const view = await deps.desk.view(id);
  if (view && hash !== null && view.change.planHash !== hash) throw new Refusal('plan-outdated', { id });
}

/** `quiet`: only the person sees it, and it takes nobody's turn in the channel. */
function tell(call: Call, deps: ListenerDeps, reply: Reply, quiet = false): Promise<void> {
  return answer(deps, call, replyMessage(reply, deps.cluster, deps.now()), quiet);
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

async function unreadable(call: Call, deps: ListenerDeps): Promise<void> {
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
