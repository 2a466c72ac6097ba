/** A host as plain data, and what a step does to it: enough of a kernel to check plans against. */
import { podGateway } from '../../src/ip.js';
import type { Node } from '../../src/node/node.js';
import type { WindowsMachine } from '../../src/plan/machine.js';
import type { Observation, Step } from '../../src/plan/plan.js';

/** A fresh host of the node's OS, with only its own address and default route. */
export function freshHost(node: Pick<Node, 'os' | 'address'>): Observation {
  const device = node.os === 'linux' ? 'eth0' : '7';
  return {
    routes: [
      { destination: '0.0.0.0/0', nextHop: '10.0.0.1', device, ours: false, metric: 0 },
      { destination: '10.0.0.0/24', nextHop: null, device, ours: false, metric: 0 },
    ],
    addresses: [{ address: node.address, prefixLength: 24, device }],
    forwarding: false,
    nodeDevice: device,
    bridges: [],
    boot: 'b1',
    ...(node.os === 'windows'
      ? {
          windows: {
            build: 14393,
            nics: [
              {
                name: 'Ethernet',
                ifIndex: 7,
                mac: '00-15-5D-00-00-01',
                status: 'Up',
                kind: 'physical' as const,
                addresses: [node.address],
                busy: ['carries the node address'],
              },
              {
                name: 'Ethernet 2',
                ifIndex: 9,
                mac: '00-15-5D-00-00-02',
                status: 'Up',
                kind: 'physical' as const,
                addresses: [],
                busy: [],
              },
            ],
            podNetworks: [],
            podNicForwarding: false,
            machine: bareMachine(),
          },
        }
      : {}),
  };
}

/** Windows Server 2016 as the guide asks for it, before anybody made a node of it. */
export function bareMachine(): WindowsMachine {
  return {
    product: 'Microsoft Windows Server 2016 Datacenter',
    isServer: true,
    language: 1033,
    codePage: 437,
    isAdministrator: true,
    freeBytes: 40 * 2 ** 30,
    ipHelper: { runs: true, atBoot: true },
    docker: { version: '1.12.2-cs2-ws-beta' },
    pauseImage: null,
    features: {
      RemoteAccess: 'Available',
      Routing: 'Available',
      'RSAT-RemoteAccess-PowerShell': 'Available',
    },
    routing: null,
    rebootPending: false,
    switches: [],
    nssm: null,
    binaries: { kubelet: true, 'kube-proxy': true },
    permissions: { 'C:\\k': 'O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)' },
    components: { kubelet: null, 'kube-proxy': null },
    clock: '2026-11-27T03:00:00.000Z',
  };
}

/** The host after a step, as the kernel and docker would leave it. Foreign routes are never replaced. */
export function stepped(host: Observation, step: Step): Observation {
  const ensure = step.action === 'ensure';
  switch (step.kind) {
    case 'forwarding':
      return { ...host, forwarding: ensure };
    case 'route': {
      const { destination, nextHop } = step.route;
      const others = host.routes.filter((route) => !(route.ours && route.destination === destination));
      if (!ensure)
        return {
          ...host,
          routes: host.routes.filter(
            (route) => !(route.ours && route.destination === destination && route.nextHop === nextHop),
          ),
        };
      if (others.some((route) => route.destination === destination)) return { ...host, routes: others };
      return {
        ...host,
        routes: [...others, { destination, nextHop, device: host.nodeDevice ?? '', ours: true, metric: 0 }],
      };
    }
    case 'bridge': {
      const address = podGateway(step.podCidr);
      const addresses = host.addresses.filter((held) => held.address !== address);
      const routes = host.routes.filter((route) => route.destination !== step.podCidr);
      if (!ensure)
        return {
          ...host,
          addresses,
          routes,
          bridges: host.bridges.filter((name) => !step.ownBridge || name !== step.bridge),
        };
      return {
        ...host,
        bridges: [...new Set([...host.bridges, step.bridge])],
        addresses: [...addresses, { address, prefixLength: 24, device: step.bridge }],
        routes: [
          ...routes,
          { destination: step.podCidr, nextHop: null, device: step.bridge, ours: false, metric: 0 },
        ],
      };
    }
    case 'pod-network': {
      const podNetworks = ensure
        ? [
            {
              name: step.network,
              driver: 'transparent',
              subnet: step.podCidr,
              gateway: podGateway(step.podCidr),
            },
          ]
        : [];
      return host.windows ? { ...host, windows: { ...host.windows, podNetworks } } : host;
    }
    case 'pod-gateway': {
      const address = podGateway(step.podCidr);
      const addresses = host.addresses.filter((held) => held.address !== address);
      const routes = host.routes.filter((route) => route.destination !== step.podCidr);
      const windows = host.windows && { ...host.windows, podNicForwarding: ensure };
      const with_ = windows ? { windows } : {};
      if (!ensure) return { ...host, ...with_, addresses, routes };
      return {
        ...host,
        ...with_,
        addresses: [...addresses, { address, prefixLength: 24, device: '12' }],
        routes: [
          ...routes,
          { destination: step.podCidr, nextHop: null, device: '12', ours: false, metric: 0 },
        ],
      };
    }
    case 'persistence':
      return host.linux
        ? {
            ...host,
            linux: {
              ...host.linux,
              helper: ensure ? 'current' : null,
              restoresAtBoot: ensure,
              keepsForeignRoutes: host.linux.keepsForeignRoutes === null ? null : ensure,
            },
          }
        : host;
    default:
      return host.windows
        ? { ...host, windows: { ...host.windows, machine: steppedMachine(host.windows.machine, step) } }
        : host;
  }
}

function steppedMachine(machine: WindowsMachine, step: Step): WindowsMachine {
  const ensure = step.action === 'ensure';
  switch (step.kind) {
    case 'routing-service':
      return {
        ...machine,
        routing: ensure ? { runs: true, atBoot: true, isRouter: true, isVpn: false } : null,
      };
    case 'virtual-switch':
      return { ...machine, switches: ensure ? [{ name: step.name, type: 'Internal' }] : [] };
    case 'image':
      return { ...machine, pauseImage: ensure ? 'sha256:1' : null };
    case 'component': {
      const { executable, environment } = step;
      const installed = { executable, environment, arguments: step.arguments, runs: true, atBoot: true };
      const components = {
        ...machine.components,
        [step.component]: ensure ? { ...installed, manager: 'nssm' as const, ours: true } : null,
      };
      return { ...machine, components };
    }
    default:
      return machine;
  }
}

/** A cluster of modelled hosts, by node name. */
export type ModelHosts = ReadonlyMap<string, Observation>;

/** Applies steps to the hosts they name. */
export function applyTo(
  hosts: ModelHosts,
  work: readonly { host: string; steps: readonly Step[] }[],
): Map<string, Observation> {
  const next = new Map(hosts);
  for (const { host, steps } of work) {
    const before = next.get(host);
    if (before) next.set(host, steps.reduce(stepped, before));
  }
  return next;
}
