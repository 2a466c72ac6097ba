/** What the cmdlets, netsh and docker do to a Windows host. Pure. */
import { type Cidr, cidrAround, type Ipv4, prefixLength } from '../../../src/ip.js';
import { ScriptError } from '../script.js';
import type {
  HeldAddress,
  TransparentNetwork,
  WindowsHost,
  WindowsInterface,
  WindowsRoute,
} from '../state.js';

export type Store = 'ActiveStore' | 'PersistentStore';

/** `route -p add`'s and New-NetRoute's metric when none is asked for. */
const ROUTE_METRIC = 256;

/** The one interface that holds an address; throws, as the scripts do, when that isn't exactly one. */
export function interfaceOf(host: WindowsHost, address: Ipv4): WindowsInterface {
  const found = host.interfaces.filter((nic) => nic.addresses.some((held) => held.address === address));
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new ScriptError('NODE-IP', `the node's address ${address} is on ${found.length} interfaces`);
  }
  return only;
}

/** Remembers the highest fencing token, and refuses a lease that another one has overtaken. */
export function passFence(host: WindowsHost, fence: number): WindowsHost {
  if (fence >= host.fence) return { ...host, fence };
  throw new ScriptError('FENCED', `another worker has taken this host over (${host.fence} > ${fence})`);
}

/** The host adapter of the container network: Hyper-V gives it the MAC of the NIC that it took. */
export function podAdapter(host: WindowsHost, mac: string): WindowsInterface | undefined {
  return host.interfaces.find((nic) => nic.kind === 'pod' && nic.mac === mac);
}

/** New-NetRoute: both stores. A route with the same prefix and another next hop is a second route, not an error. */
export function addRoute(host: WindowsHost, destination: Cidr, nextHop: Ipv4, ifIndex: number): WindowsHost {
  const route: WindowsRoute = { destination, nextHop, ifIndex, metric: ROUTE_METRIC };
  const without = removeRoute(host, destination, nextHop);
  return {
    ...without,
    active: [...without.active, route],
    persistent: [...without.persistent, route],
  };
}

/** Remove-NetRoute, from both stores or from one. */
export function removeRoute(
  host: WindowsHost,
  destination: Cidr,
  nextHop: Ipv4,
  store: Store | 'both' = 'both',
): WindowsHost {
  const others = (route: WindowsRoute): boolean =>
    route.destination !== destination || route.nextHop !== nextHop;
  return {
    ...host,
    active: store === 'PersistentStore' ? host.active : host.active.filter(others),
    persistent: store === 'ActiveStore' ? host.persistent : host.persistent.filter(others),
  };
}

/** `netsh interface ipv4 set interface <ifIndex> forwarding=…` */
export function setForwarding(host: WindowsHost, ifIndex: number, forwarding: boolean): WindowsHost {
  return replace(host, ifIndex, (nic) => ({ ...nic, forwarding }));
}

/** `docker network create -d transparent`: the NIC loses its addresses, and a host adapter with its MAC appears. */
export function createNetwork(host: WindowsHost, network: TransparentNetwork): WindowsHost {
  const nic = host.interfaces.find(({ kind, mac }) => kind === 'physical' && mac === network.mac);
  if (nic === undefined) throw new ScriptError('NIC', `no NIC with the MAC ${network.mac}`);
  const adapter: WindowsInterface = {
    name: 'vEthernet (HNSTransparent)',
    ifIndex: 1 + Math.max(...host.interfaces.map(({ ifIndex }) => ifIndex)),
    guid: nic.guid.replace(/^\{0/, '{F'),
    mac: nic.mac,
    kind: 'pod',
    up: true,
    forwarding: false,
    addresses: [],
  };
  const bare = setAddress(host, nic.ifIndex, null);
  return {
    ...bare,
    interfaces: [...bare.interfaces, adapter],
    networks: [...bare.networks, network],
  };
}

/** `docker network rm`: the host adapter goes, with its address and every route bound to it. */
export function removeNetwork(host: WindowsHost, network: TransparentNetwork): WindowsHost {
  const adapter = podAdapter(host, network.mac);
  const elsewhere = (route: WindowsRoute): boolean => route.ifIndex !== adapter?.ifIndex;
  return {
    ...host,
    interfaces: host.interfaces.filter((nic) => nic !== adapter),
    active: host.active.filter(elsewhere),
    persistent: host.persistent.filter(elsewhere),
    networks: host.networks.filter((other) => other !== network),
  };
}

/** `netsh interface ipv4 set address`: replaces whatever the interface held, connected route included; null leaves it with none. */
export function setAddress(host: WindowsHost, ifIndex: number, held: HeldAddress | null): WindowsHost {
  const kept = host.active.filter((route) => route.ifIndex !== ifIndex || route.nextHop !== '0.0.0.0');
  const connected =
    held === null
      ? []
      : [
          {
            destination: cidrAround(held.address, held.prefixLength),
            nextHop: '0.0.0.0',
            ifIndex,
            metric: ROUTE_METRIC,
          },
        ];
  const changed = replace(host, ifIndex, (nic) => ({ ...nic, addresses: held === null ? [] : [held] }));
  return { ...changed, active: [...kept, ...connected] };
}

/** Why a NIC can't be given to the container network (S8); empty when it can. */
export function busyReasons(host: WindowsHost, nic: WindowsInterface, nodeIp: Ipv4): string[] {
  return [
    // The sandbox's SSH session, too, comes in by the node's address.
    ...(nic.addresses.some(({ address }) => address === nodeIp)
      ? ["it carries the node's address", 'it carries this SSH session']
      : []),
    ...(host.active.some((route) => route.ifIndex === nic.ifIndex && prefixLength(route.destination) === 0)
      ? ['it holds a default route']
      : []),
    ...(nic.kind === 'pod' ? ['it is a Hyper-V host adapter'] : []),
  ];
}

function replace(
  host: WindowsHost,
  ifIndex: number,
  change: (nic: WindowsInterface) => WindowsInterface,
): WindowsHost {
  return {
    ...host,
    interfaces: host.interfaces.map((nic) => (nic.ifIndex === ifIndex ? change(nic) : nic)),
  };
}
