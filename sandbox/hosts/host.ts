/** One sandbox host: its state, its sshd, and the hands that demos and tests lay on it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ParsedKey } from 'ssh2';
import type { Cidr, Ipv4 } from '../../src/ip.js';
import type { Component } from '../../src/node/component.js';
import type { Os } from '../../src/node/node.js';
import type { Duties } from './channel.js';
import { type ForeignRoute, rebooted, withForeignRoute, withoutRoute } from './events.js';
import { type Fabric, onTheWire } from './fabric.js';
import { runLinuxScript } from './linux/scripts.js';
import { killed, started } from './processes.js';
import type { Outcome } from './script.js';
import { type SshServer, startSshServer } from './server.js';
import { bootId, freshLinux, freshWindows, type HostState } from './state.js';
import { runWindowsScript, type WindowsOutcome } from './windows/scripts.js';

export interface HostSpec {
  name: string;
  os: Os;
  address: Ipv4;
  /** How long every request takes at least, in milliseconds. */
  latencyMs?: number;
  /** Windows: features take a restart before they work. */
  wantsRestart?: boolean;
}

export interface SandboxHost {
  readonly name: string;
  readonly os: Os;
  readonly address: Ipv4;
  readonly user: string;
  readonly port: number;
  /** SHA-256 of the host key in OpenSSH's form. */
  readonly fingerprint: string;
  /** What the host holds now. */
  readonly state: HostState;
  readonly isUp: boolean;
  /** The scripts that were asked for, in their order; one that a broken connection left unanswered too. */
  readonly asked: readonly string[];
  /** How many watchers run. */
  readonly watchers: number;
  /** Pulls the plug: connections break, nothing answers, nothing is forwarded. State stays. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Somebody else's route (Windows: in both stores). */
  addForeignRoute(route: ForeignRoute): void;
  /** Whatever else somebody does to it by hand. */
  alter(change: (state: HostState) => HostState): void;
  /** Takes every route to the destination away, whoever made it. */
  removeRoute(destination: Cidr): void;
  /** Every later request takes at least this many milliseconds. */
  delay(ms: number): void;
  /** As after a reinstallation: connections break, and the next one meets another key. */
  changeHostKey(): void;
  /** Ends a process; nothing brings it back. */
  kill(component: Component): void;
  /** Somebody starts a process anew. */
  restart(component: Component): void;
  /** Connections break, routes that nobody made persistent are gone, the boot id and every process are other ones. */
  reboot(): void;
}

/** Who may log in, by OS. */
const USERS: Readonly<Record<Os, string>> = { linux: 'fairway', windows: 'Administrator' };

/** Starts a host fresh from the installer. `number` sets it apart from the others; `fabric` gives the wire that all are on. */
export async function startHost(
  spec: HostSpec,
  number: number,
  clientKey: ParsedKey,
  fabric: () => Fabric,
): Promise<SandboxHost> {
  const { name, os, address } = spec;
  let state: HostState =
    os === 'linux'
      ? freshLinux(name, address, number, Date.now())
      : freshWindows(name, address, number, Date.now(), spec.wantsRestart);
  let latencyMs = spec.latencyMs ?? 0;
  let boots = 1;
  /** Counts what breaks connections, so that a request waiting meanwhile is never run. */
  let life = 0;
  let isUp = true;
  const asked: string[] = [];
  const watches = new Set<() => void>();

  function become(next: HostState): void {
    state = next;
    for (const look of watches) look();
  }

  const watch: Duties['watch'] = (processes, gone) => {
    const left = new Map(processes);
    const look = (): void => {
      for (const [component, pid] of left)
        if (state.processes[component]?.pid !== pid) {
          left.delete(component);
          gone(component);
        }
    };
    watches.add(look);
    look();
    return () => watches.delete(look);
  };

  const answer: Duties['answer'] = async (script, params) => {
    const begun = life;
    asked.push(script);
    if (latencyMs > 0) await sleep(latencyMs);
    const came = Date.now();
    while (begun === life) {
      const outcome = runScript(state, script, params, fabric(), came);
      become(outcome.host);
      if (outcome.restarts) setTimeout(reboot, RESTART_MS).unref();
      if (!outcome.again) return outcome;
      await sleep(outcome.again);
    }
    return null;
  };

  function reboot(): void {
    life += 1;
    boots += 1;
    server.cut();
    become(rebooted(state, bootId(number, boots), Date.now()));
  }

  const user = USERS[os];
  const server: SshServer = await startSshServer({ os, user, clientKey, duties: { answer, watch } });
  return {
    name,
    os,
    address,
    user,
    port: server.port,
    get fingerprint() {
      return server.fingerprint();
    },
    get state() {
      return state;
    },
    asked,
    get isUp() {
      return isUp;
    },
    get watchers() {
      return watches.size;
    },
    down: async () => {
      life += 1;
      isUp = false;
      await server.stop();
    },
    up: async () => {
      await server.resume();
      isUp = true;
    },
    addForeignRoute: (route) => {
      become(withForeignRoute(state, route));
    },
    alter: (change) => become(change(state)),
    removeRoute: (destination) => {
      become(withoutRoute(state, destination));
    },
    delay: (ms) => {
      latencyMs = ms;
    },
    changeHostKey: () => {
      life += 1;
      server.changeHostKey();
    },
    kill: (component) => become(killed(state, component)),
    restart: (component) => become(started(state, component, Date.now())),
    reboot,
  };
}

/** How long a host that was told to restart still answers, in milliseconds. */
const RESTART_MS = 300;

function runScript(
  state: HostState,
  script: string,
  params: unknown,
  fabric: Fabric,
  came: number,
): Outcome<HostState> & Pick<WindowsOutcome, 'again' | 'restarts'> {
  const now = Date.now();
  return state.os === 'linux'
    ? runLinuxScript(state, script, params, fabric, now)
    : runWindowsScript(state, script, params, fabric, now, now - came);
}

/** The wire as it is now. */
export function fabricOf(hosts: Iterable<SandboxHost>): Fabric {
  return new Map([...hosts].map((host) => [host.name, onTheWire(host.state, host.isUp)]));
}
