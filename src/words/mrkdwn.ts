/** Text that people and hosts wrote, made harmless for Slack's mrkdwn. Pure. */

import { FAIRWAY, isPolicy } from '../principal.js';

/**
 * C0 and C1 controls (tab and newline aside), and the characters that reorder or hide text: an approver must see what runs.
 */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Replaces what can't be seen by `�`; CRLF becomes LF. */
export function visible(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/\r\n/g, '\n')
    .replace(UNSEEN, '\ufffd');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** How many characters a text takes inside JSON, which is what Slack's limit on a whole message seems to count. */
export function cost(text: string): number {
  return JSON.stringify(text).length - 2;
}

function clipped(text: string, limit: number, render: (character: string) => string): string {
  const parts: string[] = [];
  let used = 0;
  let fits = 0;
  for (const character of text) {
    const part = render(character);
    used += cost(part);
    if (used > limit) return `${parts.slice(0, fits).join('')}…`;
    parts.push(part);
    if (used < limit) fits = parts.length;
  }
  return parts.join('');
}

/** Text for the middle of a sentence: no mention, no link, no code mark survives. At most `limit` characters of JSON. */
export function plain(text: string, limit = 300): string {
  return clipped(oneLine(text), limit, (character) => (character === '`' ? 'ˋ' : escaped(character)));
}

/** A sentence of ours that was stored: as `plain`, but its back-ticks are code. */
export function stored(text: string, limit = 300): string {
  return clipped(oneLine(text), limit, escaped);
}

function oneLine(text: string): string {
  return visible(text).replace(/\s+/g, ' ').trim();
}

function escaped(character: string): string {
  return ENTITIES[character] ?? character;
}

/** Inline code. */
export function code(text: string, limit = 300): string {
  const inner = plain(text, limit);
  return inner === '' ? '' : `\`${inner}\``;
}

/** A code block. Nothing inside can close it: a run of three backticks is broken by zero-width spaces. At most `limit` characters of JSON. */
export function codeBlock(text: string, limit = 2500): string {
  const inner = visible(text)
    .replace(/\n+$/, '')
    .replace(/`(?=`)/g, '`\u200b');
  return `\`\`\`\n${clipped(inner, limit - 12, escaped)}\n\`\`\``;
}

/** A Slack user, a console login, a policy or Fairway itself, from an actor id (`team:user`, `console:login`, `policy:SETTING`, `fairway`). */
export function who(actorId: string): string {
  if (actorId === FAIRWAY) return 'Fairway';
  const [door = '', id = ''] = actorId.split(/:(.*)/s);
  if (isPolicy(actorId)) return `policy ${plain(id, 80)}`;
  if (door !== 'console' && /^[UW][A-Z0-9]{2,30}$/.test(id)) return `<@${id}>`;
  return door === 'console' ? `${plain(id, 80)} (console)` : plain(actorId, 80);
}

/** An instant in the reader's own time zone. */
export function when(iso: string): string {
  const seconds = Math.floor(Date.parse(iso) / 1000);
  if (!Number.isFinite(seconds)) return plain(iso, 40);
  return `<!date^${seconds}^{date_short_pretty} {time}|${iso.slice(0, 16).replace('T', ' ')} UTC>`;
}

/** An instant of today's, to the second, in the reader's own time zone. */
export function seconds(iso: string): string {
  const at = Math.floor(Date.parse(iso) / 1000);
  if (!Number.isFinite(at)) return plain(iso, 40);
  return `<!date^${at}^{time_secs}|${iso.slice(11, 19)} UTC>`;
}

/** As many of the items as fit in `limit` characters of JSON; `rest` says how many are left out. */
export function lines(
  items: readonly string[],
  limit: number,
  rest: (left: number) => string,
  glue = '\n',
): string {
  const kept: string[] = [];
  let room = limit - cost(rest(items.length)) - 2;
  for (const item of items) {
    room -= cost(item) + 2;
    if (room < 0) break;
    kept.push(item);
  }
  const left = items.length - kept.length;
  return [...kept, ...(left > 0 ? [rest(left)] : [])].join(glue);
}
