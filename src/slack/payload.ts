/** What arrives from Slack, read into what a listener needs. Slack's payloads are checked here and nowhere else. Pure. */
import { z } from 'zod';
import type { Actor, Card } from '../change/change.js';
import type { Origin } from '../command/reply.js';
import { SharedFile } from './shared-file.js';

/** One thing that a person did, whichever way it came. */
export interface Call {
  actor: Actor;
  /** The workspace that the person belongs to; another one than ours in a shared channel. */
  team: string;
  /** Where its answer goes. */
  answerTo: Origin;
  /** Where a command was given: the thread only when the person was in one. */
  origin: Origin;
  /** The same for every delivery of the same thing. */
  once: string;
  /** What was typed; of a modal, the reason. */
  text: string;
  /** A button's value, or a modal's private metadata. */
  value: string;
  triggerId: string;
  /** Files that came with the words. */
  files?: readonly SharedFile[];
  /** The message whose button was clicked, with its blocks. Absent for ephemeral ones, which nobody can edit. */
  clicked?: { card: Card; blocks: readonly Record<string, unknown>[] };
}

const id = z.string().min(1);
const SlashBody = z.object({
  team_id: id,
  user_id: id,
  channel_id: id,
  text: z.string().default(''),
  trigger_id: id,
  response_url: z.string(),
});

/** `/fairway …`. */
export function readSlash(body: unknown): Call {
  const slash = SlashBody.parse(body);
  const origin = { channel: slash.channel_id, user: slash.user_id, responseUrl: slash.response_url };
  return {
    actor: { id: `${slash.team_id}:${slash.user_id}`, via: 'slash' },
    team: slash.team_id,
    answerTo: origin,
    origin,
    once: `slash-${slash.trigger_id}`,
    text: slash.text,
    value: '',
    triggerId: slash.trigger_id,
  };
}

const MentionBody = z.object({
  team_id: id,
  event_id: id,
  event: z.object({
    // Absent when an app wrote the message.
    user: id.optional(),
    bot_id: id.optional(),
    user_team: id.optional(),
    team: id.optional(),
    text: z.string().default(''),
    channel: id,
    ts: id,
    thread_ts: id.optional(),
    files: z.array(SharedFile).optional(),
  }),
});

/** `@Fairway …`. Null for another app's message: two bots must not talk to each other. */
export function readMention(body: unknown, botUserId: string): Call | null {
  const { event, ...envelope } = MentionBody.parse(body);
  if (event.user === undefined || event.bot_id !== undefined) return null;
  const team = event.user_team ?? event.team ?? envelope.team_id;
  const where = { channel: event.channel, user: event.user };
  return {
    actor: { id: `${team}:${event.user}`, via: 'mention' },
    team,
    answerTo: { ...where, thread: event.thread_ts ?? event.ts },
    origin: event.thread_ts === undefined ? where : { ...where, thread: event.thread_ts },
    once: `event-${envelope.event_id}`,
    text: afterMention(event.text, botUserId),
    value: '',
    triggerId: '',
    ...(event.files ? { files: event.files } : {}),
  };
}

/** What was said to the bot: the words after its name, else those before. */
function afterMention(text: string, botUserId: string): string {
  const [before = '', ...after] = text.split(new RegExp(`<@${botUserId}(?:\\|[^>]*)?>`));
  return after.join(' ').trim() || before.trim();
}

const Person = z.object({ id, team_id: id.optional() });
/** Null when the app is installed for a whole organization. */
const Team = z.object({ id }).nullish();
const ClickBody = z.object({
  user: Person,
  team: Team,
  trigger_id: id,
  response_url: z.string().optional(),
  container: z.object({
    channel_id: id,
    message_ts: id,
    thread_ts: id.optional(),
    is_ephemeral: z.boolean().optional(),
  }),
  message: z
    .object({ blocks: z.array(z.record(z.string(), z.unknown())).default([]), thread_ts: id.optional() })
    .optional(),
  actions: z.tuple([z.object({ value: z.string().default('') })], z.unknown()),
});

/** What may be undefined in a payload is absent in ours. */
function originOf(
  channel: string,
  user: string,
  thread: string | undefined,
  responseUrl: string | undefined,
): Origin {
  return {
    channel,
    user,
    ...(thread === undefined ? {} : { thread }),
    ...(responseUrl === undefined ? {} : { responseUrl }),
  };
}

/** A button of a card. */
export function readClick(body: unknown): Call {
  const click = ClickBody.parse(body);
  const { container, message } = click;
  const thread = container.thread_ts ?? message?.thread_ts;
  const team = click.user.team_id ?? click.team?.id ?? '';
  const origin = originOf(container.channel_id, click.user.id, thread, click.response_url);
  return {
    actor: { id: `${team}:${click.user.id}`, via: 'button' },
    team,
    answerTo: origin,
    origin,
    once: `click-${click.trigger_id}`,
    text: '',
    value: click.actions[0].value,
    triggerId: click.trigger_id,
    ...(message && !container.is_ephemeral
      ? {
          clicked: {
            card: { channel: container.channel_id, ts: container.message_ts },
            blocks: message.blocks,
          },
        }
      : {}),
  };
}

/** What a modal remembers of where it was opened. */
const FormMemory = z.strictObject({
  channel: id,
  thread: id.optional(),
  responseUrl: z.string().optional(),
});
export type FormMemory = z.infer<typeof FormMemory>;

/** What a modal is to remember so that its answer goes where the call's would. */
export function memoryOf({ channel, thread, responseUrl }: Origin): FormMemory {
  return { channel, thread, responseUrl };
}

/** And of the button that opened it. */
const ModalMemory = FormMemory.extend({ id, hash: z.string().nullable() });
export type ModalMemory = z.infer<typeof ModalMemory>;

const Input = z.object({ value: z.string().nullish() });
/** What was entered in a modal, by block and element; ours have the same name. */
const Entered = z.object({ state: z.object({ values: z.record(z.string(), z.record(z.string(), Input)) }) });

const ModalBody = z.object({
  user: Person,
  team: Team,
  view: Entered.extend({ id, hash: z.string().default(''), private_metadata: z.string() }),
});

/** What was entered in a block; null for a body without it. */
export function entered(body: unknown, block: string): string | null {
  const modal = z.object({ view: Entered }).safeParse(body);
  const input = modal.data?.view.state.values[block]?.[block];
  return input ? (input.value ?? '') : null;
}

/** A submitted modal about a change; `text` is what was entered in block `reason`. */
export function readModal(body: unknown): Call {
  const { view, call } = readView(body, ModalMemory, 'reason');
  const { id: change, hash } = ModalMemory.parse(JSON.parse(view.private_metadata));
  return { ...call, value: JSON.stringify({ id: change, hash }) };
}

/** A submitted form; `text` is what was entered in that block. */
export function readForm(body: unknown, block: string): Call {
  return readView(body, FormMemory, block).call;
}

function readView(body: unknown, schema: z.ZodType<FormMemory>, block: string) {
  const { user, view, ...envelope } = ModalBody.parse(body);
  const { channel, thread, responseUrl } = schema.parse(JSON.parse(view.private_metadata));
  const team = user.team_id ?? envelope.team?.id ?? '';
  const origin = originOf(channel, user.id, thread, responseUrl);
  const call: Call = {
    actor: { id: `${team}:${user.id}`, via: 'modal' },
    team,
    answerTo: origin,
    origin,
    once: `view-${view.id}-${view.hash}`,
    text: entered(body, block) ?? '',
    value: '',
    triggerId: '',
  };
  return { view, call };
}
