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
  stderr: string;
}

const READY = '@@READY@@ 1\n';
/** The one request of a plain exec has no id of its own. */
const ONLY = '0';

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
  if (invocation.form === 'once') {
    channel.write(READY);
    await reply(channel, ONLY, invocation.script, invocation.params, answer);
    finish(channel, 0);
    return;
  }
  let loaded = invocation.form === 'resident';
  if (loaded) channel.write(READY);
  for await (const line of createInterface({ input: channel })) {
    if (!loaded) {
      if (!isBase64(line)) return finish(channel, 1);
      loaded = true;
      channel.write(READY);
      continue;
    }
    const [, id, script, params] = /^(\d+) ([a-z-]+) (\S+)$/.exec(line) ?? [];
    // A line that is no request is ignored, as the interpreters do.
    if (id !== undefined && script !== undefined && params !== undefined) {
      await reply(channel, id, script, params, answer);
    }
  }
  finish(channel, 0);
}

async function reply(
  channel: ServerChannel,
  id: string,
  script: string,
  params: string,
  answer: Answer,
): Promise<void> {
  const decoded = decode(params);
  const printed =
    decoded === undefined
      ? { lines: [failure(new ScriptError('PARAMS', 'parameters are not base64 of JSON'))], stderr: '' }
      : await answer(script, decoded);
  if (printed === null || channel.destroyed) return;
  if (printed.stderr !== '') channel.stderr.write(printed.stderr);
  channel.write([`@@R@@ ${id} ${printed.lines.length}`, ...printed.lines, ''].join('\n'));
}

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
