/** Configuration: the environment, checked as a whole. Every problem is named in one message. Pure. */
import { z } from 'zod';
import { type Cidr, contains, overlaps, parseCidr, prefixLength } from './ip.js';
import { isGroup, PRINCIPAL, personOf } from './principal.js';

/** Which program reads it: each needs a part of the variables. */
export type Program = 'bot' | 'worker' | 'console';

const HOUR = 3_600_000;
/** Units of durations such as `90s`, `30m`, `2h`, `1d`, in ms. */
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: HOUR, d: 24 * HOUR };
/** A /16 of /32s. More slices than that are a typing error, and would make the search for a free one slow. */
const MOST_SLICE_BITS = 16;

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

function parseDuration(value: string): number | null {
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(value) ?? [];
  return UNITS[unit] === undefined ? null : Number(count) * UNITS[unit];
}

function parseUrl(protocols: readonly string[]) {
  return (value: string) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol) ? value : null;
}

const PRINCIPALS = 'Slack user ids (U…, W…), user group ids (S…) and console:<login>, with commas between';
const DURATION = 'a whole number with its unit, such as 90s, 30m, 2h or 1d';

function principals(takes: string, pattern = PRINCIPAL) {
  return listOf((item) => (pattern.test(item) ? item : null), takes);
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

  SSH_CONFIG_FILE: text(/\S/, 'a path').optional(),
  SSH_PRIVATE_KEY_FILE: text(/\S/, 'a path').optional(),
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

  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    .describe('trace, debug, info, warn, error or fatal')
    .default('info'),
  HOST_CONCURRENCY: whole(1, 1000).default(64),
});
type Values = z.output<typeof Environment>;
type Name = keyof Values;

/** The configuration, as the programs read it. Durations are in ms. What a program does not need may be `''`. */
export interface Config {
  redis: { url: string; prefix: string };
  slack: {
    mode: 'socket' | 'http';
    botToken: string;
    /** Socket Mode, bot only. */
    appToken: string;
    /** HTTP mode, bot only. */
    signingSecret: string;
    /** Another place than Slack's own, ending in `/`. */
    apiUrl?: string;
    /** Where notices go that belong to no command. */
    channel: string;
  };
  port: number;
  /** Absent: the worker answers no health checks. */
  workerPort?: number;
  cluster: {
    name: string;
    clusterCidr: Cidr;
    nodePrefixLength: number;
    reserved: readonly Cidr[];
    serviceCidr: Cidr;
    nextHop: 'node-address' | 'pod-gateway';
    /** Without the `v`. */
    kubernetesVersion: string;
    apiServer: string;
    /** The transparent docker network of Windows nodes. */
    network: string;
    /** The bridge of Linux nodes. */
    bridge: string;
  };
  ssh: { configFile?: string; privateKeyFile?: string; agent?: string; user?: string };
  access: {
    viewers: readonly string[];
    operators: readonly string[];
    approvers: readonly string[];
    approvalsRequired: number;
    approveOwn: boolean;
  };
  approvalTtlMs: number;
  quarantineMs: number;
  logLevel: string;
  hostConcurrency: number;
}

/** All problems of a configuration; the message lists them, one a line. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? 'One problem' : `${problems.length} problems`;
    super(
      `${count} in the configuration (.env.example explains every variable):\n${problems.map((line) => `- ${line}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Reads the environment for one program. Throws a ConfigError that names every problem; the result is frozen. */
export function parseConfig(
  env: Readonly<Record<string, string | undefined>>,
  program: Program = 'bot',
): Config {
  const { values, problems } = readAll(env, program);
  problems.push(...crossChecks(values));
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(toConfig(values as Values));
}

function readAll(env: Readonly<Record<string, string | undefined>>, program: Program) {
  const values: Partial<Values> = {};
  const problems: string[] = [];
  for (const [name, schema] of Object.entries(Environment.shape)) {
    const given = env[name]?.trim() || undefined;
    const result = schema.safeParse(given);
    if (result.success) Object.assign(values, { [name]: result.data });
    else if (given === undefined) problems.push(`${name} is not set: it takes ${takes(schema)}.`);
    else problems.push(`${name} is ${shown(given, schema)}: it takes ${takes(schema)}.`);
  }
  for (const name of alsoNeeded(values, program)) {
    if (!(env[name]?.trim() ?? ''))
      problems.push(`${name} is not set: it takes ${takes(Environment.shape[name])}.`);
  }
  return { values, problems };
}

/** Which of the optional variables this program can't do without. */
function alsoNeeded({ SLACK_MODE }: Partial<Values>, program: Program): Name[] {
  if (program === 'console') return [];
  if (program === 'worker') return ['SLACK_BOT_TOKEN', 'SLACK_CHANNEL'];
  return [
    'SLACK_BOT_TOKEN',
    'SLACK_CHANNEL',
    SLACK_MODE === 'http' ? 'SLACK_SIGNING_SECRET' : 'SLACK_APP_TOKEN',
  ];
}

/** What only shows when the values are seen together. A value that did not parse is `undefined` here, and was named before. */
function crossChecks(values: Partial<Values>): string[] {
  return [...addressProblems(values), ...approvalProblems(values)];
}

