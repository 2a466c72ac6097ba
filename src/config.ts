/** Configuration: the environment, checked as a whole. Every problem is named in one message. Pure. */
import { z } from 'zod';
import { crossChecks, usualDns } from './config-checks.js';
import { Environment, type Values } from './environment.js';
import type { Cidr, Ipv4 } from './ip.js';
import type { Window } from './time.js';

/** Which program reads it: each needs a part of the variables. */
export type Program = 'bot' | 'worker' | 'console';

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
    /** The address of the cluster's DNS service. */
    dns: Ipv4;
    nextHop: 'node-address' | 'pod-gateway';
    /** Without the `v`. */
    kubernetesVersion: string;
    apiServer: string;
    /** The transparent docker network of Windows nodes. */
    network: string;
    /** The bridge of Linux nodes. */
    bridge: string;
    /** Whether Windows nodes get Routing and Remote Access. */
    rras: 'required' | 'skip';
    pauseImage: string;
    /** Where kubelet and kube-proxy lie on Windows hosts. */
    executables: Readonly<Record<'kubelet' | 'kube-proxy', string>>;
  };
  ssh: {
    configFile?: string;
    privateKeyFile?: string;
    knownHostsFile?: string;
    agent?: string;
    user?: string;
  };
  build: {
    /** As ssh takes it. Absent: nothing can be built. */
    host?: string;
    /** The folder there that holds all of it. */
    dir: string;
    by: 'make' | 'go';
    source: string;
  };
  access: {
    viewers: readonly string[];
    operators: readonly string[];
    approvers: readonly string[];
    approvalsRequired: number;
    approveOwn: boolean;
  };
  watch: {
    /** How often every host is looked at. */
    everyMs: number;
    /** What is done by itself about a process that is down. */
    heal: 'report' | 'restart';
    /** `HH:MM`, UTC. */
    digestAt: string;
    maintenance: readonly Window[];
    /** Whose API server's events are listened to. */
    kubeconfigFile?: string;
  };
  approvalTtlMs: number;
  quarantineMs: number;
  /** What becomes of a difference that nobody asked about: a plan that waits for an approver, or one that this approves. */
  drift: 'report' | 'repair';
  /** How long what an absent host is owed is kept for it. */
  debtTtlMs: number;
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
      dns: values.CLUSTER_DNS ?? usualDns(values.SERVICE_CIDR),
      nextHop: values.NEXT_HOP,
      kubernetesVersion: values.KUBERNETES_VERSION,
      apiServer: values.API_SERVER,
      network: values.DOCKER_NETWORK,
      bridge: values.LINUX_BRIDGE,
      rras: values.RRAS,
      pauseImage: values.PAUSE_IMAGE,
      executables: { kubelet: values.WINDOWS_KUBELET, 'kube-proxy': values.WINDOWS_KUBE_PROXY },
    },
    ssh: {
      ...optional('configFile', values.SSH_CONFIG_FILE),
      ...optional('privateKeyFile', values.SSH_PRIVATE_KEY_FILE),
      ...optional('knownHostsFile', values.SSH_KNOWN_HOSTS_FILE),
      ...optional('agent', values.SSH_AUTH_SOCK),
      ...optional('user', values.SSH_USER),
    },
    build: {
      ...optional('host', values.BUILD_HOST),
      dir: values.BUILD_DIR,
      by: values.BUILD_WITH,
      source: values.BUILD_SOURCE,
    },
    access: {
      viewers: values.VIEWERS,
      operators: values.OPERATORS,
      approvers: values.APPROVERS,
      approvalsRequired: values.APPROVALS_REQUIRED,
      approveOwn: values.APPROVE_OWN,
    },
    watch: {
      everyMs: values.PROBE_EVERY,
      heal: values.HEAL,
      digestAt: values.DIGEST_AT,
      maintenance: values.MAINTENANCE,
      ...optional('kubeconfigFile', values.KUBECONFIG_FILE),
    },
    approvalTtlMs: values.APPROVAL_TTL,
    quarantineMs: values.QUARANTINE,
    drift: values.DRIFT,
    debtTtlMs: values.DEBT_TTL,
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
