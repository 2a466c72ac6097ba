import { afterAll, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { QUEUE, type WatchJob } from '../../src/job/job.js';
import { Jobs } from '../../src/job/queue.js';
import { connectRedis } from '../../src/redis.js';

const redis = connectRedis(process.env['REDIS_URL'] ?? '');
const prefix = `{test-looks-${process.pid}}`;
const queue = new Queue<WatchJob>(QUEUE.watch, { connection: redis, prefix });
const jobs = new Jobs(redis, prefix, () => undefined);

afterAll(async () => {
  await queue.close();
  await jobs.close();
  const mine = await redis.keys(`${prefix}*`);
  if (mine.length > 0) await redis.del(mine);
  redis.disconnect();
});

async function waiting(): Promise<string[][]> {
  const all = await queue.getJobs(['waiting', 'prioritized', 'delayed']);
  return all.map((job) => (job.data.name === 'look' ? job.data.hosts : [])).sort();
}

test('a look at the same hosts waits once; one at others, or at once, is not taken for it', async () => {
  await jobs.look(['lin01', 'lin05']);
  await jobs.look(['lin01', 'lin05']);
  await jobs.look(['lin01', 'lin09']);
  await jobs.look(['win01'], 60_000);
  await jobs.look(['win01']);
  expect(await waiting()).toEqual([['lin01', 'lin05'], ['lin01', 'lin09'], ['win01'], ['win01']]);
});
