/** Slack's side whole: a fake Slack, Redis, the change store, the outbox and the queue's worker. Only the desk is the test's own. */
import { randomUUID } from 'node:crypto';
import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type FakeSlack, startFakeSlack } from '../../../sandbox/slack/server.js';
import type { FakeSlackOptions, Message } from '../../../sandbox/slack/types.js';
import { AuditLog } from '../../../src/change/audit-log.js';
import type { Card, ChangeState } from '../../../src/change/change.js';
import { ChangeStore } from '../../../src/change/change-store.js';
import { viewChange } from '../../../src/command/view.js';
import { QUEUE } from '../../../src/job/job.js';
import { Jobs } from '../../../src/job/queue.js';
import { createLog } from '../../../src/log.js';
import { createNodeStore } from '../../../src/node/node-store.js';
import { connectRedis, type Keys, keys } from '../../../src/redis.js';
import { type Current, currentChange } from '../../../src/slack/current.js';
import { createOutbox, type Outbox } from '../../../src/slack/outbox.js';
import type { CardDeps } from '../../../src/slack/outbox-deps.js';
import { createPace } from '../../../src/slack/pace.js';
import { createWebClient } from '../../../src/slack/web.js';
import { notifyProcessor } from '../../../workers/notify.js';
import { CLUSTER, change, plan } from './views.js';

export const TOKENS = { botToken: 'xoxb-fake', appToken: 'xapp-fake', signingSecret: 'secretsecretsecret' };
export const OPS = 'C0OPS';

export interface Bench {
  slack: FakeSlack;
  redis: Redis;
  keys: Keys;
  changes: ChangeStore;
  jobs: Jobs;
  deps: CardDeps;
  outbox: Outbox;
  /** Log lines so far. */
  logged: string[];
  /** Stores a change in a state, with its plan. */
  given(state: ChangeState, id?: string): Promise<void>;
  /** Moves a stored change on. */
  moved(id: string, state: ChangeState): Promise<void>;
  /** The cards of a change in the ops channel. */
  cards(id: string): Message[];
  stop(): Promise<void>;
}

export async function startBench(options: Partial<FakeSlackOptions> = {}): Promise<Bench> {
  const slack = await startFakeSlack({
    ...TOKENS,
    users: ['U0ALICE', 'U0BOB', 'U0EVE'].map((id) => ({ id, name: id.slice(2).toLowerCase() })),
    channels: [{ id: OPS, name: 'ops' }],
    teamId: 'T1',
    ...options,
  });
  const url = process.env['REDIS_URL'] ?? '';
  const redis = connectRedis(url);
  const blocking = connectRedis(url, { blocking: true });
  const prefix = `{slack-${randomUUID()}}`;
  const names = keys(prefix);
  const logged: string[] = [];
  const log = createLog('debug', { write: (line) => logged.push(line) });
  const jobs = new Jobs(redis, prefix, (error) => logged.push(error.message));
  const changes = new ChangeStore(redis, names);
  const view: CardDeps['view'] = (id) =>
    viewChange({ changes, nodes: createNodeStore(redis, names) }, { kubernetesVersion: '1.5' }, id);
  const noticeCards = new Map<string, Card[]>();
  const deps: CardDeps = {
    slack: createWebClient(TOKENS.botToken, { apiUrl: slack.apiUrl, log }),
    redis,
    keys: names,
    pace: createPace(redis, names),
    cluster: CLUSTER,
    log,
    view,
    buildLog: async () => '',
    newestAudit: (mostBytes) => new AuditLog(redis, names).newestLines(mostBytes),
    shown: async (id) => {
      if (id.startsWith('n')) return news(id, noticeCards.get(id) ?? []);
      const found = await view(id);
      return found && currentChange(found, CLUSTER, { approvers: ['U0BOB'], isAlone: false }, new Date());
    },
    cards: {
      addCard: async (id, card) => {
        if (id.startsWith('n')) noticeCards.set(id, [...(noticeCards.get(id) ?? []), card]);
        else await changes.addCard(id, card);
      },
      forgetCard: (id, card) => changes.forgetCard(id, card),
      cardShown: async (id, version) => {
        if (!id.startsWith('n')) await changes.cardShown(id, version);
      },
    },
    now: () => new Date(),
  };
  const outbox = createOutbox(deps);
  const worker = new Worker(QUEUE.notify, notifyProcessor(outbox), {
    connection: blocking,
    prefix,
    concurrency: 8,
  });
  worker.on('error', (error) => logged.push(error.message));
  await worker.waitUntilReady();
  return {
    slack,
    redis,
    keys: names,
    changes,
    jobs,
    deps,
    outbox,
    logged,
    given: async (state, id = 'c17') => {
      const expiresAt = new Date(Date.now() + 60_000).toISOString();
      await changes.create(change(state, { id, expiresAt }), new Date());
      await changes.update(id, (each) => ({ ...each }), new Date(), { sealed: plan() });
    },
    moved: async (id, state) => {
      await changes.update(id, (each) => ({ ...each, state }), new Date());
    },
    cards: (id) =>
      slack
        .messages(OPS)
        .filter((message) => !message.deleted && message.metadata?.event_payload['id'] === id),
    stop: async () => {
      await worker.close();
      await jobs.close();
      blocking.disconnect();
      const left = await redis.keys(`${prefix}*`);
      if (left.length > 0) await redis.del(...left);
      redis.disconnect();
      await slack.close();
    },
  };
}

/** A card of incidents, as far as the outbox looks at it. */
function news(id: string, cards: readonly Card[]): Current {
  const message: Current['message'] = {
    text: id,
    blocks: [],
    metadata: { event_type: 'fairway_notice', event_payload: { id, state: 'bad' } },
  };
  return {
    id,
    version: 1,
    due: 1,
    ring: null,
    cards,
    channel: OPS,
    shape: '',
    urgent: false,
    message,
    compact: () => message,
  };
}

/** Waits until the check holds; fails after `ms`, saying what was awaited. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
