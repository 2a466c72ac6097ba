/** What a sandbox host holds, as plain data: the part of a kernel that Fairway ever looks at. Pure. */
import { type Cidr, cidrAround, type Ipv4 } from '../../src/ip.js';
import { longRunning, type Processes } from './processes.js';
import { freshMachine, type Machine } from './windows/machine.js';

export interface HeldAddress {
  address: Ipv4;
  prefixLength: number;
}

export interface Interface {
  name: string;
  ifIndex: number;
  /** As the host's own tools print it: `00:15:…` on Linux, `00-15-…` on Windows. */
  mac: string;
  kind: 'loopback' | 'physical' | 'bridge' | 'pod';
  up: boolean;
  addresses: readonly HeldAddress[];
}

export interface LinuxRoute {
  /** `0.0.0.0/0` is the default route. */
  destination: Cidr;
  /** null: connected, or a route to a device. */
  nextHop: Ipv4 | null;
  device: string;
  /** As `ip` prints it: `kernel`, `static`, `boot`, or a number. */
  protocol: string;
  metric: number;
  onlink?: boolean;
  prefsrc?: Ipv4;
}

export interface RootHelper {
  text: string;
  clusterCidr: Cidr;
  bridge: string;
  podCidr: Cidr;
  saved: { forward: boolean; batch: string };
}

export interface LinuxHost extends Processes {
  os: 'linux';
  name: string;
  boot: string;
  /** The highest fencing token seen. */
  fence: number;
  /** `net.ipv4.ip_forward`. */
  forward: boolean;
  /** Whether sudo lets the login do anything, as installing the root helper takes. */
  mayInstall: boolean;
  /** The root helper with what it was told, and what it brings back at boot; null when there is none. */
  helper: RootHelper | null;
  interfaces: readonly Interface[];
  routes: readonly LinuxRoute[];
}

export interface WindowsInterface extends Interface {
  guid: string;
  forwarding: boolean;
}

export interface WindowsRoute {
  destination: Cidr;
  /** `0.0.0.0`: connected. */
  nextHop: Ipv4;
  ifIndex: number;
  metric: number;
}

/** A docker network of the driver `transparent`, bound to the NIC with this MAC. */
export interface TransparentNetwork {
  name: string;
  subnet: Cidr;
  gateway: Ipv4;
  mac: string;
}

export interface WindowsHost extends Processes {
  os: 'windows';
  name: string;
  build: number;
  boot: string;
  fence: number;
  interfaces: readonly WindowsInterface[];
  active: readonly WindowsRoute[];
  persistent: readonly WindowsRoute[];
  networks: readonly TransparentNetwork[];
  machine: Machine;
}

export type HostState = LinuxHost | WindowsHost;

/** The LAN's router, which no sandbox host is. */
const ROUTER = 254;
const LAN_PREFIX_LENGTH = 24;

/**
 * A Linux host fresh from the installer: one NIC, a default route, forwarding off, kubelet and kube-proxy running. `number` makes its MAC
 * unique; `now` is in milliseconds since 1970.
 */
export function freshLinux(name: string, address: Ipv4, number: number, now = 0): LinuxHost {
  const lan = cidrAround(address, LAN_PREFIX_LENGTH);
  return {
    os: 'linux',
    name,
    boot: bootId(number, 1),
    fence: 0,
    forward: false,
    mayInstall: false,
    helper: null,
    ...longRunning(number, now),
    interfaces: [
      loopback('lo', '00:00:00:00:00:00'),
      {
        name: 'eth0',
        ifIndex: 2,
        mac: macOf(3, number, ':').toLowerCase(),
        kind: 'physical',
        up: true,
        addresses: [{ address, prefixLength: LAN_PREFIX_LENGTH }],
      },
    ],
    routes: [
      { destination: '0.0.0.0/0', nextHop: routerOf(lan), device: 'eth0', protocol: 'static', metric: 0 },
      { destination: lan, nextHop: null, device: 'eth0', protocol: 'kernel', metric: 0, prefsrc: address },
    ],
  };
}

/**
 * A Windows Server 2016 host: the routable NIC `Ethernet`, and `Ethernet 2` for the container network. `wantsRestart`: it installs no
 * feature without a restart.
 */
export function freshWindows(
  name: string,
  address: Ipv4,
  number: number,
  now = 0,
  wantsRestart = false,
): WindowsHost {
  const lan = cidrAround(address, LAN_PREFIX_LENGTH);
  // Not in the order of their names, and other numbers on each host: nobody may guess an index.
  const [ethernet, spare] = [11 + (number % 5), 4 + (number % 3)];
  const defaultRoute = { destination: '0.0.0.0/0', nextHop: routerOf(lan), ifIndex: ethernet, metric: 1 };
  return {
    os: 'windows',
    name,
    build: 14393,
    boot: bootId(number, 1),
    fence: 0,
    ...longRunning(number, now),
    interfaces: [
      { ...loopback('Loopback Pseudo-Interface 1', ''), guid: guidOf(number, 1), forwarding: false },
      {
        name: 'Ethernet',
        ifIndex: ethernet,
        guid: guidOf(number, 2),
        mac: macOf(3, number, '-'),
        kind: 'physical',
        up: true,
        forwarding: false,
        addresses: [{ address, prefixLength: LAN_PREFIX_LENGTH }],
      },
      {
        name: 'Ethernet 2',
        ifIndex: spare,
        guid: guidOf(number, 3),
        mac: macOf(4, number, '-'),
        kind: 'physical',
        up: true,
        forwarding: false,
        addresses: [],
      },
    ],
    active: [defaultRoute, { destination: lan, nextHop: '0.0.0.0', ifIndex: ethernet, metric: 256 }],
    persistent: [defaultRoute],
    networks: [],
    machine: freshMachine(wantsRestart),
  };
}

/** A boot's id, another one for each `boot` of a host. */
export function bootId(number: number, boot: number): string {
  return `00000000-0000-4000-8000-${hex(number, 6)}${hex(boot, 6)}`.toLowerCase();
}

function loopback(name: string, mac: string): Interface {
  return {
    name,
    ifIndex: 1,
    mac,
    kind: 'loopback',
    up: true,
    addresses: [{ address: '127.0.0.1', prefixLength: 8 }],
  };
}

function routerOf(lan: Cidr): Ipv4 {
  return lan.replace(/\d+\/\d+$/, String(ROUTER));
}

/** Within Hyper-V's own block, 00-15-5D. */
function macOf(nic: number, number: number, separator: string): string {
  return ['00', '15', '5D', hex(nic, 2), ...(hex(number, 4).match(/../g) ?? [])].join(separator);
}

function guidOf(number: number, nic: number): string {
  return `{${hex(nic, 8)}-0000-4000-8000-${hex(number, 12)}}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
