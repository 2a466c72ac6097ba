/**
 * The bot's entry: Slack in, jobs out. What runs where:
 *
 *     slack/     listeners (ack, authorize, answer) ─▶ command/ (the desk: one use case a command) ─▶ job/ (queues)
 *     workers/   plan-change ─▶ [approve] ─▶ advance-changes (gate, phases) ─▶ sync-host ─▶ prove-changes ─▶ notify
 *     workers/   sweep ─▶ look-at-hosts ─▶ watch/ (what changed: incidents, pure) ─▶ tell-incidents ─▶ notify
 *     change/    the state machine, pure, and its stores   plan/ + network/  what to do where, pure   host/  SSH
 *
 * Terms: a *node* is a Kubernetes machine, a *host* the same seen over SSH; a *pod CIDR* is a node's slice of the *cluster
 * CIDR*, its `.1` the *pod gateway*; a *lease* holds a slice for a *change*; a change is a sealed *plan* on its way from
 * request to result; what an absent host still has to do is a *debt*; a freed slice rests in *quarantine*; where hosts differ from
 * the inventory is *drift*, which a *repair* restores; what happens to a host is an *incident*, which a *notice* tells.
 */
import { accessOf, groupsOf } from './command/access.js';
import { createDesk } from './command/run.js';
import { ConfigError, parseConfig } from './config.js';
import { Jobs } from './job/queue.js';
import { createLog } from './log.js';
import { connectRedis, keys as keysOf } from './redis.js';
import { untilSignal } from './signals.js';
import { createSlackApp } from './slack/app.js';
import { clusterFacts } from './slack/cluster.js';
import { createFiles } from './slack/files.js';
import { openOutbox } from './slack/open-outbox.js';
import { openUserGroups } from './slack/user-groups.js';
import { createWebClient } from './slack/web.js';
import { openStores } from './stores.js';

async function main(): Promise<void> {
  const config = parseConfig(process.env, 'bot');
  const log = createLog(config.logLevel);
  const onError = (error: Error) => log.warn({ err: error }, 'redis');
  const redis = connectRedis(config.redis.url);
  redis.on('error', onError);
  const keys = keysOf(config.redis.prefix);
  const stores = openStores(redis, keys, config.cluster);
  const jobs = new Jobs(redis, config.redis.prefix, onError);
  const slack = createWebClient(config.slack.botToken, { apiUrl: config.slack.apiUrl, log });
  const groups = openUserGroups(slack, log);
  const access = async () => accessOf(config.access, await groups.members(groupsOf(config.access)));
  const desk = createDesk({ ...stores, config, jobs, access });
  const app = createSlackApp({
    config,
    redis,
    keys,
    desk,
    jobs,
    slack,
    files: createFiles(slack, { token: config.slack.botToken, apiUrl: config.slack.apiUrl }),
    log,
    outbox: openOutbox({ ...stores, config, log }),
    cards: stores.changes,
    cluster: clusterFacts(config),
    now: () => new Date(),
  });
  await app.start();
  // Cards that were open while the bot was away, or that somebody died over, are brought up to date.
  const behind = [...(await stores.changes.openIds()), ...(await stores.changes.dueCards())];
  for (const id of new Set(behind)) await jobs.card(id);
  const isDeaf = await Promise.race([untilSignal().then(() => false), app.deaf().then(() => true)]);
  if (isDeaf) {
    // Whatever started us starts us anew: compose and systemd do so after an exit, not for a bad health check.
    log.error('the line to Slack is silently dead; the bot ends');
    process.exitCode = 1;
  }
  log.info('bot drains');
  await app.stop();
  await jobs.close();
  redis.disconnect();
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
