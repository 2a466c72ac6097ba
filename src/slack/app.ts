/** The Bolt app: Socket Mode or HTTP, the same listeners, health checks, a stop that waits for what runs. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { App, HTTPReceiver, SocketModeReceiver } from '@slack/bolt';
import type { Redis } from 'ioredis';
import type { Config } from '../config.js';
import type { Keys } from '../redis.js';
import { boltLogger } from './bolt-log.js';
import type { ListenerDeps } from './guard.js';
import { healthRoutes, serveHealthRoutes } from './health-routes.js';
import { registerListeners } from './register.js';
import { watchSocket } from './socket-watch.js';

export interface SlackAppDeps extends Omit<ListenerDeps, 'firstTime' | 'admits'> {
  config: Pick<Config, 'slack' | 'port' | 'access'>;
  redis: Redis;
  keys: Keys;
}

export interface SlackApp {
  /** Resolves when Slack's payloads can arrive. Rejects on a wrong token or a taken port. */
  start(): Promise<void>;
  /** Takes no more, and waits for what runs (10 s at most). */
  stop(): Promise<void>;
  /** Of the health checks and, in HTTP mode, of `/slack/events`. After start. */
  port(): number;
}

/** Slack tries an event again for five minutes. */
const SEEN_FOR_S = 600;
const DRAIN_MS = 10_000;
/** More than any payload of Slack's. */
const BODY_LIMIT = 1_000_000;

export function createSlackApp(deps: SlackAppDeps): SlackApp {
  const { config, log, redis } = deps;
  const logger = boltLogger(log);
  const running = new Set<Promise<void>>();
  const apiUrl = config.slack.apiUrl ? { slackApiUrl: config.slack.apiUrl } : {};
  const redisReady = async (): Promise<boolean> => (await redis.ping()) === 'PONG';
  const line = config.slack.mode === 'socket' ? socketLine() : httpLine();
  const app = new App({
    token: config.slack.botToken,
    receiver: line.receiver,
    // Only for init()'s auth.test; whatever else Bolt's client sends is answered within a click's patience.
    clientOptions: {
      ...apiUrl,
      retryConfig: { retries: 2, minTimeout: 300, maxTimeout: 1000 },
      timeout: 8000,
    },
    logger,
    deferInitialization: true,
  });
  app.error(async (error) => {
    log.error({ err: error }, 'Bolt could not handle a payload');
  });

  function socketLine() {
    const receiver = new SocketModeReceiver({
      appToken: config.slack.appToken,
      logger,
      // The client gives a line up after its retries, as an unhandled rejection. It should try for ever, and often.
      installerOptions: {
        clientOptions: {
          ...apiUrl,
          retryConfig: { forever: true, factor: 1.5, minTimeout: 500, maxTimeout: 15_000 },
        },
      },
    });
    const watch = watchSocket(receiver.client, Date.now);
    const ready = async (): Promise<boolean> => watch.connected() && (await redisReady());
    return {
      receiver,
      start: async (): Promise<Server> => {
        await receiver.start();
        return serveHealthRoutes({ live: watch.alive, ready }, config.port);
      },
      stop: async (server: Server): Promise<void> => {
        await receiver.client.disconnect();
        watch.stop();
        server.closeAllConnections();
        server.close();
      },
    };
  }

  function httpLine() {
    const receiver = new HTTPReceiver({
      signingSecret: config.slack.signingSecret,
      customRoutes: healthRoutes({ live: () => true, ready: redisReady }),
      bodyLimit: BODY_LIMIT,
      logger,
    });
    return {
      receiver,
      start: async (): Promise<Server> => receiver.start(config.port) as Promise<Server>,
      stop: async (): Promise<void> => receiver.stop(),
    };
  }

  let server: Server = createServer();
  return {
    start: async () => {
      await app.init();
      const home = (await app.client.auth.test()).team_id ?? '';
      registerListeners(
        app,
        { ...deps, firstTime, admits: (actorId, team) => team === home || isNamed(actorId) },
        running,
      );
      server = await line.start();
      log.info({ mode: config.slack.mode, team: home }, 'listening to Slack');
    },
    stop: async () => {
      await line.stop(server);
      const late = new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref());
      await Promise.race([Promise.allSettled([...running]), late]);
    },
    port: () => (server.address() as AddressInfo).port,
  };

  /** Slack delivers again what it thinks was lost, and to any replica (Q20). */
  async function firstTime(id: string): Promise<boolean> {
    return (await redis.set(deps.keys.slackSeen(id), '1', 'EX', SEEN_FOR_S, 'NX')) === 'OK';
  }

  function isNamed(actorId: string): boolean {
    const { viewers, operators, approvers } = config.access;
    return [...viewers, ...operators, ...approvers].includes(actorId);
  }
}
