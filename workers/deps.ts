/** What every processor is given. Built once, in main. */
import type { Redis } from 'ioredis';
import type { AuditLog } from '../src/change/audit-log.js';
import type { ChangeStore } from '../src/change/change-store.js';
import type { WorkStore } from '../src/change/work-store.js';
import type { Config } from '../src/config.js';
import type { HostPool } from '../src/host/host.js';
import type { HostKeyStore } from '../src/host/host-key-store.js';
import type { Jobs } from '../src/job/queue.js';
import type { Logger } from '../src/log.js';
import type { LeaseStore } from '../src/network/lease-store.js';
import type { NodeStore } from '../src/node/node-store.js';
import type { Keys } from '../src/redis.js';

export interface WorkerDeps {
  config: Config;
  redis: Redis;
  keys: Keys;
  changes: ChangeStore;
  works: WorkStore;
  leases: LeaseStore;
  nodes: NodeStore;
  hostKeys: HostKeyStore;
  audit: AuditLog;
  jobs: Jobs;
  hosts: HostPool;
  log: Logger;
}
