/** The processor of the Slack outbox. What must wait for its turn goes back into the queue; nobody sleeps here. */
import { DelayedError, type Job } from 'bullmq';
import { NotifyJob } from '../src/job/job.js';
import { openOutbox } from '../src/slack/open-outbox.js';
import type { Outbox } from '../src/slack/outbox.js';
import type { WorkerDeps } from './deps.js';

/** The processor of queue `notify`, with its own line to Slack. */
export function createNotifier(deps: WorkerDeps) {
  return notifyProcessor(openOutbox(deps));
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
