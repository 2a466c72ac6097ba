/** One exec channel: speaks the framing of docs/host-protocol.md. */
import { createInterface } from 'node:readline';
import type { ServerChannel } from 'ssh2';
import { Component } from '../../src/node/component.js';
import type { Os } from '../../src/node/node.js';
import { recognise } from './command.js';
import { failure, ScriptError } from './script.js';

/** What a channel asks of its host. */
export interface Duties {
  /** Runs one request; null when the host went away meanwhile. */
  answer(script: string, params: unknown): Promise<Printed | null>;
  /** Says once of each process (by id) when it is not there any more. Gives what ends that. */
  watch(processes: ReadonlyMap<Component, number>, gone: (component: Component) => void): () => void;
}

export interface Printed {
  lines: string[];
  /** What else the host printed; no part of the answer. */
  printed: string;
}

const READY = '@@READY@@ 1';
/** The number of a plain exec's one request. */
const ONLY = '1';

/** Serves one command to its end. */
export async function serve(
  channel: ServerChannel,
  os: Os,
  command: string,
  { answer, watch }: Duties,
): Promise<void> {
  channel.on('error', () => undefined);
  const invocation = recognise(os, command);
  if (invocation === null) {
    const word = command.split(' ')[0] ?? '';
    channel.stderr.write(
      os === 'linux'
        ? `sh: 1: ${word}: not found\n`
        : `'${word}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n`,
    );
    finish(channel, os === 'linux' ? 127 : 1);
    return;
  }
  const print = (...lines: string[]): void => {
    const end = os === 'windows' ? '\r\n' : '\n';
    if (!channel.destroyed) channel.write(lines.map((line) => line + end).join(''));
  };
  const reply = async (id: string, script: string, params: string): Promise<void> => {
    const decoded = decode(params);
    const said = decoded === undefined ? { lines: [NOT_JSON], printed: '' } : await answer(script, decoded);
    if (said === null) return;
    const stray = said.printed.split('\n').filter((line) => line !== '');
    print(...stray, `@@R@@ ${id} ${said.lines.length}`, ...said.lines);
  };

  if (invocation.form === 'once') {
    print(READY);
    await reply(ONLY, invocation.script, invocation.params);
    return finish(channel, 0);
  }
  // At once: lines that come before somebody iterates are lost.
  const lines = createInterface({ input: channel })[Symbol.asyncIterator]();
  let processes = invocation.form === 'watch' ? invocation.processes : null;
  if (invocation.form === 'loader') {
    const scripts = await lines.next();
    if (scripts.done === true || !isBase64(scripts.value)) return finish(channel, 1);
    const code = Buffer.from(scripts.value, 'base64').toString();
    if (/^Start-Watch$/m.test(code)) processes = String((await lines.next()).value).split(' ');
  }
  if (processes !== null) return await watchUntilEnd(channel, processes, lines, print, watch);
  print(READY);
  for await (const line of lines) {
    const [, id, script, params] = /^(\d+) ([a-z-]+) (\S+)$/.exec(line) ?? [];
    if (id === undefined || script === undefined || params === undefined) print('not a request');
    else await reply(id, script, params);
  }
  finish(channel, 0);
}

/** Watches until all of the processes are gone, or stdin has something, its end above all. */
async function watchUntilEnd(
  channel: ServerChannel,
  words: readonly string[],
  lines: AsyncIterator<string>,
  print: (line: string) => void,
  watch: Duties['watch'],
): Promise<void> {
  const processes = new Map(words.map(processOf).filter((process) => process !== null));
  if (processes.size < words.length) return finish(channel, 1);
  print(READY);
  let left = processes.size;
  const stop = watch(processes, (component) => {
    print(`@@GONE@@ ${component}`);
    left -= 1;
    if (left === 0) finish(channel, 0);
  });
  channel.once('close', stop);
  await lines.next();
  finish(channel, 0);
}

/** `<component>=<pid>` */
function processOf(word: string): [Component, number] | null {
  const [name, pid] = word.split('=');
  const component = Component.safeParse(name).data;
  return component === undefined ? null : [component, Number(pid)];
}

const NOT_JSON = failure(new ScriptError('PARAMS', 'parameters are not base64 of JSON'), 'PARAMS');

function decode(params: string): unknown {
  if (!isBase64(params)) return undefined;
  try {
    return JSON.parse(Buffer.from(params, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}

function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0;
}

function finish(channel: ServerChannel, code: number): void {
  if (channel.destroyed) return;
  channel.exit(code);
  channel.end();
}
