/**
 * A Windows host in a network namespace: Debian's sshd, behaving as Windows' does, in front of PowerShell's own engine.
 *
 * The namespace comes with two NICs: `eth0`, which holds the address, and `eth1`, for containers. Processes:
 *
 *     wmi loop (init of the host's own pid namespace: when it dies, all die)
 *     ├─ sshd ─ one pid namespace a session, as Windows' kill-on-close job ─ powershell ─ docker.exe, netsh.exe …
 *     └─ what Win32_Process Create starts, which outlives the session
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Component } from '../../../src/node/component.js';
import { commandOf, killAll, nameOf, pidsIn, until } from '../system.js';
import { type WindowsPrograms, windowsPrograms } from './build.js';
import { writeBinaries } from './services.js';
import { becomeAnotherBoot, freshState, type StateFile, stateFile, type WindowsState } from './state.js';

export interface WindowsHostOptions {
  /** The network namespace, which the caller makes and removes. */
  namespace: string;
  /** The host's routable address, which `eth0` already holds. */
  address: string;
  sshPort: number;
  /** A line of authorized_keys. */
  authorizedKey: string;
  /** An absolute path, for this host alone. Its state, keys and log go there. */
  workDir: string;
  /** Defaults to 14393, Windows Server 2016. */
  build?: number;
  /** Whether services named kubelet and kube-proxy run. */
  processes?: boolean;
  /** Whether it installs no feature without a restart. */
  wantsRestart?: boolean;
}

export interface WindowsHost {
  /** Ends the host's processes. What it remembers, and the kernel's routes, stay: started again, it is the same host. */
  stop(): Promise<void>;
  state(): WindowsState;
  /** Changes what the host remembers, or breaks it. Not while a request runs. */
  edit(change: (state: WindowsState) => void): void;
  /** Starts the process behind a service, as the service manager does. */
  startProcess(component: Component): Promise<void>;
  /** Ends everything and starts it again, as shutdown.exe within the host does too: the boot time and the interface indexes are other ones. */
  reboot(): Promise<void>;
  /** Resolves once the host has been rebooted so many times in all, by whomever. */
  rebooted(times: number): Promise<void>;
  /** `kill -9` of the process, and of what would start it anew. */
  killProcess(component: Component): Promise<void>;
}

/** Starts the host; resolves once its sshd listens. Needs root, `ip`, `nft` and the .NET SDK. */
export async function startWindowsHost(options: WindowsHostOptions): Promise<WindowsHost> {
  const { namespace, workDir } = options;
  const programs = windowsPrograms();
  mkdirSync(join(workDir, 'Program Files'), { recursive: true });
  mkdirSync('/run/sshd', { recursive: true });
  writePrograms(workDir, programs);
  const edit = stateFile(workDir);
  // A host that was stopped comes back as it was, not as one installed anew.
  if (!existsSync(join(workDir, 'state.json'))) {
    const state = freshState(options.build ?? 14393, options.processes ?? false);
    if (options.wantsRestart) state.faults['restart-needed'] = 'yes';
    edit.write(state);
    prepareKernel(namespace);
  }
  writeSshd(options, programs);
  writeBinaries(workDir);

  // A component's wrapper and itself.
  const processesOf = (component: Component): number[] =>
    pidsIn([namespace]).filter(
      (pid) =>
        nameOf(pid) === `${component}.exe` ||
        commandOf(pid).includes(join(workDir, `services/${component}.sh`)),
    );
  let boots = 0;
  let restarting: Promise<void> | null = null;
  let running = await boot(options, onRestart);

  async function rebootOnce(): Promise<void> {
    await running.stop();
    afterBoot(options, edit);
    running = await boot(options, onRestart);
    boots += 1;
  }

  /** shutdown.exe was called: while the host is down, it does not answer. */
  function onRestart(): void {
    restarting = sleep(DOWN_MS).then(rebootOnce);
  }

  return {
    state: edit.read,
    edit: (change) => {
      const state = edit.read();
      change(state);
      edit.write(state);
    },
    startProcess: async (component) => {
      const job = join(workDir, `wmi-${component}`);
      writeFileSync(job, `exec ${programs.others} start ${workDir} ${component}\n`);
      appendFileSync(join(workDir, 'wmi'), `${job}\n`);
      await until(`${component}.exe`, () => processesOf(component).some((pid) => nameOf(pid) !== 'sh'));
    },
    reboot: rebootOnce,
    rebooted: (times) => until('the host to restart', () => boots >= times, 60_000),
    killProcess: (component) => killAll(processesOf(component)),
    stop: async () => {
      await restarting;
      await running.stop();
    },
  };
}

