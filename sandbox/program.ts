/** The bot and the workers as processes of their own, as in production. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Program {
  readonly child: ChildProcess;
  /** Lets it drain; gives up on it after ten seconds. */
  stop(): Promise<void>;
}

const ROOT = new URL('../', import.meta.url);
const PATIENCE_MS = 10_000;

/** What Node is called with to run one of our files: from its source, or as the tests compiled it, which starts in a third of the time. */
export function nodeArgs(entry: string): string[] {
  const compiled = process.env['FAIRWAY_COMPILED'];
  return compiled === undefined
    ? ['--enable-source-maps', '--import', 'tsx', fileURLToPath(new URL(entry, ROOT))]
    : [join(compiled, entry.replace(/\.ts$/, '.js'))];
}

/** Starts one of the entry points with just this environment; its log goes to a file. */
export function startProgram(entry: string, env: Readonly<Record<string, string>>, logFile: string): Program {
  const tether = new URL('sandbox/tether.js', ROOT).href;
  const child = spawn(process.execPath, ['--import', tether, ...nodeArgs(entry)], {
    cwd: fileURLToPath(ROOT),
    // A process group of its own: Ctrl-C is the sandbox's to handle, in order.
    detached: true,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const log = createWriteStream(logFile, { flags: 'a' });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return {
    child,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
        await ended;
        clearTimeout(timer);
      }
      log.end();
    },
  };
}
