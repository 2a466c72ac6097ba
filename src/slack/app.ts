/** The Bolt app: the line to Slack, every listener behind its guard, a stop that waits for what runs. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { App } from '@slack/bolt';
import type { Redis } from 'ioredis';
import type { Config } from '../config.js';
import type { Keys } from '../redis.js';
import { boltLogger } from './bolt-log.js';
import { createDoorman } from './doorman.js';
import type { ListenerDeps } from './guard.js';
import { createLine } from './line.js';
import { listenerHost, registerListeners } from './register.js';

export interface SlackAppDeps extends Omit<ListenerDeps, 'firstTime' | 'admit'> {
  config: Pick<Config, 'slack' | 'port' | 'access'>;
  redis: Redis;
  keys: Keys;
}

export interface SlackApp {
  /** Resolves when Slack's payloads can arrive. Rejects on a wrong token or a taken port. Once only. */
  start(): Promise<void>;
  /** Resolves when Slack can't be heard any more, and only another process helps (Q19). */
  deaf(): Promise<void>;
  /** Takes no more, and waits for what runs (10 s at most). */
  stop(): Promise<void>;
  /** Of the health checks and, in HTTP mode, of `/slack/events`. 0 while not started. */
  port(): number;
}

/** Slack tries an event again for five minutes. In seconds. */
const SEEN_FOR_S = 600;
const DRAIN_MS = 10_000;

export function createSlackApp(deps: SlackAppDeps): SlackApp {
  const { config, log, redis } = deps;
  const logger = boltLogger(log);
  const line = createLine({ config, logger, redisReady: async () => (await redis.ping()) === 'PONG' });
  const app = new App({
    token: config.slack.botToken,
    receiver: line.receiver,
    clientOptions: {
      ...(config.slack.apiUrl ? { slackApiUrl: config.slack.apiUrl } : {}),
      retryConfig: { retries: 2, minTimeout: 300, maxTimeout: 1000 },
      timeout: 8000,
    },
    logger,
    // Otherwise a wrong token is an unhandled rejection of the constructor's.
    deferInitialization: true,
  });
  app.error(async (error) => {
    log.error({ err: error }, 'Bolt could not handle a payload');
  });
  const running = new Set<Promise<void>>();
  let server: Server | null = null;

  return {
    start: async () => {
      await app.init();
      const { team_id: team = '', enterprise_id: enterprise } = await app.client.auth.test();
      const admit = createDoorman({ team, enterprise }, isNamed, deps.slack, (user, error) =>
        log.warn({ user, err: error }, 'Slack does not tell whose this user is: taken for a stranger'),
      );
      registerListeners(listenerHost(app), { ...deps, firstTime, admit }, running);
      server = await line.start();
      log.info({ mode: config.slack.mode, team }, 'listening to Slack');
    },
    deaf: line.deaf,
    stop: async () => {
      if (server === null) return;
      await line.stop(server);
      server = null;
      const late = new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref());
      await Promise.race([Promise.allSettled([...running]), late]);
    },
    port: () => (server?.address() as AddressInfo | null)?.port ?? 0,
  };

  /** Slack delivers again what it thinks was lost, and to any replica (Q20). */
  async function firstTime(id: string): Promise<boolean> {
    return (await redis.set(deps.keys.slackSeen(id), '1', 'EX', SEEN_FOR_S, 'NX')) === 'OK';
  }

  /** People of other workspaces are admitted by their whole id, `T9:U0GUEST`, in any role's list. */
  function isNamed(actorId: string): boolean {
    const { viewers, operators, approvers } = config.access;
    return [...viewers, ...operators, ...approvers].includes(actorId);
  }
}
