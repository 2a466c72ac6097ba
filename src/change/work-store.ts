/** Work in Redis: dispatched to a host, settled by it, or owed. One writer a host, by its lease. */
import type { Redis } from 'ioredis';
import type { Route } from '../network/route.js';
import { type Keys, prepareScript, type Script } from '../redis.js';
import type { HostResult } from './change.js';
import type { Work } from './work.js';

/** Slack allows 50 edits a minute for a workspace; three seconds for a card leave room for many cards (Q22). */
const PROGRESS_EVERY_MS = 3000;

export interface Settled {
  /** Hosts of the change's running phase that are still on their way. */
  left: number;
  /** Whether the card may be edited for progress now. */
  showProgress: boolean;
}

/**
 * Input: KEYS lease, host's work, owing hosts, then of each outcome: results, left, progress; ARGV holder, host, ms for which a card
 * is left alone, then of each outcome: change, result JSON, 1 when owed. Output, of each: hosts left, 1 when the card may be edited.
 */
const SETTLE = `
local answer = {}
for i = 1, (#KEYS - 3) / 3 do
  local results, left, progress = KEYS[3 * i + 1], KEYS[3 * i + 2], KEYS[3 * i + 3]
  local change, result, owed = ARGV[3 * i + 1], ARGV[3 * i + 2], ARGV[3 * i + 3]
  redis.call('HSET', results, ARGV[2], result)
  if owed == '1' then redis.call('SADD', KEYS[3], ARGV[2]) else redis.call('HDEL', KEYS[2], change) end
  answer[2 * i - 1] = redis.call('DECR', left)
  answer[2 * i] = redis.call('SET', progress, '1', 'PX', ARGV[3], 'NX') and 1 or 0
end
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('SREM', KEYS[3], ARGV[2]) end
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return answer`;

export class WorkStore {
  private readonly redis: Redis;
  private readonly keys: Keys;
  private readonly settleScript: Script;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
    this.settleScript = prepareScript(redis, SETTLE);
  }

  /** Gives a phase's work to its hosts. Safe to repeat: a host that has it already counts once. */
  async dispatch(changeId: string, works: readonly Work[]): Promise<void> {
    const batch = this.redis.multi();
    for (const work of works) batch.hset(this.keys.hostWork(work.node.name), changeId, JSON.stringify(work));
    batch.set(this.keys.changeLeft(changeId), works.length);
    await batch.exec();
  }

  /** What a host has left to do. */
  async of(host: string): Promise<Work[]> {
    return Object.values(await this.redis.hgetall(this.keys.hostWork(host))).map(
      (text) => JSON.parse(text) as Work,
    );
  }

  /** Those of the hosts that hold work of this change. */
  async holding(changeId: string, hosts: readonly string[]): Promise<Set<string>> {
    const batch = this.redis.pipeline();
    for (const host of hosts) batch.hexists(this.keys.hostWork(host), changeId);
    const replies = (await batch.exec()) ?? [];
    return new Set(hosts.filter((_host, index) => replies[index]?.[1] === 1));
  }

  /**
   * Records how a host came out of a visit for each change, ends its debts once it has none, and gives its lease back: in one step,
   * so that a worker that dies leaves either all of it or nothing. Work that is owed stays; all other work is off the host's list.
   */
  async settle(
    host: string,
    holder: string,
    outcomes: readonly { changeId: string; result: HostResult }[],
  ): Promise<Settled[]> {
    const { hostLease, hostWork, owingHosts, changeHosts, changeLeft, changeProgress } = this.keys;
    const answer = (await this.settleScript(
      [
        ...[hostLease(host), hostWork(host), owingHosts],
        ...outcomes.flatMap(({ changeId: id }) => [changeHosts(id), changeLeft(id), changeProgress(id)]),
      ],
      [
        ...[holder, host, PROGRESS_EVERY_MS],
        ...outcomes.flatMap(({ changeId, result }) => [
          changeId,
          JSON.stringify(result),
          result.status === 'owed' ? 1 : 0,
        ]),
      ],
    )) as number[];
    return outcomes.map((_, index) => ({
      left: answer[2 * index] ?? 0,
      showProgress: answer[2 * index + 1] === 1,
    }));
  }

  /** Takes a change's work off hosts that have not begun it. */
  async withdraw(changeId: string, hosts: readonly string[]): Promise<void> {
    if (hosts.length === 0) return;
    const batch = this.redis.multi();
    for (const host of hosts) batch.hdel(this.keys.hostWork(host), changeId);
    await batch.exec();
  }

  /** Hosts that are owed something. */
  async owing(): Promise<string[]> {
    return (await this.redis.smembers(this.keys.owingHosts)).sort();
  }

  async isOwing(host: string): Promise<boolean> {
    return (await this.redis.sismember(this.keys.owingHosts, host)) === 1;
  }

  /** The routes that Fairway made on a Windows host (its journal; Windows has no tag for them). */
  async owned(host: string): Promise<Route[]> {
    return (await this.redis.smembers(this.keys.ownedRoutes(host))).map((text) => {
      const [destination = '', nextHop = ''] = text.split(' ');
      return { destination, nextHop };
    });
  }

  /** Notes routes as ours before they are made: a crash in between leaves a route that we know of. */
  async own(host: string, routes: readonly Route[]): Promise<void> {
    if (routes.length > 0) await this.redis.sadd(this.keys.ownedRoutes(host), routes.map(asText));
  }

  /** Strikes routes off the journal once they are seen to be gone. */
  async disown(host: string, routes: readonly Route[]): Promise<void> {
    if (routes.length > 0) await this.redis.srem(this.keys.ownedRoutes(host), routes.map(asText));
  }
}

function asText(route: Route): string {
  return `${route.destination} ${route.nextHop}`;
}
