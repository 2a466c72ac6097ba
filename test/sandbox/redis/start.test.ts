import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type RunningRedis, startRedis } from '../../../sandbox/redis/start.js';

const { REDIS_URL: _, ...env } = process.env;
let redis: RunningRedis | undefined;

afterEach(async () => {
  await redis?.close();
  redis = undefined;
});

/** What PING says; rejects when nobody answers. */
async function ping(url: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end('PING\r\n');
  const [answer] = await once(socket, 'data');
  return String(answer).trim();
}

describe('startRedis', () => {
  test('takes REDIS_URL as it is', async () => {
    redis = await startRedis({ REDIS_URL: 'redis://example.invalid:1' });
    expect(redis).toMatchObject({ kind: 'url', url: 'redis://example.invalid:1' });
  });

  test('is js-redis-server when no redis-server is on the PATH, and ends on close', async () => {
    redis = await startRedis({ ...env, PATH: '/nonexistent' });
    expect(redis.kind).toBe('js-redis-server');
    expect(await ping(redis.url)).toBe('+PONG');
    await redis.close();
    await expect(ping(redis.url)).rejects.toThrow();
  });

  test('ends on close', async () => {
    redis = await startRedis(env);
    expect(await ping(redis.url)).toBe('+PONG');
    await redis.close();
    await expect(ping(redis.url)).rejects.toThrow();
  });

  test('does not outlive a parent that is killed', async () => {
    const script = `import { startRedis } from './sandbox/redis/start.ts';
      const redis = await startRedis(); console.log(redis.url); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    const url = String(line).trim();
    expect(await ping(url)).toBe('+PONG');
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const deadline = Date.now() + 5000;
    let alive = true;
    while (alive && Date.now() < deadline) {
      alive = await ping(url).then(
        () => true,
        () => false,
      );
    }
    expect(alive).toBe(false);
  });
});
