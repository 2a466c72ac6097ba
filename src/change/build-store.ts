/** What was built, in Redis, and the logs of it. */
import type { Redis } from 'ioredis';
import type { Component } from '../node/component.js';
import { type Built, buildKey } from '../plan/build.js';
import type { Keys } from '../redis.js';

/** Kubernetes' own makefile writes a tenth of that. What a log has beyond it stays on the build host. */
const MOST_LOG = 4 << 20;
/** As long as a change's plan is kept. In seconds. */
const KEPT_FOR_S = 120 * 24 * 3600;

export class BuildStore {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Records a binary; the newest word on the same one counts. */
  async record(built: Built): Promise<void> {
    await this.redis.hset(this.keys.builds, buildKey(built), JSON.stringify(built));
  }

  /** All binaries; those first that somebody asked for last. */
  async all(): Promise<Built[]> {
    const texts = await this.redis.hvals(this.keys.builds);
    const all = texts.map((text) => JSON.parse(text) as Built);
    return all.sort((a, b) => (askedAt(a) < askedAt(b) ? 1 : -1));
  }

  /** What the last build of a version came to, of whatever commit; null when there was none. */
  async newest(component: Component, version: string): Promise<Built | null> {
    const all = await this.all();
    return all.find((built) => built.component === component && built.version === version) ?? null;
  }

  /** How many bytes of a change's log are known. */
  async logSize(changeId: string): Promise<number> {
    return this.redis.strlen(this.keys.changeLog(changeId));
  }

  /** Adds what the log has from byte `from` on. Nothing is added twice: what another worker was faster with counts. */
  async addLog(changeId: string, from: number, bytes: Buffer): Promise<void> {
    const key = this.keys.changeLog(changeId);
    if (bytes.length === 0 || from >= MOST_LOG) return;
    await this.redis.multi().setrange(key, from, bytes).expire(key, KEPT_FOR_S).exec();
  }

  /** Forgets the log: another run begins one of its own. */
  async clearLog(changeId: string): Promise<void> {
    await this.redis.del(this.keys.changeLog(changeId));
  }

  /** The log so far, as the build host wrote it; empty when there is none. */
  async log(changeId: string): Promise<string> {
    return (await this.redis.get(this.keys.changeLog(changeId))) ?? '';
  }

  /** The end of it. */
  async logEnd(changeId: string, bytes: number): Promise<string> {
    return this.redis.getrange(this.keys.changeLog(changeId), -bytes, -1);
  }
}

function askedAt(built: Built): string {
  return built.askedAt ?? built.at;
}
