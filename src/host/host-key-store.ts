/** Pinned host keys in Redis: what a host must show before anything is sent to it. */
import type { Redis } from 'ioredis';
import type { Keys } from '../redis.js';

export class HostKeyStore {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** The fingerprint (`SHA256:…`) pinned for a host, or null before the first contact was approved. */
  pinned(host: string): Promise<string | null> {
    return this.redis.hget(this.keys.hostKeys, host);
  }

  /** The same for many hosts, in their order. */
  async pinnedAll(hosts: readonly string[]): Promise<(string | null)[]> {
    return hosts.length === 0 ? [] : this.redis.hmget(this.keys.hostKeys, ...hosts);
  }

  /** Pins a host's key when an approver accepted it with a plan. A pin is never replaced: the host has to be removed first. */
  async pin(host: string, fingerprint: string): Promise<void> {
    await this.redis.hsetnx(this.keys.hostKeys, host, fingerprint);
  }

  /** Forgets a host that left. */
  async unpin(host: string): Promise<void> {
    await this.redis.hdel(this.keys.hostKeys, host);
  }
}
