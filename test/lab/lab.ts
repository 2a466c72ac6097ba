/**
 * A lab: real hosts in network namespaces on one bridge, with the guide's addresses. Needs root.
 *
 *     root namespace        router's namespace            a namespace for each host
 *     fw1 198.18.1.1 ── uplink 198.18.1.2
 *                           br0 10.0.0.254/24 ─── p0 ──── eth0 10.0.0.4/24, sshd on port 22
 *                                             └── p1 ──── eth0 10.0.0.5/24, …
 *
 * Only connections from 198.18.1.1 (the `BindAddress` of the lab's SSH configuration) are routed into it, so that any
 * number of labs, with the same addresses, run side by side on a machine whose own network they don't touch.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostTarget } from '../../src/host/host.js';
import type { Component } from '../../src/node/component.js';
import type { Os } from '../../src/node/node.js';
import { freeSlot, type Slot, takeSlot } from './slot.js';
import { fingerprintOf, type LinuxOptions, makeKey, startSshd } from './sshd.js';
import { ipBatch, killAll, nameOf, pidsIn, run, until } from './system.js';
import { startWindowsHost, type WindowsHost } from './windows/host.js';
import { type Wired, wire, wireHost } from './wire.js';

interface LabHostSpec extends LinuxOptions {
  name: string;
  os: Os;
  address: string;
  /** Whether processes stand for kubelet and kube-proxy, with a service manager to start and stop them. Default false: hundreds of hosts cost less. */
  processes?: boolean;
  /** Windows: it installs no feature without a restart. */
  wantsRestart?: boolean;
}

export interface LabOptions {
  hosts: readonly LabHostSpec[];
  /** Prefix length of the subnet that all hosts share. Default 24; its last address but one is the router's. */
  prefix?: number;
}

export interface LabHost {
  spec: LabHostSpec;
  /** As the pool wants it. */
  target: HostTarget;
  namespace: string;
  /** Of its host key, `SHA256:…`. */
  fingerprint: string;
  /** The Windows host's own handle, while it runs. */
  windows: WindowsHost | null;
}

export interface Lab {
  dir: string;
  sshConfigFile: string;
  keyFile: string;
  hosts: readonly LabHost[];
  host(name: string): LabHost;
  /** Runs a shell command as root in the host's namespaces; its stdout. */
  exec(name: string, command: string): Promise<string>;
  /** Ends the host's sshd and everything else that runs there: connections to it are refused. Its routes stay. */
  stop(name: string): Promise<void>;
  start(name: string): Promise<void>;
  /**
   * Ends everything on the host and starts it again, with its processes. It has another boot id. Linux has lost every route, bridge and
   * forwarding; Windows has the routes of its persistent store, as far as their next hop is on the wire, and other interface indexes.
   */
  reboot(name: string): Promise<void>;
  /** `kill -9` of a process; nothing brings it back. */
  kill(name: string, component: Component): Promise<void>;
  /** Starts a process by the host's service manager. */
  startComponent(name: string, component: Component): Promise<void>;
  /** Pulls the host's cable: it falls silent, and connections to it hang. */
  cut(name: string): Promise<void>;
  mend(name: string): Promise<void>;
  /** Gives the host another host key, as if it had been installed anew. */
  rekey(name: string): Promise<void>;
  close(): Promise<void>;
}

interface Place {
  slot: Slot;
  prefix: number;
  authorizedKey: string;
  /** Of each Linux host, the parent of its first process; for `exec`. */
  pids: Map<string, number>;
}

/** Makes the lab; resolves once every host's sshd listens. `close()` it; a crashed run's is swept away by the next. */
export async function createLab({ hosts: specs, prefix = 24 }: LabOptions): Promise<Lab> {
  const slot = await takeSlot();
  const keyFile = join(slot.dir, 'id');
  const place: Place = { slot, prefix, authorizedKey: makeKey(keyFile), pids: new Map() };
  const hosts = specs.map((spec) => newHost(slot, spec));
  const lab = labOf(place, hosts, keyFile);
  try {
    await wire(slot, hosts.map(wiredOf), prefix);
    writeFileSync(lab.sshConfigFile, sshConfig(slot, hosts, keyFile));
    writeKnownHosts(slot, hosts);
    // Eight at a time: more only makes 250 starting hosts wait for two cores.
    const waiting = [...hosts];
    const startNext = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await begin(place, next);
    };
    await Promise.all(Array.from({ length: 8 }, startNext));
  } catch (error) {
    await lab.close();
    throw error;
  }
  return lab;
}

