/** Starts this process's BullMQ workers: which queue is processed by what. */
import { DelayedError, type Job, type Processor, Worker } from 'bullmq';
import type { Config } from '../src/config.js';
import { HostLeases } from '../src/host/host-lease.js';
import { createSshPool } from '../src/host/ssh.js';
import { ChangeJob, QUEUE, SyncHost, WatchJob } from '../src/job/job.js';
import { Jobs } from '../src/job/queue.js';
import type { Logger } from '../src/log.js';
import { connectRedis, keys } from '../src/redis.js';
import { openStores } from '../src/stores.js';
import { advanceChanges } from './advance-changes.js';
import { checkCluster } from './check-cluster.js';
import { checkHost } from './check-host.js';
import { controlProcess, fetchLogs } from './control-process.js';
import type { WorkerDeps } from './deps.js';
import { expireChange } from './expire-change.js';
import { hearEvents } from './hear-events.js';
import { loginOf } from './login.js';
import { lookAtHosts, sweep } from './look-at-hosts.js';
import { mend } from './mend.js';
import { createNotifier } from './notify.js';
import { payDebts } from './pay-debts.js';
import { planChange } from './plan-change.js';
import { proveChanges } from './prove-changes.js';
import { Pushes } from './pushes.js';
import { readRoutes } from './read-routes.js';
import { RecentReadings } from './recent-readings.js';
import { syncHost } from './sync-host.js';
import { tellDigest, tellIncidents } from './tell-incidents.js';

/**
 * A dead worker's jobs are found within its lock and two looks at most, mostly after 10 s; BullMQ's defaults take 58 s. Every
 * processor is safe to repeat, so a job may stall as often as workers die.
 */
const STALLING = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 100 };
/** A host that another worker has in hand is tried again after this. */
const BUSY_HOST_MS = 500;
/** Planning many changes side by side; what must not run twice at once is deduplicated by its job. */
const CHANGE_CONCURRENCY = 16;
/** Looks mostly wait: for hosts that do not answer, up to 20 s. */
const WATCH_CONCURRENCY = 32;
const NOTIFY_CONCURRENCY = 8;

export interface RunningWorkers {
  deps: WorkerDeps;
  /** Waits for the jobs in hand, then closes every connection. */
  close(): Promise<void>;
}

export async function startWorkers(config: Config, log: Logger): Promise<RunningWorkers> {
  const login = loginOf(config);
  const onError = (error: Error) => log.warn({ err: error }, 'redis');
  const redis = connectRedis(config.redis.url);
  redis.on('error', onError);
  const stores = openStores(redis, keys(config.redis.prefix), config.cluster);
  const { prefix } = config.redis;
  const hosts = createSshPool({ ...sshOptions(config), pinned: (host) => stores.hostKeys.pinned(host) });
  const jobs = new Jobs(redis, prefix, onError);
  const members = async () => (await stores.nodes.read()).nodes.map(({ name }) => name);
  const pushes = new Pushes(redis, stores.keys, hosts, members, (host) => {
    jobs.lookAgain(host, 0).catch(onError);
  });
  const deps: WorkerDeps = {
    ...stores,
    config,
    log,
    jobs,
    hosts,
    pushes,
    hostLeases: new HostLeases(redis, stores.keys),
    recent: new RecentReadings(),
    login,
  };
  const blocking: ReturnType<typeof connectRedis>[] = [];
  const work = (queue: string, processor: Processor, concurrency: number) => {
    const connection = connectRedis(config.redis.url, { blocking: true });
    connection.on('error', onError);
    blocking.push(connection);
    const worker = new Worker(queue, processor, { connection, prefix, concurrency, ...STALLING });
    worker.on('error', onError);
    worker.on('failed', (job, error) => log.error({ job: job?.data, err: error }, 'job failed'));
    return worker;
  };
  const workers = [
    work(QUEUE.change, (job) => runChangeJob(deps, ChangeJob.parse(job.data)), CHANGE_CONCURRENCY),
    work(QUEUE.host, (job, token) => runHostJob(deps, job, token), config.hostConcurrency),
    work(QUEUE.watch, (job, token) => runWatchJob(deps, job, token), WATCH_CONCURRENCY),
    work(QUEUE.notify, createNotifier(deps), NOTIFY_CONCURRENCY),
  ];
  const ears = login && hearEvents(login, log, (node) => void jobs.lookAgain(node, 0).catch(onError));
  await deps.jobs.schedule(config.watch);
  return {
    deps,
    close: async () => {
      ears?.close();
      pushes.close();
      await Promise.all(workers.map((worker) => worker.close()));
      await deps.jobs.close();
      await deps.hosts.close();
      for (const connection of [...blocking, redis]) connection.disconnect();
    },
  };
}

function sshOptions({ ssh }: Config) {
  return {
    ...(ssh.configFile ? { sshConfigFile: ssh.configFile } : {}),
    ...(ssh.privateKeyFile ? { privateKeyFile: ssh.privateKeyFile } : {}),
    ...(ssh.knownHostsFile ? { knownHostsFile: ssh.knownHostsFile } : {}),
    ...(ssh.agent ? { agent: ssh.agent } : {}),
    ...(ssh.user ? { user: ssh.user } : {}),
  };
}

async function runChangeJob(deps: WorkerDeps, job: ChangeJob): Promise<unknown> {
  switch (job.name) {
    case 'plan-change':
      return planChange(deps, job.changeId);
    case 'advance-changes':
      return advanceChanges(deps);
    case 'safety-net':
      await mend(deps);
      // Not done here: `advance-changes` is the one that never runs twice at once.
      return deps.jobs.advance();
    case 'expire-change':
      return expireChange(deps, job.changeId);
    case 'prove-changes':
      return proveChanges(deps);
    case 'pay-debts':
      return payDebts(deps);
    case 'read-routes':
      return readRoutes(deps, job.origin, job.node);
    case 'check-host':
      return checkHost(deps, job);
    case 'check-cluster':
      return checkCluster(deps, job.origin);
  }
}

async function runHostJob(deps: WorkerDeps, job: Job, token: string | undefined): Promise<void> {
  const { host } = SyncHost.parse(job.data);
  if (!(await syncHost(deps, host))) await later(job, token);
}

async function runWatchJob(deps: WorkerDeps, job: Job, token: string | undefined): Promise<unknown> {
  const data = WatchJob.parse(job.data);
  switch (data.name) {
    case 'sweep':
      return sweep(deps);
    case 'look':
      return lookAtHosts(deps, data.hosts);
    case 'tell':
      return tellIncidents(deps);
    case 'digest':
      return tellDigest(deps);
    case 'control':
      return (await controlProcess(deps, data)) ?? later(job, token);
    case 'logs':
      return fetchLogs(deps, data.host, data.component, data.origin);
  }
}

/** Another worker has the host in hand. */
async function later(job: Job, token: string | undefined): Promise<never> {
  await job.moveToDelayed(Date.now() + BUSY_HOST_MS, token);
  throw new DelayedError();
}
