/** Queue names, payloads and job ids: the contract between the bot and the workers. Pure. */
import { z } from 'zod';
import { Component } from '../node/component.js';
import { Machine } from '../node/node.js';

export const QUEUE = {
  /** Planning, gating and moving changes on. */
  change: 'change',
  /** One job a host: read, apply what is approved, read again. */
  host: 'host',
  /** Looking at hosts, telling of incidents, restarting processes. */
  watch: 'watch',
  /** The Slack outbox: cards and replies. */
  notify: 'notify',
} as const;

/** Reads every host, then seals the plan or says why not. */
const PlanChange = z.strictObject({ name: z.literal('plan-change'), changeId: z.string() });

/** Looks at all approved and applying changes and moves each as far as it can go. Never two at once. */
const AdvanceChanges = z.strictObject({ name: z.literal('advance-changes') });

/** Asks for `advance-changes`, in case that an asking got lost. Scheduled. */
const SafetyNet = z.strictObject({ name: z.literal('safety-net') });

/** Ends a plan that nobody decided on in time. */
const ExpireChange = z.strictObject({ name: z.literal('expire-change'), changeId: z.string() });

/** Proves with packets what finished changes claim. */
const ProveChanges = z.strictObject({ name: z.literal('prove-changes') });

/** Tries hosts that are owed something. Scheduled. */
const PayDebts = z.strictObject({ name: z.literal('pay-debts') });

/** Where a command came from, which is where its answer goes. */
export const Origin = z.strictObject({
  channel: z.string(),
  thread: z.string().exactOptional(),
  /** The Slack user id without its team, for ephemeral answers. */
  user: z.string(),
  /** Slash commands and buttons: at most five answers within 30 minutes. */
  responseUrl: z.string().exactOptional(),
});
export type Origin = z.infer<typeof Origin>;

/** Reads hosts and answers with their routes. `node` absent: all of them; `origin` absent: somebody waits for the job's result. */
const ReadRoutes = z.strictObject({
  name: z.literal('read-routes'),
  node: z.string().exactOptional(),
  origin: Origin.exactOptional(),
});

/** Reads a host whole and answers with its checks. `node`: the member that it is. */
const CheckHost = z.strictObject({
  name: z.literal('check-host'),
  machine: Machine,
  node: z.string().exactOptional(),
  origin: Origin.exactOptional(),
});
export type CheckHost = z.infer<typeof CheckHost>;
/** Asks the API server how it is, and what it has. `origin` absent: somebody waits for the job's result. */
const CheckCluster = z.strictObject({ name: z.literal('check-cluster'), origin: Origin.exactOptional() });

/** Follows the chain of the audit log from its first record to its last, and answers with what it found. */
const VerifyAudit = z.strictObject({ name: z.literal('verify-audit'), origin: Origin });

export const ChangeJob = z.discriminatedUnion('name', [
  PlanChange,
  AdvanceChanges,
  SafetyNet,
  ExpireChange,
  ProveChanges,
  PayDebts,
  ReadRoutes,
  CheckHost,
  CheckCluster,
  VerifyAudit,
]);
export type ChangeJob = z.infer<typeof ChangeJob>;

export const SyncHost = z.strictObject({ name: z.literal('sync-host'), host: z.string() });
export type SyncHost = z.infer<typeof SyncHost>;

/** Spreads the looks at all hosts over the interval. Scheduled. */
const Sweep = z.strictObject({ name: z.literal('sweep') });
/** Looks at hosts: one request each. */
const Look = z.strictObject({ name: z.literal('look'), hosts: z.array(z.string()) });
/** Puts what nobody was told of on cards. Never two at once. */
const Tell = z.strictObject({ name: z.literal('tell') });
/** What differs and is not worth waking anybody, once a day. Scheduled. */
const DailyDigest = z.strictObject({ name: z.literal('digest') });
/** Starts, stops or restarts a process. `by`: actor id, or the policy. */
const Control = z.strictObject({
  name: z.literal('control'),
  host: z.string(),
  component: Component,
  action: z.enum(['start', 'stop', 'restart']),
  by: z.string(),
  origin: Origin.exactOptional(),
});
export type Control = z.infer<typeof Control>;
/** Fetches the last log lines of a process. `origin` absent: somebody waits for the job's result. */
const Logs = z.strictObject({
  name: z.literal('logs'),
  host: z.string(),
  component: Component,
  origin: Origin.exactOptional(),
});
export const WatchJob = z.discriminatedUnion('name', [Sweep, Look, Tell, DailyDigest, Control, Logs]);
export type WatchJob = z.infer<typeof WatchJob>;

/** Brings every copy of a change's card up to date. Level-triggered: it renders what is stored when it runs. */
const NotifyCard = z.strictObject({ name: z.literal('card'), changeId: z.string() });
/** The same for the card of incidents. */
const NotifyNotice = z.strictObject({ name: z.literal('notice'), noticeId: z.string() });
/** One answer to one person, rendered already (Slack's blocks with their text). */
const NotifyReply = z.strictObject({
  name: z.literal('reply'),
  origin: Origin,
  /** Only for the person, in a thread too. */
  quiet: z.boolean().exactOptional(),
  message: z.strictObject({ text: z.string(), blocks: z.array(z.record(z.string(), z.unknown())) }),
});
/** The whole plan, or all results, as one file in the card's thread. */
const NotifyFile = z.strictObject({ name: z.literal('file'), changeId: z.string(), origin: Origin });
/** A text as a file where somebody asked for it. */
const NotifyUpload = z.strictObject({
  name: z.literal('upload'),
  origin: Origin,
  fileName: z.string(),
  title: z.string(),
  comment: z.string(),
  content: z.string(),
});
/** The newest part of the audit log as a file where somebody asked for it. Read when it is sent: it would be long as a job. */
const NotifyAudit = z.strictObject({ name: z.literal('audit'), origin: Origin });
export const NotifyJob = z.discriminatedUnion('name', [
  NotifyCard,
  NotifyNotice,
  NotifyReply,
  NotifyFile,
  NotifyUpload,
  NotifyAudit,
]);
export type NotifyJob = z.infer<typeof NotifyJob>;
