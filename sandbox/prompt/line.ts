/** What a line at the prompt means. Pure. */

export type Line =
  | { kind: 'nothing' }
  | { kind: 'as'; who: string }
  | { kind: 'channel'; name: string }
  | { kind: 'click'; control: string; id?: string }
  /** `state` absent: until the change has ended. */
  | { kind: 'wait'; id: string; state?: string; seconds: number }
  | { kind: 'show'; id: string }
  | { kind: 'reason'; text: string }
  /** Of a file; of the last answer that holds something to copy when none is named. */
  | { kind: 'paste'; file: string }
  | { kind: 'close' }
  | { kind: 'expect'; text: string }
  | { kind: 'mention'; text: string }
  | { kind: 'slash'; text: string }
  /** Something done to the world outside of Slack: pulling a host's plug, say. */
  | { kind: 'hand'; verb: string; argument: string }
  | { kind: 'words' }
  | { kind: 'quit' };

export const WORDS = [
  'as <who>                        speak as somebody else',
  'click <button> [<change>]       click a button of the newest card that has it, or of that change',
  'wait <change> [until <state>] [for <seconds>]',
  'show <change>                   print its card again',
  'reason <text>                   fill in the open form and submit it;  close: leave it',
  'paste [<file>]                  the same with a file, or with what an answer gave to copy',
  '@fairway <words>                mention the bot instead of /fairway',
  '#<channel>                      switch the channel',
  '! <line>                        expect a refusal;  expect <text>: the last answer holds it',
  '$id                             the change that was started last',
  'quit                            everything else goes to Fairway: try help',
].map((line) => `  ${line}`);

/** Seconds that `wait` waits when it names none. */
const WAIT_SECONDS = 120;

/**
 * Parses a line. `!` in front means that a refusal is expected; `isChange` tells an id from a word of a button's label.
 * `$id` stands for `newest`, the change that was started last. `hands` are the verbs that act on the world outside of Slack.
 */
export function parseLine(
  typed: string,
  isChange: (word: string) => boolean,
  newest: string | undefined,
  hands: readonly string[] = [],
): { line: Line; refused: boolean } {
  const trimmed = typed.trim();
  const refused = /^!\s/.test(trimmed);
  const text = (refused ? trimmed.slice(1).trim() : trimmed).replaceAll('$id', newest ?? '$id');
  return { line: toLine(text, isChange, hands), refused };
}

function toLine(text: string, isChange: (word: string) => boolean, hands: readonly string[]): Line {
  if (text === '') return { kind: 'nothing' };
  const channel = /^#(\S*)$/.exec(text);
  if (channel?.[1]) return { kind: 'channel', name: channel[1] };
  if (text.startsWith('#')) return { kind: 'nothing' };
  const [first = ''] = text.split(/\s+/);
  const rest = text.slice(first.length).trim();
  if (hands.includes(first.toLowerCase())) return { kind: 'hand', verb: first.toLowerCase(), argument: rest };
  switch (first.toLowerCase()) {
    case 'as':
      return { kind: 'as', who: rest };
    case 'click':
      return click(rest, isChange);
    case 'wait':
      return wait(rest);
    case 'show':
      return { kind: 'show', id: rest };
    case 'reason':
      return { kind: 'reason', text: rest };
    case 'paste':
      return { kind: 'paste', file: rest };
    case 'close':
      return { kind: 'close' };
    case 'expect':
      return { kind: 'expect', text: rest };
    case '?':
      return { kind: 'words' };
    case 'quit':
    case 'exit':
      return { kind: 'quit' };
    case '@fairway':
      return { kind: 'mention', text: rest };
    case '/fairway':
      return { kind: 'slash', text: rest };
    default:
      return { kind: 'slash', text };
  }
}

function click(rest: string, isChange: (word: string) => boolean): Line {
  const words = rest.split(/\s+/);
  const last = words.at(-1) ?? '';
  return words.length > 1 && isChange(last)
    ? { kind: 'click', control: words.slice(0, -1).join(' '), id: last }
    : { kind: 'click', control: rest };
}

function wait(rest: string): Line {
  const [, id = '', state, seconds] = /^(\S*)(?:\s+until\s+(\S+))?(?:\s+for\s+(\d+)s?)?$/.exec(rest) ?? [];
  return { kind: 'wait', id, ...(state ? { state } : {}), seconds: seconds ? Number(seconds) : WAIT_SECONDS };
}
