/** YAML, and so JSON, as people write it down, with the line of everything in it. Pure. */
import {
  Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Range,
  type YAMLMap,
} from 'yaml';
import { Refusal } from '../errors.js';
import { checkShape, YamlError, type YamlLimits } from './shape.js';

export interface YamlText {
  /** Texts, arrays and plain objects: nothing is taken for a number, a date or a truth value. */
  value: unknown;
  /** The line, from 1, where the value under this path begins; of what is missing, where it would belong. */
  lineOf(path: readonly PropertyKey[]): number;
  /** Keys that stand twice in one map, and the line of the second. */
  twice: readonly { line: number; key: string; first: number }[];
  /** Whether a text without quotes begins with a typographic one, or has a blank in it that is none to YAML: it was meant as a sign. */
  isTyped: boolean;
}

type Documents = [YamlText, ...YamlText[]];

/**
 * Reads every document of a text that people pasted. Where keyboards and web pages have put theirs for YAML's signs, it is read with that
 * undone; within quotes and comments they may stand. Lines are those of the text in any case. `what`: whose Refusals are thrown,
 * `list-too-long` and `list-broken`, or `manifest-too-long` and `manifest-broken`.
 */
export function readPasted(text: string, limits: YamlLimits, what: 'list' | 'manifest'): Documents {
  const read = readEither(text, limits);
  if (!(read instanceof YamlError)) return read;
  const { fault } = read;
  if (fault.what === 'too-long') throw new Refusal(`${what}-too-long`, { most: limits.characters });
  const { what: _what, ...where } = fault;
  throw new Refusal(`${what}-broken`, where);
}

function readEither(text: string, limits: YamlLimits): Documents | YamlError {
  const asItStands = attempt(text, limits);
  if (isSure(asItStands)) return asItStands;
  const tabbed = tabbedLines(text);
  const undone = withoutTypography(tabbed.size > MOST_TABBED ? text : withoutTabs(text));
  if (undone === text) return asItStands;
  // Half as much, so that both take no longer than the limits are meant for.
  const { signs, values } = limits;
  const again = attempt(undone, { ...limits, signs: signs / 2, values: values / 2 }, tabbed);
  // Where neither can be read, what is wrong is told by the one that came further.
  const isBetter = !(again instanceof YamlError) || lineOfFault(again) > lineOfFault(asItStands);
  return isBetter ? again : asItStands;
}

function isSure(read: Documents | YamlError): boolean {
  return read instanceof YamlError ? read.fault.what === 'too-long' : read.every(({ isTyped }) => !isTyped);
}

/** How far a reading came; one that is whole, to the end. */
function lineOfFault(read: Documents | YamlError): number {
  if (!(read instanceof YamlError)) return Number.POSITIVE_INFINITY;
  return read.fault.what === 'broken' ? read.fault.line : 0;
}

function attempt(
  text: string,
  limits: YamlLimits,
  tabbed: ReadonlySet<number> = new Set(),
): Documents | YamlError {
  try {
    checkShape(text, limits, tabbed);
    return parsed(text, limits);
  } catch (error) {
    if (error instanceof YamlError) return error;
    throw error;
  }
}

function parsed(text: string, limits: YamlLimits): Documents {
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const documents = withoutStacks(() =>
    parseAllDocuments(text, {
      schema: 'failsafe',
      // Looked for below: here it would take time by the square.
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: lines,
      logLevel: 'silent',
    }),
  );
  const reading: Reading = { lineAt, levels: limits.levels, left: limits.signs };
  const read = (contents: unknown): YamlText => readDocument(contents, reading);
  const [first = read(null), ...more] = [...documents].map((document) => {
    const [error] = document.errors;
    if (error) throw new YamlError({ what: 'broken', line: lineAt(error.pos[0]), why: error.message });
    return read(document.contents);
  });
  return [first, ...more];
}

