/** A sandbox world with in-process hosts and its people, for one test file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxHost } from '../../sandbox/hosts/host.js';
import { startSandboxHosts } from '../../sandbox/hosts/start.js';
import { loseData } from '../../sandbox/redis/lose.js';
import { HOSTS, startWorld, type World, type WorldOptions } from '../../sandbox/world.js';
import { type Team, teamOf } from './team.js';

/** For a file that makes more changes in a minute than people do: Slack lets a workspace have 50 edits a minute. */
export const BUSY = { rateLimits: { perMinute: { 'chat.update': 500 } } };

export interface Site {
  world: World;
  team: Team;
  host(name: string): SandboxHost;
  /** Everything that Fairway itself kept in Redis is gone; the queues, and all programs, live on. */
  loseRedis(): Promise<void>;
  close(): Promise<void>;
}

export async function openSite(options: Omit<WorldOptions, 'ssh'> = {}): Promise<Site> {
  const workDir = await mkdtemp(join(tmpdir(), 'fairway-e2e-'));
  const hosts = await startSandboxHosts({ hosts: HOSTS, workDir });
  // Tests of changes are not to hear of what they do to hosts.
  const env = { PROBE_EVERY: '1d', ...options.env };
  const world = await startWorld({ ssh: hosts, workers: 1, ...options, env });
  const team = teamOf(world);
  return {
    world,
    team,
    host: (name) => {
      const found = hosts.hosts.get(name);
      if (!found) throw new Error(`no host ${name}`);
      return found;
    },
    loseRedis: () => loseData(world.redis.url, world.env['REDIS_PREFIX'] ?? ''),
    close: async () => {
      team.close();
      await world.close();
      await hosts.close();
      await rm(workDir, { recursive: true });
    },
  };
}

/** The pod routes that Fairway could have made on a host, `destination via next hop`, sorted. */
export function podRoutes({ state }: SandboxHost): string[] {
  const routes =
    state.os === 'linux' ? state.routes.filter((route) => route.protocol === '155') : state.persistent;
  return routes
    .filter((route) => route.destination.startsWith('192.168.'))
    .map((route) => `${route.destination} via ${route.nextHop}`)
    .sort();
}
