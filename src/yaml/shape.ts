/** Looks over YAML sign by sign, before it is parsed: a hostile text ends early, with its line. Pure. */
import { CST, Lexer } from 'yaml';

/** How much a kind of text may use. The parser takes about 10 µs a sign, and the square of what is nested. */
export interface YamlLimits {
  characters: number;
  /** Every sign counts: a word, a blank between two words, a bracket, an indent. */
  signs: number;
  /** How often any of `:` and `,` may stand: each is a value, and a list needs few. */
  values: number;
  /** Brackets within brackets. */
  brackets: number;
  /** Values within values, however they are written. */
  levels: number;
  documents: number;
  aliases: number;
  /** `-` in one line: each is a list within a list. */
  dashes: number;
  /** Signs that such a text never needs, as the lexer calls them. */
  strange: readonly string[];
}

/** Why a text is not read: it is too much, or has on a line what it should not. */
export type YamlFault =
  | { what: 'too-long' }
  /** `why`: the parser's own words; `got`: what was met there. */
  | { what: 'broken'; line: number; got?: string; why?: string };

export class YamlError extends Error {
  readonly fault: YamlFault;

  constructor(fault: YamlFault) {
    super(JSON.stringify(fault));
    this.name = 'YamlError';
    this.fault = fault;
  }
}

const COUNTED: readonly string[] = ['map-value-ind', 'comma'];
/** Either begins another document. */
const ENDS: readonly string[] = ['doc-start', 'doc-end'];
const QUOTED: readonly string[] = ['single-quoted-scalar', 'double-quoted-scalar'];
const BLANK: readonly string[] = ['space', 'comment', 'newline', 'doc-mode', 'byte-order-mark'];

/**
 * Throws a YamlError at the first sign that is one too many, or that has no place there. The parser sees none of it. `tabbed`: lines, from
 * 1, whose tabs were made blanks, which is right within quotes and in JSON only.
 */
export function checkShape(text: string, limits: YamlLimits, tabbed: ReadonlySet<number>): void {
  if (text.length > limits.characters) throw new YamlError({ what: 'too-long' });
  const isJson = /^\s*[{[]/.test(text);
  const shape: Shape = {
    ...{ line: 1, depth: 0, last: '', inLine: new Map(), inAll: new Map() },
    tabbed: isJson ? new Set() : tabbed,
  };
  refuseTabs(shape, 1, 1);
  let isText = false;
  for (const token of new Lexer().lex(text)) {
    // The lexer announces plain texts by a sign of their own.
    const type: string = isText ? 'text' : (CST.tokenType(token) ?? 'error');
    isText = type === 'scalar';
    if (!isText) look(shape, limits, type, token);
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
  /** Lines that may begin within quotes only. */
  tabbed: ReadonlySet<number>;
}

function look(shape: Shape, limits: YamlLimits, type: string, token: string): void {
  const inAll = count(shape.inAll, type);
  if (
    (COUNTED.includes(type) && inAll > limits.values) ||
    (type === 'alias' && inAll > limits.aliases) ||
    count(shape.inAll, 'any') > limits.signs
  )
    throw new YamlError({ what: 'too-long' });
  if (type === 'flow-map-start' || type === 'flow-seq-start') shape.depth += 1;
  if (type === 'flow-map-end' || type === 'flow-seq-end') shape.depth -= 1;
  const inLine = count(shape.inLine, type);
  const crowded =
    shape.depth < 0 ||
    shape.depth > limits.brackets ||
    (type === 'seq-item-ind' && inLine > limits.dashes) ||
    (type === 'map-value-ind' && shape.depth <= 0 && inLine > 1) ||
    (type === 'comma' && shape.last === 'comma') ||
    (ENDS.includes(type) && shape.last !== '' && count(shape.inAll, 'document') >= limits.documents);
  if (crowded || limits.strange.includes(type))
    throw new YamlError({ what: 'broken', line: shape.line, got: token.trim().slice(0, 40) });
  // Texts, too, may go on over lines.
  const ends = shape.line + token.split('\n').length - 1;
  const isLiteral = QUOTED.includes(type) || (type === 'text' && shape.last === 'block-scalar-header');
  if (!isLiteral) refuseTabs(shape, shape.line + 1, ends);
  if (!BLANK.includes(type)) shape.last = type;
  shape.line = ends;
  if (type === 'newline') shape.inLine.clear();
}

function refuseTabs({ tabbed }: Shape, from: number, to: number): void {
  for (let line = from; line <= to; line += 1)
    if (tabbed.has(line))
      throw new YamlError({ what: 'broken', line, why: 'Tabs are not allowed as indentation' });
}

function count(counts: Map<string, number>, type: string): number {
  const after = (counts.get(type) ?? 0) + 1;
  counts.set(type, after);
  return after;
}
