/** Rings for a card that shows how things stand: one reply in its thread. */
import { turn } from './card-post.js';
import type { Current } from './current.js';
import type { Again, CardDeps } from './outbox-deps.js';
import { limitGate } from './pace.js';
import { retryAfterMs, slackError } from './web.js';

/** It is not its time yet: the card stays due, and the safety net comes back to it. */
export const NOT_YET = 'not-yet';

/** Rings once, whoever else tries: that it does is on record before, so what a crash cuts off is lost rather than said twice. */
export async function ringFor(deps: CardDeps, current: Current): Promise<Again | typeof NOT_YET> {
  const { id, ring, cards, channel, thread } = current;
  const card = cards.find((copy) => copy.channel === channel) ?? cards[0];
  if (ring === null || card === undefined) return 0;
  const isHere = card.channel === channel;
  if (ring.isForOthers && !isHere) return 0;
  const key = deps.keys.slackCard(id);
  if ((await deps.redis.hexists(key, ring.key)) === 1) return 0;
  if (deps.now().getTime() < ring.from) return NOT_YET;
  if ((await deps.pace.wait(limitGate('chat.postMessage'))) > 0) return NOT_YET;
  const wait = await turn(deps, { channel: card.channel, urgent: false });
  if (wait > 0) return wait;
  if ((await deps.redis.hsetnx(key, ring.key, String(deps.now().getTime()))) === 0) return 0;
  const thread_ts = (isHere ? thread : undefined) ?? card.ts;
  try {
    await deps.slack.chat.postMessage({ channel: card.channel, thread_ts, ...ring.message });
  } catch (error) {
    const later = retryAfterMs(error);
    if (later === null) {
      deps.log.warn(
        { card: id, code: slackError(error), err: error },
        'nobody was told in the card’s thread',
      );
      return 0;
    }
    await deps.redis.hdel(key, ring.key);
    await deps.pace.hold(limitGate('chat.postMessage'), later);
    return NOT_YET;
  }
  return 0;
}
