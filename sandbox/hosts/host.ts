/** One sandbox host: its state, its sshd, and the hands that demos and tests lay on it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ParsedKey } from 'ssh2';
import type { Cidr, Ipv4 } from '../../src/ip.js';
import type { Os } from '../../src/node/node.js';
import type { Printed } from './channel.js';
import { type ForeignRoute, rebooted, withForeignRoute, withoutRoute } from './events.js';
import { type Fabric, onTheWire } from './fabric.js';
import { runLinuxScript } from './linux/scripts.js';
import { type SshServer, startSshServer } from './server.js';
import { bootId, freshLinux, freshWindows, type HostState } from './state.js';
import { runWindowsScript } from './windows/scripts.js';

export interface HostSpec {
  name: string;
  os: Os;
  address: Ipv4;
  /** How long every request takes at least, in milliseconds. */
  latencyMs?: number;
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
  /** Pulls the plug: connections break, nothing answers, nothing is forwarded. State stays. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Somebody else's route (Windows: in both stores). */
  addForeignRoute(route: ForeignRoute): void;
  /** Takes every route to the destination away, whoever made it. */
  removeRoute(destination: Cidr): void;
  /** Every later request takes at least this many milliseconds. */
  delay(ms: number): void;
  /** As after a reinstallation: connections break, and the next one meets another key. */
  changeHostKey(): void;
  /** Connections break, routes that nobody made persistent are gone, the boot id is another one. */
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
    os === 'linux' ? freshLinux(name, address, number) : freshWindows(name, address, number);
  let latencyMs = spec.latencyMs ?? 0;
  let boots = 1;
  /** Counts what breaks connections, so that a request waiting meanwhile is never run. */
  let life = 0;
  let isUp = true;

  async function answer(script: string, params: unknown): Promise<Printed | null> {
    const begun = life;
    if (latencyMs > 0) await sleep(latencyMs);
    if (begun !== life) return null;
    const outcome =
      state.os === 'linux'
        ? runLinuxScript(state, script, params, fabric())
        : runWindowsScript(state, script, params, fabric());
    state = outcome.host;
    return outcome;
  }

  const user = USERS[os];
  const server: SshServer = await startSshServer({ os, user, clientKey, answer });
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
    get isUp() {
      return isUp;
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
      state = withForeignRoute(state, route);
    },
    removeRoute: (destination) => {
      state = withoutRoute(state, destination);
    },
    delay: (ms) => {
      latencyMs = ms;
    },
    changeHostKey: () => {
      life += 1;
      server.changeHostKey();
    },
    reboot: () => {
      life += 1;
      boots += 1;
      state = rebooted(state, bootId(number, boots));
      server.cut();
    },
  };
}

/** The wire as it is now. */
export function fabricOf(hosts: Iterable<SandboxHost>): Fabric {
  return new Map([...hosts].map((host) => [host.name, onTheWire(host.state, host.isUp)]));
}
