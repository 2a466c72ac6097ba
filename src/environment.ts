/** The environment's variables: the form of each, and the words for what it takes. `.env.example` explains them. Pure. */
import { z } from 'zod';
import { parseCidr, parseIpv4 } from './ip.js';
import { PRINCIPAL } from './principal.js';
import { parseSource } from './source.js';
import { parseDuration, parseWindow } from './time.js';

const HOUR = 3_600_000;

/** One variable: its form, and `takes`, the words for what works. */
function text(pattern: RegExp, takes: string) {
  return z.string().regex(pattern).describe(takes);
}

function parsed<T>(parse: (value: string) => T | null, takes: string) {
  return z
    .string()
    .transform((value, context): T => {
      const result = parse(value);
      if (result === null) context.addIssue({ code: 'custom' });
      return result as T;
    })
    .describe(takes);
}

function whole(min: number, max: number) {
  const parse = (value: string) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : -1;
    return number >= min && number <= max ? number : null;
  };
  return parsed(parse, `a whole number from ${min} to ${max}`);
}

function listOf<T>(parse: (item: string) => T | null, takes: string) {
  const parseAll = (value: string): readonly T[] | null => {
    const items = value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    const all = items.map(parse).filter((item) => item !== null);
    return all.length === items.length ? Object.freeze([...new Set(all)]) : null;
  };
  return parsed(parseAll, takes);
}

function parseUrl(protocols: readonly string[]) {
  return (value: string) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol) ? value : null;
}

/** In words. */
export const PRINCIPALS =
  'Slack user ids (U…, W…; T…:U… for another workspace), user group ids (S…) and console:<login>, with commas between';
const DURATION = 'a whole number with its unit, such as 90s, 30m, 2h or 1d';

function principals(takes: string, pattern = PRINCIPAL) {
  return listOf((item) => (pattern.test(item) ? item : null), takes);
}

/** Of a Windows program: blanks and the like would have to be quoted in service managers' command lines. A probe knows it by its name. */
function executable(name: string) {
  return new RegExp(String.raw`^[A-Za-z]:(\\[A-Za-z0-9._-]{1,64}){0,8}\\${name}\.exe$`, 'i');
}

const cidr = parsed(parseCidr, 'a CIDR without host bits, such as 192.168.0.0/16');