function addressProblems(values: Partial<Values>): string[] {
  const {
    CLUSTER_CIDR: cluster,
    NODE_PREFIX_LENGTH: length,
    SERVICE_CIDR: service,
    RESERVED_CIDRS: reserved,
  } = values;
  const problems: string[] = [];
  if (cluster === undefined) return problems;
  const clusterLength = prefixLength(cluster);
  const longest = Math.min(30, clusterLength + MOST_SLICE_BITS);
  if (length !== undefined && (length <= clusterLength || length > longest)) {
    problems.push(
      `NODE_PREFIX_LENGTH is ${length}: with the CLUSTER_CIDR ${cluster} it takes ${clusterLength + 1} to ${longest}.`,
    );
  }
  if (service !== undefined && overlaps(cluster, service)) {
    problems.push(
      `SERVICE_CIDR is ${service}, which overlaps the CLUSTER_CIDR ${cluster}: a service would have a pod's address. It takes the API server's --service-cluster-ip-range, outside the cluster's.`,
    );
  }
  for (const range of reserved ?? []) {
    if (contains(range, cluster))
      problems.push(`RESERVED_CIDRS has ${range}: that leaves nothing of ${cluster}.`);
    else if (!overlaps(range, cluster))
      problems.push(`RESERVED_CIDRS has ${range}: it takes parts of the CLUSTER_CIDR ${cluster}.`);
  }
  return problems;
}

function approvalProblems(values: Partial<Values>): string[] {
  const {
    APPROVERS: approvers,
    OPERATORS: operators,
    APPROVALS_REQUIRED: required,
    APPROVE_OWN: own,
  } = values;
  if (approvers === undefined) return [];
  if (approvers.length === 0) {
    return [
      `APPROVERS is not set: nobody could approve a change, so nothing could ever be done. It takes ${PRINCIPALS}.`,
    ];
  }
  // Who is in a user group is not known here, and a group may hold everybody that is needed.
  if (operators === undefined || required === undefined || approvers.some(isGroup)) return [];
  const persons = new Set(approvers.map(personOf));
  if (persons.size < required) {
    return [
      `APPROVALS_REQUIRED is ${required}, but APPROVERS names ${persons.size}: name more, or require fewer.`,
    ];
  }
  const othersMayAsk = operators.some((id) => !persons.has(personOf(id)));
  if (own === false && !othersMayAsk && persons.size === required) {
    return [
      `APPROVALS_REQUIRED is ${required}, but whoever asks is one of the ${persons.size} in APPROVERS and can't approve the own request: name another in APPROVERS or OPERATORS, or set APPROVE_OWN=true.`,
    ];
  }
  return [];
}

function toConfig(values: Values): Config {
  const optional = <K extends string, V>(key: K, value: V | undefined) =>
    (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
  return {
    redis: { url: values.REDIS_URL, prefix: values.REDIS_PREFIX },
    slack: {
      mode: values.SLACK_MODE,
      botToken: values.SLACK_BOT_TOKEN ?? '',
      appToken: values.SLACK_APP_TOKEN ?? '',
      signingSecret: values.SLACK_SIGNING_SECRET ?? '',
      ...optional('apiUrl', values.SLACK_API_URL?.replace(/\/*$/, '/')),
      channel: values.SLACK_CHANNEL ?? '',
    },
    port: values.PORT,
    ...optional('workerPort', values.WORKER_PORT),
    cluster: {
      name: values.CLUSTER_NAME,
      clusterCidr: values.CLUSTER_CIDR,
      nodePrefixLength: values.NODE_PREFIX_LENGTH,
      reserved: values.RESERVED_CIDRS,
      serviceCidr: values.SERVICE_CIDR,
      nextHop: values.NEXT_HOP,
      kubernetesVersion: values.KUBERNETES_VERSION,
      apiServer: values.API_SERVER,
      network: values.DOCKER_NETWORK,
      bridge: values.LINUX_BRIDGE,
    },
    ssh: {
      ...optional('configFile', values.SSH_CONFIG_FILE),
      ...optional('privateKeyFile', values.SSH_PRIVATE_KEY_FILE),
      ...optional('agent', values.SSH_AUTH_SOCK),
      ...optional('user', values.SSH_USER),
    },
    access: {
      viewers: values.VIEWERS,
      operators: values.OPERATORS,
      approvers: values.APPROVERS,
      approvalsRequired: values.APPROVALS_REQUIRED,
      approveOwn: values.APPROVE_OWN,
    },
    approvalTtlMs: values.APPROVAL_TTL,
    quarantineMs: values.QUARANTINE,
    logLevel: values.LOG_LEVEL,
    hostConcurrency: values.HOST_CONCURRENCY,
  };
}

/** The words for what a variable takes; wrappers such as `optional` keep them. */
function takes(schema: z.ZodType): string {
  return metaOf(schema).description ?? 'another value';
}

function metaOf(schema: z.ZodType): { description?: string; secret?: boolean } {
  const own = schema.meta() as { description?: string; secret?: boolean } | undefined;
  if (own?.description !== undefined) return own;
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? metaOf(schema.unwrap() as z.ZodType)
    : {};
}

function shown(value: string, schema: z.ZodType): string {
  return metaOf(schema).secret
    ? `something else (${value.length} characters, not shown)`
    : JSON.stringify(value);
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
