/** Slack's call budgets. */
import type { RateLimits } from './types.js';

/** Calls a minute by method (docs.slack.dev/apis/web-api/rate-limits: tier 2 is 20, tier 3 is 50, tier 4 is 100). */
const TIERS: Readonly<Record<string, number>> = {
  'chat.update': 50,
  'chat.delete': 50,
  'chat.postEphemeral': 100,
  'conversations.info': 50,
  'conversations.history': 50,
  'conversations.replies': 50,
  'conversations.list': 20,
  'usergroups.list': 20,
  'usergroups.users.list': 20,
  'users.info': 100,
  'users.list': 20,
  'views.open': 100,
  'views.push': 100,
  'views.update': 100,
  'views.publish': 100,
  'files.completeUploadExternal': 100,
  'files.getUploadURLExternal': 100,
};

/** "1 per second per channel, short bursts": Slack names no size for the burst. */
const POST = { perSecond: 1, burst: 4 };

/** Answers, per call, how many seconds to wait; 0 when the call may go on. */
export type Budget = (method: string, channel: string) => number;

/** Budgets that start full. Refused calls cost nothing, as at Slack. */
export function startBudget(limits: Partial<RateLimits> = {}, now: () => number = Date.now): Budget {
  const post = limits.post ?? POST;
  const tiers = limits.perMinute === false ? false : { ...TIERS, ...limits.perMinute };
  const buckets = new Map<string, { tokens: number; at: number }>();

  function take(key: string, perSecond: number, burst: number): number {
    const at = now();
    const before = buckets.get(key) ?? { tokens: burst, at };
    const tokens = Math.min(burst, before.tokens + ((at - before.at) / 1000) * perSecond);
    const taken = tokens >= 1;
    buckets.set(key, { tokens: taken ? tokens - 1 : tokens, at });
    return taken ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }

  const calls = new Map<string, number[]>();
  function takeOfMinute(method: string, most: number): number {
    const at = now();
    const recent = (calls.get(method) ?? []).filter((each) => each > at - 60_000);
    calls.set(method, recent);
    const oldest = recent[recent.length - most];
    if (oldest !== undefined) return Math.max(1, Math.ceil((oldest + 60_000 - at) / 1000));
    recent.push(at);
    return 0;
  }

  return (method, channel) => {
    if (method === 'chat.postMessage')
      return post === false ? 0 : take(`post ${channel}`, post.perSecond, post.burst);
    const most = tiers === false ? undefined : tiers[method];
    return most === undefined ? 0 : takeOfMinute(method, most);
  };
}
