/** The card of incidents while Slack is away, or the channel is not to be written in: through the stores, the queue and the outbox. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { type FakeSlack, startFakeSlack } from '../../sandbox/slack/server.js';
import { parseConfig } from '../../src/config.js';
import { NotifyJob, QUEUE } from '../../src/job/job.js';
import { Jobs } from '../../src/job/queue.js';
import { createLog } from '../../src/log.js';
import { connectRedis, keys } from '../../src/redis.js';
import { openOutbox } from '../../src/slack/open-outbox.js';
import type { Outbox } from '../../src/slack/outbox.js';
import { openStores, type Stores } from '../../src/stores.js';
import type { WorkerDeps } from '../../workers/deps.js';
import { mend } from '../../workers/mend.js';
import { tellIncidents } from '../../workers/tell-incidents.js';
import { ENV } from '../command/support/desk.js';

const OPS = 'C0OPS';
const redisUrl = process.env['REDIS_URL'] ?? '';
const redis = connectRedis(redisUrl);
/** What Slack refuses just now. */
const refuse: Record<string, string> = {};
let slack: FakeSlack;
let queue: Queue<unknown>;
let deps: WorkerDeps;
let outbox: Outbox;
let logged: string[];
/** Of the notice; never one that the channel has seen. */
let id = 'n0';

beforeAll(async () => {
  slack = await startFakeSlack({
    ...{ botToken: 'xoxb-fake', appToken: 'xapp-fake', signingSecret: 'secretsecretsecret', teamId: 'T1' },
    users: [],
    channels: [{ id: OPS, name: 'ops' }],
    refuse,
  });
});
afterAll(async () => {
  await slack.close();
  redis.disconnect();
});
beforeEach(() => {
  for (const method of Object.keys(refuse)) delete refuse[method];
  const prefix = `{notices-${randomUUID().slice(0, 8)}}`;
  const env = { ...ENV, REDIS_URL: redisUrl, REDIS_PREFIX: prefix, SLACK_API_URL: slack.apiUrl };
  const config = parseConfig({ ...env, SLACK_BOT_TOKEN: 'xoxb-fake', SLACK_CHANNEL: OPS }, 'worker');
  logged = [];
  id = `n${Number(id.slice(1)) + 1}`;
  const log = createLog('warn', { write: (line) => logged.push(line) });
  const stores: Stores = openStores(redis, keys(prefix), config.cluster);
  queue = new Queue(QUEUE.notify, { connection: redis, prefix });
  deps = { ...stores, config, log, jobs: new Jobs(redis, prefix, () => undefined) } as WorkerDeps;
  outbox = openOutbox({ ...stores, config, log });
});
afterEach(async () => {
  await queue.close();
  await deps.jobs.close();
  const mine = await redis.keys(`${deps.config.redis.prefix}*`);
  if (mine.length > 0) await redis.del(mine);
});

async function raised(channel = OPS): Promise<void> {
  const at = new Date().toISOString();
  const digest = { hosts: [{ host: 'lin01', stray: [], foreign: [], skew: 300 }] };
  const notice = { id, version: 0, channel, at, told: [], cards: [], digest };
  await deps.watch.commit({ notices: [notice], stale: [id] });
}

/** Takes what the queue was given, as a worker does; what was asked for again is a job anew. */
async function asked(): Promise<NotifyJob[]> {
  const waiting = await queue.getJobs(['waiting', 'prioritized', 'delayed']);
  for (const job of waiting) await job.remove();
  return waiting.map(({ data }) => NotifyJob.parse(data));
}

async function delivered(jobs: readonly NotifyJob[]): Promise<void> {
  for (const job of jobs) {
    for (let again = await outbox.deliver(job); again > 0; again = await outbox.deliver(job))
      await new Promise((resolve) => setTimeout(resolve, again));
  }
}

test.each(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout'])(
  'Slack is in trouble (%s): it is told when that is over, however often it was given up meanwhile',
  async (error) => {
    refuse['chat.postMessage'] = error;
    await raised();
    await tellIncidents(deps);
    const before = slack.messages(OPS).length;
    await expect(delivered(await asked())).rejects.toThrow(error);
    await mend(deps);
    await expect(delivered(await asked())).rejects.toThrow(error);
    expect(slack.messages(OPS)).toHaveLength(before);
    delete refuse['chat.postMessage'];
    await mend(deps);
    await delivered(await asked());
    expect(slack.messages(OPS)).toHaveLength(before + 1);
    expect(await deps.watch.dueNotices()).toEqual([]);
    await mend(deps);
    expect(await asked()).toEqual([]);
  },
);

test('what falls behind while its card is on the way is shown, too', async () => {
  await raised();
  const upTo = await deps.watch.dueUpTo(id);
  await deps.watch.commit({ stale: [id] });
  await deps.watch.noticeShown(id, upTo);
  expect(await deps.watch.dueNotices()).toEqual([id]);
  await deps.watch.noticeShown(id, await deps.watch.dueUpTo(id));
  expect(await deps.watch.dueNotices()).toEqual([]);
});

test('a channel that nobody may write in is tried once, until there is more to say', async () => {
  await raised('C0CLOSED');
  await mend(deps);
  await delivered(await asked());
  await mend(deps);
  expect(await asked()).toEqual([]);
  expect(logged.filter((line) => line.includes('could not be posted'))).toHaveLength(1);
  await deps.watch.commit({ stale: [id] });
  await mend(deps);
  expect(await asked()).toEqual([{ name: 'notice', noticeId: id }]);
});
