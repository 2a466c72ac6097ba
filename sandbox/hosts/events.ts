/** What happens to a host without Fairway: somebody's route, a reboot. Pure. */
import type { Cidr, Ipv4 } from '../../src/ip.js';
import { runBatch } from './linux/ip.js';
import { booted } from './processes.js';
import type { HostState, LinuxHost } from './state.js';
import { afterBoot } from './windows/machine.js';
import { addRoute } from './windows/net.js';

export interface ForeignRoute {
  destination: Cidr;
  nextHop: Ipv4;
  /** Linux only; `static` when left out. */
  protocol?: string;
}

/** Somebody else adds a route on the routable NIC; on Windows to both stores. */
export function withForeignRoute(
  host: HostState,
  { destination, nextHop, protocol }: ForeignRoute,
): HostState {
  const nic = host.interfaces.find(({ kind }) => kind === 'physical');
  if (nic === undefined) return host;
  if (host.os === 'windows') return addRoute(host, destination, nextHop, nic.ifIndex);
  const route = { destination, nextHop, device: nic.name, protocol: protocol ?? 'static', metric: 0 };
  return { ...host, routes: [...host.routes, route] };
}

/** Somebody takes every route to the destination away. */
export function withoutRoute(host: HostState, destination: Cidr): HostState {
  const others = (route: { destination: Cidr }): boolean => route.destination !== destination;
  return host.os === 'linux'
    ? { ...host, routes: host.routes.filter(others) }
    : { ...host, active: host.active.filter(others), persistent: host.persistent.filter(others) };
}

/** Every process is another one. Linux forgets what no file told it: our routes, bridges, forwarding; where there is a root helper, that brings them back. Windows keeps what is persistent. The fence lives in /run, or on disk. */
export function rebooted(host: HostState, boot: string, now = 0): HostState {
  if (host.os === 'linux') return { ...booted(restored(forgetful(host)), now), boot };
  const connected = host.active.filter(({ nextHop }) => nextHop === '0.0.0.0');
  const machine = afterBoot(host.machine);
  return { ...booted(host, now), boot, active: [...connected, ...host.persistent], machine };
}

function restored(host: LinuxHost): LinuxHost {
  if (host.helper === null) return host;
  const { forward, batch } = host.helper.saved;
  return { ...runBatch(host, batch).host, forward };
}

function forgetful(host: LinuxHost): LinuxHost {
  const bridges = new Set(host.interfaces.filter(({ kind }) => kind === 'bridge').map(({ name }) => name));
  return {
    ...host,
    fence: 0,
    forward: false,
    interfaces: host.interfaces.filter(({ name }) => !bridges.has(name)),
    routes: host.routes.filter(
      ({ device, protocol }) => !bridges.has(device) && (protocol === 'kernel' || protocol === 'static'),
    ),
  };
}
