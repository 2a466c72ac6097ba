/** One exec channel: speaks the framing of docs/host-protocol.md. */
import { createInterface } from 'node:readline';
import type { ServerChannel } from 'ssh2';
import type { Os } from '../../src/node/node.js';
import { recognise } from './command.js';
import { failure, ScriptError } from './script.js';

/** Runs one request on the host; null when the host went away meanwhile. */
export type Answer = (script: string, params: unknown) => Promise<Printed | null>;

export interface Printed {
  lines: string[];
  /** What else the host printed; no part of the answer. */
  printed: string;
}

const READY = '@@READY@@ 1';
/** The number of a plain exec's one request. */
const ONLY = '1';

/** Serves one command to its end. */
export async function serve(channel: ServerChannel, os: Os, command: string, answer: Answer): Promise<void> {
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
  let loaded = invocation.form === 'resident';
  if (loaded) print(READY);
  for await (const line of createInterface({ input: channel })) {
    if (!loaded) {
      if (!isBase64(line)) return finish(channel, 1);
      loaded = true;
      print(READY);
      continue;
    }
    const [, id, script, params] = /^(\d+) ([a-z-]+) (\S+)$/.exec(line) ?? [];
    if (id === undefined || script === undefined || params === undefined) print('not a request');
    else await reply(id, script, params);
  }
  finish(channel, 0);
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
