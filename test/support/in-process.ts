/** A desk and a worker's hands in the test's own process, so that they can be stopped in the middle of what they do. */
import type { World } from '../../sandbox/world.js';
import { accessOf } from '../../src/command/access.js';
import type { Desk } from '../../src/command/desk.js';
import { createDesk } from '../../src/command/run.js';
import { parseConfig } from '../../src/config.js';
import { HostLeases } from '../../src/host/host-lease.js';
import { createSshPool } from '../../src/host/ssh.js';
import { Jobs } from '../../src/job/queue.js';
import { createLog } from '../../src/log.js';
import type { Stores } from '../../src/stores.js';
import type { WorkerDeps } from '../../workers/deps.js';
import { loginOf } from '../../workers/login.js';
import { Pushes } from '../../workers/pushes.js';
import { RecentReadings } from '../../workers/recent-readings.js';

export interface InProcess {
  /** With stores that may be the test's own. */
  desk(stores?: Partial<Stores>): Desk;
  deps: WorkerDeps;
  close(): Promise<void>;
}

export function inProcess(world: World, stores: Stores): InProcess {
  const config = parseConfig(world.env, 'bot');
  const { redis, keys, hostKeys } = stores;
  const jobs = new Jobs(redis, config.redis.prefix, () => undefined);
  const { configFile: sshConfigFile, privateKeyFile } = config.ssh;
  const hosts = createSshPool({
    ...(sshConfigFile ? { sshConfigFile } : {}),
    ...(privateKeyFile ? { privateKeyFile } : {}),
    pinned: (host) => hostKeys.pinned(host),
  });
  const members = async () => (await stores.nodes.read()).nodes.map(({ name }) => name);
  const pushes = new Pushes(redis, keys, hosts, members, () => undefined);
  return {
    desk: (own = {}) =>
      createDesk({
        ...stores,
        ...own,
        config,
        jobs,
        access: async () => accessOf(config.access, new Map()),
      }),
    deps: {
      ...stores,
      config,
      jobs,
      hosts,
      log: createLog('silent'),
      hostLeases: new HostLeases(redis, keys),
      recent: new RecentReadings(),
      pushes,
      login: loginOf(config),
    },
    close: async () => {
      pushes.close();
      await jobs.close();
      await hosts.close();
    },
  };
}

/** The object with some of its methods replaced; all others, private ones too, are its own. */
export function instead<T extends object>(of: T, methods: Partial<T>): T {
  return Object.assign(Object.create(of) as T, methods);
}