/** The parser makes an error of every sign that has no place, tens of thousands: what takes long is the stack of each. */
function withoutStacks<T>(parse: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parse();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

interface Reading {
  lineAt(offset: number): number;
  /** How deep values may nest, and how many there may still be: an alias stands for a copy, and copies of copies are many. */
  levels: number;
  left: number;
}

/** Turns one document's nodes into values. */
function readDocument(contents: unknown, reading: Reading): YamlText {
  const { lineAt } = reading;
  const starts = new Map<string, number>();
  const twice: YamlText['twice'][number][] = [];
  let isTyped = false;
  const anchors = new Map<string, Node>();

  function walk(node: Node | null | undefined, path: string, line: number, level: number): unknown {
    reading.left -= 1;
    if (reading.left < 0) throw new YamlError({ what: 'too-long' });
    if (level > reading.levels)
      throw new YamlError({ what: 'broken', line, got: path.split('/').at(-1) ?? '' });
    starts.set(path, line);
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (!target) throw new YamlError({ what: 'broken', line, got: `*${node.source}` });
      return walk(target, path, line, level + 1);
    }
    if (node && 'anchor' in node && node.anchor) anchors.set(node.anchor, node);
    if (isSeq<Node>(node))
      return node.items.map((item, index) =>
        walk(item, `${path}/${index}`, lineAt(startOf(item) ?? 0), level + 1),
      );
    if (isMap<Node, Node>(node)) return walkMap(node, path, level);
    return textOf(node);
  }

  function textOf(node: Node | null | undefined): string {
    if (!isScalar(node) || node.value === null) return '';
    const text = String(node.value);
    isTyped ||= node.type === 'PLAIN' && TYPED.test(text);
    return text;
  }

  function walkMap({ items }: YAMLMap<Node, Node>, path: string, level: number): object {
    const entries = new Map<string, unknown>();
    const merged: object[] = [];
    for (const { key, value } of items) {
      const name = textOf(key);
      const at = lineAt(startOf(key) ?? 0);
      const first = starts.get(`${path}/${name}`);
      if (entries.has(name) && first !== undefined) {
        twice.push({ line: at, key: name, first });
        continue;
      }
      const read = walk(value, `${path}/${name}`, at, level + 1);
      if (name !== MERGE || !isCopies(value)) {
        entries.set(name, read);
        continue;
      }
      // Of several the first goes before the others, and what stands here before all.
      const maps = (Array.isArray(read) ? read.toReversed() : [read]).filter(isObject);
      merged.push(...maps);
      for (const each of maps.flatMap(Object.keys)) if (!entries.has(each)) starts.set(`${path}/${each}`, at);
    }
    return Object.fromEntries([...merged.flatMap((map) => Object.entries(map)), ...entries]);
  }

  const node = contents as Node | null;
  const value = walk(node, '', lineAt(startOf(node) ?? 0), 0);
  const lineOf = (path: readonly PropertyKey[]): number =>
    starts.get(path.map((key) => `/${String(key)}`).join('')) ??
    (path.length === 0 ? 1 : lineOf(path.slice(0, -1)));
  return { value, lineOf, twice, isTyped };
}

/** YAML 1.1's way to put another map's keys into this one; kubectl knows it. */
const MERGE = '<<';

function isCopies(node: Node | null): boolean {
  return isAlias(node) || (isSeq<Node>(node) && node.items.every(isCopies));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** One line for each item of a list, which is last and under `key`; `top` stands before it. */
export function writeYaml(
  top: Readonly<Record<string, string>>,
  key: string,
  items: readonly object[],
): string {
  const document = new Document({ ...top, [key]: items });
  const list = document.get(key);
  if (isSeq(list)) for (const item of list.items) if (isMap(item)) item.flow = true;
  return document.toString({ lineWidth: 0 });
}

/** What keyboards and web pages make of blanks and quotes, and the marks that are seen nowhere. */
const TYPOGRAPHY: readonly (readonly [signs: RegExp, meant: string])[] = [
  [/[\u00a0\u2007\u202f]/g, ' '],
  [/[\u201c\u201d\u201e\u201f]/g, '"'],
  [/[\u2018\u2019\u201a\u201b]/g, "'"],
  [/[\u200b\u200e\u200f\u2060\ufeff]/g, ''],
];
const TYPED = /^[\u2018-\u201f]|[\u00a0\u2007\u202f\u200b\u200e\u200f\u2060\ufeff]/;

/** Line for line. */
function withoutTypography(text: string): string {
  return TYPOGRAPHY.reduce((rest, [signs, meant]) => rest.replace(signs, meant), text);
}

const TABS = /^[ \t]*\t/;
/** Further in than anything stands that has quotes: how many there are does not count within. */
const BLANKS = ' '.repeat(64);
/** More are no text that people wrote. */
const MOST_TABBED = 5000;

/** kubectl takes a tab at the beginning of a line within quotes, the parser does not. That none stands elsewhere is seen to by the shape. */
function withoutTabs(text: string): string {
  return text.replace(new RegExp(TABS, 'gm'), BLANKS);
}

/** The lines, from 1, that begin with tabs. */
function tabbedLines(text: string): ReadonlySet<number> {
  return new Set(text.split('\n').flatMap((line, index) => (TABS.test(line) ? [index + 1] : [])));
}

function startOf(node: Node | null): number | undefined {
  return (node?.range as Range | null | undefined)?.[0];
}