function labOf(place: Place, hosts: readonly LabHost[], keyFile: string): Lab {
  const { slot } = place;
  const host = (name: string): LabHost => {
    const found = hosts.find(({ spec }) => spec.name === name);
    if (!found) throw new Error(`no lab host ${name}`);
    return found;
  };
  const setPort = (name: string, state: 'up' | 'down'): Promise<void> =>
    ipBatch([`link set p${hosts.indexOf(host(name))} ${state}`], `${slot.prefix}router`);
  const exec = (name: string, command: string): Promise<string> => {
    const pid = place.pids.get(name);
    if (pid === undefined) return run('ip', ['netns', 'exec', host(name).namespace, 'sh', '-c', command]);
    const inside = ['-t', String(pid), '-n', '-m', `-p/proc/${pid}/ns/pid_for_children`];
    return run('nsenter', [...inside, 'sh', '-c', command]);
  };
  return {
    dir: slot.dir,
    sshConfigFile: join(slot.dir, 'ssh_config'),
    keyFile,
    hosts,
    host,
    exec,
    stop: (name) => end(place, host(name)),
    start: (name) => begin(place, host(name)),
    reboot: (name) => reboot(place, host(name)),
    async kill(name, component) {
      const { namespace, windows } = host(name);
      if (windows) await windows.killProcess(component);
      else await killAll(pidsIn([namespace]).filter((pid) => nameOf(pid) === component));
    },
    async startComponent(name, component) {
      const { windows } = host(name);
      if (windows) await windows.startProcess(component);
      else await exec(name, `systemctl start ${component}.service`);
    },
    cut: (name) => setPort(name, 'down'),
    mend: (name) => setPort(name, 'up'),
    async rekey(name) {
      const changed = host(name);
      await end(place, changed);
      changed.fingerprint = fingerprintOf(makeKey(hostKeyOf(slot, changed.spec)));
      writeKnownHosts(slot, hosts);
      await begin(place, changed);
    },
    async close() {
      await Promise.all(hosts.map(async ({ windows }) => await windows?.stop()));
      await freeSlot(slot);
    },
  };
}

async function begin({ slot, authorizedKey, pids }: Place, host: LabHost): Promise<void> {
  const { namespace, spec } = host;
  const dir = hostDir(slot, spec);
  if (spec.os === 'windows') {
    host.windows = await startWindowsHost({
      namespace,
      address: spec.address,
      sshPort: 22,
      authorizedKey,
      workDir: dir,
      processes: spec.processes ?? false,
      wantsRestart: spec.wantsRestart ?? false,
    });
    return;
  }
  const authorizedKeys = join(slot.dir, 'id.pub');
  const pid = startSshd({
    ...spec,
    processes: spec.processes ?? false,
    namespace,
    dir,
    hostKey: hostKeyOf(slot, spec),
    authorizedKeys,
  });
  await until(`sshd on ${spec.name}`, () => listens(pid, join(dir, 'log')));
  pids.set(spec.name, pid);
}

async function end({ pids }: Place, host: LabHost): Promise<void> {
  await host.windows?.stop();
  host.windows = null;
  pids.delete(host.spec.name);
  await killAll(pidsIn([host.namespace]));
}

async function reboot(place: Place, host: LabHost): Promise<void> {
  const { namespace, spec } = host;
  if (host.windows) return host.windows.reboot();
  await end(place, host);
  writeFileSync(join(hostDir(place.slot, spec), 'boot_id'), `${randomUUID()}\n`);
  const links = JSON.parse(await run('ip', ['-n', namespace, '-j', 'link'])) as { ifname: string }[];
  const made = links.map(({ ifname }) => ifname).filter((name) => !['lo', 'eth0'].includes(name));
  // Down, it loses its routes.
  const lines = [...made.map((name) => `link del ${name}`), 'link set eth0 down', 'address flush dev eth0'];
  await ipBatch(lines, namespace);
  await wireHost(wiredOf(host), place.prefix);
  await run('ip', ['netns', 'exec', namespace, 'sysctl', '-qw', 'net.ipv4.ip_forward=0']);
  await begin(place, host);
}

function wiredOf({ namespace, spec }: LabHost): Wired {
  return { namespace, os: spec.os, address: spec.address };
}

function newHost(slot: Slot, spec: LabHostSpec): LabHost {
  mkdirSync(hostDir(slot, spec), { recursive: true });
  writeFileSync(join(hostDir(slot, spec), 'boot_id'), `${randomUUID()}\n`);
  return {
    spec,
    target: { name: spec.name, address: spec.address, os: spec.os },
    namespace: `${slot.prefix}${spec.name}`,
    fingerprint: fingerprintOf(makeKey(hostKeyOf(slot, spec))),
    windows: null,
  };
}

/** Whether the process has port 22 open, asked without connecting: a connection would cost sshd a fork. */
function listens(pid: number, log: string): boolean {
  try {
    return / 00000000:0016 00000000:0000 0A /.test(readFileSync(`/proc/${pid}/net/tcp`, 'utf8'));
  } catch {
    throw new Error(`sshd ended while it started: ${readFileSync(log, 'utf8')}`);
  }
}

function sshConfig(slot: Slot, hosts: readonly LabHost[], keyFile: string): string {
  const blocks = hosts.map(({ spec }) => {
    const user = spec.os === 'windows' ? 'Administrator' : (spec.user?.name ?? 'root');
    return `Host ${spec.name} ${spec.address}\n  HostName ${spec.address}\n  User ${user}\n`;
  });
  const common = {
    BindAddress: slot.source,
    IdentityFile: keyFile,
    IdentitiesOnly: 'yes',
    UserKnownHostsFile: join(slot.dir, 'known_hosts'),
    StrictHostKeyChecking: 'yes',
    LogLevel: 'ERROR',
  };
  const lines = Object.entries(common).map(([key, value]) => `  ${key} ${value}\n`);
  return [...blocks, 'Host *\n', ...lines].join('');
}

function writeKnownHosts(slot: Slot, hosts: readonly LabHost[]): void {
  const lines = hosts.map(
    ({ spec }) => `${spec.address} ${readFileSync(`${hostKeyOf(slot, spec)}.pub`, 'utf8')}`,
  );
  writeFileSync(join(slot.dir, 'known_hosts'), lines.join(''));
}

function hostDir(slot: Slot, spec: LabHostSpec): string {
  return join(slot.dir, 'hosts', spec.name);
}

function hostKeyOf(slot: Slot, spec: LabHostSpec): string {
  return join(hostDir(slot, spec), 'host_key');
}
