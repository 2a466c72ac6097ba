/** The real desk on the real Redis. No worker runs, so what is asked for stays asked for. */
import { accessOf } from '../../../src/command/access.js';
import type { Desk } from '../../../src/command/desk.js';
import { createDesk } from '../../../src/command/run.js';
import { parseConfig } from '../../../src/config.js';
import { Jobs } from '../../../src/job/queue.js';
import { connectRedis, keys } from '../../../src/redis.js';
import { openStores, type Stores } from '../../../src/stores.js';

export const ENV = {
  SLACK_BOT_TOKEN: 'xoxb-1',
  SLACK_CHANNEL: 'C0OPS',
  CLUSTER_NAME: 'test',
  CLUSTER_CIDR: '192.168.0.0/16',
  SERVICE_CIDR: '10.96.0.0/16',
  KUBERNETES_VERSION: '1.5',
  API_SERVER: 'http://10.0.0.4:8080',
  VIEWERS: 'U0VIEW',
  OPERATORS: 'U0OPER,console:oper',
  APPROVERS: 'U0APPR',
};

export interface OpenDesk {
  desk: Desk;
  stores: Stores;
  /** Every key so far, but for what the queues say of themselves. */
  written(): Promise<string[]>;
  close(): Promise<void>;
}

export function openDesk(redisUrl: string, prefix: string): OpenDesk {
  const config = parseConfig({ ...ENV, REDIS_URL: redisUrl, REDIS_PREFIX: prefix }, 'worker');
  const redis = connectRedis(config.redis.url);
  const stores = openStores(redis, keys(config.redis.prefix), config.cluster);
  const jobs = new Jobs(redis, config.redis.prefix, () => undefined);
  const access = async () => accessOf(config.access, new Map());
  return {
    desk: createDesk({ ...stores, config, jobs, access }),
    stores,
    written: async () => (await redis.keys(`${prefix}*`)).filter((key) => !key.endsWith(':meta')),
    close: async () => {
      await jobs.close();
      redis.disconnect();
    },
  };
}
