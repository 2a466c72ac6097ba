/** Tells by a login shell's answer that a host is one of the other operating system. A hint for people; it decides nothing. Pure. */
import type { Os } from '../node/node.js';

/** What the other system's shells say of the command that should start our interpreter (`exec /bin/sh …`, `powershell.exe …`). */
const ANSWERS: Readonly<Record<Os, RegExp>> = {
  // cmd.exe, then PowerShell, whose error ids are the same in every language.
  linux: /'exec' is not recognized|command line is too long|CommandNotFoundException|ParserError/i,
  // `sh: 1: powershell.exe: not found`, bash's and zsh's in any language; last tcsh's.
  windows: /^\S*sh:.*\bpowershell\.exe|^powershell\.exe: Command not found/im,
};

/** The line that gives it away; null when nothing does. `asked` is what the host was taken for. */
export function otherOsLine(asked: Os, printed: string): string | null {
  const { index } = ANSWERS[asked].exec(printed) ?? {};
  if (index === undefined) return null;
  const from = printed.lastIndexOf('\n', index) + 1;
  return (printed.slice(from).split('\n')[0] ?? '').trim().replace(/[.,]$/, '');
}
