/** What of a sight is worth printing, and how it looks. */
import { type Look, renderCard, renderView } from '../../src/terminal/card.js';
import { paint } from '../../src/terminal/mrkdwn.js';
import { stripColour, widthOf, wrap } from '../../src/terminal/width.js';
import type { Message, Obj, Sight, SlackFile, View } from '../slack/types.js';
import { changeOf, isUnderway } from './board.js';
import type { Workspace } from './client.js';

/** Lines of a file that are shown; the rest is counted. */
const FILE_LINES = 80;
const GUTTER = '│ ';

export interface Screen {
  /** The text to print for a sight; '' when nothing that one can see has changed. */
  draw(sight: Sight): string;
  /** A message, whole. */
  card(message: Message): string;
}

interface Drawn {
  content: string;
  gist: string[];
  /** Of the change, if it is a card. */
  state: string;
}

export function createScreen(workspace: Workspace, width: number, look: Look): Screen {
  /** What was last drawn of each message, by ts. */
  const drawn = new Map<string, Drawn>();
  const inner = width - widthOf(GUTTER);
  const name = (id: string): string => (id === workspace.bot.userId ? 'Fairway' : (look.userName(id) ?? id));

  function content(message: Message): string {
    return [renderCard(blocksOf(message), inner, look), ...message.files.map((file) => fileText(file))]
      .filter((part) => part !== '')
      .join('\n');
  }

  /** What a progress line may tell of a message, unwrapped: its buttons are for when it stands still. */
  function gist(message: Message): string[] {
    const blocks = blocksOf(message).filter((block) => block['type'] !== 'actions');
    return renderCard(blocks, Number.MAX_SAFE_INTEGER, look).split('\n');
  }

  function frame(title: string, body: string): string {
    const lines = body.split('\n').map((line) => (GUTTER + line).trimEnd());
    return [paint(`┌ ${title}`, 'dim', look), ...lines, paint('└', 'dim', look)].join('\n');
  }

  function title(message: Message): string {
    const change = changeOf(message);
    return [
      name(message.user),
      ...(message.ephemeralTo ? [`only ${name(message.ephemeralTo)} sees this`] : []),
      ...(message.threadTs ? ['in the thread'] : []),
      ...(change ? [`${change.id} ${change.state}`] : []),
    ].join(' · ');
  }

  function card(message: Message): string {
    return frame(title(message), content(message));
  }

  /** One line for an edit on the way: what is new on the card, as much as fits; '' when that is nothing but its buttons. */
  function progress(message: Message, before: Drawn, after: Drawn): string {
    const { id = '' } = changeOf(message) ?? {};
    const { state } = after;
    const fresh = after.gist
      .filter((line) => !before.gist.includes(line) && !['', wordsOf(state)].includes(wordsOf(line)))
      .map((line) => line.trim().replace(/^· /, ''));
    if (fresh.length === 0) return before.state === state ? '' : paint(`· ${id} ${state}`, 'dim', look);
    const [text = '', ...rest] = wrap(fresh.join(' · '), width - id.length - state.length - 8);
    const cut = rest.length > 0 ? `${text.replace(/[\s·,:]+$/, '')} …` : text;
    return `${paint(`· ${id} ${state}:`, 'dim', look)} ${cut}`;
  }

  return {
    card,
    draw: (sight) => {
      if (sight.type === 'view') return sight.view.open ? form(sight.view) : '';
      const { message } = sight;
      if (sight.type === 'delete')
        return drawn.delete(message.ts) ? `${paint('· deleted', 'dim', look)}` : '';
      // One's own words are on the screen already.
      if (message.user !== workspace.bot.userId) return '';
      const state = changeOf(message)?.state ?? '';
      const now = { content: content(message), gist: gist(message), state };
      const before = drawn.get(message.ts);
      drawn.set(message.ts, now);
      if (before === undefined) return card(message);
      if (before.content === now.content) return '';
      return isUnderway(state) && state !== 'pending' ? progress(message, before, now) : card(message);
    },
  };

  function form(view: View): string {
    return frame(
      `form for ${name(view.userId)} · type: reason <text>, paste, or close`,
      renderView(view.view, inner, look),
    );
  }
}

function blocksOf(message: Message): readonly Obj[] {
  if (message.blocks.length > 0) return message.blocks;
  return message.text === '' ? [] : [{ type: 'section', text: { type: 'mrkdwn', text: message.text } }];
}

function fileText(file: SlackFile): string {
  const lines = file.content.trimEnd().split('\n');
  const rest = lines.length - FILE_LINES;
  const shown = renderCard(
    [
      {
        type: 'rich_text',
        elements: [
          {
            type: 'rich_text_preformatted',
            elements: [{ type: 'text', text: lines.slice(0, FILE_LINES).join('\n') }],
          },
        ],
      },
    ],
    Number.MAX_SAFE_INTEGER,
  );
  return `[file ${file.name}, ${file.size} bytes]\n${shown}${rest > 0 ? `\n  … ${rest} more lines` : ''}`;
}

function wordsOf(line: string): string {
  return stripColour(line)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .toLowerCase();
}
