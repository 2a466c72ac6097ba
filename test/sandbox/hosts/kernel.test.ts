/** The sandbox's `ip` beside the kernel's own: the same lines on both, then the same tables and the same words. */
import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { runBatch } from '../../../sandbox/hosts/linux/ip.js';
import { showAddresses, showRoutes } from '../../../sandbox/hosts/linux/show.js';
import { freshLinux } from '../../../sandbox/hosts/state.js';
import { describeWith } from '../../lab/requirements.js';

/** A host as freshLinux describes it, in a network namespace of its own that ends with the shell. */
const HOST = `
set -e
ip link set lo up
ip link add eth0 type veth peer name far
ip link set far up
ip address add 10.0.0.2/24 brd + dev eth0
ip link set eth0 up
ip route add default via 10.0.0.254 proto static
set +e
LC_ALL=C ip -4 -j -force -batch -
ip -4 -j route show
ip -4 -j address show`;

interface Seen {
  words: string;
  routes: unknown;
  addresses: unknown;
}

function onKernel(batch: string): Seen {
  const { status, stdout, stderr } = spawnSync('unshare', ['--net', 'sh', '-c', HOST], {
    input: batch,
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  const [routes = '', addresses = ''] = stdout.trim().split('\n');
  return { words: today(stderr), routes: tableOf(routes), addresses: heldBy(addresses) };
}

function onSandbox(batch: string): Seen {
  const { host, printed } = runBatch(freshLinux('lin01', '10.0.0.2', 1), batch);
  return { words: printed, routes: tableOf(showRoutes(host)), addresses: heldBy(showAddresses(host)) };
}

/** The kernel's words since 6.3, for those of older ones. */
function today(words: string): string {
  return words.replaceAll(
    'RTNETLINK answers: Cannot assign requested address',
    'Error: ipv4: Address not found.',
  );
}

/** Whether a portless bridge is down already is a matter of milliseconds. */
function tableOf(json: string): unknown {
  return (JSON.parse(json) as { flags: string[] }[]).map((route) => ({
    ...route,
    flags: route.flags.filter((flag) => flag !== 'linkdown'),
  }));
}

/** What is read of the addresses; MACs, queue lengths and the like differ from machine to machine. */
function heldBy(json: string): unknown {
  const links = JSON.parse(json) as { ifname?: string; addr_info?: { local: string; prefixlen: number }[] }[];
  return links
    .filter(({ addr_info: held = [] }) => held.length > 0)
    .map(({ ifname, addr_info: held = [] }) => [
      ifname,
      held.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    ]);
}

const BRIDGE = ['link add name cbr0 type bridge', 'address add 192.168.0.1/24 dev cbr0', 'link set cbr0 up'];

describeWith(['root'], 'the sandbox says what the kernel says', () => {
  test.each<[string, string[]]>([
    ['nothing', []],
    [
      'two routes',
      ['route add 192.168.1.0/24 via 10.0.0.3 proto 155', 'route add 192.168.2.0/24 via 10.0.0.4 proto 155'],
    ],
    ['a bridge and a route', [...BRIDGE, 'route add 192.168.1.0/24 via 10.0.0.3 proto 155']],
    [
      'a bridge, brought up before its address',
      ['link add name cbr0 type bridge', 'link set dev cbr0 up', 'address add 192.168.0.1/24 dev cbr0'],
    ],
    [
      'a bridge made and taken away',
      [
        ...BRIDGE,
        'link set cbr0 down',
        'address del 192.168.0.1/24 dev cbr0',
        'link delete cbr0 type bridge',
      ],
    ],
    [
      'a route that is there, by another hand',
      [
        'route add 192.168.1.0/24 via 10.0.0.9 proto static',
        'route add 192.168.1.0/24 via 10.0.0.3 proto 155',
      ],
    ],
    ['a route over the own slice', [...BRIDGE, 'route add 192.168.0.0/24 via 10.0.0.3 proto 155']],
    [
      'the same route twice',
      ['route add 192.168.1.0/24 via 10.0.0.3 proto 155', 'route add 192.168.1.0/24 via 10.0.0.3 proto 155'],
    ],
    [
      'the same prefix with another metric',
      ['route add 192.168.1.0/24 via 10.0.0.3 metric 7', 'route add 192.168.1.0/24 via 10.0.0.4 proto 155'],
    ],
    ['deleting what is not there', ['route del 192.168.1.0/24 via 10.0.0.3 proto 155']],
    [
      'deleting with another hop',
      ['route add 192.168.1.0/24 via 10.0.0.3 proto 155', 'route del 192.168.1.0/24 via 10.0.0.4 proto 155'],
    ],
    [
      'deleting with another protocol',
      [
        'route add 192.168.1.0/24 via 10.0.0.3 proto static',
        'route del 192.168.1.0/24 via 10.0.0.3 proto 155',
      ],
    ],
    [
      'deleting what is there',
      ['route add 192.168.1.0/24 via 10.0.0.3 proto 155', 'route del 192.168.1.0/24 via 10.0.0.3 proto 155'],
    ],
    ['a gateway that is not on-link', ['route add 192.168.1.0/24 via 172.16.0.1 proto 155']],
    ['a gateway that is the host itself', ['route add 192.168.1.0/24 via 10.0.0.2 proto 155']],
    [
      'an off-link gateway with onlink',
      ['route add 192.168.1.0/24 via 192.168.1.1 dev eth0 onlink proto 155'],
    ],
    ['host bits', ['route add 192.168.1.7/24 via 10.0.0.3 proto 155']],
    ['a route to one host', ['route add 192.168.1.7 via 10.0.0.3 proto 155']],
    ['a missing device', ['address add 192.168.0.1/24 dev cbr9', 'link set cbr9 up', 'link del cbr9']],
    ['a bridge twice', [...BRIDGE, 'link add name cbr0 type bridge']],
    ['an address that is not there', ['address del 192.168.0.1/24 dev eth0']],
    [
      'the routable device down and up',
      ['route add 192.168.1.0/24 via 10.0.0.3 proto 155', 'link set eth0 down', 'link set eth0 up'],
    ],
    [
      'a failing line between good ones',
      [
        'route add 192.168.1.0/24 via 10.0.0.3 proto 155',
        'route add 192.168.1.0/24 via 10.0.0.4 proto 155',
        'route add 192.168.2.0/24 via 10.0.0.4 proto 155',
      ],
    ],
  ])('%s', (_name, lines) => {
    const batch = lines.map((line) => `${line}\n`).join('');
    expect(onSandbox(batch)).toEqual(onKernel(batch));
  });
});
