/** One person's sitting at the prompt: who they are, where, what they have seen, and what each line does. */
import { readFile } from 'node:fs/promises';
import type { Look } from '../../src/terminal/card.js';
import { stripColour } from '../../src/terminal/width.js';
import { findInput } from '../slack/controls.js';
import { isObj, type Outcome, objects, type Sight } from '../slack/types.js';
import { type Act, answersIn } from './answers.js';
import {
  cardOf,
  changeIds,
  changeOf,
  copyable,
  createBoard,
  formOf,
  isBadEnd,
  isUnderway,
  labels,
  note,
  withControl,
} from './board.js';
import { connectClient } from './client.js';
import { type Line, parseLine, WORDS } from './line.js';
import { createScreen, type Screen } from './screen.js';
import { createWatch } from './watch.js';

/** What can be done to the world outside of Slack, by verb. Each says what it did; it throws in words for whoever typed it. */
export type Hands = Readonly<Record<string, { usage: string; act: (argument: string) => Promise<string> }>>;

export interface SessionOptions {
  slackUrl: string;
  identities: Readonly<Record<string, string>>;
  channel: string;
  /** Lines wait for their answers, and an answer that says no is trouble. */
  strict: boolean;
  /** Milliseconds that a strict line waits for its first answer, and for a button, form or text to appear. */
  patienceMs: number;
  width: number;
  look: Look;
  print: (text: string) => void;
  hands: Hands;
}

export interface Session {
  who(): string;
  where(): string;
  /** Runs one line; false when it says to quit. Throws, in words for whoever typed it, when it goes wrong. */
  obey(typed: string): Promise<boolean>;
  /** For the end of a script: waits for what the last line still has to say; throws when that is a refusal. */
  settle(): Promise<void>;
  /** Calls back when the fake Slack has gone. */
  onGone(listener: () => void): void;
  close(): void;
}

/** Lines that neither ask nor look, so that nothing has to be settled before them. */
const ASIDE: readonly Line['kind'][] = ['nothing', 'as', 'channel', 'words'];

/** How many times as long as for its first answer a line waits for its second. */
const FOLLOWS_WITHIN = 3;

/** A line that went wrong, in words for whoever typed it. */
class Trouble extends Error {}

