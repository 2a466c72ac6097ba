/** What an empty Redis does to Fairway, without the wait: all that it kept is gone, while its programs and queues live on. */
import { connectRedis } from '../../src/redis.js';

/** Deletes everything that Fairway itself keeps under the prefix. */
export async function loseData(redisUrl: string, prefix: string): Promise<void> {
  const redis = connectRedis(redisUrl);
  try {
    const lost = await redis.keys(`${prefix}:data:*`);
    if (lost.length > 0) await redis.del(...lost);
  } finally {
    redis.disconnect();
  }
}
