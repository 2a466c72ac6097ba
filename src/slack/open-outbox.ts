/** The outbox as each program opens it: the bot for answers at once, the workers for the queue. */
import { viewChange } from '../command/view.js';
import type { Config } from '../config.js';
import type { Logger } from '../log.js';
import type { Stores } from '../stores.js';
import { clusterFacts } from './cluster.js';
import { createOutbox, type Outbox } from './outbox.js';
import { createPace } from './pace.js';
import { createWebClient } from './web.js';

export function openOutbox(deps: Stores & { config: Config; log: Logger }): Outbox {
  const { config, log, redis, keys, changes } = deps;
  return createOutbox({
    slack: createWebClient(config.slack.botToken, { apiUrl: config.slack.apiUrl, log }),
    redis,
    keys,
    pace: createPace(redis, keys),
    cluster: clusterFacts(config),
    log,
    view: (id) => viewChange(deps, config.cluster, id),
    cards: changes,
    now: () => new Date(),
  });
}
