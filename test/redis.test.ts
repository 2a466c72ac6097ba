import { afterAll, expect, test } from '@jest/globals';
import { connectRedis, keys, prepareScript } from '../src/redis.js';

const redis = connectRedis(process.env['REDIS_URL'] ?? '');
afterAll(() => redis.quit());

test('a script runs by its hash, also when Redis has forgotten it', async () => {
  const echo = prepareScript(redis, "return { KEYS[1], ARGV[1], redis.call('EXISTS', KEYS[1]) }");
  expect(await echo(['{t}:no-such-key'], [7])).toEqual(['{t}:no-such-key', '7', 0]);
  await redis.script('FLUSH');
  expect(await Promise.all([echo(['{t}:a'], [1]), echo(['{t}:b'], [2])])).toEqual([
    ['{t}:a', '1', 0],
    ['{t}:b', '2', 0],
  ]);
  expect(await echo(['{t}:a'], [3])).toEqual(['{t}:a', '3', 0]);
});

test("a script's own error is thrown", async () => {
  await expect(prepareScript(redis, 'return nonsense.field')([], [])).rejects.toThrow(/nonsense/);
});

test('every key begins with the prefix, and no two are the same', () => {
  const names = Object.values(keys('{x}')).map((key) => (typeof key === 'string' ? key : key('a', 'b')));
  for (const name of names) expect(name).toMatch(/^\{x\}:data:/);
  expect(new Set(names).size).toBe(names.length);
});

test('a request fails within seconds when Redis is away; a blocking one waits', async () => {
  const lost = connectRedis('redis://127.0.0.1:1');
  const waiting = connectRedis('redis://127.0.0.1:1', { blocking: true });
  lost.on('error', () => undefined);
  waiting.on('error', () => undefined);
  const pending = waiting.ping().then(
    () => 'answered',
    () => 'failed',
  );
  await expect(lost.ping()).rejects.toThrow(/retries/);
  expect(await Promise.race([pending, Promise.resolve('waits')])).toBe('waits');
  lost.disconnect();
  waiting.disconnect();
});
