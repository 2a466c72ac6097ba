/** A Windows host under test with one neighbour, and a raw client of the channel: `ssh` and the protocol's lines. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { residentLaunch } from '../../../src/host/scripts.js';
import { startWindowsHost, type WindowsHost } from '../../lab/windows/host.js';

export const nodeIp = '10.0.0.7';
export const neighbour = '10.0.0.8';
/** An answer line, parsed. */
// biome-ignore lint/suspicious/noExplicitAny: what a host says is looked at, property by property, by the tests
export type Answer = { ok: boolean; changed?: boolean; code?: string; error?: string; data?: any };

export interface Channel {
  request(script: string, params: unknown): Promise<Answer>;
  /** Sends a line as it is. */
  send(line: string): void;
  /** Every line that came so far. */
  lines: string[];
  /** Ends stdin and waits for the exit code. */
  end(): Promise<number | null>;
  /** Cuts the connection, as a network would. */
  cut(): void;
}

export interface Site {
  host: WindowsHost;
  workDir: string;
  neighbourNamespace: string;
  /** Opens a channel; resolves at READY. `more` is PowerShell text after the shipped scripts, before the loop. */
  open(more?: string): Promise<Channel>;
  /** The container NIC's MAC, as Windows prints it. */
  mac: string;
  /** Runs a command in the Windows host's namespace, or in its neighbour's. */
  inside(...command: string[]): string;
  beside(...command: string[]): string;
  stop(): Promise<void>;
}

/** Two namespaces on one wire: the Windows host `10.0.0.7`, and a Linux neighbour `10.0.0.8` that has the SSH client. */
export async function startSite(name: string): Promise<Site> {
  const [windows, linux] = [`fww-${process.pid}-${name}`, `fwn-${process.pid}-${name}`];
  const workDir = mkdtempSync(join(tmpdir(), 'fairway-windows-'));
  const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
  const run = (ns: string, command: string[]): string => ip('netns', 'exec', ns, ...command);
  for (const ns of [windows, linux]) ip('netns', 'add', ns);
  for (const nic of ['eth0', 'eth1']) {
    ip('link', 'add', nic, 'netns', windows, 'type', 'veth', 'peer', 'name', nic, 'netns', linux);
    for (const ns of [windows, linux]) ip('-n', ns, 'link', 'set', nic, 'up');
  }
  ip('-n', windows, 'address', 'add', `${nodeIp}/24`, 'dev', 'eth0');
  ip('-n', linux, 'address', 'add', `${neighbour}/24`, 'dev', 'eth0');
  ip('-n', linux, 'link', 'set', 'lo', 'up');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(workDir, 'key')]);
  mkdirSync(join(workDir, 'host'));
  const host = await startWindowsHost({
    namespace: windows,
    address: nodeIp,
    sshPort: 22,
    authorizedKey: readFileSync(join(workDir, 'key.pub'), 'utf8').trim(),
    workDir: join(workDir, 'host'),
  });
  const open = new Set<Channel>();
  return {
    host,
    workDir,
    neighbourNamespace: linux,
    mac: run(windows, ['cat', '/sys/class/net/eth1/address']).trim().toUpperCase().replaceAll(':', '-'),
    inside: (...command) => run(windows, command),
    beside: (...command) => run(linux, command),
    open: async (more) => {
      const channel = await openChannel(linux, workDir, more);
      open.add(channel);
      return channel;
    },
    stop: async () => {
      for (const channel of open) channel.cut();
      await host.stop();
      for (const ns of [windows, linux]) ip('netns', 'del', ns);
      rmSync(workDir, { recursive: true, force: true });
    },
  };
}

/** The command line that starts the interpreter, for `ssh`. */
export function commandLine(): string {
  return residentLaunch({ os: 'windows' }).command;
}

/** What is sent of the scripts; `more` comes after them, before the loop begins. */
export function allScripts(more = ''): string {
  const shipped = Buffer.from(residentLaunch({ os: 'windows' }).stdin, 'base64').toString();
  return shipped.replace(/^Start-Loop$/m, () => `${more}\nStart-Loop`);
}

/** The `ssh` command that runs `command` on the Windows host of a site. */
export function ssh(ns: string, workDir: string, command: string): ChildProcess {
  const options = [
    'StrictHostKeyChecking=no',
    `UserKnownHostsFile=${workDir}/known_hosts`,
    'LogLevel=ERROR',
    'BatchMode=yes',
  ];
  const flags = options.flatMap((option) => ['-o', option]);
  return spawn('ip', [
    'netns',
    'exec',
    ns,
    'ssh',
    '-F',
    'none',
    ...flags,
    '-i',
    `${workDir}/key`,
    `Administrator@${nodeIp}`,
    command,
  ]);
}

async function openChannel(ns: string, workDir: string, more?: string): Promise<Channel> {
  const child = ssh(ns, workDir, commandLine());
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const lines: string[] = [];
  const waiting = new Map<string, { take(answer: Answer): void; fail(error: Error): void }>();
  let heads: string[] = [];
  let ready: () => void = () => {};
  const isReady = new Promise<void>((resolve, reject) => {
    ready = resolve;
    void exit.then((code) => {
      const error = new Error(`the channel ended with ${code}:\n${lines.join('\n')}`);
      reject(error);
      for (const { fail } of waiting.values()) fail(error);
    });
  });
  const take = (line: string): void => {
    lines.push(line);
    const [head, ...rest] = heads;
    if (head !== undefined) {
      heads = rest;
      waiting.get(head)?.take(JSON.parse(line) as Answer);
    } else if (line === '@@READY@@ 1') ready();
    const id = /^@@R@@ (\d+) 1$/.exec(line)?.[1];
    if (id !== undefined) heads.push(id);
  };
  for (const stream of [child.stdout, child.stderr])
    if (stream) createInterface({ input: stream }).on('line', take);
  const send = (line: string): void => void child.stdin?.write(`${line}\n`);
  child.stdin?.on('error', () => {});
  send(Buffer.from(allScripts(more)).toString('base64'));
  await isReady;
  let last = 0;
  return {
    lines,
    send,
    request: (script, params) => {
      const id = String(++last);
      send(`${id} ${script} ${Buffer.from(JSON.stringify(params)).toString('base64')}`);
      return new Promise((resolve, reject) => waiting.set(id, { take: resolve, fail: reject }));
    },
    end: () => {
      child.stdin?.end();
      return exit;
    },
    cut: () => void child.kill('SIGKILL'),
  };
}
