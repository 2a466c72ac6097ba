/** The wire between the sandbox hosts: which packets would get through, by every host's own tables. Pure. */
import { type Cidr, contains, type Ipv4, prefixLength } from '../../src/ip.js';
import type { HostState, LinuxHost, WindowsHost } from './state.js';

/** A host as its neighbours on the wire see it. */
export interface FabricHost {
  name: string;
  /** False: switched off, answers nothing and forwards nothing. */
  up: boolean;
  /** Windows: takes a packet only on the interface that holds its address, or on one that forwards; answers ARP likewise. */
  strong: boolean;
  interfaces: readonly FabricInterface[];
  routes: readonly FabricRoute[];
}

interface FabricInterface {
  name: string;
  addresses: readonly Ipv4[];
  /** Whether packets that arrive here are forwarded. */
  forwards: boolean;
  /** Whether it is on the common wire: routable NICs, and Windows' pod adapters (the guide's second NIC is plugged in beside the first). */
  wired: boolean;
}

interface FabricRoute {
  destination: Cidr;
  /** null: connected. */
  nextHop: Ipv4 | null;
  device: string;
  metric: number;
}

/** Every host by name. */
export type Fabric = ReadonlyMap<string, FabricHost>;

/** Enough for any path here; a loop ends. */
const TTL = 8;

/** Whether `from` gets an answer from `target` when it asks with the address `source`. */
export function reachable(fabric: Fabric, from: string, source: Ipv4, target: Ipv4): boolean {
  const asker = fabric.get(from);
  if (asker === undefined || !asker.up || interfaceWith(asker, source) === undefined) return false;
  const owner = deliver(fabric, asker, target);
  return owner !== null && deliver(fabric, owner, source) === asker;
}

/** Walks a packet from `sender` by every hop's routes; the host that takes it, or null when it is lost. */
function deliver(fabric: Fabric, sender: FabricHost, target: Ipv4): FabricHost | null {
  let at = sender;
  let inbound: FabricInterface | null = null;
  for (let ttl = TTL; ttl > 0; ttl -= 1) {
    const owned = interfaceWith(at, target);
    if (owned !== undefined) {
      const taken = inbound === null || !at.strong || inbound === owned || inbound.forwards;
      return taken ? at : null;
    }
    if (inbound !== null && !inbound.forwards) return null;
    const route = lookUp(at, target);
    if (route === undefined) return null;
    if (at.interfaces.find(({ name }) => name === route.device)?.wired !== true) return null;
    const next = answerArp(fabric, at, route.nextHop ?? target);
    if (next === null) return null;
    at = next.host;
    inbound = next.inbound;
  }
  return null;
}

/** Who on the wire says "that is me". Linux does for every address it has, wherever it is; Windows only where it is. */
function answerArp(
  fabric: Fabric,
  asker: FabricHost,
  address: Ipv4,
): { host: FabricHost; inbound: FabricInterface } | null {
  for (const host of fabric.values()) {
    if (host === asker || !host.up) continue;
    const owned = interfaceWith(host, address);
    const inbound = host.strong ? owned : owned && host.interfaces.find(({ wired }) => wired);
    if (inbound?.wired === true) return { host, inbound };
  }
  return null;
}

function lookUp(host: FabricHost, target: Ipv4): FabricRoute | undefined {
  return host.routes
    .filter(({ destination }) => contains(destination, target))
    .sort((a, b) => prefixLength(b.destination) - prefixLength(a.destination) || a.metric - b.metric)[0];
}

function interfaceWith(host: FabricHost, address: Ipv4): FabricInterface | undefined {
  return host.interfaces.find(({ addresses }) => addresses.includes(address));
}

/** A host's state as the wire sees it. */
export function onTheWire(host: HostState, up: boolean): FabricHost {
  return host.os === 'linux' ? linuxOnTheWire(host, up) : windowsOnTheWire(host, up);
}

function linuxOnTheWire(host: LinuxHost, up: boolean): FabricHost {
  return {
    name: host.name,
    up,
    strong: false,
    interfaces: host.interfaces
      .filter((link) => link.kind !== 'loopback')
      .map((link) => ({
        name: link.name,
        addresses: link.addresses.map(({ address }) => address),
        forwards: host.forward,
        wired: link.kind === 'physical' && link.up,
      })),
    routes: host.routes,
  };
}

function windowsOnTheWire(host: WindowsHost, up: boolean): FabricHost {
  return {
    name: host.name,
    up,
    strong: true,
    interfaces: host.interfaces
      .filter((nic) => nic.kind !== 'loopback')
      .map((nic) => ({
        name: String(nic.ifIndex),
        addresses: nic.addresses.map(({ address }) => address),
        forwards: nic.forwarding,
        wired: nic.up,
      })),
    routes: host.active.map((route) => ({
      ...route,
      nextHop: route.nextHop === '0.0.0.0' ? null : route.nextHop,
      device: String(route.ifIndex),
    })),
  };
}
