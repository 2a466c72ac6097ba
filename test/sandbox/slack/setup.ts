/** A fake Slack, and a small real Bolt app that talks to it. */
import { App, HTTPReceiver, type Logger, LogLevel, SocketModeReceiver } from '@slack/bolt';
import { type FakeSlack, startFakeSlack } from '../../../sandbox/slack/server.js';
import type { FakeSlackOptions } from '../../../sandbox/slack/types.js';

export const WORKSPACE = {
  signingSecret: 'signing-secret',
  botToken: 'xoxb-fake',
  appToken: 'xapp-fake',
  teamId: 'T0FAKE',
  users: [
    { id: 'U0ALICE', name: 'alice', groups: ['S0OPS'] },
    { id: 'U0BOB', name: 'bob', groups: ['S0OPS', 'S0APPROVE'] },
  ],
  channels: [
    { id: 'C0NET', name: 'netops' },
    { id: 'C0ADS', name: 'ads' },
  ],
} as const satisfies FakeSlackOptions;

/** Many tests go wrong on purpose; what they assert on is what the fake saw. */
const QUIET: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  setLevel: () => {},
  getLevel: () => LogLevel.ERROR,
  setName: () => {},
};

export function startSlack(options: Partial<FakeSlackOptions> = {}): Promise<FakeSlack> {
  return startFakeSlack({ ...WORKSPACE, ...options });
}

export interface Running {
  app: App;
  stop(): Promise<void>;
}

/** A Bolt app over Socket Mode. `prepare` registers its listeners. */
export async function startSocketApp(slack: FakeSlack, prepare: (app: App) => void): Promise<Running> {
  const clientOptions = { slackApiUrl: slack.apiUrl, retryConfig: { retries: 1 }, logger: QUIET };
  const receiver = new SocketModeReceiver({
    appToken: WORKSPACE.appToken,
    logger: QUIET,
    installerOptions: { clientOptions },
  });
  const app = new App({
    receiver,
    token: WORKSPACE.botToken,
    logger: QUIET,
    clientOptions,
    deferInitialization: true,
  });
  prepare(app);
  await app.init();
  await app.start();
  return {
    app,
    stop: async () => {
      // Bolt's stop does not wait for the socket's close handshake.
      await receiver.client.disconnect();
    },
  };
}

/** A Bolt app over HTTP; the fake is told its address. */
export async function startHttpApp(slack: FakeSlack, prepare: (app: App) => void): Promise<Running> {
  const receiver = new HTTPReceiver({
    signingSecret: WORKSPACE.signingSecret,
    logger: QUIET,
  });
  const app = new App({
    receiver,
    token: WORKSPACE.botToken,
    logger: QUIET,
    clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 1 }, logger: QUIET },
    deferInitialization: true,
  });
  prepare(app);
  await app.init();
  const server = await receiver.start({ port: 0, host: '127.0.0.1' } as unknown as number);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  slack.setAppUrl(`http://127.0.0.1:${address.port}/slack/events`);
  return {
    app,
    stop: async () => {
      server.closeAllConnections();
      await receiver.stop();
    },
  };
}

/** Waits until `fits`, for at most `timeoutMs`. */
export async function until(fits: () => boolean, timeoutMs = 5000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!fits()) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
