/** What `ip -4 -j route show` and `ip -4 -j address show` print of a host. Pure. */
import { baseOf, cidrAround, prefixLength, sizeOf, toText } from '../../../src/ip.js';
import type { Interface, LinuxHost, LinuxRoute } from '../state.js';

/** One line of JSON; the main table in the kernel's order. */
export function showRoutes(host: LinuxHost): string {
  const sorted = [...host.routes].sort(
    (a, b) =>
      baseOf(a.destination) - baseOf(b.destination) ||
      prefixLength(a.destination) - prefixLength(b.destination) ||
      a.metric - b.metric,
  );
  return JSON.stringify(sorted.map((route) => routeJson(host, route)));
}

/** One line of JSON. */
export function showAddresses(host: LinuxHost): string {
  return JSON.stringify(host.interfaces.map(addressJson));
}

function routeJson(host: LinuxHost, route: LinuxRoute): object {
  const link = host.interfaces.find(({ name }) => name === route.device);
  const flags = [
    ...(link?.kind === 'bridge' ? ['linkdown'] : []),
    ...(route.onlink === true ? ['onlink'] : []),
  ];
  return {
    dst: route.destination === '0.0.0.0/0' ? 'default' : route.destination.replace(/\/32$/, ''),
    ...(route.nextHop !== null && { gateway: route.nextHop }),
    dev: route.device,
    // `ip` leaves the protocol of a plain `ip route add` out.
    ...(route.protocol !== 'boot' && { protocol: route.protocol }),
    ...(route.nextHop === null && { scope: 'link' }),
    ...(route.prefsrc !== undefined && { prefsrc: route.prefsrc }),
    ...(route.metric !== 0 && { metric: route.metric }),
    flags,
  };
}

function addressJson(link: Interface): object {
  const loop = link.kind === 'loopback';
  // A bridge without a port has no carrier.
  const carrier = link.up && link.kind !== 'bridge';
  return {
    ifindex: link.ifIndex,
    ifname: link.name,
    flags: [
      ...(link.up && !carrier ? ['NO-CARRIER'] : []),
      ...(loop ? ['LOOPBACK'] : ['BROADCAST', 'MULTICAST']),
      ...(link.up ? ['UP'] : []),
      ...(carrier ? ['LOWER_UP'] : []),
    ],
    mtu: loop ? 65536 : 1500,
    qdisc: 'noqueue',
    operstate: loop ? 'UNKNOWN' : carrier ? 'UP' : 'DOWN',
    group: 'default',
    txqlen: 1000,
    link_type: loop ? 'loopback' : 'ether',
    address: link.mac,
    addr_info: link.addresses.map(({ address, prefixLength: length }) => {
      const lan = cidrAround(address, length);
      return {
        family: 'inet',
        local: address,
        prefixlen: length,
        ...(link.kind === 'physical' && { broadcast: toText(baseOf(lan) + sizeOf(lan) - 1) }),
        scope: loop ? 'host' : 'global',
        label: link.name,
        valid_life_time: 4294967295,
        preferred_life_time: 4294967295,
      };
    }),
  };
}
