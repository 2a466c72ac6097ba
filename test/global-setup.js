// Jest: one Redis for all test files, the same as the sandbox's.
import { tsImport } from 'tsx/esm/api';

export default async function globalSetup() {
  const { startRedis } = await tsImport('../sandbox/redis/start.ts', import.meta.url);
  const redis = await startRedis();
  process.env.REDIS_URL = redis.url;
  globalThis.fairwayRedis = redis;
}
