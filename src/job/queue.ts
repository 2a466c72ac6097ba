/** Producers: the one place that adds jobs, with their ids, so that what is asked for twice runs once. */
import { type JobsOptions, Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import { type ChangeJob, type NotifyJob, type Origin, QUEUE, type SyncHost } from './job.js';

/** Finished jobs are kept an hour, for the curious; failed ones a week. */
const KEPT: JobsOptions = {
  removeOnComplete: { age: 3600, count: 1000 },
  removeOnFail: { age: 7 * 24 * 3600 },
};

/** How often everything open is looked at again, whatever got lost. */
const SAFETY_NET_MS = 15_000;
/** How long a person at the console waits for hosts to be read. */
const WAIT_MS = 60_000;
/** How often hosts that are owed something are tried. */
const DEBTS_EVERY_MS = 60_000;

export class Jobs {
  private readonly redis: Redis;
  private readonly prefix: string;
  private readonly change: Queue<ChangeJob>;
  private readonly host: Queue<SyncHost>;
  private readonly notify: Queue<NotifyJob>;

  /** `prefix` is BullMQ's; a hash tag such as `{fairway}` keeps a Redis Cluster happy. `onError` hears of lost connections. */
  constructor(redis: Redis, prefix: string, onError: (error: Error) => void) {
    this.redis = redis;
    this.prefix = prefix;
    const options = { connection: redis, prefix, defaultJobOptions: KEPT };
    this.change = new Queue(QUEUE.change, options);
    this.host = new Queue(QUEUE.host, { ...options, defaultJobOptions: { ...KEPT, removeOnComplete: true } });
    this.notify = new Queue(QUEUE.notify, options);
    for (const queue of [this.change, this.host, this.notify]) queue.on('error', onError);
  }

  async planChange(changeId: string): Promise<void> {
    await this.change.add(
      'plan-change',
      { name: 'plan-change', changeId },
      { ...RETRIED, ...single(`plan-${changeId}`) },
    );
  }

  /** Ends the plan at its time; the job looks again whether it is still pending. */
  async expireChange(changeId: string, delayMs: number): Promise<void> {
    await this.change.add(
      'expire-change',
      { name: 'expire-change', changeId },
      { ...RETRIED, delay: delayMs },
    );
  }

  /** Asked for while one runs, it runs once more afterwards: what it looks at may have changed. */
  async advance(): Promise<void> {
    await this.change.add(
      'advance-changes',
      { name: 'advance-changes' },
      { ...RETRIED, ...single('advance', true) },
    );
  }

  async prove(): Promise<void> {
    await this.change.add(
      'prove-changes',
      { name: 'prove-changes' },
      { ...RETRIED, ...single('prove', true) },
    );
  }

  /** The routes follow as an answer of their own. */
  async readRoutes(origin: Origin, node?: string): Promise<void> {
    const job = { name: 'read-routes' as const, origin, ...(node ? { node } : {}) };
    await this.change.add('read-routes', job, { attempts: 1 });
  }

  /** The same for somebody who waits. Throws when no worker has answered within a minute. */
  async readRoutesNow(node?: string): Promise<unknown> {
    const connection = this.redis.duplicate({ maxRetriesPerRequest: null });
    const events = new QueueEvents(QUEUE.change, { connection, prefix: this.prefix });
    try {
      await events.waitUntilReady();
      const data = { name: 'read-routes' as const, ...(node ? { node } : {}) };
      const job = await this.change.add('read-routes', data, { attempts: 1 });
      return await job.waitUntilFinished(events, WAIT_MS);
    } finally {
      await events.close();
      connection.disconnect();
    }
  }

  /** One waiting job a host, however many changes ask: they share the visit. */
  async syncHosts(hosts: readonly string[]): Promise<void> {
    if (hosts.length === 0) return;
    await this.host.addBulk(
      hosts.map((host) => ({
        name: 'sync-host',
        data: { name: 'sync-host' as const, host },
        opts: { ...RETRIED, ...single(`host-${host}`, true) },
      })),
    );
  }

  /** Brings a change's cards up to date; `delayMs` for progress, 0 for anything that people wait for. */
  async card(changeId: string, delayMs = 0): Promise<void> {
    const id = delayMs > 0 ? `card-later-${changeId}` : `card-${changeId}`;
    await this.notify.add(
      'card',
      { name: 'card', changeId },
      { ...RETRIED, delay: delayMs, priority: delayMs > 0 ? 10 : 1, ...single(id, delayMs === 0) },
    );
  }

  async reply(job: Extract<NotifyJob, { name: 'reply' }>): Promise<void> {
    await this.notify.add('reply', job, { ...RETRIED, priority: 1 });
  }

  async file(changeId: string, origin: Origin): Promise<void> {
    await this.notify.add('file', { name: 'file', changeId, origin }, { ...RETRIED, priority: 2 });
  }

  /** The scheduled jobs. Safe to call from every worker that starts. */
  async schedule(): Promise<void> {
    await this.change.upsertJobScheduler(
      'safety-net',
      { every: SAFETY_NET_MS },
      { name: 'safety-net', data: { name: 'safety-net' } },
    );
    await this.change.upsertJobScheduler(
      'debts',
      { every: DEBTS_EVERY_MS },
      { name: 'pay-debts', data: { name: 'pay-debts' } },
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.change.close(), this.host.close(), this.notify.close()]);
  }
}

/** Our own trouble (Redis away, Slack away) is tried again for about a minute. */
const RETRIED: JobsOptions = { attempts: 6, backoff: { type: 'exponential', delay: 1000 } };

function single(id: string, keepLastIfActive = false): JobsOptions {
  return { deduplication: { id, ...(keepLastIfActive ? { keepLastIfActive } : {}) } };
}
