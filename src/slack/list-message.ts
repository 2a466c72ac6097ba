/** A list of lines as a message that Slack takes, however long it is. Pure. */
import { cost } from '../words/mrkdwn.js';
import { type Block, context, type Message, section } from './blocks.js';

/** Sections of at most this many characters of JSON, so that a long list keeps under Slack's 3000. */
export const PART = 2600;
const PARTS = 3;

/** `rest` says how many lines are left out, `empty` what stands in place of none. */
export function list(
  head: string,
  items: readonly string[],
  rest: (left: number) => string,
  empty: string,
): Message {
  if (items.length === 0) {
    const whole = empty === '' ? head : `${head}\n${empty}`;
    return { text: whole, blocks: [section(whole)] };
  }
  const { parts, shown } = fill(head, items);
  const blocks: Block[] = parts.map((part) => section(part.join('\n')));
  if (shown < items.length) blocks.push(context(rest(items.length - shown)));
  return { text: head, blocks };
}

/** Whether some of the lines are left out. */
export function isCut(head: string, items: readonly string[]): boolean {
  return fill(head, items).shown < items.length;
}

function fill(head: string, items: readonly string[]): { parts: string[][]; shown: number } {
  const parts: string[][] = [[head]];
  let used = cost(head);
  let shown = 0;
  for (const item of items) {
    used += cost(item) + 2;
    if (used > PART) {
      if (parts.length === PARTS) break;
      parts.push([]);
      used = cost(item) + 2;
    }
    parts.at(-1)?.push(item);
    shown += 1;
  }
  return { parts, shown };
}
