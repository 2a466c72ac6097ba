/** The first post of a card. Slack has no idempotency key: the intent is on record before, so that a crash can't double it silently. */
import type { Card } from '../change/change.js';
import { sayPostedAgain } from '../words/trouble.js';
import type { CardMessage } from './card-message.js';
import { orCompact } from './card-send.js';
import { apart, noted } from './current.js';
import type { Again, CardDeps } from './outbox-deps.js';
import { limitGate, POST_EVERY_MS, postGate, urgentGate } from './pace.js';
import type { Shown } from './shown.js';
import { NO_ENTRY, retryAfterMs, slackError } from './web.js';

export interface Posted {
  again: Again;
  card: Card | null;
  /** What the copy is taken to show; null: it is edited next. */
  shows: CardMessage | null;
}

const NOWHERE: Posted = { again: 0, card: null, shows: null };

/**
 * Posts the card into its channel or thread; into the direct messages of whoever it belongs to when the bot may not write there.
 * An intent that is still on record means that a process died (or lost the line) in between: the message is looked for first.
 */
export async function postCard(deps: CardDeps, shown: Shown): Promise<Posted> {
  const { message } = shown;
  const key = deps.keys.slackCard(shown.id);
  const limited = await deps.pace.wait(limitGate('chat.postMessage'));
  if (limited > 0) return { ...NOWHERE, again: limited };
  const intent = await deps.redis.hget(key, 'intent');
  const found = intent === null ? null : await findPosted(deps, shown, Number(intent));
  if (found && found !== 'unknown') return { again: 0, card: found, shows: null };
  const wait = await turn(deps, shown);
  if (wait > 0) return { ...NOWHERE, again: wait };
  await deps.redis.hset(key, 'intent', String(deps.now().getTime()));
  const content = found === 'unknown' ? noted(message, sayPostedAgain()) : message;
  try {
    const card = await post(deps, shown, content, shown.channel, shown.thread);
    return { again: 0, card, shows: message };
  } catch (error) {
    // Only an answer of Slack's tells for sure that nothing was posted.
    const later = retryAfterMs(error);
    const code = slackError(error);
    if (later === null && code === null) throw error;
    await deps.redis.hdel(key, 'intent');
    if (later !== null) {
      await deps.pace.hold(limitGate('chat.postMessage'), later);
      return { ...NOWHERE, again: later };
    }
    return elsewhere(deps, shown, code ?? '');
  }
}

/** Its turn in the channel, 0: now. What somebody waits for goes first: while it does, others leave their turn to it. */
export async function turn(
  deps: Pick<CardDeps, 'pace'>,
  { channel, urgent }: Pick<Shown, 'channel' | 'urgent'>,
): Promise<Again> {
  const first = urgentGate(channel);
  if (!urgent) {
    const wait = await deps.pace.wait(first);
    if (wait > 0) return wait;
  }
  const wait = await deps.pace.take(postGate(channel), POST_EVERY_MS);
  if (wait > 0 && urgent) await deps.pace.hold(first, wait + POST_EVERY_MS);
  return wait;
}

async function post(
  deps: CardDeps,
  shown: Shown,
  message: CardMessage,
  channel: string,
  thread: string | undefined,
): Promise<Card> {
  const answer = await orCompact(deps, shown, message, (content) =>
    deps.slack.chat.postMessage({
      channel,
      ...content,
      ...(thread ? { thread_ts: thread } : {}),
      unfurl_links: false,
      unfurl_media: false,
    }),
  );
  if (!answer.ts) throw new Error(`chat.postMessage answered without a ts for ${shown.id}`);
  await deps.redis.hdel(deps.keys.slackClosed, channel);
  // Posted to a person, the message lives in the channel that Slack opened for it.
  return { channel: answer.channel ?? channel, ts: answer.ts };
}

async function elsewhere(deps: CardDeps, shown: Shown, code: string): Promise<Posted> {
  const { id, channel, thread, person, message } = shown;
  if (code === 'thread_not_found' && thread !== undefined) {
    return { again: 0, card: await post(deps, shown, message, channel, undefined), shows: message };
  }
  if (!NO_ENTRY.includes(code) || person === undefined) {
    deps.log.error({ card: id, channel, code }, 'the card could not be posted');
    // Nobody waits for it, so nobody would miss it: whoever asks what is wrong is told.
    if (person === undefined) await deps.redis.hset(deps.keys.slackClosed, channel, code);
    return NOWHERE;
  }
  deps.log.warn({ card: id, channel, code }, 'no entry; the card goes to the person who asked');
  const direct = apart(shown);
  try {
    const card = await post(deps, direct, direct.message, person, undefined);
    return { again: 0, card, shows: direct.message };
  } catch (error) {
    if (slackError(error) === null) throw error;
    deps.log.error({ card: id, code: slackError(error) }, 'the card could not be posted anywhere');
    return NOWHERE;
  }
}

/** Looks for our card in the channel since the intent, by its metadata. `unknown`: Slack does not let us read there. */
async function findPosted(deps: CardDeps, shown: Shown, sinceMs: number): Promise<Card | 'unknown' | null> {
  const { channel, thread, id, message } = shown;
  const range = { channel, oldest: String((sinceMs - 5000) / 1000), limit: 200, include_all_metadata: true };
  try {
    const answer = thread
      ? await deps.slack.conversations.replies({ ...range, ts: thread })
      : await deps.slack.conversations.history(range);
    const ours = (answer.messages ?? []).find(({ metadata }) => {
      const payload: unknown = metadata?.event_payload;
      return metadata?.event_type === message.metadata.event_type && isOf(payload, id);
    });
    return ours?.ts ? { channel, ts: ours.ts } : null;
  } catch (error) {
    const code = slackError(error);
    if (code === null) throw error;
    deps.log.warn(
      { card: id, channel, code },
      'the channel can not be searched for a card posted before a crash',
    );
    return 'unknown';
  }
}

function isOf(payload: unknown, id: string): boolean {
  return typeof payload === 'object' && payload !== null && 'id' in payload && payload.id === id;
}
