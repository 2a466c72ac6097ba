/** The scheduler's minute is long for a test. */
import { Queue } from 'bullmq';
import type { World } from '../../sandbox/world.js';
import { QUEUE } from '../../src/job/job.js';
import { connectRedis } from '../../src/redis.js';

/** Has the world's workers try hosts that are owed something every second, by the very scheduler that does it every minute. */
export async function hurryDebts({ redis, env }: World): Promise<void> {
  const connection = connectRedis(redis.url);
  const queue = new Queue(QUEUE.change, { connection, prefix: env['REDIS_PREFIX'] ?? '' });
  const [scheduled] = (await queue.getJobSchedulers()).filter(({ key }) => key === 'debts');
  if (scheduled?.every !== 60_000) throw new Error('nobody pays debts every minute');
  const template = { name: 'pay-debts', data: { name: 'pay-debts' } };
  await queue.upsertJobScheduler('debts', { every: 1000 }, template);
  await queue.close();
  connection.disconnect();
}
