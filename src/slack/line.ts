/** The line from Slack to us: Socket Mode (we call, no port is open to the world) or signed HTTP. */
import type { Server } from 'node:http';
import { type Logger as BoltLogger, HTTPReceiver, SocketModeReceiver } from '@slack/bolt';
import type { Config } from '../config.js';
import { healthRoutes, serveHealthRoutes } from './health-routes.js';
import { watchSocket } from './socket-watch.js';

export interface Line {
  receiver: SocketModeReceiver | HTTPReceiver;
  /** Resolves to the server of the health checks, once Slack's payloads can arrive. */
  start(): Promise<Server>;
  /** Resolves when nothing can be heard on it any more, and only another process helps. */
  deaf(): Promise<void>;
  /** Takes no more. */
  stop(server: Server): Promise<void>;
}

interface LineOptions {
  config: Pick<Config, 'slack' | 'port'>;
  logger: BoltLogger;
  redisReady(): Promise<boolean>;
}

/** More than any payload of Slack's. */
const BODY_LIMIT = 1_000_000;
/** A peer that does not answer the close would hold us for 30 s. */
const CLOSE_WITHIN_MS = 3000;

export function createLine(options: LineOptions): Line {
  return options.config.slack.mode === 'socket' ? socketLine(options) : httpLine(options);
}

function socketLine({ config, logger, redisReady }: LineOptions): Line {
  const receiver = new SocketModeReceiver({
    appToken: config.slack.appToken,
    logger,
    installerOptions: {
      clientOptions: {
        ...(config.slack.apiUrl ? { slackApiUrl: config.slack.apiUrl } : {}),
        // Out of retries, the client ends in an unhandled rejection; its own waits grow to many minutes.
        retryConfig: { forever: true, factor: 1.5, minTimeout: 500, maxTimeout: 15_000 },
      },
    },
  });
  const watch = watchSocket(receiver.client, Date.now);
  const ready = async (): Promise<boolean> => watch.connected() && (await redisReady());
  return {
    receiver,
    start: async () => {
      const server = await serveHealthRoutes({ live: watch.alive, ready }, config.port);
      try {
        await receiver.start();
      } catch (error) {
        server.close();
        throw error;
      }
      return server;
    },
    deaf: watch.deaf,
    stop: async (server) => {
      const late = new Promise((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
      await Promise.race([receiver.client.disconnect(), late]);
      watch.stop();
      server.closeAllConnections();
      server.close();
    },
  };
}

function httpLine({ config, logger, redisReady }: LineOptions): Line {
  const receiver = new HTTPReceiver({
    signingSecret: config.slack.signingSecret,
    customRoutes: healthRoutes({ live: () => true, ready: redisReady }),
    bodyLimit: BODY_LIMIT,
    logger,
  });
  return {
    receiver,
    start: async () => (await receiver.start(config.port)) as Server,
    // Whoever calls us makes a connection of its own each time.
    deaf: () => new Promise(() => undefined),
    stop: () => receiver.stop(),
  };
}
