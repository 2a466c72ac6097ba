/** What is stored in Redis and not shown in Slack yet. Whoever stored it may have died before its card was asked for, or Slack was away. */
import type { Redis } from 'ioredis';
import { prepareScript, type Script } from './redis.js';

/** Input: KEYS sorted set; ARGV id, up to where it is shown. */
const SHOWN = `
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if due and tonumber(due) <= tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1`;

/** A sorted set of ids, each with how far it has to be shown: a number that grows whenever there is more to show. */
export class Due {
  private readonly redis: Redis;
  private readonly key: string;
  private readonly script: Script;

  constructor(redis: Redis, key: string) {
    this.redis = redis;
    this.key = key;
    this.script = prepareScript(redis, SHOWN);
  }

  ids(): Promise<string[]> {
    return this.redis.zrange(this.key, '0', '-1');
  }

  /** How far it has to be shown; 0: nothing is due. */
  async upTo(id: string): Promise<number> {
    return Number((await this.redis.zscore(this.key, id)) ?? 0);
  }

  /** It is shown that far, or there is nowhere to show it. What became due since stays so. */
  async shown(id: string, upTo: number): Promise<void> {
    await this.script([this.key], [id, upTo]);
  }
}
