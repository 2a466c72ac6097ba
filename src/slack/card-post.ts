/** The first post of a card. Slack has no idempotency key: the intent is on record before, so that a crash can't double it silently. */
import type { Card } from '../change/change.js';
import type { ChangeView } from '../command/reply.js';
import { sayNoEntry, sayPostedAgain } from '../words/trouble.js';
import { context } from './blocks.js';
import { CARD_EVENT, type CardMessage } from './card.js';
import { orCompact } from './card-send.js';
import type { Again, CardDeps } from './outbox-deps.js';
import { limitGate, POST_EVERY_MS, postGate } from './pace.js';
import { NO_ENTRY, retryAfterMs, slackError } from './web.js';

export interface Posted {
  again: Again;
  card: Card | null;
  /** Whether the copy shows exactly the message; if not, it is edited next. */
  asRendered: boolean;
}

const NOWHERE: Posted = { again: 0, card: null, asRendered: false };

/**
 * Posts the card into the change's channel or thread; into the requester's direct messages when the bot may not write there.
 * An intent that is still on record means that a process died (or lost the line) in between: the message is looked for first.
 */
export async function postCard(deps: CardDeps, view: ChangeView, message: CardMessage): Promise<Posted> {
  const { change } = view;
  const key = deps.keys.slackCard(change.id);
  const limited = await deps.pace.wait(limitGate('chat.postMessage'));
  if (limited > 0) return { ...NOWHERE, again: limited };
  const intent = await deps.redis.hget(key, 'intent');
  const found = intent === null ? null : await findPosted(deps, view, Number(intent));
  if (found && found !== 'unknown') return { again: 0, card: found, asRendered: false };
  const wait = await deps.pace.take(postGate(change.channel), POST_EVERY_MS);
  if (wait > 0) return { ...NOWHERE, again: wait };
  await deps.redis.hset(key, 'intent', String(deps.now().getTime()));
  const content = found === 'unknown' ? noted(message, sayPostedAgain()) : message;
  try {
    const card = await post(deps, view, content, change.channel, change.thread);
    return { again: 0, card, asRendered: true };
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
    return elsewhere(deps, view, message, code ?? '');
  }
}

async function post(
  deps: CardDeps,
  view: ChangeView,
  message: CardMessage,
  channel: string,
  thread: string | undefined,
): Promise<Card> {
  const answer = await orCompact(deps, view, message, (content) =>
    deps.slack.chat.postMessage({
      channel,
      ...content,
      ...(thread ? { thread_ts: thread } : {}),
      unfurl_links: false,
      unfurl_media: false,
    }),
  );
  if (!answer.ts) throw new Error(`chat.postMessage answered without a ts for change ${view.change.id}`);
  // Posted to a person, the message lives in the channel that Slack opened for it.
  return { channel: answer.channel ?? channel, ts: answer.ts };
}

async function elsewhere(
  deps: CardDeps,
  view: ChangeView,
  message: CardMessage,
  code: string,
): Promise<Posted> {
  const { change } = view;
  if (code === 'thread_not_found' && change.thread !== undefined) {
    return { again: 0, card: await post(deps, view, message, change.channel, undefined), asRendered: true };
  }
  const [, user = ''] = change.requester.split(':');
  if (!NO_ENTRY.includes(code) || !/^[UW][A-Z0-9]+$/.test(user)) {
    deps.log.error({ change: change.id, channel: change.channel, code }, 'the card could not be posted');
    return NOWHERE;
  }
  deps.log.warn(
    { change: change.id, channel: change.channel, code },
    'no entry; the card goes to the requester',
  );
  const note = sayNoEntry(change.channel, code);
  try {
    const card = await post(deps, view, noted(message, note), user, undefined);
    return { again: 0, card, asRendered: true };
  } catch (error) {
    if (slackError(error) === null) throw error;
    deps.log.error({ change: change.id, code: slackError(error) }, 'the card could not be posted anywhere');
    return NOWHERE;
  }
}

/** A line on top of the card, until its first edit. */
function noted(message: CardMessage, note: string): CardMessage {
  return { ...message, blocks: [context(note), ...message.blocks].slice(0, 50) };
}

/** Looks for our card in the channel since the intent, by its metadata. `unknown`: Slack does not let us read there. */
async function findPosted(
  deps: CardDeps,
  view: ChangeView,
  sinceMs: number,
): Promise<Card | 'unknown' | null> {
  const { channel, thread, id } = view.change;
  const range = { channel, oldest: String((sinceMs - 5000) / 1000), limit: 200, include_all_metadata: true };
  try {
    const answer = thread
      ? await deps.slack.conversations.replies({ ...range, ts: thread })
      : await deps.slack.conversations.history(range);
    const ours = (answer.messages ?? []).find(({ metadata }) => {
      const payload: unknown = metadata?.event_payload;
      return metadata?.event_type === CARD_EVENT && isOf(payload, id);
    });
    return ours?.ts ? { channel, ts: ours.ts } : null;
  } catch (error) {
    const code = slackError(error);
    if (code === null) throw error;
    deps.log.warn(
      { change: id, channel, code },
      'the channel can not be searched for a card posted before a crash',
    );
    return 'unknown';
  }
}

function isOf(payload: unknown, id: string): boolean {
  return typeof payload === 'object' && payload !== null && 'id' in payload && payload.id === id;
}
