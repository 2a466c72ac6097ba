/** Small parts of sentences. Pure. */
import type { Os } from '../node/node.js';

export function list(items: readonly string[]): string {
  const shown = items.length > 8 ? [...items.slice(0, 7), `${items.length - 7} more`] : items;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

export function anyOf(items: readonly string[]): string {
  return items.length > 8
    ? `${items.slice(0, 8).join(', ')} or another of them`
    : list(items).replace(/ and ([^,]*)$/, ' or $1');
}

export function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** `1 host`, `3 hosts`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `4 GiB`, `0.3 GiB`. */
export function gib(bytes: number): string {
  return `${Number((bytes / 1024 ** 3).toFixed(1))} GiB`;
}

/** `88.2 MB`, as file managers count. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function osName(os: Os): string {
  return os === 'linux' ? 'Linux' : 'Windows';
}

/** What was left out in the middle of a sentence. */
export function more(left: number): string {
  return `${left} more`;
}

/** The last line of a list that was cut, where nothing shows the rest. */
export function andMore(left: number): string {
  return `… and ${left} more`;
}

/** The last line of a list that was cut on a card. */
export function moreInDetails(left: number): string {
  return `… and ${left} more in *Details*.`;
}
