/** Text on a terminal's grid: how wide it is, where to break it. Pure. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what colours start with
const ANSI = /\u001b\[[0-9;]*m/g;
/** Emoji and East Asian wide characters take two cells; a lone symbol such as ✓ takes one, unless U+FE0F asks for its picture. */
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u;
const ZERO = /^[\p{Mn}\u200b-\u200d]+$/u;

const segmenter = new Intl.Segmenter();

export function stripColour(text: string): string {
  return text.replace(ANSI, '');
}

/** Cells that a text takes; colours take none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of segmenter.segment(stripColour(text))) {
    if (ZERO.test(segment)) continue;
    width += WIDE.test(segment) || segment.includes('\ufe0f') ? 2 : 1;
  }
  return width;
}

export function pad(text: string, width: number, align: 'left' | 'right' | 'center' = 'left'): string {
  const room = Math.max(0, width - widthOf(text));
  const before = align === 'right' ? room : align === 'center' ? Math.floor(room / 2) : 0;
  return ' '.repeat(before) + text + ' '.repeat(room - before);
}

/** Breaks at blanks; a word longer than the width is cut. Colours that span a break are closed and opened again. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    let current = '';
    for (const word of line.split(/(?<= )/)) {
      if (current !== '' && widthOf(current) + widthOf(word.trimEnd()) > width) {
        lines.push(current.trimEnd());
        current = '';
      }
      current += word;
      while (widthOf(current) > width && !current.includes(' ') && stripColour(current) === current) {
        lines.push(cut(current, width));
        current = current.slice(cut(current, width).length);
      }
    }
    lines.push(current.trimEnd());
  }
  return carryColours(lines);
}

function cut(text: string, width: number): string {
  let taken = '';
  for (const { segment } of segmenter.segment(text)) {
    if (taken !== '' && widthOf(taken + segment) > width) break;
    taken += segment;
  }
  return taken;
}

function carryColours(lines: string[]): string[] {
  let open: string[] = [];
  return lines.map((line) => {
    const start = open.join('');
    for (const [code] of line.matchAll(ANSI)) open = code === '\u001b[0m' ? [] : [...open, code];
    return start + line + (open.length > 0 ? '\u001b[0m' : '');
  });
}