/** Every variable there is; `.env.example` explains them. An empty one counts as not set. */
export const Environment = z.object({
  REDIS_URL: parsed(parseUrl(['redis:', 'rediss:']), 'a URL, redis://… or rediss://…').meta({ secret: true }),
  REDIS_PREFIX: text(/^\{[a-z0-9-]{1,40}\}$/, 'a name in braces, such as {fairway}').default('{fairway}'),

  SLACK_MODE: z.enum(['socket', 'http']).describe('socket or http').default('socket'),
  SLACK_BOT_TOKEN: text(/^xoxb-[A-Za-z0-9-]+$/, 'the bot token, xoxb-…')
    .meta({ secret: true })
    .optional(),
  SLACK_APP_TOKEN: text(/^xapp-[A-Za-z0-9-]+$/, 'the app-level token, xapp-…')
    .meta({ secret: true })
    .optional(),
  SLACK_SIGNING_SECRET: text(/^[A-Za-z0-9]{16,128}$/, "the app's signing secret")
    .meta({ secret: true })
    .optional(),
  SLACK_API_URL: parsed(parseUrl(['http:', 'https:']), 'a URL, http://… or https://…').optional(),
  SLACK_CHANNEL: text(
    /^[CGD][A-Z0-9]{2,}$/,
    'a channel id, C… (open the channel’s details; it is at the bottom)',
  ).optional(),

  PORT: whole(0, 65535).default(3000),
  WORKER_PORT: whole(0, 65535).optional(),

  CLUSTER_NAME: text(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dots, dashes and underscores'),
  CLUSTER_CIDR: cidr.default('192.168.0.0/16'),
  NODE_PREFIX_LENGTH: whole(8, 30).default(24),
  RESERVED_CIDRS: listOf(parseCidr, 'CIDRs without host bits, with commas between').default([]),
  SERVICE_CIDR: cidr,
  CLUSTER_DNS: parsed(parseIpv4, 'an IPv4 address in the SERVICE_CIDR, after its first').optional(),
  NEXT_HOP: z
    .enum(['node-address', 'pod-gateway'])
    .describe('node-address or pod-gateway')
    .default('node-address'),
  KUBERNETES_VERSION: parsed(
    (value) => /^v?([1-9]\d?\.\d{1,3}(\.\d{1,3})?)$/.exec(value)?.[1] ?? null,
    'a version such as 1.5 or 1.31.2',
  ),
  API_SERVER: parsed(parseUrl(['http:', 'https:']), 'a URL, such as https://10.0.0.1:6443'),
  DOCKER_NETWORK: text(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'a docker network name').default('transparent'),
  LINUX_BRIDGE: text(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/, 'a device name of at most 15 characters').default(
    'cbr0',
  ),
  RRAS: z.enum(['required', 'skip']).describe('required or skip').default('required'),
  PAUSE_IMAGE: text(/^[a-z0-9][a-z0-9._/:@-]{0,254}$/, 'an image, such as apprenda/pause').default(
    'apprenda/pause',
  ),
  WINDOWS_KUBELET: text(
    executable('kubelet'),
    'the full path of a kubelet.exe, such as C:\\k\\kubelet.exe',
  ).default('C:\\k\\kubelet.exe'),
  WINDOWS_KUBE_PROXY: text(
    executable('(kube-)?proxy'),
    'the full path of a kube-proxy.exe or proxy.exe, such as C:\\k\\kube-proxy.exe',
  ).default('C:\\k\\kube-proxy.exe'),

  BUILD_HOST: text(
    /^([A-Za-z_][A-Za-z0-9_.-]{0,31}@)?[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[1-9]\d{0,4})?$/,
    'a host as ssh takes it, such as builder or me@10.0.0.20:22',
  ).optional(),
  BUILD_DIR: text(/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}){1,8}$/, 'a full path in plain letters').default(
    '/var/tmp/fairway-build',
  ),
  BUILD_WITH: z.enum(['make', 'go']).describe('make or go').default('make'),
  BUILD_SOURCE: parsed(parseSource, "http(s)://…, ssh://…, or a folder of the build host's").default(
    'https://github.com/kubernetes/kubernetes',
  ),

  SSH_CONFIG_FILE: text(/\S/, 'a path').optional(),
  SSH_PRIVATE_KEY_FILE: text(/\S/, 'a path').optional(),
  SSH_KNOWN_HOSTS_FILE: text(/\S/, 'a path').optional(),
  SSH_AUTH_SOCK: text(/\S/, "the path of an SSH agent's socket").optional(),
  SSH_USER: text(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, 'a login name').optional(),

  VIEWERS: principals(`*, or ${PRINCIPALS}`, new RegExp(`^\\*$|${PRINCIPAL.source}`)).default([]),
  OPERATORS: principals(`${PRINCIPALS}; * is for VIEWERS only`).default([]),
  APPROVERS: principals(`${PRINCIPALS}; * is for VIEWERS only`).default([]),
  APPROVALS_REQUIRED: whole(1, 20).default(1),
  APPROVE_OWN: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .describe('true or false')
    .default(false),
  APPROVAL_TTL: parsed(parseDuration, DURATION).default(HOUR / 2),
  QUARANTINE: parsed(parseDuration, DURATION).default(HOUR),
  DRIFT: z.enum(['report', 'repair']).describe('report or repair').default('report'),
  DEBT_TTL: parsed(parseDuration, DURATION).default(7 * 24 * HOUR),

  KUBECONFIG_FILE: text(/\S/, 'a path').optional(),
  PROBE_EVERY: parsed(parseDuration, DURATION).default(30_000),
  HEAL: z.enum(['report', 'restart']).describe('report or restart').default('report'),
  MAINTENANCE: listOf(parseWindow, 'weekly windows in UTC, such as `sat 22:00-02:00`, or `daily 03:00-03:30`')
    .transform((windows) => windows.flat())
    .default([]),
  DIGEST_AT: text(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day in UTC, such as 08:00').default('08:00'),

  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    .describe('trace, debug, info, warn, error or fatal')
    .default('info'),
  HOST_CONCURRENCY: whole(1, 1000).default(64),
});

/** All variables, as they were read. */
export type Values = z.output<typeof Environment>;
