/** A client of the fake Slack's control port. */
import { WebSocket } from 'ws';
import {
  isObj,
  type Message,
  type Outcome,
  type Sight,
  type SlackChannel,
  type SlackUser,
} from '../slack/types.js';

export interface Workspace {
  teamId: string;
  users: SlackUser[];
  channels: SlackChannel[];
  bot: { userId: string; name: string };
}

export interface Client {
  workspace: Workspace;
  slash(user: string, channel: string, text: string): Promise<Outcome>;
  mention(user: string, channel: string, text: string): Promise<Outcome>;
  click(user: string, channel: string, ts: string, control: string): Promise<Outcome>;
  submit(user: string, view: string, values: Record<string, string>): Promise<Outcome>;
  closeView(user: string, view: string): Promise<void>;
  messages(user: string, channel: string): Promise<Message[]>;
  close(): void;
}

/** Connects and streams what the given users see. Rejects when nothing answers at `slackUrl`. */
export async function connectClient(
  slackUrl: string,
  users: readonly string[],
  onSight: (sight: Sight) => void,
  onGone: () => void,
): Promise<Client> {
  const base = `${slackUrl.replace(/\/$/, '')}/sandbox/`;
  const stream = new WebSocket(
    `${base.replace(/^http/, 'ws')}stream?${new URLSearchParams(users.map((user): [string, string] => ['user', user]))}`,
  );
  stream.on('message', (data) => onSight(JSON.parse(String(data)) as Sight));
  await new Promise<void>((resolve, reject) => {
    stream.once('open', resolve);
    stream.once('error', reject);
  });
  let closing = false;
  stream.on('close', () => {
    if (!closing) onGone();
  });
  stream.on('error', () => stream.terminate());

  return {
    workspace: await ask<Workspace>(base),
    slash: (user, channel, text) => ask(`${base}slash`, { user, channel, text }),
    mention: (user, channel, text) => ask(`${base}mention`, { user, channel, text }),
    click: (user, channel, ts, control) => ask(`${base}click`, { user, channel, ts, control }),
    submit: (user, view, values) => ask(`${base}submit`, { user, view, values }),
    closeView: async (user, view) => {
      await ask(`${base}close`, { user, view });
    },
    messages: (user, channel) => ask(`${base}messages?${new URLSearchParams({ user, channel })}`),
    close: () => {
      closing = true;
      stream.close();
    },
  };
}

/** Throws with the control port's own words when it refuses. */
async function ask<T>(url: string, body?: unknown): Promise<T> {
  const response = await fetch(
    url,
    body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  );
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(isObj(answer) ? String(answer['error']) : `HTTP ${response.status}`);
  return answer as T;
}
