/** One host, one hand: a lease in Redis with a fencing token, so that two workers never sync the same host at once. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Keys, Script } from '../redis.js';
import { prepareScript } from '../redis.js';

/** A worker that dies holds a host for at most this long, which is within BullMQ's own 15 s of finding it stalled. */
const LEASE_MS = 10_000;

/**
 * Input: KEYS lease, fence; ARGV holder, ms, now (ms since 1970). Output: the fencing token, or nil when somebody else holds the host.
 * Tokens start from the clock: after a Redis that lost its data they are still higher than what hosts have seen.
 */
const ACQUIRE = `
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return nil end
local fence = tonumber(redis.call('GET', KEYS[2]) or '0') + 1
if fence < tonumber(ARGV[3]) then fence = tonumber(ARGV[3]) end
redis.call('SET', KEYS[2], string.format('%.0f', fence))
return string.format('%.0f', fence)`;

/** Input: KEYS lease; ARGV holder, ms (0: give it back). Output: 1 while the holder still holds it. */
const RENEW = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`;

export class HostLeases {
  private readonly redis: Redis;
  private readonly keys: Keys;
  private readonly acquire: Script;
  private readonly renew: Script;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
    this.acquire = prepareScript(redis, ACQUIRE);
    this.renew = prepareScript(redis, RENEW);
  }

  /**
   * Runs `visit` while holding the host, with a fencing token that is higher than any before; hosts refuse lower ones.
   * Returns null, without a visit, when another worker holds it.
   */
  async hold<T>(host: string, visit: (fence: number) => Promise<T>): Promise<T | null> {
    const holder = randomUUID();
    const lease = this.keys.hostLease(host);
    const fence = await this.acquire([lease, this.keys.hostFence(host)], [holder, LEASE_MS, Date.now()]);
    if (fence === null) return null;
    const renewal = setInterval(() => {
      // A renewal that fails is not an error here: the fencing token is what protects the host.
      this.renew([lease], [holder, LEASE_MS]).catch(() => undefined);
    }, LEASE_MS / 3);
    try {
      return await visit(Number(fence));
    } finally {
      clearInterval(renewal);
      await this.renew([lease], [holder, 0]);
    }
  }

  /** Those of the hosts that some worker has in hand right now. */
  async held(hosts: readonly string[]): Promise<Set<string>> {
    const batch = this.redis.pipeline();
    for (const host of hosts) batch.exists(this.keys.hostLease(host));
    const replies = (await batch.exec()) ?? [];
    return new Set(hosts.filter((_host, index) => replies[index]?.[1] === 1));
  }
}
