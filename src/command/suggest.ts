/** "Did you mean": the whole command with its mistyped words put right. Pure. */
import { argumentTypes } from './argument.js';
import { editDistance, type Literal, type Pattern } from './pattern.js';

/** Words of other tools, for which people know what they want. Never taken silently; only suggested. */
const synonyms: Readonly<Record<string, string>> = {
  create: 'add',
  new: 'add',
  join: 'add',
  delete: 'remove',
  del: 'remove',
  rm: 'remove',
  drop: 'remove',
  win: 'windows',
  list: 'nodes',
  ls: 'nodes',
  get: 'nodes',
  route: 'routes',
  fix: 'repair',
  heal: 'repair',
  mend: 'repair',
  restore: 'repair',
  load: 'import',
  backup: 'export',
  dump: 'export',
  show: 'change',
  log: 'history',
  events: 'history',
  status: 'change',
  ok: 'approve',
  accept: 'approve',
  reject: 'deny',
  abort: 'cancel',
  stop: 'cancel',
  rerun: 'retry',
  revert: 'rollback',
  undo: 'rollback',
  usage: 'help',
  me: 'whoami',
};

/** Words that other tools begin with, and that mean nothing here. */
const noise: ReadonlySet<string> = new Set([
  'show',
  'list',
  'get',
  'describe',
  'print',
  'please',
  'fairway',
  '/fairway',
]);

interface Reading {
  words: string[];
  cost: number;
}

const SYNONYM = 1;
const NOISE = 1;
const LEFT_OUT = 2;
/** The most that a suggestion may differ; more is a guess. */
const FARTHEST = 3;
const HOPELESS: Reading = { words: [], cost: Number.POSITIVE_INFINITY };

/** The nearest command of the patterns, with the arguments as they were typed; null when none is near. */
export function suggest(words: readonly string[], patterns: readonly Pattern[]): string | null {
  const [first = '', ...rest] = words;
  const readings = patterns.map((pattern) => read(pattern, words));
  if (rest.length > 0 && noise.has(first.toLowerCase())) {
    readings.push(...patterns.map((pattern) => later(NOISE, read(pattern, rest))));
  }
  const best = cheapest(readings);
  return best.cost <= FARTHEST ? best.words.join(' ') : null;
}

/** One pattern's reading of the words. Arguments that don't fit, or that it doesn't take, tell against it. */
function read({ head, places }: Pattern, words: readonly string[]): Reading {
  const reading = align(head, words, head.length);
  const given = reading.words.slice(head.length);
  if (places.length === 0)
    return { words: reading.words.slice(0, head.length), cost: reading.cost + 2 * given.length };
  const misfits = places.filter(({ argument, rest, required }, i) => {
    const got = given[i];
    return got === undefined ? required : !rest && argumentTypes[argument]?.read(got) === null;
  });
  return later(misfits.length, reading);
}

function later(cost: number, reading: Reading): Reading {
  return { ...reading, cost: reading.cost + cost };
}

function cheapest(readings: readonly Reading[]): Reading {
  return readings.reduce((best, reading) => (reading.cost < best.cost ? reading : best), HOPELESS);
}

/** Lays a pattern's literals over the typed words as cheaply as possible; what is left of the words are arguments. */
function align(head: readonly Literal[], words: readonly string[], total: number): Reading {
  const [literal, ...laterLiterals] = head;
  if (literal === undefined) return { words: [...words], cost: 0 };
  const [word, ...rest] = words;
  const readings: Reading[] = [];
  if (word !== undefined) {
    const hit = closest(word.toLowerCase(), literal);
    if (hit !== null) readings.push(prepend(hit.word, hit.cost, align(laterLiterals, rest, total)));
    // Two neighbours in the wrong order, as in `add node windows`.
    const [next, ...afterNext] = rest;
    const [nextLiteral, ...afterLater] = laterLiterals;
    if (
      next !== undefined &&
      nextLiteral !== undefined &&
      literal.includes(next) &&
      nextLiteral.includes(word)
    ) {
      readings.push(prepend(next, 1, prepend(word, 0, align(afterLater, afterNext, total))));
    }
  }
  // A word left out can be put in only when there is no choice about it, and something of the command was typed.
  const only = literal.length === 1 ? literal[0] : undefined;
  if (only !== undefined && head.length < total)
    readings.push(prepend(only, LEFT_OUT, align(laterLiterals, words, total)));
  return cheapest(readings);
}

function prepend(word: string, cost: number, { words, cost: more }: Reading): Reading {
  return { words: [word, ...words], cost: cost + more };
}

/** The choice nearest to a word; null when less than half of it is right. */
function closest(word: string, choices: Literal): { word: string; cost: number } | null {
  const known = synonyms[word];
  if (known !== undefined && choices.includes(known)) return { word: known, cost: SYNONYM };
  const ranked = choices.map((choice) => ({ word: choice, cost: editDistance(word.slice(0, 40), choice) }));
  const [best] = ranked.sort((a, b) => a.cost - b.cost);
  return best !== undefined && best.cost <= Math.max(1, Math.floor(best.word.length / 2) - 1) ? best : null;
}
