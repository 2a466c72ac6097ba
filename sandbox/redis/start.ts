/** A Redis for the sandbox and the tests, without asking the reader to install one. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface RunningRedis {
  url: string;
  /** `url`: somebody else's, named by REDIS_URL. */
  kind: 'url' | 'redis-server' | 'js-redis-server';
  close(): Promise<void>;
}

/**
 * Takes, in this order: `REDIS_URL`, an installed `redis-server`, js-redis-server. The last two run on a free loopback port,
 * keep nothing on disk, and end with this process however it ends. Throws when Redis does not start.
 */
export async function startRedis(env: NodeJS.ProcessEnv = process.env): Promise<RunningRedis> {
  if (env['REDIS_URL']) return { url: env['REDIS_URL'], kind: 'url', close: async () => undefined };
  // Detached: Ctrl-C in a terminal goes to the whole process group, and Redis must outlive whoever drains on it.
  const keeper = fork(fileURLToPath(new URL('./keeper.js', import.meta.url)), {
    execArgv: [],
    env,
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const said = await firstWord(keeper);
  if ('error' in said) {
    await end(keeper);
    throw new Error(said.error);
  }
  keeper.unref();
  keeper.channel?.unref();
  return { ...said, close: () => end(keeper) };
}

type FirstWord = { url: string; kind: 'redis-server' | 'js-redis-server' } | { error: string };

async function firstWord(keeper: ChildProcess): Promise<FirstWord> {
  const ended = once(keeper, 'exit').then(() => [{ error: 'the Redis keeper ended before it was ready' }]);
  const [word] = (await Promise.race([once(keeper, 'message'), ended])) as [FirstWord];
  return word;
}

/** Closing the channel is what the keeper waits for; it takes its Redis along. */
async function end(keeper: ChildProcess): Promise<void> {
  if (keeper.exitCode !== null || keeper.signalCode !== null) return;
  const ended = once(keeper, 'exit');
  keeper.ref();
  if (keeper.connected) keeper.disconnect();
  await ended;
}
