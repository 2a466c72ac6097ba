/** What every processor is given. Built once, in main. */
import type { Config } from '../src/config.js';
import type { HostPool } from '../src/host/host.js';
import type { HostLeases } from '../src/host/host-lease.js';
import type { Jobs } from '../src/job/queue.js';
import type { ClusterLogin } from '../src/kube/kubeconfig.js';
import type { Logger } from '../src/log.js';
import type { Stores } from '../src/stores.js';
import type { Pushes } from './pushes.js';
import type { RecentReadings } from './recent-readings.js';

export interface WorkerDeps extends Stores {
  config: Config;
  jobs: Jobs;
  hosts: HostPool;
  hostLeases: HostLeases;
  recent: RecentReadings;
  log: Logger;
  pushes: Pushes;
  /** Null: no kubeconfig, so the API server is not asked about nodes. */
  login: ClusterLogin | null;
}
