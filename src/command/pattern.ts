/** Reads the patterns of the grammar, such as `deny <id> [<reason…>]`, into what the parser and the help work with. Pure. */

/** One word that must be there, or one of several: `(linux|windows)`. */
export type Literal = readonly string[];

export interface Pattern {
  /** As written. */
  text: string;
  /** The literals before the first argument; they tell commands apart. */
  head: readonly Literal[];
  /** Arguments by place. `rest` takes all that follows. */
  places: readonly { argument: string; required: boolean; rest: boolean }[];
  /** Arguments by a word before them: `[pod-cidr <cidr>]`. In any order; one with `rest` takes all that follows. */
  options: readonly { word: string; argument: string; rest: boolean }[];
}

const PART = /\[([a-z-]+) <([^>]+)>\]|(\[?)<([^>]+)>\]?|\(([a-z-|]+)\)|([a-z-]+)/g;

/** Reads a pattern. Literals come first, then places, then options. */
export function readPattern(text: string): Pattern {
  const head: Literal[] = [];
  const places: Pattern['places'][number][] = [];
  const options: Pattern['options'][number][] = [];
  for (const [, word, option, bracket, argument, choices, literal] of text.matchAll(PART)) {
    if (word !== undefined && option !== undefined)
      options.push({ word, argument: option.replace('…', ''), rest: option.endsWith('…') });
    else if (argument !== undefined) {
      const rest = argument.endsWith('…');
      places.push({ argument: argument.replace('…', ''), required: bracket === '', rest });
    } else head.push((choices ?? literal ?? '').split('|'));
  }
  return { text, head, places, options };
}

/** How many single edits (put in, left out, exchanged, two neighbours swapped) lie between two words. */
export function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped =
        a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same, swapped));
    }
  }
  return at(a.length, b.length);
}

/** The candidate nearest to a word, or null when all are too far: one edit for every three letters, and one more; `most` at most. */
export function nearest(word: string, candidates: Iterable<string>, most = word.length): string | null {
  let best: string | null = null;
  let least = Math.min(word.length - 1, Math.floor(word.length / 3) + 1, most) + 1;
  for (const candidate of candidates) {
    // A length that differs by more than `least` can't be nearer.
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(word, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}
