/** Recognises the command lines of the resident channel (docs/host-protocol.md). The scripts' code is not interpreted. Pure. */
import type { Os } from '../../src/node/node.js';

export type Invocation =
  /** Linux: scripts came with the command; requests follow on stdin. */
  | { form: 'resident' }
  /** Windows: a line with the scripts comes first. */
  | { form: 'loader' }
  /** Linux, plain exec: one request, on the command line. */
  | { form: 'once'; script: string; params: string }
  /** Linux: a watcher, with the processes that it watches. */
  | { form: 'watch'; processes: string[] };

/** What a host is asked to run; null when a host of this OS would know nothing of it. */
export function recognise(os: Os, command: string): Invocation | null {
  return os === 'linux' ? recogniseShell(command) : recognisePowerShell(command);
}

function recogniseShell(command: string): Invocation | null {
  const words = shellWords(command) ?? [];
  if (words.slice(0, 3).join(' ') === 'exec perl -e') return { form: 'watch', processes: words.slice(4) };
  const [exec, shell, option, scripts, name, script, params, ...more] = words;
  if (exec !== 'exec' || shell !== '/bin/sh' || option !== '-c' || name !== 'fairway') return null;
  if (!scripts || more.length > 0) return null;
  if (script === undefined) return { form: 'resident' };
  return params === undefined ? null : { form: 'once', script, params };
}

function recognisePowerShell(command: string): Invocation | null {
  const form =
    /^powershell\.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand ([A-Za-z0-9+/]+={0,2})$/;
  const [, encoded = ''] = form.exec(command) ?? [];
  // cmd.exe's limit, which the shell of Windows' sshd has.
  if (encoded === '' || command.length > 8191) return null;
  return Buffer.from(encoded, 'base64').toString('utf16le').includes('ReadLine') ? { form: 'loader' } : null;
}

/** The words of a POSIX command line made of plain words and single-quoted text; null when a quote stays open. */
export function shellWords(text: string): string[] | null {
  const words: string[] = [];
  const piece = /'([^']*)'|\\([\s\S])|([^\s'\\]+)|(\s+)/y;
  let word: string | null = null;
  while (piece.lastIndex < text.length) {
    const found = piece.exec(text);
    if (found === null) return null;
    const [, quoted, escaped, plain, blank] = found;
    if (blank !== undefined) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + (quoted ?? escaped ?? plain ?? '');
    }
  }
  return word === null ? words : [...words, word];
}