/** How long a host that restarts itself is away, in milliseconds. */
const DOWN_MS = 300;

interface Running {
  stop(): Promise<void>;
}

/** Starts the host's processes; resolves once sshd listens. */
async function boot(options: WindowsHostOptions, onRestart: () => void): Promise<Running> {
  const { namespace, workDir } = options;
  const log = openSync(join(workDir, 'log'), 'a');
  const restart = join(workDir, 'restart');
  for (const file of [restart, join(workDir, 'going-down')]) rmSync(file, { force: true });
  const inside = [
    'unshare',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    'sh',
    join(workDir, 'host.sh'),
  ];
  const host = spawn('ip', ['netns', 'exec', namespace, ...inside], { stdio: ['ignore', log, log] });
  closeSync(log);
  let isWanted = true;
  const ended = new Promise<void>((resolve) => host.once('exit', () => resolve()));
  // sshd comes last: who can log in finds the services that start with Windows started.
  for (let tries = 0; !listens(options); tries++) {
    if (host.exitCode !== null || tries > 400)
      throw new Error(`no sshd: ${readFileSync(join(workDir, 'log'), 'utf8')}`);
    await sleep(50);
  }
  host.once('exit', () => {
    if (isWanted && existsSync(restart)) onRestart();
  });
  return {
    stop: async () => {
      isWanted = false;
      // The kernel takes the whole pid namespace with it.
      host.kill('SIGKILL');
      await ended;
      while (listens(options)) await sleep(10);
    },
  };
}

/** What Windows does before anybody can log in: routes come back whose next hop is on the wire, and what waited for the restart is there. */
function afterBoot({ namespace }: WindowsHostOptions, edit: StateFile): void {
  const state = edit.read();
  becomeAnotherBoot(state);
  edit.write(state);
  const lines = state.routes.map(
    ({ destination, nextHop, metric }) =>
      `route append ${destination} via ${nextHop} proto static metric ${metric}`,
  );
  const batch = `${['route flush proto static', ...lines].join('\n')}\n`;
  // What is not on the wire, the kernel refuses.
  spawnSync('ip', ['-n', namespace, '-force', '-batch', '-'], { input: batch });
}

/** One `<name>.exe` for each program that the scripts start. */
function writePrograms(workDir: string, { powershell, others }: WindowsPrograms): void {
  const folder = join(workDir, 'programs');
  mkdirSync(folder, { recursive: true });
  const exe = (name: string, text: string): void => {
    writeFileSync(join(folder, `${name}.exe`), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, `${name}.exe`), 0o755);
  };
  exe('powershell', `exec '${powershell}' powershell '${workDir}' "$@"`);
  for (const name of ['docker', 'netsh', 'route', 'nssm', 'shutdown'])
    exe(name, `exec '${others}' ${name} '${workDir}' "$@"`);
  // `ping -n 1 -w <ms> -S <source> <target>`; Windows' prints TTL= where Linux' prints ttl=.
  exe('ping', 'ping -n -c "$2" -W "$(($4 / 1000 + 1))" -I "$6" "$7" | sed s/ttl=/TTL=/ | grep TTL=');
}

/** Off by default, as on Windows; ARP and reception follow the strong host model (the rest of it is Machine.cs'). */
function prepareKernel(namespace: string): void {
  const off = ['forwarding', 'rp_filter', 'send_redirects'].flatMap((name) =>
    ['all', 'default', 'eth0', 'eth1'].map((dev) => `net.ipv4.conf.${dev}.${name}=0`),
  );
  inNamespace(
    namespace,
    'sysctl',
    '-qw',
    ...off,
    'net.ipv4.conf.all.arp_ignore=1',
    'net.ipv4.conf.all.arp_announce=2',
  );
  inNamespace(namespace, 'ip', 'link', 'set', 'lo', 'up');
}

