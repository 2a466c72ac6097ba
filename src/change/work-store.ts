/** Work in Redis: dispatched to a host, settled by it, or owed. One writer a host, by its lease. */
import type { Redis } from 'ioredis';
import type { Route } from '../network/route.js';
import { type Keys, prepareScript, type Script } from '../redis.js';
import type { Change, HostResult } from './change.js';
import type { Work } from './work.js';

/** Slack allows 50 edits a minute for a workspace; three seconds for a card leave room for many cards (Q22). */
const PROGRESS_EVERY_MS = 3000;

/** How a host came out of a visit for one change. */
export interface Outcome {
  changeId: string;
  /** The work as the visit took it. */
  taken: string;
  result: HostResult;
}

export interface Settled {
  /** Hosts of the change's running phase that are still on their way. */
  left: number;
  /** Whether the card may be edited for progress now. */
  showProgress: boolean;
}

/**
 * Input: KEYS lease, host's work, owing hosts, then of each outcome: results, left, progress; ARGV holder, host, ms for which a card
 * is left alone, then of each outcome: change, work as it was taken, result JSON, 1 when owed. Output: nil when the host is in another
 * hand by now; else of each, hosts left and 1 when the card may be edited, or nil twice when the work is another one by now, or none:
 * then the outcome is nobody's any more.
 */
const SETTLE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local answer = {}
for i = 1, (#KEYS - 3) / 3 do
  local results, left, progress = KEYS[3 * i + 1], KEYS[3 * i + 2], KEYS[3 * i + 3]
  local change, taken, result, owed = ARGV[4 * i], ARGV[4 * i + 1], ARGV[4 * i + 2], ARGV[4 * i + 3]
  answer[2 * i - 1], answer[2 * i] = false, false
  if redis.call('HGET', KEYS[2], change) == taken then
    redis.call('HSET', results, ARGV[2], result)
    if owed == '1' then redis.call('SADD', KEYS[3], ARGV[2]) else redis.call('HDEL', KEYS[2], change) end
    answer[2 * i - 1] = redis.call('DECR', left)
    answer[2 * i] = redis.call('SET', progress, '1', 'PX', ARGV[3], 'NX') and 1 or 0
  end
end
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('SREM', KEYS[3], ARGV[2]) end
redis.call('DEL', KEYS[1])
return answer`;

/**
 * Input: KEYS owing hosts, left, then of each host: lease, visit, work; ARGV change, 1 to leave be what a visit has in hand, then the
 * hosts. Output: those hosts whose visit has the change's work in hand.
 */
const WITHDRAW = `
local inHand = {}
for i = 3, #ARGV do
  local lease, visit, work = KEYS[3 * i - 6], KEYS[3 * i - 5], KEYS[3 * i - 4]
  local busy = redis.call('EXISTS', lease) == 1 and redis.call('SISMEMBER', visit, ARGV[1]) == 1
  if busy then inHand[#inHand + 1] = ARGV[i] end
  if not (busy and ARGV[2] == '1') and redis.call('HDEL', work, ARGV[1]) == 1 then
    redis.call('DECR', KEYS[2])
    if redis.call('EXISTS', work) == 0 then redis.call('SREM', KEYS[1], ARGV[i]) end
  end
end
return inHand`;

/**
 * Input: KEYS change, its results, left, then each host's work; ARGV state, direction, id, number of results, host and result of each, then
 * the work of each host. Output: 1 when dispatched, 0 when the change is in another state by now, or turned round.
 */
const DISPATCH = `
local text = redis.call('GET', KEYS[1])
local change = text and cjson.decode(text) or {}
if change.state ~= ARGV[1] or change.direction ~= ARGV[2] then return 0 end
local first = 5 + 2 * ARGV[4]
for i = 5, first - 1, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
for i = 4, #KEYS do redis.call('HSET', KEYS[i], ARGV[3], ARGV[first + i - 4]) end
redis.call('SET', KEYS[3], #KEYS - 3)
return 1`;

export class WorkStore {
  private readonly redis: Redis;
  private readonly keys: Keys;
  private readonly dispatchScript: Script;
  private readonly settleScript: Script;
  private readonly withdrawScript: Script;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
    this.dispatchScript = prepareScript(redis, DISPATCH);
    this.settleScript = prepareScript(redis, SETTLE);
    this.withdrawScript = prepareScript(redis, WITHDRAW);
  }

  /**
   * Gives a phase's work to its hosts, and says so in their results. Safe to repeat: a host that has it already counts once. False, and
   * nothing is given, when the change is not as it was read: a worker that stood still must not begin what was ended meanwhile.
   */
  async dispatch(
    { id, state, direction }: Pick<Change, 'id' | 'state' | 'direction'>,
    works: readonly Work[],
    results: readonly HostResult[],
  ): Promise<boolean> {
    const { change, changeHosts, changeLeft, hostWork } = this.keys;
    const given = await this.dispatchScript(
      [change(id), changeHosts(id), changeLeft(id), ...works.map(({ node }) => hostWork(node.name))],
      [
        ...[state, direction, id, results.length],
        ...results.flatMap((result) => [result.host, JSON.stringify(result)]),
        ...works.map((work) => JSON.stringify(work)),
      ],
    );
    return given === 1;
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
   * Null for an outcome that is not recorded: the host is in another's hand by now, or the change has withdrawn that work.
   */
  async settle(host: string, holder: string, outcomes: readonly Outcome[]): Promise<(Settled | null)[]> {
    const { hostLease, hostWork, owingHosts, changeHosts, changeLeft, changeProgress } = this.keys;
    const answer = (await this.settleScript(
      [
        ...[hostLease(host), hostWork(host), owingHosts],
        ...outcomes.flatMap(({ changeId: id }) => [changeHosts(id), changeLeft(id), changeProgress(id)]),
      ],
      [
        ...[holder, host, PROGRESS_EVERY_MS],
        ...outcomes.flatMap(({ changeId, taken, result }) => [
          changeId,
          taken,
          JSON.stringify(result),
          result.status === 'owed' ? 1 : 0,
        ]),
      ],
    )) as (number | null)[] | null;
    return outcomes.map((_, index) => {
      const left = answer?.[2 * index] ?? null;
      return left === null ? null : { left, showProgress: answer?.[2 * index + 1] === 1 };
    });
  }

  /** Takes a change's work off hosts. What comes of a visit that has it in hand is then nobody's any more. */
  async withdraw(changeId: string, hosts: readonly string[]): Promise<void> {
    await this.takeBack(changeId, hosts, false);
  }

  /** Takes a change's work off hosts that have not begun it; those that have. */
  async withdrawWaiting(changeId: string, hosts: readonly string[]): Promise<Set<string>> {
    return new Set(await this.takeBack(changeId, hosts, true));
  }

  /** Says that a visit does not have the work of these changes in hand after all. */
  async leave(host: string, changeIds: readonly string[]): Promise<void> {
    if (changeIds.length > 0) await this.redis.srem(this.keys.hostVisit(host), ...changeIds);
  }

  private async takeBack(changeId: string, hosts: readonly string[], waiting: boolean): Promise<string[]> {
    const { owingHosts, changeLeft, hostLease, hostVisit, hostWork } = this.keys;
    return (await this.withdrawScript(
      [
        owingHosts,
        changeLeft(changeId),
        ...hosts.flatMap((host) => [hostLease(host), hostVisit(host), hostWork(host)]),
      ],
      [changeId, waiting ? 1 : 0, ...hosts],
    )) as string[];
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
