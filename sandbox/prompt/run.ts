/** The chat prompt: a line is typed, sent through the fake Slack, and what comes back is drawn. */
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import type { Look } from '../../src/terminal/card.js';
import { type Hands, type Session, startSession } from './session.js';

export interface PromptOptions {
  /** The fake Slack's base URL. */
  slackUrl: string;
  /** Who one can be, by name: `{ alice: 'U…' }`. The first one starts. */
  identities: Readonly<Record<string, string>>;
  /** Id or name of the channel to start in. */
  channel: string;
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  /** Unattended: lines are echoed, each waits for its answer, the first that goes wrong ends it. */
  script: boolean;
  /** What else can be done here, such as pulling a host's plug. */
  hands?: Hands;
  /** Columns; the terminal's, at most 100, when absent. */
  width?: number;
  /** Colours; when absent, on a terminal unless NO_COLOR is set. */
  colour?: boolean;
  /** Milliseconds that a script's line waits for an answer, a button or a text; 20 000 when absent. */
  patienceMs?: number;
}

const WIDEST = 100;

/** Runs until the input ends or `quit`. 0, or 1 when a script went wrong. Rejects when there is no fake Slack. */
export async function runPrompt(options: PromptOptions): Promise<number> {
  const { identities, output, script } = options;
  const look: Look = {
    colour: options.colour ?? (output.isTTY === true && !process.env['NO_COLOR']),
    userName: (id) => Object.keys(identities).find((name) => identities[name] === id),
  };
  const lines = createInterface({
    input: options.input,
    crlfDelay: Infinity,
    ...(script ? {} : { output, terminal: output.isTTY === true }),
  });
  // Taken before anything is awaited: lines that arrive earlier would be lost.
  const typed = lines[Symbol.asyncIterator]();
  try {
    const session = await startSession({
      slackUrl: options.slackUrl,
      identities,
      channel: options.channel,
      strict: script,
      patienceMs: options.patienceMs ?? 20_000,
      // A terminal that does not know its width says 0.
      width: options.width ?? Math.min(WIDEST, output.columns || WIDEST),
      look,
      hands: options.hands ?? {},
      print: script ? (text) => output.write(`${text}\n`) : (text) => printAbove(lines, output, text),
    });
    session.onGone(() => lines.close());
    try {
      return await (script ? runScript(session, typed, output) : runLive(session, lines, typed, output));
    } finally {
      session.close();
    }
  } finally {
    lines.close();
  }
}

async function runScript(
  session: Session,
  typed: AsyncIterator<string>,
  output: NodeJS.WritableStream,
): Promise<number> {
  for (let number = 1; ; number += 1) {
    const { value: line, done } = await typed.next();
    if (!done && line.trim() !== '') output.write(`${session.who()}> ${line}\n`);
    try {
      if (done) await session.settle();
      if (done || !(await session.obey(line))) return 0;
    } catch (error) {
      output.write(`Line ${number}: ${error instanceof Error ? error.message : String(error)}.\n`);
      return 1;
    }
  }
}

async function runLive(
  session: Session,
  lines: Interface,
  typed: AsyncIterator<string>,
  output: NodeJS.WritableStream,
): Promise<number> {
  // Without this listener Ctrl-C would end the process before anything is put away.
  lines.on('SIGINT', () => lines.close());
  output.write(
    `You are ${session.who()} in #${session.where()}. Type help, or ? for the prompt's own words.\n`,
  );
  for (;;) {
    lines.setPrompt(`${session.who()}> `);
    lines.prompt();
    const { value: line, done } = await typed.next();
    if (done) return 0;
    try {
      if (!(await session.obey(line))) return 0;
    } catch (error) {
      output.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

/** Prints over the line that is being typed, and puts it back below. */
function printAbove(lines: Interface, output: NodeJS.WritableStream, text: string): void {
  cursorTo(output, 0);
  clearLine(output, 0);
  output.write(`${text}\n`);
  lines.prompt(true);
}
