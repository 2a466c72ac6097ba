/** Every entry from Slack, in one table: what it is called, how its payload is read, what it does. */
import { type BotCommand, parseCommand } from '../command/grammar.js';
import { splitPasted } from '../command/pasted.js';
import type { Reply } from '../command/reply.js';
import { sayCardApart, sayCardNowhere } from '../words/trouble.js';
import { ADOPT_FORM, faultsOf, LIST_BLOCK, OPEN_FORM } from './adopt-form.js';
import { ACTION } from './buttons.js';
import { DENY_MODAL } from './deny-modal.js';
import { answer, type ListenerDeps } from './guard.js';
import { openForm, sendFile, sendFindings } from './hand-over.js';
import { MANIFEST_BLOCK, MANIFEST_FORM, manifestFaults, OPEN_MANIFEST_FORM } from './manifest-form.js';
import { fitsManifest } from './manifest-message.js';
import { NOTICE_ACTION, type NoticePress, type NoticeValue, parseNoticeValue } from './notice-card.js';
import { type Call, readClick, readForm, readMention, readModal, readSlash } from './payload.js';
import {
  answerAsked,
  approve,
  asCommand,
  askWhy,
  deny,
  details,
  type Pressed,
  pressed,
  tell,
  unreadable,
} from './press.js';
import { fitsAnswer, say } from './reply.js';
import { sharedManifest } from './shared-manifest.js';

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
  button('confirm', (call, deps, value) => answerAsked('yes', call, deps, value)),
  button('decline', (call, deps, value) => answerAsked('no', call, deps, value)),
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
  if (reply.kind === 'audit-file') await deps.jobs.auditFile(call.answerTo);
  if (reply.kind === 'export' && !fitsAnswer(reply.text)) return sendFile(call, deps, reply);
  if (reply.kind !== 'change-card') return tell(call, deps, reply);
  await answerByCard(reply, call, deps);
}

/**
 * Posts the card if its turn is now; the queue does it otherwise. Where the command was given the card itself is the answer. When others
 * go first there, or it went elsewhere, the person hears so at once (Q14).
 */
async function answerByCard(
  reply: Extract<Reply, { kind: 'change-card' }>,
  call: Call,
  deps: ListenerDeps,
): Promise<void> {
  const { id } = reply;
  const isDone = await deps.outbox.renderNow(id);
  const cards = (await deps.desk.view(id))?.change.cards ?? [];
  const { channel } = call.origin;
  if (cards.some((card) => card.channel === channel)) return;
  if (cards.length > 0) await answer(deps, call, say(sayCardApart(channel, id)), true);
  else if (isDone) await answer(deps, call, say(sayCardNowhere(channel, id)), true);
  else await tell(call, deps, reply, true);
}
