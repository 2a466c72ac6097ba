/** The tools that people use for this: ssh under xargs, clush, ansible. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab, LabHost } from '../test/lab/lab.js';
import { run, until } from '../test/lab/system.js';
import { inFlight } from './flight.js';
import type { Class } from './report.js';

export interface Tool {
  name: string;
  class: Class;
  /** Runs a command on every host; all that they printed. */
  run(command: string): Promise<string>;
}

/** The fastest key exchange of OpenSSH's: its own default costs half as much again. */
const FAST = ['-o', 'KexAlgorithms=curve25519-sha256'];

/** Those that are installed; `say` hears of the others. Warm ones go over the masters' sockets. */
export function toolsFor(lab: Lab, hosts: readonly LabHost[], say: (line: string) => void): Tool[] {
  const list = join(lab.dir, 'bench-hosts');
  writeFileSync(list, hosts.map(({ spec }) => `${spec.name}\n`).join(''));
  const config = ['-F', lab.sshConfigFile];
  const master = [...config, '-o', `ControlPath=${socketOf(lab, '%h')}`];
  const xargs = (options: readonly string[]) => (command: string) =>
    run('xargs', ['-a', list, '-P', '32', '-I', '{}', 'ssh', ...options, '{}', command]);
  const clush = (options: readonly string[]) => (command: string) =>
    run('clush', ['--hostfile', list, '-f', '64', '-o', options.join(' ').replaceAll('%', '%%'), command]);
  const ansible = (options: readonly string[]) => (command: string) =>
    run('env', [
      `ANSIBLE_SSH_ARGS=${options.join(' ')}`,
      ...['ansible', 'all', '-i', list, '-m', 'raw', '-f', '50', '-a', command],
    ]);
  const cold: Tool[] = [
    { name: 'ssh, xargs -P32', class: 'cold', run: xargs([...config, ...FAST]) },
    { name: 'clush -f64', class: 'cold', run: clush([...config, ...FAST]) },
    { name: 'ansible raw -f50', class: 'cold', run: ansible([...config, ...FAST, '-o', 'ControlMaster=no']) },
  ];
  const warm: Tool[] = [
    { name: 'ssh over ControlMaster, xargs -P32', class: 'warm', run: xargs(master) },
    { name: 'clush -f64 over ControlMaster', class: 'warm', run: clush(master) },
    { name: 'ansible raw -f50 over ControlMaster', class: 'warm', run: ansible(master) },
  ];
  for (const program of ['clush', 'ansible'])
    if (!isInstalled(program)) say(`left out: ${program} is not installed`);
  return [...cold, ...warm].filter(({ name }) => isInstalled(name.split(/[ ,]/)[0] ?? ''));
}

/** One ssh a host that keeps its connection open for others. */
export async function startMasters(lab: Lab, hosts: readonly LabHost[]): Promise<ChildProcess[]> {
  const masters: ChildProcess[] = [];
  mkdirSync(join(lab.dir, 'cm'), { recursive: true });
  await inFlight(hosts, 16, async ({ spec }) => {
    const socket = socketOf(lab, spec.address);
    const options = [
      '-F',
      lab.sshConfigFile,
      ...FAST,
      '-o',
      `ControlPath=${socket}`,
      '-o',
      'ServerAliveInterval=15',
    ];
    masters.push(spawn('ssh', [...options, '-M', '-N', spec.name], { stdio: 'ignore' }));
    await until(`a master connection to ${spec.name}`, () => existsSync(socket));
  });
  return masters;
}

export async function stopMasters(masters: readonly ChildProcess[]): Promise<void> {
  for (const master of masters) {
    if (master.exitCode !== null || master.signalCode !== null) continue;
    const ended = once(master, 'exit');
    master.kill();
    await ended;
  }
}

/** `%h` is the host's address, as the lab's configuration has it. */
function socketOf(lab: Lab, host: string): string {
  return join(lab.dir, 'cm', host);
}

function isInstalled(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
