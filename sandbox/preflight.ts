/** What would stop the sandbox in the middle of its start, told before anything is started. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';

export interface Wish {
  script?: string;
  lab: boolean;
}

/** The command line. Throws an Error of one line for what it doesn't know, can't read, or may not do here. */
export function readWish(
  args: readonly string[],
  machine = { platform: process.platform, uid: process.getuid?.() },
): Wish {
  const { script, lab } = parseArgs({
    args: [...args],
    options: { script: { type: 'string' }, lab: { type: 'boolean', default: false } },
  }).values;
  if (lab && (machine.platform !== 'linux' || machine.uid !== 0))
    throw new Error('--lab needs Linux and root, for network namespaces: sudo npm run sandbox -- --lab');
  if (script !== undefined) checkScript(script);
  return { lab, ...(script === undefined ? {} : { script }) };
}

function checkScript(file: string): void {
  if (!existsSync(file)) throw new Error(`--script ${file}: there is no such file`);
  if (statSync(file).isDirectory()) throw new Error(`--script ${file}: it is a folder`);
  try {
    accessSync(file, constants.R_OK);
  } catch {
    throw new Error(`--script ${file}: it can not be read`);
  }
}
