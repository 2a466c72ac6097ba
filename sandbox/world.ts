/** The sandbox's parts, started in order and put away in reverse. The end-to-end tests run on it too. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApiServer } from './kube/api-server.js';
import { type Program, startProgram } from './program.js';
import { startRedis } from './redis/start.js';
import { type FakeSlack, startFakeSlack } from './slack/server.js';
import type { RateLimits } from './slack/types.js';
import { closedSshConfig } from './ssh-config.js';

/** The guide's three hosts in its order, then spare ones to add. */
export const HOSTS = [
  { name: 'lin01', os: 'linux', address: '10.0.0.4' },
  { name: 'win01', os: 'windows', address: '10.0.0.5' },
  { name: 'win02', os: 'windows', address: '10.0.0.6' },
  { name: 'win03', os: 'windows', address: '10.0.0.7' },
  { name: 'lin02', os: 'linux', address: '10.0.0.8' },
  { name: 'lin03', os: 'linux', address: '10.0.0.9' },
] as const;

export const ALICE = 'UALICE';
export const BOB = 'UBOB';
export const CHANNEL = 'COPS';
const SECRETS = {
  botToken: 'xoxb-sandbox',
  appToken: 'xapp-sandbox',
  signingSecret: 'c0ffee00c0ffee00c0ffee00',
};

export interface WorldOptions {
  /** What `ssh` would be told: its configuration file and key. */
  ssh: { sshConfigFile: string; keyFile: string };
  workers?: number;
  /** Over the sandbox's own environment. */
  env?: Readonly<Record<string, string>>;
  redisUrl?: string;
  rateLimits?: Partial<RateLimits>;
  channels?: readonly { id: string; name: string }[];
}

export interface World {
  slack: FakeSlack;
  redis: { url: string; kind: string };
  workDir: string;
  logFile: string;
  env: Readonly<Record<string, string>>;
  /** Ids of the fake workspace's channels. */
  channels: readonly string[];
  bot: Program;
  workers: Program[];
  startBot(): Promise<Program>;
  startWorker(): Program;
  close(): Promise<void>;
}

/** Starts Redis, a fake Slack, the bot and its workers. `putAway` is called in reverse order by `close`. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const putAway: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const away of putAway.splice(0).reverse()) await away();
  };
  try {
    const workDir = await mkdtemp(join(tmpdir(), 'fairway-'));
    putAway.push(() => rm(workDir, { recursive: true, force: true }));
    const sshConfigFile = join(workDir, 'ssh_config');
    const { sshConfigFile: given } = options.ssh;
    await writeFile(sshConfigFile, closedSshConfig(given, await readFile(given, 'utf8')));
    const redis = options.redisUrl
      ? { url: options.redisUrl, kind: 'url', close: async () => undefined }
      : await startRedis();
    putAway.push(() => redis.close());
    const channels = options.channels ?? [
      { id: CHANNEL, name: 'ops' },
      { id: 'CSETUP', name: 'setup' },
    ];
    const slack = await startFakeSlack({
      ...SECRETS,
      teamId: 'TSANDBOX',
      users: [
        { id: ALICE, name: 'alice' },
        { id: BOB, name: 'bob' },
        { id: 'UCAROL', name: 'carol' },
        { id: 'UDAVE', name: 'dave' },
        { id: 'UEVE', name: 'eve' },
      ],
      channels,
      ...(options.rateLimits ? { rateLimits: options.rateLimits } : {}),
    });
    putAway.push(() => slack.close());
    const api = await startApiServer();
    putAway.push(() => api.close());
    const env = {
      REDIS_URL: redis.url,
      REDIS_PREFIX: `{sandbox-${process.pid}-${Date.now() % 100_000}}`,
      SLACK_MODE: 'socket',
      SLACK_API_URL: slack.apiUrl,
      SLACK_BOT_TOKEN: SECRETS.botToken,
      SLACK_APP_TOKEN: SECRETS.appToken,
      SLACK_CHANNEL: CHANNEL,
      PORT: '0',
      // Whoever tries it out does not want to wait.
      PROBE_EVERY: '5s',
      CLUSTER_NAME: 'sandbox',
      CLUSTER_CIDR: '192.168.0.0/16',
      SERVICE_CIDR: '10.96.0.0/16',
      KUBERNETES_VERSION: '1.5',
      API_SERVER: `http://127.0.0.1:${api.port}`,
      SSH_CONFIG_FILE: sshConfigFile,
      SSH_PRIVATE_KEY_FILE: options.ssh.keyFile,
      OPERATORS: ALICE,
      APPROVERS: BOB,
      ...options.env,
    };
    const logFile = join(workDir, 'fairway.log');
    const workers: Program[] = [];
    const startWorker = (): Program => {
      const worker = startProgram('workers/main.ts', env, logFile);
      workers.push(worker);
      putAway.push(() => worker.stop());
      return worker;
    };
    const startBot = async (): Promise<Program> => {
      const before = slack.connections();
      const bot = startProgram('src/main.ts', env, logFile);
      putAway.push(() => bot.stop());
      await connected(slack, before, bot, logFile);
      return bot;
    };
    for (let count = options.workers ?? 2; count > 0; count -= 1) startWorker();
    const bot = await startBot();
    return {
      slack,
      redis,
      workDir,
      logFile,
      env,
      channels: channels.map((channel) => channel.id),
      bot,
      workers,
      startBot,
      startWorker,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const START_MS = 60_000;

async function connected(slack: FakeSlack, before: number, bot: Program, logFile: string): Promise<void> {
  const until = Date.now() + START_MS;
  while (slack.connections() <= before) {
    if (bot.child.exitCode !== null || Date.now() > until)
      throw new Error(`the bot did not start; see ${logFile}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
