/** YAML as people write lists down, with the line of everything in it; a hostile text ends early, with the line too. Pure. */
import {
  CST,
  Document,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
  type Range,
} from 'yaml';
import { Refusal } from '../errors.js';

export interface YamlText {
  /** Texts, arrays and plain objects: nothing is taken for a number, a date or a truth value. */
  value: unknown;
  /** The line, from 1, where the value under this path begins; of what is missing, where it would belong. */
  lineOf(path: readonly PropertyKey[]): number;
  /** Keys that stand twice in one map, and the line of the second. */
  twice: readonly { line: number; key: string; first: number }[];
}

/** Enough for 800 nodes, with seven keys each. The parser takes a second for a few times that, when it is made to. */
const MOST_CHARACTERS = 65_536;
const MOST_TOKENS = 50_000;
const MOST_OF_A_KIND = 6000;
/** A map of lists of maps. */
const DEEPEST = 3;

/** What a list needs none of: anchors multiply, tags construct, the others only hide what is meant. */
const STRANGE: readonly string[] = [
  'anchor',
  'alias',
  'tag',
  'explicit-key-ind',
  'block-scalar-header',
  'directive-line',
  'doc-end',
];

const COUNTED: readonly string[] = ['map-value-ind', 'comma'];
const BLANK: readonly string[] = ['space', 'comment', 'newline', 'doc-mode', 'byte-order-mark'];

/** Reads one document. Throws the Refusals `list-too-long` and `list-broken`. */
export function readYaml(text: string): YamlText {
  if (text.length > MOST_CHARACTERS) throw new Refusal('list-too-long', { most: MOST_CHARACTERS });
  checkShape(text);
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const document = parseDocument(text, {
    schema: 'failsafe',
    // Looked for below: here it would take time by the square.
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
    logLevel: 'silent',
  });
  const [error] = [...document.errors, ...document.warnings];
  if (error) throw new Refusal('list-broken', { line: lineAt(error.pos[0]), why: error.message });
  const starts = new Map<string, number>();
  const twice: YamlText['twice'][number][] = [];
  const walk = (node: Node | null | undefined, path: string, line: number): unknown => {
    starts.set(path, line);
    if (isSeq<Node>(node))
      return node.items.map((item, index) => walk(item, `${path}/${index}`, lineAt(startOf(item) ?? 0)));
    if (!isMap<Node, Node>(node)) return isScalar(node) && node.value !== null ? String(node.value) : '';
    const entries = new Map<string, unknown>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      const at = lineAt(startOf(key) ?? 0);
      const first = starts.get(`${path}/${name}`);
      if (entries.has(name) && first !== undefined) twice.push({ line: at, key: name, first });
      else entries.set(name, walk(value, `${path}/${name}`, at));
    }
    return Object.fromEntries(entries);
  };
  const value = walk(document.contents, '', 1);
  const lineOf = (path: readonly PropertyKey[]): number =>
    starts.get(path.map((key) => `/${String(key)}`).join('')) ??
    (path.length === 0 ? 1 : lineOf(path.slice(0, -1)));
  return { value, lineOf, twice };
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

function startOf(node: Node): number | undefined {
  return (node.range as Range | null | undefined)?.[0];
}

/** Ends at the first sign that a list never has; the parser, which can be made to take long, sees none of it. */
function checkShape(text: string): void {
  const shape: Shape = { line: 1, depth: 0, last: '', inLine: new Map(), inAll: new Map() };
  let isText = false;
  for (const token of new Lexer().lex(text)) {
    // The lexer announces plain texts by a sign of their own.
    const type: string = isText ? 'text' : (CST.tokenType(token) ?? 'error');
    isText = type === 'scalar';
    if (!isText) look(shape, type, token);
  }
}

interface Shape {
  /** From 1. */
  line: number;
  /** Of brackets. */
  depth: number;
  /** The last sign that is no blank or comment; empty at the beginning. */
  last: string;
  /** How many there were of each sign. */
  inLine: Map<string, number>;
  inAll: Map<string, number>;
}

function look(shape: Shape, type: string, token: string): void {
  const isTooMany = COUNTED.includes(type) && count(shape.inAll, type) > MOST_OF_A_KIND;
  if (isTooMany || count(shape.inAll, 'any') > MOST_TOKENS)
    throw new Refusal('list-too-long', { most: MOST_CHARACTERS });
  if (type === 'flow-map-start' || type === 'flow-seq-start') shape.depth += 1;
  if (type === 'flow-map-end' || type === 'flow-seq-end') shape.depth -= 1;
  const inLine = count(shape.inLine, type);
  const crowded =
    shape.depth > DEEPEST ||
    (type === 'seq-item-ind' && inLine > 1) ||
    (type === 'map-value-ind' && shape.depth <= 0 && inLine > 1) ||
    (type === 'comma' && shape.last === 'comma') ||
    (type === 'doc-start' && shape.last !== '');
  if (crowded || STRANGE.includes(type))
    throw new Refusal('list-broken', { line: shape.line, got: token.trim().slice(0, 40) });
  if (!BLANK.includes(type)) shape.last = type;
  // Texts, too, may go on over lines.
  shape.line += token.split('\n').length - 1;
  if (type === 'newline') shape.inLine.clear();
}

function count(counts: Map<string, number>, type: string): number {
  const after = (counts.get(type) ?? 0) + 1;
  counts.set(type, after);
  return after;
}
