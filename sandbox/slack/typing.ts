/** What Slack makes of the text that a person typed, before an app sees it. Pure. */
import type { SlackChannel, SlackUser } from './types.js';

export interface Directory {
  users: readonly SlackUser[];
  channels: readonly SlackChannel[];
  bot: { userId: string; name: string };
}

/** `&`, `<` and `>` always travel as entities. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Phones and macOS replace straight quotes and double dashes while one types. */
export function smartPunctuation(text: string): string {
  return text
    .replace(/(^|[\s([])"/g, '$1“')
    .replaceAll('"', '”')
    .replace(/(^|[\s([])'/g, '$1‘')
    .replaceAll("'", '’')
    .replaceAll('--', '—');
}

/**
 * A channel message: links, host names with a dot and e-mail addresses become `<…|…>`, @names and #channels become ids.
 * Bare IPv4 addresses stay as they are.
 */
export function messageText(text: string, directory: Directory): string {
  return escapeText(text)
    .split(/(\s+)/)
    .map((word) => link(mention(word, directory)))
    .join('');
}

/** A slash command's text with the manifest's `should_escape` on: as a message, but mentions carry the name too. */
export function escapedCommandText(text: string, directory: Directory): string {
  return escapeText(text)
    .split(/(\s+)/)
    .map((word) => link(mention(word, directory, true)))
    .join('');
}

function mention(word: string, directory: Directory, named = false): string {
  const name = word.slice(1).toLowerCase();
  if (word.startsWith('@')) {
    if (name === directory.bot.name.toLowerCase()) return `<@${directory.bot.userId}>`;
    const user = directory.users.find((each) => each.name.toLowerCase() === name);
    return user ? `<@${user.id}${named ? `|${user.name}` : ''}>` : word;
  }
  const channel = word.startsWith('#') && directory.channels.find((each) => each.name === name);
  return channel ? `<#${channel.id}|${named ? channel.name : ''}>` : word;
}

function link(word: string): string {
  if (word.startsWith('<')) return word;
  if (/^https?:\/\/\S+$/i.test(word)) return `<${word}>`;
  if (/^[\w.+-]+@[\w-]+(\.[\w-]+)+$/.test(word)) return `<mailto:${word}|${word}>`;
  return /^([a-z0-9-]+\.)+[a-z]{2,}$/i.test(word) ? `<http://${word}|${word}>` : word;
}
