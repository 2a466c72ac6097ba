/** Asks for a repair that no person asked for: what the watch does when a host lost something. */
import type { Actor, Change } from '../src/change/change.js';
import type { RequestDeps } from '../src/command/desk.js';
import { type Begun, requestRepair } from '../src/command/request.js';
import { FAIRWAY } from '../src/principal.js';

/** Whatever takes routes away again and again is for people to find; and nobody is asked about the same more often. */
const MOST_IN_AN_HOUR = 3;
const HOUR_S = 3600;
/** For so long a no counts. In ms. */
const NO_FOR_MS = 24 * HOUR_S * 1000;

const actor: Actor = { id: FAIRWAY, via: 'policy' };

/**
 * Asks, in the channel for notices, for a repair of one member, or of all; `why` is what was seen, as a part of a sentence, `at` when that
 * happened. Under `DRIFT=repair`
 * the plan is approved as soon as it is sealed, if it only restores; else it waits for an approver. Where a repair of this node is
 * open already its id is the answer (`fresh` is false). Null when it is not to be asked for: it was too often, or somebody denied the
 * last one, or rolled it back, within the day, or let it expire and nothing was lost since. Throws the Refusal `node-unknown`.
 */
export async function askRepair(
  deps: RequestDeps,
  name: string | undefined,
  why: string,
  at: string,
): Promise<Begun | null> {
  const key = deps.keys.ownRepairs(name ?? '*');
  if (Number(await deps.redis.get(key)) >= MOST_IN_AN_HOUR) return null;
  const last = await deps.changes.newestRepair(name);
  if (last && (saidNo(last, new Date()) || leftIt(last, at))) return null;
  const origin = { channel: deps.config.slack.channel };
  const begun = await requestRepair(deps, { kind: 'repair', ...(name ? { name } : {}) }, actor, origin, why);
  if (begun.fresh && (await deps.redis.incr(key)) === 1) await deps.redis.expire(key, HOUR_S);
  return begun;
}

/** Nobody wanted it done: its incident's card is still there, and has the button. */
function leftIt({ state, requestedAt }: Change, lostAt: string): boolean {
  return state === 'expired' && requestedAt >= lostAt;
}

/** A person's no counts for long; a plan that came to nothing, as where a foreign route is in the way, for a while. */
function saidNo({ state, direction, finishedAt }: Change, now: Date): boolean {
  const isNo = state === 'denied' || direction === 'undo';
  if (!isNo && state !== 'refused') return false;
  const lasts = isNo ? NO_FOR_MS : HOUR_S * 1000;
  return finishedAt === undefined || now.getTime() - Date.parse(finishedAt) < lasts;
}
