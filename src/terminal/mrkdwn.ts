/** Slack's mrkdwn as terminal text. Pure. */

export type Style = 'bold' | 'dim' | 'italic' | 'code' | 'link' | 'good' | 'bad' | 'warn';

export interface Look {
  colour: boolean;
  /** The name of a Slack user id; undefined shows the id. */
  userName: (id: string) => string | undefined;
}

const CODES: Readonly<Record<Style, string>> = {
  bold: '1',
  dim: '2',
  italic: '3',
  code: '36',
  link: '34',
  good: '32',
  bad: '31',
  warn: '33',
};

/** Colours a text, where colours are wanted. */
export function paint(text: string, style: Style, look: Look): string {
  return look.colour && text !== '' ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
}

/** The few emoji that cards use. Others stay `:name:`. */
const EMOJI: Readonly<Record<string, string>> = {
  white_check_mark: '✅',
  heavy_check_mark: '✔',
  x: '❌',
  no_entry: '⛔',
  no_entry_sign: '🚫',
  warning: '⚠',
  hourglass: '⌛',
  hourglass_flowing_sand: '⏳',
  question: '❓',
  grey_question: '❔',
  information_source: 'ℹ',
  rotating_light: '🚨',
  lock: '🔒',
  arrows_counterclockwise: '🔄',
  leftwards_arrow_with_hook: '↩',
  white_circle: '⚪',
  large_blue_circle: '🔵',
  large_green_circle: '🟢',
  large_yellow_circle: '🟡',
  red_circle: '🔴',
  eyes: '👀',
  bulb: '💡',
  zzz: '💤',
  wastebasket: '🗑',
  clipboard: '📋',
  memo: '📝',
  page_facing_up: '📄',
  key: '🔑',
};

export function emoji(text: string): string {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name: string) => EMOJI[name] ?? whole);
}

/** Undoes Slack's three entities; `&` last, so that `&amp;lt;` stays `&lt;`. */
function unescapeText(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

export interface Piece {
  kind: 'text' | 'code';
  text: string;
}

/** Splits off the ``` blocks, which are not formatted and not wrapped. */
export function pieces(text: string): Piece[] {
  return text
    .split('```')
    .map(
      (part, index): Piece =>
        index % 2 === 0
          ? { kind: 'text', text: part.replace(/^\n|\n$/g, '') }
          : { kind: 'code', text: unescapeText(part).replace(/^\n|\n$/g, '') },
    )
    .filter((piece) => piece.text !== '');
}

/**
 * Inline formatting: bold, italic, strike, code, links, mentions, emoji. Marks vanish; colours show them where wanted. Without colours
 * the back-ticks stay: a command would run into its sentence.
 */
export function inline(text: string, look: Look): string {
  return text
    .split(/(`[^`\n]+`)/)
    .map((part) =>
      /^`[^`\n]+`$/.test(part)
        ? inlineCode(unescapeText(references(part.slice(1, -1), look, false)), look)
        : unescapeText(emphasis(emoji(references(part, look, true)), look)),
    )
    .join('');
}

/** A command or a name within a sentence. */
export function inlineCode(text: string, look: Look): string {
  return look.colour ? paint(text, 'code', look) : `\`${text}\``;
}

function emphasis(text: string, look: Look): string {
  return text
    .replace(
      /(^|[\s(.,:;—–-])\*([^*\n]+)\*(?=$|[\s).,:;!?—–-])/g,
      (_, before: string, inner: string) => before + paint(inner, 'bold', look),
    )
    .replace(
      /(^|[\s(])_([^_\n]+)_(?=$|[\s).,:;!?])/g,
      (_, before: string, inner: string) => before + paint(inner, 'italic', look),
    )
    .replace(/(^|[\s(])~([^~\n]+)~(?=$|[\s).,:;!?])/g, (_, before: string, inner: string) => before + inner);
}

/** `<@U1>`, `<#C1|name>`, `<!here>`, `<!date^…|fallback>`, `<url|label>`. */
function references(text: string, look: Look, colours: boolean): string {
  const tint = (shown: string, style: Style): string => (colours ? paint(shown, style, look) : shown);
  return text.replace(/<([^<>\s][^<>]*)>/g, (_, inside: string) => {
    const [target = '', label] = inside.split('|');
    if (target.startsWith('@'))
      return tint(`@${label ?? look.userName(target.slice(1)) ?? target.slice(1)}`, 'link');
    if (target.startsWith('#')) return tint(`#${label || target.slice(1)}`, 'link');
    if (target.startsWith('!date')) return label ?? '';
    if (target.startsWith('!subteam^'))
      return tint(`@${label?.replace(/^@/, '') ?? target.slice(9)}`, 'link');
    if (target.startsWith('!')) return tint(`@${target.slice(1)}`, 'link');
    const address = target.replace(/^mailto:/, '');
    const same = label === undefined || address === label || address === `http://${label}`;
    return same ? tint(label ?? address, 'link') : `${tint(label, 'link')} (${address})`;
  });
}
