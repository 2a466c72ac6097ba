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
import { checkShape, YamlError, type YamlLimits } from './shape.js';

export interface YamlText {
  /** Texts, arrays and plain objects: nothing is taken for a number, a date or a truth value. */
  value: unknown;
  /** The line, from 1, where the value under this path begins; of what is missing, where it would belong. */
  lineOf(path: readonly PropertyKey[]): number;
  /** Keys that stand twice in one map, and the line of the second. */
  twice: readonly { line: number; key: string; first: number }[];
}

/** Reads every document of a text. Throws a YamlError. */
export function readYaml(text: string, limits: YamlLimits): [YamlText, ...YamlText[]] {
  checkShape(text, limits);
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const documents = parseAllDocuments(text, {
    schema: 'failsafe',
    // Looked for below: here it would take time by the square.
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
    logLevel: 'silent',
  });
  const reading: Reading = { lineAt, levels: limits.levels, left: limits.signs };
  const read = (contents: unknown): YamlText => readDocument(contents, reading);
  const [first = read(null), ...more] = [...documents].map((document) => {
    const [error] = document.errors;
    if (error) throw new YamlError({ what: 'broken', line: lineAt(error.pos[0]), why: error.message });
    return read(document.contents);
  });
  return [first, ...more];
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
    return isScalar(node) && node.value !== null ? String(node.value) : '';
  }

  function walkMap({ items }: YAMLMap<Node, Node>, path: string, level: number): object {
    const entries = new Map<string, unknown>();
    const merged: object[] = [];
    for (const { key, value } of items) {
      const name = isScalar(key) ? String(key.value) : '';
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
  return { value, lineOf, twice };
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

/** What keyboards and web pages make of blanks and quotes. */
export function withoutTypography(text: string): string {
  return text
    .replace(/[\u00a0\u2007\u202f]/g, ' ')
    .replace(/[\u201c\u201d\u201e\u201f]/g, '"')
    .replace(/[\u2018\u2019\u201a\u201b]/g, "'")
    .replace(/[\u200b\u200e\u200f\u2060\ufeff]/g, '');
}

function startOf(node: Node | null): number | undefined {
  return (node?.range as Range | null | undefined)?.[0];
}
