/** The chat prompt: a line is typed, sent through the fake Slack, and what comes back is drawn. */
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import type { Look } from '../card/card.js';
import { stripColour } from '../card/width.js';
import { findInput } from '../slack/controls.js';
import { isObj, type Message, type Outcome, objects, type Sight } from '../slack/types.js';
import {
  cardOf,
  changeOf,
  createBoard,
  formOf,
  isBadEnd,
  isRefusal,
  isUnderway,
  labels,
  newestChange,
  note,
  withControl,
} from './board.js';
import { connectClient } from './client.js';
import { type Line, parseLine, WORDS } from './line.js';
import { createScreen } from './screen.js';

export interface PromptOptions {
  /** The fake Slack's base URL. */
  slackUrl: string;
  /** Who one can be, by name: `{ alice: 'U…' }`. The first one starts. */
  identities: Readonly<Record<string, string>>;
  /** Id or name of the channel to start in. */
  channel: string;
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
  /** Unattended: lines are echoed, each waits for its answer, the first that goes wrong ends it. */
  script: boolean;
  /** Columns; the terminal's, at most 100, when absent. */
  width?: number;
  /** Colours; when absent, on a terminal unless NO_COLOR is set. */
  colour?: boolean;
}

/** How long a script waits for a first answer, for a button or form to appear, and for an expected text. */
const ANSWER_MS = 10_000;

/** A line that went wrong; ends a script. */
class Trouble extends Error {}

