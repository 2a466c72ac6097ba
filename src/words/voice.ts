/** How a place writes things down: Slack for refusals, the console, and what is stored. Cards and replies use `mrkdwn.ts`. Pure. */

/** How a place writes things down: Slack has its own escapes and mentions, a terminal has none. */
export interface Voice {
  /** What somebody typed, or a command to type. */
  code(text: string): string;
  /** What a host or another system said. */
  quote(text: string): string;
  /** An actor or principal id. */
  who(id: string): string;
  /** An ISO instant. */
  when(iso: string): string;
}

const LONGEST_QUOTE = 200;

/** One line, short, with control characters made visible. */
function oneLine(text: string): string {
  const visible = text.replace(/\r?\n/g, '⏎').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '·');
  return visible.length > LONGEST_QUOTE ? `${visible.slice(0, LONGEST_QUOTE - 1)}…` : visible;
}

function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** `2026-11-23 12:00 UTC`. */
function readable(iso: string): string {
  return iso.replace('T', ' ').replace(/(:\d\d)(:\d\d(\.\d+)?)?Z$/, '$1 UTC');
}

/** Slack's mrkdwn: `&<>` escaped, and no back-tick that would end the code. */
export const slackVoice: Voice = {
  code: (text) => `\`${escapeSlack(oneLine(text)).replaceAll('`', 'ˋ')}\``,
  quote: (text) => escapeSlack(oneLine(text)),
  who: (id) => {
    const user = id.startsWith('console:') ? '' : (id.split(':').at(-1) ?? '');
    if (/^[UW][A-Z0-9]+$/.test(user)) return `<@${user}>`;
    if (/^S[A-Z0-9]+$/.test(user)) return `<!subteam^${user}>`;
    return slackVoice.code(id);
  },
  when: (iso) => `<!date^${Math.floor(Date.parse(iso) / 1000)}^{date_short_pretty} {time}|${readable(iso)}>`,
};

/** Plain text, for the console and the logs. */
export const plainVoice: Voice = {
  code: (text) => `\`${oneLine(text)}\``,
  quote: oneLine,
  who: (id) => id,
  when: readable,
};

/** For what is stored, and shown later in a place that escapes it itself: the only back-ticks are those of our code. */
export const storedVoice: Voice = {
  ...plainVoice,
  code: (text) => plainVoice.code(text.replaceAll('`', 'ˋ')),
  quote: (text) => plainVoice.quote(text.replaceAll('`', 'ˋ')),
};

/** For where everything stands as code, or as plain text in a file: no marks at all. */
export const bareVoice: Voice = { ...plainVoice, code: plainVoice.quote };
