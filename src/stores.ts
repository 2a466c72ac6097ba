/** Everything that is kept in Redis, opened once per process. */
import type { Redis } from 'ioredis';
import { AuditLog } from './change/audit-log.js';
import { BuildStore } from './change/build-store.js';
import { ChangeStore } from './change/change-store.js';
import { WorkStore } from './change/work-store.js';
import { HostKeyStore } from './host/host-key-store.js';
import type { NetworkPolicy } from './network/allocation.js';
import { createLeaseStore, type LeaseStore } from './network/lease-store.js';
import { createNodeStore, type NodeStore } from './node/node-store.js';
import type { Keys } from './redis.js';
import { WatchStore } from './watch/watch-store.js';

export interface Stores {
  redis: Redis;
  keys: Keys;
  changes: ChangeStore;
  works: WorkStore;
  builds: BuildStore;
  leases: LeaseStore;
  nodes: NodeStore;
  hostKeys: HostKeyStore;
  audit: AuditLog;
  watch: WatchStore;
}

export function openStores(redis: Redis, keys: Keys, policy: NetworkPolicy): Stores {
  return {
    redis,
    keys,
    changes: new ChangeStore(redis, keys),
    works: new WorkStore(redis, keys),
    builds: new BuildStore(redis, keys),
    leases: createLeaseStore(redis, keys, policy),
    nodes: createNodeStore(redis, keys),
    hostKeys: new HostKeyStore(redis, keys),
    audit: new AuditLog(redis, keys),
    watch: new WatchStore(redis, keys),
  };
}
