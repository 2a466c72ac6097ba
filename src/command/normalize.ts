/** Undoes what keyboards and Slack do to a typed command, before it is parsed (Q23). Pure. */

const SINGLE_QUOTES = /[\u2018\u2019\u201a\u201b\u2032\u00b4]/g;
const DOUBLE_QUOTES = /[\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb]/g;
/** Every Unicode blank but the newline: a name never gains or loses a line by being pasted. */
const BLANKS = /[\t\v\f\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+/g;
/** Soft hyphens, zero-width characters, marks of writing direction, variation selectors, byte order marks. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
/** Hyphens of one width, then the dashes that macOS makes of `--`. */
const HYPHENS = /[\u2010-\u2012\u2212\ufe58\ufe63\uff0d]/g;
const DASHES = /[\u2013-\u2015]/g;

/**
 * The command as its author meant it. Nothing is guessed: digits and letters of other scripts stay, for the parser to refuse.
 * `botUserId` is the bot's own Slack id; a mention of it in front is dropped (without it, whatever mention is in front).
 */
export function normalize(text: string, botUserId?: string): string {
  const plain = unmarked(text)
    .replace(INVISIBLE, '')
    .replace(SINGLE_QUOTES, "'")
    .replace(DOUBLE_QUOTES, '"')
    .replace(HYPHENS, '-')
    // At the start of a word a dash was `--`; within one it was a hyphen.
    .replace(/(^|\s)[\u2013-\u2015]/g, '$1--')
    .replace(DASHES, '-')
    .replace(BLANKS, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  return withoutTicks(withoutMention(withoutTicks(plain), botUserId));
}

/** A text of many lines as it was pasted: only Slack's own marks are undone, since its blanks mean something. */
export function unmarked(text: string): string {
  return decodeEntities(unlink(text));
}

/** Slack's own marks: `<http://win03|win03>` is what was typed as `win03`; `<@U1|ann>` is a person. */
function unlink(text: string): string {
  return text.replace(
    /<([^<>|\n]+)(?:\|([^<>\n]*))?>/g,
    (mark, target: string, label: string | undefined) => {
      const [, kind = '', id = ''] = /^([@#]|!subteam\^)([A-Z0-9]+)$/.exec(target) ?? [];
      if (id !== '') return kind === '#' ? `#${id}` : `@${id}`;
      if (target.startsWith('!')) return `@${target.slice(1)}`;
      const [, scheme = '', rest = ''] = /^(https?:\/\/|mailto:|tel:)(.*)$/.exec(target) ?? [];
      if (scheme === '') return mark;
      if (label !== undefined && label !== '') return label;
      return scheme.startsWith('http') ? target : rest;
    },
  );
}

/** One pass, so that `&amp;lt;` stays the text `&lt;` that was typed. */
function decodeEntities(text: string): string {
  const characters: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };
  return text.replace(/&(?:amp|lt|gt);/g, (entity) => characters[entity] ?? entity);
}

function withoutMention(text: string, botUserId: string | undefined): string {
  const [mention = '', name = ''] = /^@(\S+?)[:,]?(?=\s|$)/.exec(text) ?? [];
  const isBot =
    name.toLowerCase() === 'fairway' ||
    (botUserId === undefined ? /^[UW][A-Z0-9]+$/.test(name) : name === botUserId);
  return isBot ? text.slice(mention.length).trim() : text;
}

/** Back-ticks around the whole text, as people copy commands from the help. */
function withoutTicks(text: string): string {
  const inner = /^(`{1,3})([^`]+)\1$/.exec(text)?.[2];
  return inner === undefined ? text : inner.trim();
}
