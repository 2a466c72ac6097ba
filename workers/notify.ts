/** The processor of the Slack outbox. What must wait for its turn goes back into the queue; nobody sleeps here. */
import { DelayedError, type Job } from 'bullmq';
import { viewChange } from '../src/command/view.js';
import { NotifyJob } from '../src/job/job.js';
import { clusterFacts } from '../src/slack/cluster.js';
import { createOutbox, type Outbox } from '../src/slack/outbox.js';
import { createPace } from '../src/slack/pace.js';
import { createWebClient } from '../src/slack/web.js';
import type { WorkerDeps } from './deps.js';

/** The processor of queue `notify`, with its own line to Slack. */
export function createNotifier(deps: Pick<WorkerDeps, 'config' | 'redis' | 'keys' | 'changes' | 'log'>) {
  const { config, redis, keys, changes, log } = deps;
  const outbox = createOutbox({
    slack: createWebClient(config.slack.botToken, { apiUrl: config.slack.apiUrl, log }),
    redis,
    keys,
    pace: createPace(redis, keys),
    cluster: clusterFacts(config),
    log,
    view: (changeId) => viewChange({ changes }, config.cluster, changeId),
    cards: changes,
    now: () => new Date(),
  });
  return notifyProcessor(outbox);
}

/** A wait takes none of the job's attempts; our own trouble does. */
export function notifyProcessor(outbox: Pick<Outbox, 'deliver'>) {
  return async (job: Pick<Job<unknown>, 'data' | 'moveToDelayed'>, token?: string): Promise<void> => {
    const again = await outbox.deliver(NotifyJob.parse(job.data));
    if (again === 0) return;
    // Some jitter, so that those who wait for the same gate do not all come at once.
    await job.moveToDelayed(Date.now() + again + Math.floor(Math.random() * 100), token);
    throw new DelayedError();
  };
}
