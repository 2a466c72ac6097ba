/** The checks that Slack's block and element schemas are made of. Pure. */
import { isObj, type Obj } from './types.js';

/** Tells what is wrong at a path below the root that is checked. */
export type Report = (path: string, text: string) => void;

export function plainText(value: unknown, path: string, most: number, report: Report): void {
  if (!isObj(value) || value['type'] !== 'plain_text') report(path, 'must be a plain_text object');
  else required(value['text'], `${path}/text`, most, report);
}

export function anyText(value: unknown, path: string, most: number, report: Report): void {
  if (!isObj(value) || (value['type'] !== 'plain_text' && value['type'] !== 'mrkdwn'))
    report(path, 'must be a plain_text or mrkdwn object');
  else required(value['text'], `${path}/text`, most, report);
}

export function required(value: unknown, path: string, most: number, report: Report): void {
  if (typeof value !== 'string' || value === '') report(path, 'must be more than 0 characters');
  else atMost(value, path, most, report);
}

export function atMost(value: string, path: string, most: number, report: Report): void {
  if (value.length > most) report(path, `must be less than ${most + 1} characters`);
}

export function each(
  value: unknown,
  path: string,
  most: number,
  report: Report,
  check: (item: Obj, path: string) => void,
  least = 1,
): void {
  if (!Array.isArray(value) || value.length < least) {
    report(path, 'missing, or no items');
    return;
  }
  if (value.length > most) report(path, `no more than ${most} items allowed`);
  for (const [index, item] of value.entries()) {
    if (isObj(item)) check(item, `${path}/${index}`);
    else report(`${path}/${index}`, 'must be an object');
  }
}

/** The characters a reader sees: every `text` of every object in it. */
export function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + textLength(item), 0);
  if (!isObj(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, item]) => sum + (key === 'text' && typeof item === 'string' ? item.length : textLength(item)),
    0,
  );
}

export function pointer(root: string, path: string, text: string): string {
  return `${text} [json-pointer:${root}${path}]`;
}
