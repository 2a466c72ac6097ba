import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { ConfigError, type Program, parseConfig } from '../src/config.js';
import { Environment } from '../src/environment.js';

const example = parseEnv(readFileSync('.env.example', 'utf8')) as Record<string, string>;
const secrets = {
  SLACK_BOT_TOKEN: 'xoxb-1-2-abc',
  SLACK_APP_TOKEN: 'xapp-1-A1-2-abc',
  SLACK_CHANNEL: 'C0123456',
  APPROVERS: 'U0APPROVER',
  OPERATORS: 'U0OPERATOR',
};
const valid = { ...example, ...secrets };

function problems(env: Record<string, string>, program?: Program): readonly string[] {
  try {
    parseConfig(env, program);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

describe('.env.example', () => {
  test('names every variable, and no other', () => {
    expect(new Set(Object.keys(example))).toEqual(new Set(Object.keys(Environment.shape)));
  });

  test('works once the secrets are filled in', () => {
    expect(parseConfig(valid)).toMatchObject({
      redis: { url: 'redis://127.0.0.1:6379', prefix: '{fairway}' },
      slack: { mode: 'socket', botToken: 'xoxb-1-2-abc', channel: 'C0123456' },
      cluster: {
        clusterCidr: '192.168.0.0/16',
        nodePrefixLength: 24,
        serviceCidr: '10.96.0.0/12',
        reserved: [],
      },
      access: { viewers: ['*'], operators: ['U0OPERATOR'], approvers: ['U0APPROVER'], approvalsRequired: 1 },
      approvalTtlMs: 1_800_000,
      quarantineMs: 3_600_000,
      drift: 'report',
      debtTtlMs: 604_800_000,
    });
  });

  test('shows the very defaults', () => {
    const shape: Record<string, { safeParse(value: unknown): { success: boolean } }> = Environment.shape;
    const withoutDefault = Object.keys(shape).filter((name) => !shape[name]?.safeParse(undefined).success);
    const all: Record<string, string> = valid;
    const needed = Object.fromEntries(
      [...withoutDefault, ...Object.keys(secrets)].map((name) => [name, all[name] ?? '']),
    );
    // `*` is a suggestion: unset, nobody is a viewer.
    expect(parseConfig({ ...needed, VIEWERS: '*' })).toEqual(parseConfig(valid));
    expect(parseConfig(needed).access.viewers).toEqual([]);
  });
});

test('names every problem in one message, with what was there and what works', () => {
  const broken = {
    ...valid,
    REDIS_URL: 'http://x',
    NODE_PREFIX_LENGTH: 'big',
    APPROVAL_TTL: '30',
    CLUSTER_NAME: '',
    APPROVERS: '',
  };
  const found = problems(broken);
  expect(found).toHaveLength(5);
  expect(found.map((line) => line.split(' ')[0])).toEqual([
    'REDIS_URL',
    'CLUSTER_NAME',
    'NODE_PREFIX_LENGTH',
    'APPROVAL_TTL',
    'APPROVERS',
  ]);
  expect(found).toContain('NODE_PREFIX_LENGTH is "big": it takes a whole number from 8 to 30.');
  expect(found).toContain('CLUSTER_NAME is not set: it takes letters, digits, dots, dashes and underscores.');
  expect(() => parseConfig(broken)).toThrow(found.join('\n- '));
});

test('an empty environment: what is missing is named, nothing else', () => {
  expect(problems({}).map((line) => line.split(' ')[0])).toEqual([
    'REDIS_URL',
    'CLUSTER_NAME',
    'SERVICE_CIDR',
    'KUBERNETES_VERSION',
    'API_SERVER',
    'SLACK_BOT_TOKEN',
    'SLACK_CHANNEL',
    'SLACK_APP_TOKEN',
    'APPROVERS',
  ]);
});

test.each<[name: string, value: string]>([
  ['REDIS_PREFIX', 'fairway'],
  ['SLACK_MODE', 'rtm'],
  ['SLACK_API_URL', 'slack.test'],
  ['SLACK_CHANNEL', '#ops'],
  ['PORT', '70000'],
  ['PORT', '3e3'],
  ['CLUSTER_CIDR', '192.168.0.1/16'],
  ['CLUSTER_CIDR', '192.168/16'],
  ['RESERVED_CIDRS', '192.168.0.0/24,10.7'],
  ['RESERVED_CIDRS', '10.0.0.0/24'],
  ['RESERVED_CIDRS', '192.168.0.0/16'],
  ['SERVICE_CIDR', '192.168.128.0/24'],
  ['CLUSTER_DNS', 'dns'],
  ['CLUSTER_DNS', '192.168.0.10'],
  ['CLUSTER_DNS', '10.96.0.1'],
  ['NODE_PREFIX_LENGTH', '16'],
  ['NODE_PREFIX_LENGTH', '31'],
  ['NEXT_HOP', 'gateway'],
  ['KUBERNETES_VERSION', 'latest'],
  ['API_SERVER', '10.0.0.1:8080'],
  ['DOCKER_NETWORK', 'a b'],
  ['LINUX_BRIDGE', 'a-name-too-long-for-linux'],
  ['SSH_USER', 'a;b'],
  ['VIEWERS', 'alice'],
  ['OPERATORS', '*'],
  ['APPROVERS', '*'],
  ['APPROVERS', 'U0APPROVER,@bob'],
  ['APPROVERS', 'console:'],
  ['APPROVALS_REQUIRED', '0'],
  ['APPROVALS_REQUIRED', '2'],
  ['APPROVE_OWN', 'yes'],
  ['QUARANTINE', '-1h'],
  ['DRIFT', 'heal'],
  ['DEBT_TTL', '0d'],
  ['LOG_LEVEL', 'loud'],
  ['HOST_CONCURRENCY', '0'],
])('%s=%s is one problem, and it is named', (name, value) => {
  const found = problems({ ...valid, [name]: value });
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(new RegExp(`^${name} `));
});

test('DNS has the tenth address of the services, unless another is named, or there is no tenth', () => {
  const dnsOf = (over: Record<string, string>) => parseConfig({ ...valid, ...over }).cluster.dns;
  expect(dnsOf({})).toBe('10.96.0.10');
  expect(dnsOf({ CLUSTER_DNS: '10.111.255.254' })).toBe('10.111.255.254');
  expect(problems({ ...valid, SERVICE_CIDR: '10.96.0.0/29' })).toEqual([
    expect.stringMatching(/^CLUSTER_DNS is not set/),
  ]);
  expect(dnsOf({ SERVICE_CIDR: '10.96.0.0/29', CLUSTER_DNS: '10.96.0.2' })).toBe('10.96.0.2');
});

test('a secret is never in the message', () => {
  const found = problems({
    ...valid,
    SLACK_BOT_TOKEN: 'xoxp-my-secret',
    SLACK_APP_TOKEN: 'my secret',
    REDIS_URL: 'reddis://:my-secret@host',
  });
  expect(found).toHaveLength(3);
  expect(found.join()).not.toMatch(/my.secret/);
});

describe('what each program needs', () => {
  const { SLACK_APP_TOKEN: _app, ...noAppToken } = valid;
  const { SLACK_BOT_TOKEN: _bot, SLACK_CHANNEL: _channel, ...noSlack } = noAppToken;

  test('the bot: an app token or, in http mode, a signing secret', () => {
    expect(problems(noAppToken)).toHaveLength(1);
    expect(problems({ ...noAppToken, SLACK_MODE: 'http' })).toEqual([
      "SLACK_SIGNING_SECRET is not set: it takes the app's signing secret.",
    ]);
    expect(problems({ ...noAppToken, SLACK_MODE: 'http', SLACK_SIGNING_SECRET: '0123456789abcdef' })).toEqual(
      [],
    );
  });

  test('a worker: no app token, no signing secret', () => {
    expect(problems(noAppToken, 'worker')).toEqual([]);
    expect(problems(noSlack, 'worker')).toHaveLength(2);
  });

  test('the console: nothing of Slack, but approvers all the same', () => {
    expect(problems(noSlack, 'console')).toEqual([]);
    expect(problems({ ...noSlack, APPROVERS: '' }, 'console')).toHaveLength(1);
  });
});

describe('approvals that could never be reached are a problem', () => {
  test.each<[why: string, env: Record<string, string>, count: number]>([
    ['two approvers for two, and somebody else asks', { APPROVERS: 'U01,U02', APPROVALS_REQUIRED: '2' }, 0],
    ['the only approver is the only one who can ask', { OPERATORS: '' }, 1],
    ['the same, named twice', { OPERATORS: 'U0APPROVER', APPROVERS: 'U0APPROVER, U0APPROVER' }, 1],
    [
      'the same, with and without the team',
      { OPERATORS: 'U0APPROVER', APPROVERS: 'U0APPROVER,T01:U0APPROVER' },
      1,
    ],
    ['the same, but the own request counts', { OPERATORS: '', APPROVE_OWN: 'true' }, 0],
    ['two approvers who approve each other', { OPERATORS: '', APPROVERS: 'U01,U02' }, 0],
    [
      'two approvers for two, and one of them asks',
      { OPERATORS: '', APPROVERS: 'U01,U02', APPROVALS_REQUIRED: '2' },
      1,
    ],
    ['a user group may hold enough', { OPERATORS: '', APPROVERS: 'S01', APPROVALS_REQUIRED: '3' }, 0],
  ])('%s', (_why, env, count) => {
    expect(problems({ ...valid, ...env })).toHaveLength(count);
  });
});

test('spaces are trimmed, versions and URLs made canonical, the result frozen', () => {
  const config = parseConfig({
    ...valid,
    KUBERNETES_VERSION: ' v1.31.2 ',
    SLACK_API_URL: 'http://127.0.0.1:4000/api',
    APPROVERS: ' T01:U02 , console:ops, ',
    WORKER_PORT: '0',
  });
  expect(config.cluster.kubernetesVersion).toBe('1.31.2');
  expect(config.slack.apiUrl).toBe('http://127.0.0.1:4000/api/');
  expect(config.access.approvers).toEqual(['T01:U02', 'console:ops']);
  expect(config.workerPort).toBe(0);
  expect(() => Object.assign(config.cluster, { clusterCidr: '0.0.0.0/0' })).toThrow(TypeError);
  expect(() => Object.assign(config.access.approvers, ['*'])).toThrow(TypeError);
});
