/** Work in Redis: dispatched to a host, settled by it, or owed. One writer a host, by its lease. */
import type { Redis } from 'ioredis';
import type { Route } from '../network/route.js';
import type { Keys } from '../redis.js';
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

export class WorkStore {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
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
   * Records how a host came out of a visit, in one step, so that a worker that dies leaves either all of it or nothing.
   * Work that is owed stays; all other work is off the host's list.
   */
  async settle(changeId: string, result: HostResult): Promise<Settled> {
    const batch = this.redis.multi();
    batch.hset(this.keys.changeHosts(changeId), result.host, JSON.stringify(result));
    if (result.status === 'owed') batch.sadd(this.keys.owingHosts, result.host);
    else batch.hdel(this.keys.hostWork(result.host), changeId);
    batch.decr(this.keys.changeLeft(changeId));
    batch.set(this.keys.changeProgress(changeId), '1', 'PX', PROGRESS_EVERY_MS, 'NX');
    const replies = (await batch.exec()) ?? [];
    return { left: Number(replies[2]?.[1] ?? 0), showProgress: replies[3]?.[1] === 'OK' };
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

  /** Ends a host's debts once it has none. */
  async clearOwing(host: string): Promise<void> {
    if ((await this.redis.hlen(this.keys.hostWork(host))) === 0)
      await this.redis.srem(this.keys.owingHosts, host);
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
