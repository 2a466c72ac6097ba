/** What a Web API method answers, and what a message may hold. */
import { checkMessageBlocks } from './limits.js';
import { LIMIT, type Problem } from './numbers.js';
import type { Sockets } from './socket.js';
import { directChannel, isObj, type Metadata, type Obj, objects, str } from './types.js';
import { isChannel, violate, type World } from './world.js';

export interface Api {
  world: World;
  sockets: Sockets;
  /** `http://127.0.0.1:port`. */
  base: () => string;
}

export type Refusal = { ok: false; error: string; detail?: string };

/** `ok: true` with the result, or `ok: false` with Slack's error code. */
export type Answer = { ok: true; [key: string]: unknown } | Refusal;

export type Methods = Readonly<Record<string, (api: Api, args: Obj) => Answer>>;

export interface Checked {
  ok: true;
  text: string;
  blocks: Obj[];
  metadata?: Metadata | undefined;
}

/** Checks what a message may hold. `method` names it in the violations. */
export function contentOf(world: World, method: string, args: Obj): Checked | Refusal {
  const blocks = args['blocks'];
  const text = str(args['text']);
  if (blocks !== undefined) {
    const problem = checkMessageBlocks(blocks)[0];
    if (problem) return refused(problem);
  }
  if (text === '' && objects(blocks).length === 0) return no('no_text', 'neither text nor blocks');
  const metadata = args['metadata'];
  if (metadata !== undefined && !isMetadata(metadata))
    return no('invalid_metadata_format', 'event_type and event_payload are needed');
  if (text.length > LIMIT.messageText)
    violate(world, method, 'message_truncated', `text of ${text.length} characters, cut at 40,000`);
  else if (text.length > LIMIT.messageTextAdvised)
    violate(world, method, 'text_over_4000', `text of ${text.length} characters; 4,000 are advised`);
  return {
    ok: true,
    text: text.slice(0, LIMIT.messageText),
    blocks: objects(blocks),
    ...(metadata === undefined ? {} : { metadata: metadata as unknown as Metadata }),
  };
}

function isMetadata(value: unknown): boolean {
  if (!isObj(value)) return false;
  return (
    Object.keys(value).length === 0 || (str(value['event_type']) !== '' && isObj(value['event_payload']))
  );
}

/** Slack takes a channel's id, and for posting its name too, or a user's id for the direct messages with them. */
export function channelId(world: World, value: unknown): string | undefined {
  if (isChannel(world, str(value))) return isHidden(world, value) ? undefined : str(value);
  const direct = world.options.users.find((each) => each.id === value);
  if (direct) return directChannel(direct.id);
  const name = str(value).replace(/^#/, '');
  const named = world.options.channels.find((each) => each.name === name)?.id;
  return isHidden(world, named) ? undefined : named;
}

function isHidden(world: World, channel: unknown): boolean {
  return world.options.channels.some(({ id, botIsOut }) => id === channel && botIsOut === 'private');
}

/** False where the bot was never invited. */
export function isMember(world: World, channel: string): boolean {
  return !world.options.channels.some(({ id, botIsOut }) => id === channel && botIsOut !== undefined);
}

export function no(error: string, detail: string): Refusal {
  return { ok: false, error, detail };
}

export function refused(problem: Problem): Refusal {
  return no(problem.error, problem.detail);
}
