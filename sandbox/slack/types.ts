/** What the fake Slack holds and hands out, as plain data. */

import type { Obj } from '../../src/terminal/json.js';

export { isObj, type Obj, objects, str } from '../../src/terminal/json.js';

export interface SlackUser {
  id: string;
  name: string;
  /** Ids of the user groups that the user belongs to, such as `S0NETOPS`. */
  groups?: readonly string[];
  /** The workspace that Slack reports with what they do; the fake's own when absent. */
  teamId?: string;
  /** In an Enterprise Grid: every workspace that they belong to. */
  teams?: readonly string[];
}

export interface SlackChannel {
  id: string;
  name: string;
  /** The bot is no member. Of a private channel it knows nothing then; in a public one it may write (`chat:write.public`), but share no file. */
  botIsOut?: 'public' | 'private';
}

/** Budgets, as Slack states them (per workspace unless said otherwise). `false` switches one off, for a bench. */
export interface RateLimits {
  /** chat.postMessage, per channel: 1 a second with short bursts. */
  post: { perSecond: number; burst: number } | false;
  /** Other methods by tier, calls a minute: chat.update 50, usergroups.list 20, … Named methods override the tier's number. */
  perMinute: Readonly<Record<string, number>> | false;
}

export interface FakeSlackOptions {
  /** 0: any free one. */
  port?: number;
  signingSecret: string;
  users: readonly SlackUser[];
  channels: readonly SlackChannel[];
  botToken: string;
  appToken: string;
  teamId: string;
  /** The organization, when the workspace is part of an Enterprise Grid. */
  enterpriseId?: string;
  /** The bot's own user; also what `@name` mentions resolve to. */
  bot?: { userId: string; botId: string; appId: string; name: string };
  /** Request URL of an app that listens by HTTP; used while no socket is connected. `setAppUrl` sets it later. */
  appUrl?: string;
  rateLimits?: Partial<RateLimits>;
  /** Milliseconds an app has to acknowledge; 3000 at Slack. */
  ackTimeoutMs?: number;
  /** Milliseconds before each retry of an event that was not acknowledged; at Slack at once, 1 minute, 5 minutes. */
  eventRetryMs?: readonly number[];
  /** Methods that answer with an error, such as `missing_scope` or `plan_upgrade_required`. When absent, reading history is a missing scope. */
  refuse?: Readonly<Record<string, string>>;
  /** The slash command's "escape channels, users and links" switch of the app's manifest. */
  shouldEscape?: boolean;
  /** Types as a phone does: curly quotes and em dashes. */
  smartPunctuation?: boolean;
}

/** One thing that Slack would have refused, cut or complained about. */
export interface Violation {
  /** Milliseconds since the epoch. */
  at: number;
  /** Web API method, or `ack`, `response_url`, `socket`. */
  method: string;
  /** Slack's own error code. */
  error: string;
  detail: string;
}

export interface SlackFile {
  id: string;
  name: string;
  title: string;
  size: number;
  content: string;
}

export interface Metadata {
  event_type: string;
  event_payload: Obj;
}

/** One state of a message. */
export interface Version {
  /** Milliseconds since the epoch. */
  at: number;
  how: 'post' | 'edit' | 'delete';
  text: string;
  blocks: Obj[];
  metadata?: Metadata;
}

export interface Message {
  ts: string;
  channel: string;
  /** Slack user id of the author; the bot's for the app's own. */
  user: string;
  threadTs?: string;
  /** Only this user sees it. */
  ephemeralTo?: string;
  /** The act (see Outcome) that it answers, by the response_url or the acknowledgement. */
  answers?: string;
  text: string;
  blocks: Obj[];
  metadata?: Metadata;
  files: SlackFile[];
  deleted: boolean;
  /** Every state so far, oldest first; the last one is the current. */
  versions: Version[];
}

export interface View {
  id: string;
  hash: string;
  userId: string;
  rootId: string;
  previousId: string | null;
  /** The act (see Outcome) that it was opened for. */
  answers?: string;
  /** The view as the app sent it. */
  view: Obj;
  open: boolean;
}

/** Something that happened on a user's screen. */
export type Sight =
  | { type: 'message' | 'edit' | 'delete'; at: number; message: Message }
  /** A modal was opened, replaced or closed. */
  | { type: 'view'; at: number; view: View };

/** How a payload to the app went, and what its sender sees at once. */
export interface Outcome {
  ok: boolean;
  /** `operation_timeout`, `dispatch_failed`, or what Slack's client itself says. */
  error?: string;
  via: 'socket' | 'http' | 'none';
  /** Names what the person did: what the app answers to it says so. Mentions have no answer of their own. */
  act?: string;
  /** Milliseconds from sending to the acknowledgement, or to giving up. */
  latencyMs: number;
  /** The acknowledgement's body; undefined when it had none. */
  body?: unknown;
  /** HTTP only. */
  status?: number;
}

/** The id of the bot's direct messages with a user. */
export function directChannel(userId: string): string {
  return `D${userId.slice(1)}`;
}
