/** Slack's rate limits, kept over all processes by keys in Redis that expire. */
import type { Redis } from 'ioredis';
import type { Keys } from '../redis.js';

/** chat.postMessage: one a second per channel, above that Slack hides messages without an error (Q22). Some more, for jitter on the way. */
export const POST_EVERY_MS = 1100;
/** chat.update: 50 a minute for the whole workspace. Edits that only show progress share what this leaves. */
export const EDIT_EVERY_MS = 1300;
/** One card's progress. */
export const PROGRESS_EVERY_MS = 3000;

export interface Pace {
  /** Takes the turn; or says how many milliseconds it is till the next one. */
  take(gate: string, everyMs: number): Promise<number>;
  /** Closes a gate for so long, whoever has its turn. */
  hold(gate: string, ms: number): Promise<void>;
  /** Milliseconds until the gate is open; takes nothing. */
  wait(gate: string): Promise<number>;
}

export function createPace(redis: Redis, keys: Keys): Pace {
  async function wait(gate: string): Promise<number> {
    return Math.max(0, await redis.pttl(keys.slackPacing(gate)));
  }
  return {
    wait,
    take: async (gate, everyMs) => {
      const taken = await redis.set(keys.slackPacing(gate), '1', 'PX', everyMs, 'NX');
      return taken === 'OK' ? 0 : Math.max(1, await wait(gate));
    },
    hold: async (gate, ms) => {
      await redis.set(keys.slackPacing(gate), '1', 'PX', Math.max(1, Math.ceil(ms)));
    },
  };
}

export const postGate = (channel: string): string => `post-${channel}`;
/** Held while a card that somebody waits for has to wait for its turn in a channel. */
export const urgentGate = (channel: string): string => `urgent-${channel}`;
export const EDIT_GATE = 'edit';
/** Closed after a 429, for one method and the whole workspace. */
export const limitGate = (method: string): string => `limited-${method}`;