/** Connects. Rejects when there is no fake Slack, or no such channel. */
export async function startSession(options: SessionOptions): Promise<Session> {
  const { identities, strict, patienceMs } = options;
  const names = Object.keys(identities);
  const board = createBoard();
  const watch = createWatch();
  /** What was seen and printed since the last line that asked for something. */
  let sights: Sight[] = [];
  let heard = '';
  /** The change that a line started last, and the one of which nothing was said since: its plan may still be refused. */
  let started: string | undefined;
  let unsettled: string | undefined;
  /** The line of which another answer is still to come. */
  let following: Act | undefined;
  let screen: Screen | null = null;
  let gone = (): void => {};

  const client = await connectClient(
    options.slackUrl,
    Object.values(identities),
    (sight) => {
      note(board, sight);
      sights.push(sight);
      print(screen?.draw(sight) ?? '');
      watch.poke();
    },
    () => {
      watch.end();
      gone();
    },
  );
  screen = createScreen(client.workspace, options.width, options.look);
  let who = names[0] ?? '';
  let channel = findChannel(options.channel);
  for (const id of Object.values(identities)) {
    for (const message of await client.messages(id, channel.id))
      note(board, { type: 'message', at: 0, message });
  }

  function user(): string {
    return identities[who] ?? '';
  }

  function findChannel(name: string): { id: string; name: string } {
    const wanted = name.replace(/^#/, '');
    const found = client.workspace.channels.find((each) => each.id === wanted || each.name === wanted);
    if (!found) throw new Trouble(`no channel #${wanted}`);
    return found;
  }

  function print(text: string): void {
    if (text === '') return;
    heard += `${text}\n`;
    options.print(text);
  }

  /** A person sees for themself what is not there yet. */
  function soon<T>(find: () => T | undefined): Promise<T | null> {
    return watch.until(find, strict ? patienceMs : 0);
  }

  function stateOf(id: string): string {
    const card = cardOf(board, id);
    return card ? (changeOf(card)?.state ?? '') : '';
  }

  /** The state of a change once its plan is made, or refused; null when that takes too long. */
  function planned(id: string): Promise<string | null> {
    return soon(() => {
      const state = stateOf(id);
      return state === '' || state === 'planning' ? undefined : state;
    });
  }

  async function settle(): Promise<void> {
    if (!strict) return;
    await settleAnswer();
    if (unsettled === undefined) return;
    const state = await planned(unsettled);
    if (state !== null) unsettled = undefined;
    if (state === 'refused') throw new Trouble('the line before was refused');
  }

  async function settleAnswer(): Promise<void> {
    const act = following;
    if (act === undefined) return;
    following = undefined;
    // It is asked of hosts, each within a time limit of its own.
    const rest = await watch.until(() => answersIn(sights, act)[1], FOLLOWS_WITHIN * patienceMs);
    if (rest === null) throw new Trouble('the rest of the answer did not come');
    if (rest.refused) throw new Trouble('the line before was refused');
  }

  /** Sends something to the bot; strict, it waits for the answer to just this. */
  async function send(refused: boolean, act: () => Promise<Outcome>): Promise<void> {
    sights = [];
    heard = '';
    const known = new Set(changeIds(board));
    const outcome = await act();
    if (outcome.error === 'validation') {
      print(`The form says: ${faults(outcome.body)}`);
      if (!refused) throw new Trouble('the form was not accepted');
      return;
    }
    if (!outcome.ok)
      throw new Trouble(`Slack says ${outcome.error} after ${Math.round(outcome.latencyMs)} ms`);
    if (!strict) return;
    const botUser = client.workspace.bot.userId;
    const line: Act = { outcome, user: user(), botUser, known };
    const answer = await soon(() => answersIn(sights, line)[0]);
    if (answer === null) throw new Trouble(`no answer within ${patienceMs / 1000} s`);
    if (answer.started !== undefined) started = answer.started;
    if (answer.follows) following = line;
    if (!refused) {
      if (answer.refused) throw new Trouble('this was refused');
      unsettled = answer.started;
      return;
    }
    const late = answer.started !== undefined && (await planned(answer.started)) === 'refused';
    if (!answer.refused && !late) throw new Trouble('this was expected to be refused, and was not');
  }

  async function run(line: Line, refused: boolean): Promise<void> {
    switch (line.kind) {
      case 'as':
        if (identities[line.who] === undefined)
          throw new Trouble(`nobody is called ${line.who}; there are ${names.join(', ')}`);
        who = line.who;
        return;
      case 'channel':
        channel = findChannel(line.name);
        return;
      case 'slash':
        return send(refused, () => client.slash(user(), channel.id, line.text));
      case 'mention':
        return send(refused, () => client.mention(user(), channel.id, line.text));
      case 'click':
        return click(line, refused);
      case 'reason':
        return submit(line.text, refused);
      case 'paste':
        return submit(line.file === '' ? await copied() : await readFile(line.file, 'utf8'), refused);
      case 'close': {
        const form = formOf(board, user());
        if (!form) throw new Trouble('no form is open');
        return client.closeView(user(), form.id);
      }
      case 'wait':
        return wait(line, refused);
      case 'show': {
        const card = cardOf(board, line.id);
        if (!card) throw new Trouble(`no card of a change ${line.id}`);
        heard = '';
        print(screen?.card(card) ?? '');
        return;
      }
      case 'expect': {
        const wanted = flat(line.text);
        const found = await soon(() => flat(heard).includes(wanted) || undefined);
        if (found === null) throw new Trouble(`the last answer does not contain "${line.text}"`);
        return;
      }
      case 'hand':
        print((await options.hands[line.verb]?.act(line.argument)) ?? '');
        return;
      case 'words':
        print([...Object.values(options.hands).map((hand) => `  ${hand.usage}`), ...WORDS].join('\n'));
        return;
      default:
        return;
    }
  }

  async function click(line: Extract<Line, { kind: 'click' }>, refused: boolean): Promise<void> {
    const message = await soon(() => withControl(board, user(), channel.id, line.control, line.id));
    if (!message) {
      const there = labels(board, channel.id).map((label) => label.toLowerCase());
      const instead = there.length > 0 ? `there are: ${there.join(', ')}` : 'there is none to click';
      throw new Trouble(`no card has the button "${line.control}"; ${instead}`);
    }
    return send(refused, () => client.click(user(), message.channel, message.ts, line.control));
  }

  async function submit(text: string, refused: boolean): Promise<void> {
    const form = await soon(() => formOf(board, user()));
    if (!form) throw new Trouble('no form is open');
    const [input] = objects(form.view['blocks']).filter((block) => block['type'] === 'input');
    const values = input ? { [findInput(input, {}).actionId]: text } : {};
    return send(refused, () => client.submit(user(), form.id, values));
  }

  async function copied(): Promise<string> {
    const text = await soon(() => copyable(board, user()));
    if (text === null) throw new Trouble('no answer has anything to copy');
    return text;
  }

  async function wait(line: Extract<Line, { kind: 'wait' }>, refused: boolean): Promise<void> {
    const reached = (): string | undefined => {
      const state = stateOf(line.id);
      const there = line.state === undefined ? state !== '' && !isUnderway(state) : state === line.state;
      return there || isBadEnd(state) ? state : undefined;
    };
    const state = await watch.until(reached, line.seconds * 1000);
    if (state === null)
      throw new Trouble(
        `${line.id || 'it'} is still ${stateOf(line.id) || 'unknown'} after ${line.seconds} s`,
      );
    // What became of it is what this line tells of; it is not told twice.
    if (state !== 'planning') unsettled = undefined;
    const bad = isBadEnd(state) && state !== line.state;
    if (bad !== refused) throw new Trouble(`${line.id} ended ${state}`);
  }

  return {
    who: () => who,
    where: () => channel.name,
    obey: async (typed) => {
      const isChange = (word: string): boolean => cardOf(board, word) !== undefined;
      const newest = started ?? changeIds(board)[0];
      const { line, refused } = parseLine(typed, isChange, newest, Object.keys(options.hands));
      const tells = line.kind === 'wait' && line.id.toLowerCase() === unsettled?.toLowerCase();
      if (!tells && !ASIDE.includes(line.kind)) await settle();
      await run(line, refused);
      if (watch.ended()) throw new Trouble('Slack is gone');
      return line.kind !== 'quit';
    },
    settle,
    onGone: (listener) => {
      gone = listener;
    },
    close: () => client.close(),
  };
}

function faults(body: unknown): string {
  const errors = isObj(body) && isObj(body['errors']) ? body['errors'] : {};
  return Object.values(errors).join('; ');
}

/** Without colours, back-ticks, gutters and line breaks, so that a wrapped sentence is found. */
function flat(text: string): string {
  return stripColour(text)
    .replaceAll('`', '')
    .replace(/^[│┌└] ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
}