/** Most of its processes live for a second: to compile well what they run costs more than a third of their time. */
const ENGINE = [
  'DOTNET_TieredCompilation=0 DOTNET_JITMinOpts=1 DOTNET_EnableWriteXorExecute=0',
  'DOTNET_EnableDiagnostics=0 POWERSHELL_TELEMETRY_OPTOUT=1',
].join(' ');

function writeSshd(options: WindowsHostOptions, { powershell, others }: WindowsPrograms): void {
  const { workDir } = options;
  if (!existsSync(join(workDir, 'host_key')))
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(workDir, 'host_key')]);
  writeFileSync(join(workDir, 'authorized_keys'), `${options.authorizedKey}\n`);
  // Windows' account; uid 0 must come by this name first.
  writeFileSync(
    join(workDir, 'passwd'),
    `Administrator:x:0:0::${workDir}:/bin/sh\n${readFileSync('/etc/passwd', 'utf8')}`,
  );
  const session = `setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount-proc ${powershell} shell ${workDir}`;
  const config = [
    `ListenAddress ${options.address}`,
    `Port ${options.sshPort}`,
    `HostKey ${workDir}/host_key`,
    `AuthorizedKeysFile ${workDir}/authorized_keys`,
    'AuthenticationMethods publickey',
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    'MaxStartups 100',
    'Subsystem sftp sftp',
    `ForceCommand [ "$SSH_ORIGINAL_COMMAND" != sftp ] || exec sh ${workDir}/sftp.sh; ${ENGINE} PATH=${workDir}/programs:$PATH exec ${session}`,
  ];
  writeFileSync(join(workDir, 'sshd_config'), `${config.join('\n')}\n`);
  // Windows' SFTP server has its drives below /, as /C:.
  const root = join(workDir, 'sftp-root');
  const shared = ['usr', 'lib', 'lib64', 'etc', 'dev'].filter((name) => existsSync(`/${name}`));
  const sftpSh = [
    'set -e',
    `exec unshare --mount sh -c '`,
    `mkdir -p ${root}; mount -t tmpfs root ${root}`,
    ...shared.map((name) => `mkdir ${root}/${name}; mount --rbind /${name} ${root}/${name}`),
    `mkdir ${root}/C:; mount --rbind ${workDir} ${root}/C:`,
    `exec chroot ${root} /usr/lib/openssh/sftp-server'`,
  ];
  writeFileSync(join(workDir, 'sftp.sh'), `${sftpSh.join('\n')}\n`);
  const hostSh = [
    `export ${ENGINE} PATH=${workDir}/programs:$PATH`,
    `mount --bind ${workDir}/passwd /etc/passwd`,
    // Of this pid namespace: sessions have others, which don't see what WMI and services started.
    `mkdir -p ${workDir}/proc; mount --bind /proc ${workDir}/proc`,
    `rm -f ${workDir}/wmi; mkfifo ${workDir}/wmi`,
    // Read and write: the pipe then never ends for want of a writer.
    `while IFS= read -r job; do setsid sh "$job" </dev/null >/dev/null 2>&1 & done <>${workDir}/wmi &`,
    // What starts with Windows; a host without any saves itself the program's start.
    `grep -q -e nssm.exe -e '"atBoot": *true' ${workDir}/state.json && ${others} boot ${workDir} </dev/null`,
    `/usr/sbin/sshd -D -e -f ${workDir}/sshd_config &`,
    // Init of the namespace: takes in the orphans, and everything ends with it.
    'trap "exit 0" TERM',
    'wait',
  ];
  writeFileSync(join(workDir, 'host.sh'), `${hostSh.join('\n')}\n`);
}

function listens({ namespace, sshPort }: WindowsHostOptions): boolean {
  return inNamespace(namespace, 'ss', '-Hltn', `sport = :${sshPort}`).trim() !== '';
}

function inNamespace(namespace: string, ...command: string[]): string {
  return execFileSync('ip', ['netns', 'exec', namespace, ...command], { encoding: 'utf8' });
}
