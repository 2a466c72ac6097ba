/** Programs and processes, for the lab. */
import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** Runs a program to its end and gives its stdout. Throws with its stderr when it fails. */
export function run(program: string, args: readonly string[], stdin = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.join(' ')}: ${stderr || error.message}`));
      else resolve(stdout);
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(stdin);
  });
}

/** Runs the lines by one `ip`, in a namespace when one is named. */
export async function ipBatch(lines: readonly string[], namespace?: string): Promise<void> {
  if (lines.length === 0) return;
  await run(
    'ip',
    [...(namespace === undefined ? [] : ['-n', namespace]), '-batch', '-'],
    `${lines.join('\n')}\n`,
  );
}

/** Starts a program that goes on by itself, with its output in a file; its process id. */
export function start(program: string, args: readonly string[], log: string): number {
  const out = openSync(log, 'a');
  const child = spawn(program, args, { stdio: ['ignore', out, out], detached: true });
  closeSync(out);
  child.on('error', () => undefined);
  child.unref();
  if (child.pid === undefined) throw new Error(`${program} did not start`);
  return child.pid;
}

/** Waits, asking every 10 ms. Throws after `ms`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 20_000,
): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`gave up waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** When a process started, in clock ticks since boot (field 22 of its stat); null when there is none. With the id it names a process for good. */
export function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** A process's name, as its executable had it; empty when there is none. */
export function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return '';
  }
}

/** A process's words, one blank between; empty when there is none. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trimEnd();
  } catch {
    return '';
  }
}

/** The processes in any of the network namespaces, by one walk over /proc. */
export function pidsIn(namespaces: readonly string[]): number[] {
  const inodes = new Set(namespaces.flatMap((name) => inodeOf(name)));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => inodes.has(netNamespaceOf(pid)));
}

/** Ends these processes at once, and waits until they are gone. */
export async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  await until('killed processes to end', () => pids.every((pid) => netNamespaceOf(pid) === ''));
}

function inodeOf(namespace: string): string[] {
  const stat = statSync(`/run/netns/${namespace}`, { throwIfNoEntry: false });
  return stat ? [`net:[${stat.ino}]`] : [];
}

/** Empty for a process that is gone, or a zombie. */
function netNamespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
}
