/** The workspace: messages, modals, files and one-time tickets, and everybody who waits for a change of them. */
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import {
  directChannel,
  type FakeSlackOptions,
  type Message,
  type Metadata,
  type Obj,
  type Sight,
  type SlackFile,
  type Version,
  type View,
  type Violation,
} from './types.js';

export interface Ticket {
  userId: string;
  /** Milliseconds since the epoch. */
  until: number;
  used: number;
  /** What a response_url belongs to. */
  channel: string;
  messageTs?: string;
  threadTs?: string;
  /** The modal that a click or submission came from. */
  viewId?: string;
  /** The act that a trigger_id was made for. */
  act?: string;
}

export interface World {
  options: FakeSlackOptions;
  bot: { userId: string; botId: string; appId: string; name: string };
  messages: Message[];
  views: View[];
  uploads: Map<string, { name: string; size: number; content: Buffer | null }>;
  /** Files that are shared in messages, by their id. */
  files: Map<string, { user: string; message: Message; file: SlackFile }>;
  triggers: Map<string, Ticket>;
  responseUrls: Map<string, Ticket>;
  violations: Violation[];
  sights: EventEmitter;
}

export interface Content {
  text: string;
  blocks: Obj[];
  metadata?: Metadata | undefined;
}

export function createWorld(options: FakeSlackOptions): World {
  const sights = new EventEmitter();
  sights.setMaxListeners(0);
  return {
    options,
    bot: options.bot ?? { userId: 'U0FAIRWAY', botId: 'B0FAIRWAY', appId: 'A0FAIRWAY', name: 'fairway' },
    messages: [],
    views: [],
    uploads: new Map(),
    files: new Map(),
    triggers: new Map(),
    responseUrls: new Map(),
    violations: [],
    sights,
  };
}

export function violate(world: World, method: string, error: string, detail: string): void {
  world.violations.push({ at: Date.now(), method, error, detail });
}

/** A short id with Slack's look. */
export function newId(prefix: string): string {
  return prefix + randomBytes(6).toString('hex').toUpperCase();
}

let lastTs = 0;
/** A message's `ts`: seconds with six decimals, never twice. */
export function newTs(): string {
  lastTs = Math.max(lastTs + 1, Date.now() * 1000);
  return `${Math.floor(lastTs / 1e6)}.${String(lastTs % 1e6).padStart(6, '0')}`;
}

export function findMessage(world: World, channel: string, ts: string): Message | undefined {
  return world.messages.find((each) => each.ts === ts && each.channel === channel);
}

export function post(
  world: World,
  message: {
    channel: string;
    user: string;
    threadTs?: string | undefined;
    ephemeralTo?: string | undefined;
    answers?: string | undefined;
    files?: SlackFile[];
  } & Content,
): Message {
  const stored: Message = {
    ts: newTs(),
    channel: message.channel,
    user: message.user,
    ...(message.threadTs ? { threadTs: message.threadTs } : {}),
    ...(message.ephemeralTo ? { ephemeralTo: message.ephemeralTo } : {}),
    ...(message.answers ? { answers: message.answers } : {}),
    text: '',
    blocks: [],
    files: message.files ?? [],
    deleted: false,
    versions: [],
  };
  write(stored, 'post', message);
  world.messages.push(stored);
  for (const file of stored.files) world.files.set(file.id, { user: stored.user, message: stored, file });
  show(world, { type: 'message', at: Date.now(), message: stored });
  return stored;
}

/** Replaces a message's content. Absent metadata keeps the old one; `{}` removes it, as at Slack. */
export function edit(world: World, message: Message, content: Content): void {
  write(message, 'edit', { ...content, metadata: content.metadata ?? message.metadata });
  show(world, { type: 'edit', at: Date.now(), message });
}

export function remove(world: World, message: Message): void {
  write(message, 'delete', { text: '', blocks: [] });
  message.deleted = true;
  show(world, { type: 'delete', at: Date.now(), message });
}

function write(message: Message, how: Version['how'], content: Content): void {
  message.text = content.text;
  message.blocks = identified(content.blocks);
  delete message.metadata;
  if (content.metadata?.event_type) message.metadata = content.metadata;
  message.versions.push({
    at: Date.now(),
    how,
    text: message.text,
    blocks: message.blocks,
    ...(message.metadata ? { metadata: message.metadata } : {}),
  });
}

/** Slack names blocks and actions that the app left without an id. */
function identified(blocks: Obj[]): Obj[] {
  const withAction = (element: unknown): unknown =>
    typeof element === 'object' && element !== null && 'type' in element && element.type === 'button'
      ? { action_id: newId(''), ...element }
      : element;
  return blocks.map((block) => ({
    ...block,
    block_id: block['block_id'] ?? newId('').slice(0, 5),
    ...(block['type'] === 'actions' && Array.isArray(block['elements'])
      ? { elements: block['elements'].map(withAction) }
      : {}),
    ...(block['accessory'] === undefined ? {} : { accessory: withAction(block['accessory']) }),
  }));
}

export function show(world: World, sight: Sight): void {
  world.sights.emit('sight', sight);
}

export function storeView(
  world: World,
  userId: string,
  sent: Obj,
  below: View | null,
  answers = below?.answers,
): View {
  const id = newId('V');
  const view: View = {
    id,
    hash: newId(''),
    userId,
    rootId: below?.rootId ?? id,
    previousId: below?.id ?? null,
    ...(answers ? { answers } : {}),
    view: sent,
    open: true,
  };
  world.views.push(view);
  show(world, { type: 'view', at: Date.now(), view });
  return view;
}

export function replaceView(world: World, view: View, sent: Obj): void {
  view.view = sent;
  view.hash = newId('');
  show(world, { type: 'view', at: Date.now(), view });
}

/** The user that a direct channel belongs to; undefined for every other channel. */
function directUser(world: World, channel: string): string | undefined {
  return world.options.users.find((user) => directChannel(user.id) === channel)?.id;
}

export function isChannel(world: World, channel: string): boolean {
  return (
    world.options.channels.some((each) => each.id === channel) || directUser(world, channel) !== undefined
  );
}

/** What one user sees of a channel, oldest first. */
export function visible(world: World, userId: string, channel: string): Message[] {
  return world.messages.filter(
    (each) => each.channel === channel && !each.deleted && maySee(world, each, userId),
  );
}

export function maySee(world: World, message: Message, userId: string): boolean {
  const only = message.ephemeralTo ?? directUser(world, message.channel);
  return only === undefined || only === userId;
}

/** Resolves with the first message, present or to come, that fits. Rejects after `timeoutMs`, saying what is there. */
export function waitForMessage(
  world: World,
  fits: (message: Message) => boolean,
  timeoutMs: number,
): Promise<Message> {
  const there = world.messages.find((each) => !each.deleted && fits(each));
  if (there) return Promise.resolve(there);
  return new Promise((resolve, reject) => {
    const onSight = (sight: Sight): void => {
      if (sight.type === 'view' || sight.message.deleted || !fits(sight.message)) return;
      stop();
      resolve(sight.message);
    };
    const timer = setTimeout(() => {
      stop();
      const seen = world.messages.slice(-5).map((each) => `  ${each.ts} ${each.text.slice(0, 100)}`);
      reject(new Error(`no such message within ${timeoutMs} ms; the last ones:\n${seen.join('\n')}`));
    }, timeoutMs);
    const stop = (): void => {
      clearTimeout(timer);
      world.sights.off('sight', onSight);
    };
    world.sights.on('sight', onSight);
  });
}
