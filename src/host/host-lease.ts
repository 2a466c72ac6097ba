/** One host, one hand: a lease in Redis with a fencing token, so that two workers never sync the same host at once. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Keys, Script } from '../redis.js';
import { prepareScript } from '../redis.js';

/** A worker that dies holds a host for at most this long, which is within BullMQ's own 15 s of finding it stalled. */
const LEASE_MS = 10_000;

/**
 * Input: KEYS lease, fence, host keys, work, inventory revision, visit; ARGV holder, ms, now (ms since 1970), host. Output: the fencing
 * token, then the pinned key, the revision and each work, or nil when somebody else holds the host. One request, since there is one of
 * it for every host of every change. Whose work was taken is noted, for whoever wants to take it back.
 * Tokens start from the clock: after a Redis that lost its data they are still higher than what hosts have seen.
 */
const ACQUIRE = `
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return nil end
local fence = tonumber(redis.call('GET', KEYS[2]) or '0') + 1
if fence < tonumber(ARGV[3]) then fence = tonumber(ARGV[3]) end
redis.call('SET', KEYS[2], string.format('%.0f', fence))
local answer = redis.call('HVALS', KEYS[4])
redis.call('DEL', KEYS[6])
for _, change in ipairs(redis.call('HKEYS', KEYS[4])) do redis.call('SADD', KEYS[6], change) end
table.insert(answer, 1, redis.call('GET', KEYS[5]) or '0')
table.insert(answer, 1, redis.call('HGET', KEYS[3], ARGV[4]) or '')
table.insert(answer, 1, string.format('%.0f', fence))
return answer`;

/** Input: KEYS lease; ARGV holder, ms (0: give it back). Output: 1 while the holder still holds it. */
const RENEW = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`;

/** A host in hand, with what was stored of it at that moment. */
export interface Held {
  /** Who holds it, for whoever gives it back together with the outcome (`WorkStore.settle`). */
  holder: string;
  /** Higher than any before; hosts refuse lower ones. */
  fence: number;
  /** The fingerprint pinned for the host, or null. */
  pinned: string | null;
  /** Of the inventory. */
  revision: number;
  /** JSON of each Work that the host has. */
  works: string[];
  /** Set by whoever gave it back. */
  isOver: boolean;
}

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

  /** Runs `visit` while holding the host. Returns null, without a visit, when another worker holds it. */
  async hold<T>(host: string, visit: (held: Held) => Promise<T>): Promise<T | null> {
    const { hostLease, hostFence, hostKeys, hostWork, hostVisit, inventoryRevision } = this.keys;
    const holder = randomUUID();
    const lease = hostLease(host);
    const answer = (await this.acquire(
      [lease, hostFence(host), hostKeys, hostWork(host), inventoryRevision, hostVisit(host)],
      [holder, LEASE_MS, Date.now(), host],
    )) as string[] | null;
    if (answer === null) return null;
    const [fence, pinned, revision, ...works] = answer;
    const held: Held = {
      holder,
      fence: Number(fence),
      pinned: pinned || null,
      revision: Number(revision),
      works,
      isOver: false,
    };
    const renewal = setInterval(() => {
      // A renewal that fails is not an error here: the fencing token is what protects the host.
      this.renew([lease], [holder, LEASE_MS]).catch(() => undefined);
    }, LEASE_MS / 3);
    try {
      return await visit(held);
    } finally {
      clearInterval(renewal);
      if (!held.isOver) await this.renew([lease], [holder, 0]);
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
