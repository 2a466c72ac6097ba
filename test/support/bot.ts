/** Fairway's own hands in a sandbox world: what a worker is given, for a test that stands in for one. */
import type { World } from '../../sandbox/world.js';
import type { RequestDeps } from '../../src/command/desk.js';
import { parseConfig } from '../../src/config.js';
import { Jobs } from '../../src/job/queue.js';
import type { Stores } from '../../src/stores.js';

/** `close` it before the world. */
export function botOf(world: World, stores: Stores): RequestDeps & { close(): Promise<void> } {
  const config = parseConfig(world.env, 'worker');
  const jobs = new Jobs(stores.redis, config.redis.prefix, () => undefined);
  return { ...stores, config, jobs, close: () => jobs.close() };
}
