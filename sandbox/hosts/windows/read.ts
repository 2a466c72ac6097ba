/** The `read` script of a Windows host. Pure. */
import { z } from 'zod';
import { contains, prefixLength } from '../../../src/ip.js';
import { Ipv4Text, Mac } from '../../../src/node/node.js';
import { ScriptError } from '../script.js';
import type { TransparentNetwork, WindowsHost, WindowsInterface, WindowsRoute } from '../state.js';
import { MachineParams, machineData } from './machine.js';
import { busyReasons, interfaceOf, podAdapter, type Store } from './net.js';

export const ReadParams = z.object({
  nodeIp: Ipv4Text,
  full: z.boolean(),
  network: z.string(),
  containerNic: Mac.nullish(),
  podGateway: Ipv4Text.nullish(),
  ...MachineParams.partial().shape,
});

/** What `read` answers; with `full` also what only a new node is asked for. */
export function readData(host: WindowsHost, params: z.output<typeof ReadParams>, now: number): object {
  const data = readTables(host, params.nodeIp);
  if (!params.full) return data;
  const machine = machineData(host, MachineParams.parse(params), now);
  return {
    ...data,
    nics: host.interfaces
      .filter(({ kind }) => kind !== 'loopback')
      .map((nic) => ({
        name: nic.name,
        ifIndex: nic.ifIndex,
        guid: nic.guid,
        mac: nic.mac,
        status: nic.up ? 'Up' : 'Disconnected',
        virtual: nic.kind === 'pod',
        addresses: nic.addresses.map(({ address }) => address),
        busy: busyReasons(host, nic, params.nodeIp),
      })),
    podNetworks: host.networks.map(networkData),
    podNic: podNicData(params.containerNic ? podAdapter(host, params.containerNic) : undefined),
    machine,
  };
}

/** The part that every answer with tables has. */
export function readTables(host: WindowsHost, nodeIp: string): object {
  return {
    build: host.build,
    boot: host.boot,
    ...nodeInterface(host, nodeIp),
    routes: [...routesOf(host.active, 'ActiveStore'), ...routesOf(host.persistent, 'PersistentStore')],
    addresses: host.interfaces.flatMap((nic) =>
      nic.addresses.map((held) => ({ ...held, ifIndex: nic.ifIndex, alias: nic.name })),
    ),
    interfaces: host.interfaces.map((nic) => ({
      ifIndex: nic.ifIndex,
      alias: nic.name,
      forwarding: forwardingText(nic),
    })),
  };
}

/** A network as docker describes it. */
export function networkData({ name, subnet, gateway }: TransparentNetwork): object {
  return { name, driver: 'transparent', subnet, gateway };
}

export function forwardingText(nic: WindowsInterface): 'Enabled' | 'Disabled' {
  return nic.forwarding ? 'Enabled' : 'Disabled';
}

function nodeInterface(host: WindowsHost, nodeIp: string) {
  try {
    const { ifIndex, guid } = interfaceOf(host, nodeIp);
    return { ifIndex, guid, nodeError: null };
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    return { ifIndex: null, guid: null, nodeError: error.message };
  }
}

function podNicData(nic: WindowsInterface | undefined) {
  return nic === undefined
    ? null
    : { ifIndex: nic.ifIndex, alias: nic.name, forwarding: forwardingText(nic) };
}

function routesOf(routes: readonly WindowsRoute[], store: Store) {
  return routes
    .filter(({ destination }) => prefixLength(destination) < 32 && !contains('169.254.0.0/16', destination))
    .map(({ destination, nextHop, ifIndex, metric }) => ({
      store,
      dest: destination,
      nextHop,
      ifIndex,
      metric,
    }));
}
