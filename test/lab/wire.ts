/** The lab's cables: namespaces, bridge, router, and the way in from the root namespace. */
import { cidrAround, type Ipv4, sizeOf, toNumber, toText } from '../../src/ip.js';
import type { Os } from '../../src/node/node.js';
import type { Slot } from './slot.js';
import { ipBatch, run } from './system.js';

export interface Wired {
  namespace: string;
  os: Os;
  address: Ipv4;
}

/** The last address of the hosts' subnet. */
export function routerOf(address: Ipv4, prefix: number): Ipv4 {
  const subnet = cidrAround(address, prefix);
  return toText(toNumber(subnet.slice(0, subnet.indexOf('/'))) + sizeOf(subnet) - 2);
}

/** Makes it all. Host number i hangs on the router's ports `p<i>` and, on Windows, `w<i>`. */
export async function wire(slot: Slot, hosts: readonly Wired[], prefix: number): Promise<void> {
  const router = `${slot.prefix}router`;
  const gateway = routerOf(hosts[0]?.address ?? '10.0.0.1', prefix);
  const { device, source, table } = slot;
  await ipBatch([
    ...[router, ...hosts.map(({ namespace }) => namespace)].map((name) => `netns add ${name}`),
    ...hosts.flatMap(({ namespace, os }, index) => [
      cable('eth0', namespace, `p${index}`, router),
      ...(os === 'windows' ? [cable('eth1', namespace, `w${index}`, router)] : []),
    ]),
    `link add ${device} type veth peer name uplink netns ${router}`,
    `address add ${source}/30 dev ${device}`,
    up(device),
    `rule add from ${source} lookup ${table}`,
    `route add default via ${slot.router} dev ${device} table ${table}`,
  ]);
  const ports = hosts.flatMap(({ os }, index) =>
    os === 'windows' ? [`p${index}`, `w${index}`] : [`p${index}`],
  );
  await ipBatch(
    [
      'link add br0 type bridge',
      ...ports.flatMap((port) => [`link set ${port} master br0`, up(port)]),
      `address add ${gateway}/${prefix} dev br0`,
      up('br0'),
      `address add ${slot.router}/30 dev uplink`,
      up('uplink'),
    ],
    router,
  );
  await run('ip', ['netns', 'exec', router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  for (const host of hosts) await wireHost(host, prefix);
}

/** Gives the host its address and its default route. */
export function wireHost({ namespace, os, address }: Wired, prefix: number): Promise<void> {
  const lines = [
    'link set lo up',
    `address add ${address}/${prefix} dev eth0`,
    up('eth0'),
    `route add default via ${routerOf(address, prefix)}`,
    ...(os === 'windows' ? [up('eth1')] : []),
  ];
  return ipBatch(lines, namespace);
}

function cable(device: string, namespace: string, port: string, router: string): string {
  return `link add ${device} netns ${namespace} type veth peer name ${port} netns ${router}`;
}

/** Without IPv6: hundreds of links that greet each other would keep the machine busy. */
function up(device: string): string {
  return `link set dev ${device} addrgenmode none up`;
}
