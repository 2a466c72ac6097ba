/** Producers: the one place that adds jobs, with their ids, so that what is asked for twice runs once. */
import { createHash } from 'node:crypto';
import { type Job, type JobsOptions, Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Component } from '../node/component.js';
import {
  type ChangeJob,
  type CheckHost,
  type Control,
  type NotifyJob,
  type Origin,
  QUEUE,
  type SyncHost,
  type WatchJob,
} from './job.js';

/** Finished jobs are kept an hour, for the curious; failed ones a week. */
const KEPT: JobsOptions = {
  removeOnComplete: { age: 3600, count: 1000 },
  removeOnFail: { age: 7 * 24 * 3600 },
};

/** Looks come by the thousand; only what somebody waits for has to stay for a moment. */
const WAITED_FOR = { age: 60, count: 100 };

/** How often everything open is looked at again, whatever got lost. */
const SAFETY_NET_MS = 15_000;
/** What happens within this is told together. Short: the channel hears of a restart within 2 s. */
const GATHER_MS = 300;
/** How long a person at the console waits for hosts to be read. */
const WAIT_MS = 60_000;
/** How often hosts that are owed something are tried. */
const DEBTS_EVERY_MS = 60_000;

export class Jobs {
  private readonly redis: Redis;
  private readonly prefix: string;
  private readonly change: Queue<ChangeJob>;
  private readonly host: Queue<SyncHost>;
  private readonly watch: Queue<WatchJob>;
  private readonly notify: Queue<NotifyJob>;

  /** `prefix` is BullMQ's; a hash tag such as `{fairway}` keeps a Redis Cluster happy. `onError` hears of lost connections. */
  constructor(redis: Redis, prefix: string, onError: (error: Error) => void) {
    this.redis = redis;
    this.prefix = prefix;
    const options = { connection: redis, prefix, defaultJobOptions: KEPT };
    this.change = new Queue(QUEUE.change, options);
    this.host = new Queue(QUEUE.host, { ...options, defaultJobOptions: { ...KEPT, removeOnComplete: true } });
    this.watch = new Queue(QUEUE.watch, {
      ...options,
      defaultJobOptions: { ...KEPT, removeOnComplete: WAITED_FOR },
    });
    this.notify = new Queue(QUEUE.notify, options);
    for (const queue of [this.change, this.host, this.watch, this.notify]) queue.on('error', onError);
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
    const data = { name: 'read-routes' as const, ...(node ? { node } : {}) };
    return this.resultOf(QUEUE.change, () => this.change.add('read-routes', data, { attempts: 1 }));
  }

  /** The checks follow as an answer of their own, when there is an origin. */
  async checkHost(job: Omit<CheckHost, 'name'>): Promise<void> {
    await this.change.add('check-host', { name: 'check-host', ...job }, { attempts: 1 });
  }

  /** The same for somebody who waits. Throws when no worker has answered within a minute. */
  async checkHostNow(job: Omit<CheckHost, 'name'>): Promise<unknown> {
    const data = { name: 'check-host' as const, ...job };
    return this.resultOf(QUEUE.change, () => this.change.add('check-host', data, { attempts: 1 }));
  }

  /** What the API server says follows as an answer of its own. */
  async checkCluster(origin: Origin): Promise<void> {
    await this.change.add('check-cluster', { name: 'check-cluster', origin }, { attempts: 1 });
  }

  /** The same for somebody who waits. Throws when no worker has answered within a minute. */
  async checkClusterNow(): Promise<unknown> {
    const add = () => this.change.add('check-cluster', { name: 'check-cluster' }, { attempts: 1 });
    return this.resultOf(QUEUE.change, add);
  }

  /** What the walk over the audit log finds follows as an answer of its own. */
  async verifyAudit(origin: Origin): Promise<void> {
    await this.change.add('verify-audit', { name: 'verify-audit', origin }, { attempts: 1 });
  }

  /** Looks at hosts, after `delayMs`. The same hosts wait in line once: for a look at once, and for one later. */
  async look(hosts: readonly string[], delayMs = 0): Promise<void> {
    const job = { name: 'look' as const, hosts: [...hosts] };
    const which = createHash('sha256').update(hosts.join()).digest('hex').slice(0, 24);
    await this.watch.add('look', job, {
      ...RETRIED,
      delay: delayMs,
      ...single(`look-${delayMs > 0 ? 'later' : 'now'}-${which}`, delayMs === 0),
    });
  }

