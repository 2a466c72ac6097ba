/** Tables for a terminal: aligned columns, wrapped cells, no boxes. Pure. */
import { pad, widthOf, wrap } from './width.js';

export type Align = 'left' | 'right' | 'center';

const GAP = '  ';
/** Narrower columns than this are not squeezed further. */
const NARROW = 6;

/** The first row is the header, ruled off. Columns shrink, widest first, until the table fits. */
export function renderTable(
  rows: readonly (readonly string[])[],
  aligns: readonly Align[],
  width: number,
  header: (text: string) => string,
): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(
      1,
      ...rows.map((row) => Math.max(...(row[column] ?? '').split('\n').map((line) => widthOf(line)))),
    ),
  );
  const room = width - GAP.length * Math.max(0, count - 1);
  while (sum(widths) > room) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= NARROW) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return rows.flatMap((row, index) => {
    const cells = widths.map((size, column) => wrap(row[column] ?? '', size));
    const height = Math.max(1, ...cells.map((cell) => cell.length));
    const lines = Array.from({ length: height }, (_, line) =>
      widths
        .map((size, column) => {
          const text = cells[column]?.[line] ?? '';
          return pad(index === 0 ? header(text) : text, size, aligns[column]);
        })
        .join(GAP)
        .trimEnd(),
    );
    const rule = widths.map((size) => '─'.repeat(size)).join(GAP);
    return index === 0 && rows.length > 1 ? [...lines, rule] : lines;
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