/** Runs until the input ends or `quit`. 0, or 1 when a script went wrong. Rejects when there is no fake Slack. */
export async function runPrompt(options: PromptOptions): Promise<number> {
  const { identities, output, script } = options;
  const names = Object.keys(identities);
  const tty = output as NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  const look: Look = {
    colour: options.colour ?? (tty.isTTY === true && !process.env['NO_COLOR']),
    userName: (id) => names.find((name) => identities[name] === id),
  };
  const board = createBoard();
  const listeners = new Set<() => void>();
  /** Sights since the last line that did something. */
  let sights: Sight[] = [];
  let heard = '';
  let lines: Interface | null = null;
  let screen: ReturnType<typeof createScreen> | null = null;
  let gone = false;

  const client = await connectClient(
    options.slackUrl,
    Object.values(identities),
    (sight) => {
      note(board, sight);
      sights.push(sight);
      print(screen?.draw(sight) ?? '');
      for (const listener of [...listeners]) listener();
    },
    () => {
      gone = true;
      for (const listener of [...listeners]) listener();
      lines?.close();
    },
  );
  screen = createScreen(client.workspace, options.width ?? Math.min(100, tty.columns ?? 100), look);
  let who = names[0] ?? '';
  let channel = channelId(options.channel);

  function user(): string {
    return identities[who] ?? '';
  }

  function channelId(name: string): string {
    const wanted = name.replace(/^#/, '');
    const found = client.workspace.channels.find((each) => each.id === wanted || each.name === wanted);
    if (!found) throw new Trouble(`no channel #${wanted}`);
    return found.id;
  }

  function print(text: string): void {
    if (text === '') return;
    heard += `${text}\n`;
    const live = lines !== null && !script;
    if (live) {
      cursorTo(output, 0);
      clearLine(output, 0);
    }
    output.write(`${text}\n`);
    if (live) lines?.prompt(true);
  }

  /** Waits until `find` has something; null after `ms`. */
  function until<T>(find: () => T | undefined, ms: number): Promise<T | null> {
    const now = find();
    if (now !== undefined || gone) return Promise.resolve(now ?? null);
    return new Promise((resolve) => {
      const look = (): void => {
        const found = find();
        if (found === undefined && !gone) return;
        done(found ?? null);
      };
      const timer = setTimeout(() => done(null), ms);
      const done = (found: T | null): void => {
        clearTimeout(timer);
        listeners.delete(look);
        resolve(found);
      };
      listeners.add(look);
    });
  }

  /** Scripts wait for what is not there yet; a person sees for themself. */
  function patience(): number {
    return script ? ANSWER_MS : 0;
  }

  function refusal(): Message | undefined {
    return (
      sights
        .map((sight) => (sight.type === 'view' ? null : sight.message))
        .find((message) => message !== null && isRefusal(message)) ?? undefined
    );
  }

  /** Sends something to the bot and, in a script, waits for what it answers. */
  async function send(refused: boolean, act: () => Promise<Outcome>): Promise<void> {
    sights = [];
    heard = '';
    const outcome = await act();
    if (outcome.error === 'validation') {
      const errors = isObj(outcome.body) && isObj(outcome.body['errors']) ? outcome.body['errors'] : {};
      print(`The form says: ${Object.values(errors).join('; ')}`);
      if (!refused) throw new Trouble('the form was not accepted');
      return;
    }
    if (!outcome.ok)
      throw new Trouble(`Slack says ${outcome.error} after ${Math.round(outcome.latencyMs)} ms`);
    if (!script) return;
    const answered = await until(
      () => (refused ? refusal() : sights.find((sight) => isAnswer(sight))) && true,
      ANSWER_MS,
    );
    if (answered === null)
      throw new Trouble(refused ? 'this was expected to be refused, and was not' : 'no answer within 10 s');
    if (refused) sights = [];
  }

  function isAnswer(sight: Sight): boolean {
    return sight.type === 'view' || sight.message.user === client.workspace.bot.userId;
  }

  async function run(line: Line, refused: boolean): Promise<void> {
    switch (line.kind) {
      case 'as':
        if (identities[line.who] === undefined)
          throw new Trouble(`nobody is called ${line.who}; there are ${names.join(', ')}`);
        who = line.who;
        return;
      case 'channel':
        channel = channelId(line.name);
        return;
      case 'slash':
        return send(refused, () => client.slash(user(), channel, line.text));
      case 'mention':
        return send(refused, () => client.mention(user(), channel, line.text));
      case 'click': {
        const find = (): Message | undefined => withControl(board, user(), channel, line.control, line.id);
        const message = await until(find, patience());
        if (!message) {
          const there = labels(board, channel).map((label) => label.toLowerCase());
          throw new Trouble(
            `no card has the button "${line.control}"; ${there.length > 0 ? `there are: ${there.join(', ')}` : 'there is none to click'}`,
          );
        }
        return send(refused, () => client.click(user(), message.channel, message.ts, line.control));
      }
      case 'reason':
        return submit(line.text, refused);
      case 'close': {
        const form = formOf(board, user());
        if (!form) throw new Trouble('no form is open');
        return client.closeView(user(), form.id);
      }
      case 'wait':
        return wait(line, refused);
      case 'show': {
        heard = '';
        const card = cardOf(board, line.id);
        if (!card) throw new Trouble(`no card of a change ${line.id}`);
        print(screen?.card(card) ?? '');
        return;
      }
      case 'expect': {
        const wanted = flat(line.text);
        if ((await until(() => flat(heard).includes(wanted) || undefined, patience())) === null)
          throw new Trouble(`the last answer does not contain "${line.text}"`);
        return;
      }
      case 'words':
        print(WORDS.join('\n'));
        return;
      default:
        return;
    }
  }

  async function submit(text: string, refused: boolean): Promise<void> {
    const form = await until(() => formOf(board, user()), patience());
    if (!form) throw new Trouble('no form is open');
    const [input] = objects(form.view['blocks']).filter((block) => block['type'] === 'input');
    const values = input ? { [findInput(input, {}).actionId]: text } : {};
    return send(refused, () => client.submit(user(), form.id, values));
  }

  async function wait(line: Extract<Line, { kind: 'wait' }>, refused: boolean): Promise<void> {
    const stateNow = (): string => {
      const card = cardOf(board, line.id);
      return card ? (changeOf(card)?.state ?? '') : '';
    };
    const reached = (): string | undefined => {
      const state = stateNow();
      const there = line.state === undefined ? state !== '' && !isUnderway(state) : state === line.state;
      return there || isBadEnd(state) ? state : undefined;
    };
    const state = await until(reached, line.seconds * 1000);
    if (state === null)
      throw new Trouble(`${line.id || 'it'} is still ${stateNow() || 'unknown'} after ${line.seconds} s`);
    // The bad end is what this line tells of; it is not told twice.
    sights = [];
    const bad = isBadEnd(state) && state !== line.state;
    if (bad !== refused) throw new Trouble(`${line.id} ended ${state}`);
  }

  /** Runs one line; in a script, a refusal that no line expected is trouble too. */
  async function obey(typed: string): Promise<Line['kind']> {
    const isChange = (word: string): boolean => cardOf(board, word) !== undefined;
    const { line, refused } = parseLine(typed, isChange, newestChange(board));
    await run(line, refused);
    if (script && line.kind !== 'nothing' && refusal()) throw new Trouble('this was refused');
    if (gone) throw new Trouble('Slack is gone');
    return line.kind;
  }

  try {
    for (const id of Object.values(identities)) {
      for (const message of await client.messages(id, channel))
        note(board, { type: 'message', at: 0, message });
    }
    return await (script ? runScript() : runLive());
  } finally {
    client.close();
  }

  async function runScript(): Promise<number> {
    const source = createInterface({ input: options.input, crlfDelay: Infinity });
    let number = 0;
    for await (const typed of source) {
      number += 1;
      if (typed.trim() !== '') output.write(`${who}> ${typed}\n`);
      try {
        if ((await obey(typed)) === 'quit') break;
      } catch (error) {
        output.write(`Line ${number}: ${error instanceof Error ? error.message : String(error)}.\n`);
        source.close();
        return 1;
      }
    }
    source.close();
    return 0;
  }

  async function runLive(): Promise<number> {
    const source = createInterface({ input: options.input, output, terminal: tty.isTTY === true });
    lines = source;
    print(
      `You are ${who} in #${client.workspace.channels.find((each) => each.id === channel)?.name}. Type help, or ? for the prompt's own words.`,
    );
    source.setPrompt(`${who}> `);
    source.prompt();
    source.on('SIGINT', () => source.close());
    for await (const typed of source) {
      const kind = await obey(typed).catch((error: unknown) => {
        print(error instanceof Error ? error.message : String(error));
        return 'nothing' as const;
      });
      if (kind === 'quit' || gone) break;
      source.setPrompt(`${who}> `);
      source.prompt();
    }
    source.close();
    lines = null;
    return 0;
  }
}

/** Without colours, gutters and line breaks, so that a wrapped sentence is found. */
function flat(text: string): string {
  return stripColour(text)
    .replace(/^[│┌└] ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
}