  /** Looks at a host once more. Asked for by several who saw the same, it is done once. */
  async lookAgain(host: string, delayMs: number): Promise<void> {
    // By time, not by job: the one who asks may be such a job itself, still running.
    const deduplication = { id: `again-${host}`, ttl: Math.max(1, delayMs - 20) };
    await this.watch.add(
      'look',
      { name: 'look', hosts: [host] },
      { ...RETRIED, delay: delayMs, deduplication },
    );
  }

  /** Puts incidents on cards; after a moment, so that what happens together is told together. */
  async tell(): Promise<void> {
    await this.watch.add('tell', { name: 'tell' }, { ...RETRIED, delay: GATHER_MS, ...single('tell', true) });
  }

  /** The outcome follows as an answer of its own, when there is an origin. */
  async control(job: Omit<Control, 'name'>): Promise<void> {
    await this.watch.add('control', { name: 'control', ...job }, ONCE);
  }

  /** The same for somebody who waits: the outcome, in words. Throws when no worker has answered within a minute. */
  async controlNow(job: Omit<Control, 'name'>): Promise<unknown> {
    return this.resultOf(QUEUE.watch, () => this.watch.add('control', { name: 'control', ...job }, ONCE));
  }

  /** The log follows as an answer of its own. */
  async logs(host: string, component: Component, origin: Origin): Promise<void> {
    await this.watch.add('logs', { name: 'logs', host, component, origin }, ONCE);
  }

  /** The same for somebody who waits. Throws when no worker has answered within a minute. */
  async logsNow(host: string, component: Component): Promise<unknown> {
    const data = { name: 'logs' as const, host, component };
    return this.resultOf(QUEUE.watch, () => this.watch.add('logs', data, ONCE));
  }

  private async resultOf(queue: string, add: () => Promise<Job>): Promise<unknown> {
    const connection = this.redis.duplicate({ maxRetriesPerRequest: null });
    const events = new QueueEvents(queue, { connection, prefix: this.prefix });
    try {
      await events.waitUntilReady();
      const job = await add();
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

  /** The same for the card of incidents; approvals overtake it. */
  async notice(noticeId: string): Promise<void> {
    await this.notify.add(
      'notice',
      { name: 'notice', noticeId },
      { ...RETRIED, priority: 20, ...single(`notice-${noticeId}`, true) },
    );
  }

  async reply(job: Extract<NotifyJob, { name: 'reply' }>): Promise<void> {
    await this.notify.add('reply', job, { ...RETRIED, priority: 1 });
  }

  async file(changeId: string, origin: Origin): Promise<void> {
    await this.notify.add('file', { name: 'file', changeId, origin }, { ...RETRIED, priority: 2 });
  }

  async upload(job: Extract<NotifyJob, { name: 'upload' }>): Promise<void> {
    await this.notify.add('upload', job, { ...RETRIED, priority: 2 });
  }

  async auditFile(origin: Origin): Promise<void> {
    await this.notify.add('audit', { name: 'audit', origin }, { ...RETRIED, priority: 2 });
  }

  /** The scheduled jobs. Safe to call from every worker that starts. `digestAt`: `HH:MM`, UTC. */
  async schedule({ everyMs, digestAt }: { everyMs: number; digestAt: string }): Promise<void> {
    const [hour = '8', minute = '0'] = digestAt.split(':');
    await this.watch.upsertJobScheduler(
      'sweep',
      { every: everyMs },
      { name: 'sweep', data: { name: 'sweep' } },
    );
    await this.watch.upsertJobScheduler(
      'digest',
      { pattern: `${Number(minute)} ${Number(hour)} * * *`, tz: 'UTC' },
      { name: 'digest', data: { name: 'digest' } },
    );
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
    await Promise.all([this.change, this.host, this.watch, this.notify].map((queue) => queue.close()));
  }
}

/** Our own trouble (Redis away, Slack away) is tried again for about a minute. */
const RETRIED: JobsOptions = { attempts: 6, backoff: { type: 'exponential', delay: 1000 } };

/** Not tried again by itself: somebody waits, and asks again; a process that did not come up is for a person to look at. */
const ONCE: JobsOptions = { attempts: 1, priority: 1 };

function single(id: string, keepLastIfActive = false): JobsOptions {
  return { deduplication: { id, ...(keepLastIfActive ? { keepLastIfActive } : {}) } };
}
