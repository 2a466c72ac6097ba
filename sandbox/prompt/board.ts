/** What the prompt knows of the workspace: messages, the changes their cards stand for, open forms. */
import { controls, findControl } from '../slack/controls.js';
import { directChannel, isObj, type Message, objects, type Sight, str, type View } from '../slack/types.js';

export interface Board {
  messages: Map<string, Message>;
  views: Map<string, View>;
}

/** States of a change in which something is still to come; `pending` waits for a person. */
const UNDERWAY = ['planning', 'pending', 'approved', 'applying', 'proving', 'rolling-back'];
const BAD_END = ['refused', 'failed', 'stale'];

export function createBoard(): Board {
  return { messages: new Map(), views: new Map() };
}

export function note(board: Board, sight: Sight): void {
  if (sight.type === 'view') {
    if (sight.view.open) board.views.set(sight.view.id, sight.view);
    else board.views.delete(sight.view.id);
  } else if (sight.type === 'delete') board.messages.delete(sight.message.ts);
  else board.messages.set(sight.message.ts, sight.message);
}

/** The change that a message is the card of: the bot names it in the message's metadata. */
export function changeOf(message: Message): { id: string; state: string } | null {
  if (message.metadata?.event_type !== 'fairway_change') return null;
  const { id, state } = message.metadata.event_payload;
  return { id: str(id), state: str(state) };
}

/** The newest card of a change. */
export function cardOf(board: Board, id: string): Message | undefined {
  return newestFirst(board).find((message) => changeOf(message)?.id.toLowerCase() === id.toLowerCase());
}

/** The changes whose cards were seen, the newest first. */
export function changeIds(board: Board): string[] {
  return newestFirst(board).flatMap((message) => changeOf(message)?.id ?? []);
}

/** The newest message, of that change if one is named, whose button one may click. */
export function withControl(
  board: Board,
  user: string,
  channel: string,
  control: string,
  id?: string,
): Message | undefined {
  return newestFirst(board).find(
    (message) =>
      (id === undefined
        ? [channel, directChannel(user)].includes(message.channel)
        : changeOf(message)?.id.toLowerCase() === id.toLowerCase()) &&
      (message.ephemeralTo === undefined || message.ephemeralTo === user) &&
      findControl(message.blocks, control) !== undefined,
  );
}

/** The labels that could be clicked instead. */
export function labels(board: Board, channel: string): string[] {
  const seen = newestFirst(board).filter((message) => message.channel === channel);
  return [...new Set(seen.flatMap((message) => controls(message.blocks).map((each) => each.label)))];
}

/** The code of the newest answer to a user that is nothing but that, below a line; as Slack's client copies it. */
export function copyable(board: Board, user: string): string | undefined {
  const answers = newestFirst(board).filter((message) => message.ephemeralTo === user);
  const codes = answers.flatMap((message) =>
    objects(message.blocks).flatMap((block) => {
      const text = isObj(block['text']) ? str(block['text']['text']) : '';
      return /^```\n([\s\S]*)\n```$/.exec(text)?.[1] ?? [];
    }),
  );
  return codes[0]?.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** The form that a user has open, the topmost. */
export function formOf(board: Board, user: string): View | undefined {
  return [...board.views.values()].findLast((view) => view.userId === user && view.view['type'] === 'modal');
}

export function isUnderway(state: string): boolean {
  return UNDERWAY.includes(state);
}

export function isBadEnd(state: string): boolean {
  return BAD_END.includes(state);
}

/**
 * True for an answer that says no. Bots mark it without a word: the first block's `block_id` starts with `refused`,
 * or the text starts with the no-entry sign; a change's own card says it with its state.
 */
export function isRefusal(message: Message): boolean {
  if (changeOf(message)?.state === 'refused') return true;
  const [first] = objects(message.blocks);
  if (first && str(first['block_id']).startsWith('refused')) return true;
  return message.ephemeralTo !== undefined && /^\s*(:no_entry(_sign)?:|⛔|🚫)/.test(message.text);
}

function newestFirst(board: Board): Message[] {
  return [...board.messages.values()].toSorted((a, b) => Number(b.ts) - Number(a.ts));
}
