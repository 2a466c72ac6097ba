/** Brings the copies of a card up to date: one writer at a time, always from what is stored when it writes. */
import { createHash, randomUUID } from 'node:crypto';
import type { Card } from '../change/change.js';
import { prepareScript, type Script } from '../redis.js';
import type { CardMessage } from './card-message.js';
import { postCard } from './card-post.js';
import { orCompact } from './card-send.js';
import type { Current } from './current.js';
import type { Again, CardDeps } from './outbox-deps.js';
import { EDIT_EVERY_MS, EDIT_GATE, limitGate, PROGRESS_EVERY_MS } from './pace.js';
import { NOT_YET, ringFor } from './ring-post.js';
import type { Shown } from './shown.js';
import { COPY_GONE, retryAfterMs, slackError } from './web.js';

/** What was last sent to one copy. */
interface Sent {
  hash: string;
  version: number;
  /** What a person acts on. While it stays, an edit is progress and may wait. */
  shape: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Longer than a Slack call takes until it gives up; renewed before each one. */
const LOCK_MS = 20_000;
/** How often a job that waits for its turn looks again: soon enough that a state change overtakes it. */
const LOOK_AGAIN_MS = 500;
const BUSY_MS = 150;
/** As long as a card can be of interest; afterwards it is sent once more, which changes nothing. In seconds. */
const REMEMBERED_S = 30 * 24 * 3600;

/** Input: KEYS lock; ARGV holder. Lets go, or (ARGV 2: ms) holds on, if it is still ours. Output: 1 when it was. */
const RELEASE = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) else redis.call('DEL', KEYS[1]) end
return 1`;

export interface CardWriter {
  /** Posts or edits. Throws our own trouble (Redis, the line to Slack); what Slack refuses is handled. */
  write(id: string): Promise<Again>;
}

export function createCardWriter(deps: CardDeps): CardWriter {
  const ours: Script = prepareScript(deps.redis, RELEASE);
  return {
    write: async (id) => {
      const lock = deps.keys.slackCardLock(id);
      const holder = randomUUID();
      if ((await deps.redis.set(lock, holder, 'PX', LOCK_MS, 'NX')) !== 'OK') return BUSY_MS;
      const stillMine = async (): Promise<boolean> => (await ours([lock], [holder, LOCK_MS])) === 1;
      try {
        return await writeAll(deps, id, stillMine);
      } finally {
        await ours([lock], [holder]);
      }
    },
  };
}

async function writeAll(deps: CardDeps, id: string, stillMine: () => Promise<boolean>): Promise<Again> {
  // Read after the lock is taken: whoever writes, writes the newest there is.
  const shown = await deps.shown(id);
  if (shown === null) {
    await deps.cards.cardShown(id, Number.MAX_SAFE_INTEGER);
    return 0;
  }
  if (shown.cards.length === 0) return first(deps, shown);
  const waits: number[] = [];
  for (const card of shown.cards) {
    if (!(await stillMine())) return BUSY_MS;
    waits.push(await editCopy(deps, shown, card));
  }
  const next = waits.filter((wait) => wait > 0);
  if (next.length > 0) return Math.min(...next);
  const after = await deps.shown(id);
  if (after?.cards.length === 0) return BUSY_MS;
  // What moved meanwhile is shown first.
  const rung = after?.version === shown.version ? await ringFor(deps, after) : 0;
  if (rung === NOT_YET) return 0;
  if (rung > 0) return rung;
  await deps.cards.cardShown(id, shown.due);
  return 0;
}

async function first(deps: CardDeps, shown: Current): Promise<Again> {
  const posted = await postCard(deps, shown);
  if (posted.again > 0) return posted.again;
  if (posted.card === null) {
    // Nobody takes it. It is not offered again before it says something else.
    await deps.cards.cardShown(shown.id, shown.due);
    return 0;
  }
  await deps.cards.addCard(shown.id, posted.card);
  if (posted.shows) await remember(deps, { ...shown, message: posted.shows }, posted.card);
  await deps.redis.hdel(deps.keys.slackCard(shown.id), 'intent');
  // What it shows may have moved while it was on the way.
  return BUSY_MS;
}

async function editCopy(deps: CardDeps, shown: Shown, card: Card): Promise<Again> {
  const { message } = shown;
  const { pace, slack } = deps;
  const text = await deps.redis.hget(deps.keys.slackCard(shown.id), field(card));
  const sent = text === null ? null : (JSON.parse(text) as Sent);
  if (sent && (sent.hash === hashOf(message) || sent.version > shown.version)) return 0;
  const limited = await pace.wait(limitGate('chat.update'));
  if (limited > 0) return limited;
  if (sent && sent.shape === shown.shape) {
    const early = sent.at + PROGRESS_EVERY_MS - deps.now().getTime();
    if (early > 0) return Math.min(early, LOOK_AGAIN_MS);
    const queue = await pace.take(EDIT_GATE, EDIT_EVERY_MS);
    if (queue > 0) return Math.min(queue, LOOK_AGAIN_MS);
  } else {
    await pace.hold(EDIT_GATE, EDIT_EVERY_MS);
  }
  const target = { channel: card.channel, ts: card.ts };
  try {
    await orCompact(deps, shown, message, (content) => slack.chat.update({ ...target, ...content }));
  } catch (error) {
    const wait = retryAfterMs(error);
    if (wait !== null) {
      await pace.hold(limitGate('chat.update'), wait);
      return wait;
    }
    const code = slackError(error);
    if (code === null || !COPY_GONE.includes(code)) throw error;
    deps.log.warn({ card: shown.id, ...target, code }, 'a card can no longer be edited; forgotten');
    await deps.cards.forgetCard(shown.id, card);
    // An intent left behind would make the next post look for this very copy.
    await deps.redis.hdel(deps.keys.slackCard(shown.id), field(card), 'intent');
    return 0;
  }
  await remember(deps, shown, card);
  return 0;
}

async function remember(deps: CardDeps, shown: Shown, card: Card): Promise<void> {
  const key = deps.keys.slackCard(shown.id);
  const sent: Sent = {
    hash: hashOf(shown.message),
    version: shown.version,
    shape: shown.shape,
    at: deps.now().getTime(),
  };
  await deps.redis.hset(key, field(card), JSON.stringify(sent));
  await deps.redis.expire(key, REMEMBERED_S);
}

function field(card: Card): string {
  return `${card.channel}:${card.ts}`;
}

function hashOf(message: CardMessage): string {
  return createHash('sha256').update(JSON.stringify(message)).digest('hex').slice(0, 32);
}
