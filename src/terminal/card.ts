/** A Slack card as terminal text. Pure. */
import { isObj, type Obj, objects, str } from './json.js';
import { emoji, inline, inlineCode, type Look, paint, pieces } from './mrkdwn.js';
import { type Align, renderTable } from './table.js';
import { pad, widthOf, wrap } from './width.js';

export type { Look } from './mrkdwn.js';

const PLAIN: Look = { colour: false, userName: () => undefined };

/** Draws blocks in `width` columns. Code is never wrapped, so that it can be copied. No trailing newline. */
export function renderCard(blocks: readonly Obj[], width: number, look: Look = PLAIN): string {
  let text = '';
  let before: { header: boolean; tall: boolean } | null = null;
  for (const block of objects(printable(blocks))) {
    const lines = renderBlock(block, width, look);
    if (lines.length === 0) continue;
    const tall = lines.length > 1;
    // Air around what is more than a line; a header belongs to what follows.
    const gap = before !== null && !before.header && (before.tall || tall) ? '\n\n' : '\n';
    text += (before === null ? '' : gap) + lines.join('\n');
    before = { header: block['type'] === 'header', tall };
  }
  return text;
}

/** What a host printed may hold escape sequences: they must not reach the reader's terminal. */
function printable(value: unknown): unknown {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  if (typeof value === 'string') return value.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
  if (Array.isArray(value)) return value.map(printable);
  if (!isObj(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, printable(item)]));
}

/** Draws a modal: its title, its blocks, and what one can do. */
export function renderView(view: Obj, width: number, look: Look = PLAIN): string {
  const title = paint(textOf(printable(view['title'])), 'bold', look);
  return [title, renderCard(objects(view['blocks']), width, look)].join('\n');
}

function renderBlock(block: Obj, width: number, look: Look): string[] {
  switch (block['type']) {
    case 'header':
      return wrap(paint(emoji(textOf(block['text'])), 'bold', look), width);
    case 'section':
      return section(block, width, look);
    case 'context':
      return wrap(
        objects(block['elements'])
          .map((element) =>
            element['type'] === 'image' ? str(element['alt_text']) : formatted(element, look),
          )
          .join('  ·  '),
        width,
      ).map((line) => paint(line, 'dim', { ...look, colour: look.colour && !line.includes('\u001b') }));
    case 'divider':
      return [paint('─'.repeat(width), 'dim', look)];
    case 'actions':
      return controls(objects(block['elements']), width, look);
    case 'table':
      return table(block, width, look);
    case 'rich_text':
      return richText(objects(block['elements']), width, look);
    case 'markdown':
      return mrkdwn(str(block['text']).replaceAll('**', '*'), width, look);
    case 'alert':
      return wrap(`${ALERT[str(block['level'])] ?? 'ℹ'} ${formatted(block['text'], look)}`, width);
    case 'image':
      return [`[image: ${str(block['alt_text'])}]`];
    case 'input':
      return input(block, width, look);
    case 'plan':
      return [str(block['title']), ...objects(block['tasks']).map(task)];
    case 'task_card':
      return [task(block)];
    case 'container':
      return [
        paint(textOf(block['title']), 'bold', look),
        ...indent(renderCard(objects(block['child_blocks']), width - 2, look).split('\n')),
      ];
    default:
      return [`[${str(block['type'])}]`];
  }
}

function task(block: Obj): string {
  return `${TASK[str(block['status'])] ?? '·'} ${str(block['title'])}`;
}

const TASK: Readonly<Record<string, string>> = { in_progress: '⏳', complete: '✅', error: '❌' };

const ALERT: Readonly<Record<string, string>> = { warning: '⚠', error: '❌', success: '✅' };

function section(block: Obj, width: number, look: Look): string[] {
  const text = isObj(block['text']) ? block['text'] : null;
  const accessory = objects([block['accessory']]);
  return [
    ...(text
      ? text['type'] === 'mrkdwn'
        ? mrkdwn(str(text['text']), width, look)
        : wrap(emoji(str(text['text'])), width)
      : []),
    ...fields(objects(block['fields']), width, look),
    ...controls(
      accessory.filter((element) => element['type'] !== 'image'),
      width,
      look,
    ),
  ];
}

/** Two columns when all fit, as Slack has them; else one under the other. */
function fields(all: readonly Obj[], width: number, look: Look): string[] {
  const texts = all.map((field) => formatted(field, look).split('\n'));
  const half = Math.floor((width - 2) / 2);
  const fits = texts.every((lines) => lines.every((line) => widthOf(line) <= half));
  if (!fits || texts.length < 2) return texts.flat().flatMap((line) => wrap(line, width));
  const left = Math.max(
    ...texts
      .filter((_, index) => index % 2 === 0)
      .flat()
      .map((line) => widthOf(line)),
  );
  return texts.flatMap((lines, index) => {
    if (index % 2 === 1) return [];
    const other = texts[index + 1] ?? [];
    return Array.from({ length: Math.max(lines.length, other.length) }, (_, line) =>
      `${pad(lines[line] ?? '', left)}    ${other[line] ?? ''}`.trimEnd(),
    );
  });
}

function controls(elements: readonly Obj[], width: number, look: Look): string[] {
  if (elements.length === 0) return [];
  const shown = elements.map((element) => {
    const options = objects(element['options']).map((option) => textOf(option['text']));
    const label =
      element['type'] === 'button'
        ? emoji(textOf(element['text']))
        : `${textOf(element['placeholder']) || 'choose'}: ${options.join(' | ')}`;
    const style = element['style'] === 'primary' ? 'good' : element['style'] === 'danger' ? 'bad' : 'bold';
    // No blank inside that a line could break at.
    return paint(`[ ${label} ]`.replaceAll(' ', '\u00a0'), style, look);
  });
  const first = elements.find((element) => element['type'] === 'button');
  const hint = first ? paint(`   type: click ${typable(textOf(first['text']))}`, 'dim', look) : '';
  return wrap(shown.join('  ') + hint, width).map((line) => line.replaceAll('\u00a0', ' '));
}

/** A label as one types it: the start of it will do. */
function typable(label: string): string {
  return label.replace(/\s*\(.*$/, '').toLowerCase();
}

function table(block: Obj, width: number, look: Look): string[] {
  const rows = Array.isArray(block['rows']) ? block['rows'] : [];
  const cells = rows.map((row) =>
    objects(row).map((cell) =>
      cell['type'] === 'rich_text'
        ? richText(objects(cell['elements']), Number.MAX_SAFE_INTEGER, look).join('\n')
        : emoji(str(cell['text']) || str(cell['value'])),
    ),
  );
  const aligns = objects(block['column_settings']).map(
    (setting): Align =>
      setting['align'] === 'right' || setting['align'] === 'center' ? setting['align'] : 'left',
  );
  return renderTable(cells, aligns, width, (text) => paint(text, 'bold', look));
}

function richText(elements: readonly Obj[], width: number, look: Look): string[] {
  return elements.flatMap((element) => {
    const inner = objects(element['elements']);
    if (element['type'] === 'rich_text_list') {
      return inner.flatMap((item, index) => {
        const mark = element['style'] === 'ordered' ? `${index + 1}. ` : '• ';
        const lines = wrap(runs(objects(item['elements']), look), width - mark.length);
        return lines.map((line, at) => (at === 0 ? mark : ' '.repeat(mark.length)) + line);
      });
    }
    if (element['type'] === 'rich_text_preformatted') return code(runs(inner, PLAIN), look);
    const lines = wrap(runs(inner, look).replace(/\n$/, ''), width);
    return element['type'] === 'rich_text_quote' ? lines.map((line) => `▏ ${line}`) : lines;
  });
}

/** The inline elements of rich text. They are not mrkdwn: nothing in them is a mark. */
function runs(elements: readonly Obj[], look: Look): string {
  return elements
    .map((element) => {
      const text = str(element['text']);
      const style = isObj(element['style']) ? element['style'] : {};
      switch (element['type']) {
        case 'link':
          return paint(text || str(element['url']), 'link', look);
        case 'user':
          return paint(`@${look.userName(str(element['user_id'])) ?? str(element['user_id'])}`, 'link', look);
        case 'channel':
          return paint(`#${str(element['channel_id'])}`, 'link', look);
        case 'emoji':
          return emoji(`:${str(element['name'])}:`);
        default:
          return style['code'] ? inlineCode(text, look) : style['bold'] ? paint(text, 'bold', look) : text;
      }
    })
    .join('');
}

function input(block: Obj, width: number, look: Look): string[] {
  const element = isObj(block['element']) ? block['element'] : {};
  const label = textOf(block['label']) + (block['optional'] === true ? ' (optional)' : '');
  const hint = textOf(block['hint']) || textOf(element['placeholder']);
  return [
    paint(label, 'bold', look),
    ...wrap(`> ${str(element['initial_value'])}`, width),
    ...(hint === '' ? [] : wrap(hint, width).map((line) => paint(line, 'dim', look))),
  ];
}

/** A text of several lines: code blocks as they are, the rest wrapped. */
function mrkdwn(text: string, width: number, look: Look): string[] {
  return pieces(text).flatMap((piece) =>
    piece.kind === 'code'
      ? code(piece.text, look)
      : piece.text.split('\n').flatMap((line) => {
          const quote = /^(?:&gt;|>) ?/.exec(line)?.[0] ?? '';
          const lines = wrap(inline(line.slice(quote.length), look), quote === '' ? width : width - 2);
          return quote === '' ? lines : lines.map((each) => `▏ ${each}`);
        }),
  );
}

function code(text: string, look: Look): string[] {
  return indent(text.split('\n').map((line) => paint(line, 'code', look)));
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`.trimEnd());
}

function formatted(value: unknown, look: Look): string {
  if (!isObj(value)) return '';
  return value['type'] === 'mrkdwn' ? inline(str(value['text']), look) : emoji(str(value['text']));
}

function textOf(value: unknown): string {
  return isObj(value) ? str(value['text']) : '';
}
