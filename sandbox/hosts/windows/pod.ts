/** The `forwarding`, `pod-network` and `pod-gateway` scripts of a Windows host. Pure. */
import { z } from 'zod';
import { CidrText, Ipv4Text, Mac } from '../../../src/node/node.js';
import { Fence, ScriptError } from '../script.js';
import type { TransparentNetwork, WindowsHost, WindowsInterface } from '../state.js';
import {
  busyReasons,
  createNetwork,
  interfaceOf,
  passFence,
  podAdapter,
  removeNetwork,
  setAddress,
  setForwarding,
} from './net.js';
import { forwardingText, networkData } from './read.js';
import type { Result } from './scripts.js';

export const ForwardingParams = z.object({ fence: Fence, nodeIp: Ipv4Text, enabled: z.boolean() });
export const PodNetworkParams = z.object({
  fence: Fence,
  network: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/),
  podCidr: CidrText,
  podGateway: Ipv4Text,
  containerNic: Mac,
  nodeIp: Ipv4Text,
  ensure: z.boolean(),
});
export const PodGatewayParams = z.object({
  fence: Fence,
  containerNic: Mac,
  podGateway: Ipv4Text,
  podPrefixLength: z.int().min(8).max(30),
  ensure: z.boolean(),
});

/** Forwarding of the routable NIC. */
export function forwarding(before: WindowsHost, params: z.output<typeof ForwardingParams>): Result {
  const host = passFence(before, params.fence);
  const nic = interfaceOf(host, params.nodeIp);
  const { ifIndex } = nic;
  return {
    host: setForwarding(host, ifIndex, params.enabled),
    changed: nic.forwarding !== params.enabled,
    data: { ifIndex, forwarding: forwardingText({ ...nic, forwarding: params.enabled }) },
  };
}

/** Docker's transparent network on the container NIC, or its removal. */
export function podNetwork(before: WindowsHost, params: z.output<typeof PodNetworkParams>): Result {
  const host = passFence(before, params.fence);
  const wanted = {
    name: params.network,
    subnet: params.podCidr,
    gateway: params.podGateway,
    mac: params.containerNic,
  };
  const found = host.networks.find(({ name }) => name === wanted.name);
  if (found !== undefined) refuseOther(found, wanted);
  if ((found !== undefined) === params.ensure) {
    return { host, changed: false, data: { network: found === undefined ? null : networkData(found) } };
  }
  if (found !== undefined)
    return { host: removeNetwork(host, found), changed: true, data: { network: null } };
  refuseNic(host, params);
  return { host: createNetwork(host, wanted), changed: true, data: { network: networkData(wanted) } };
}

function refuseOther(found: TransparentNetwork, wanted: TransparentNetwork): void {
  const other = [
    ...(found.subnet === wanted.subnet ? [] : [`subnet ${found.subnet}`]),
    ...(found.gateway === wanted.gateway ? [] : [`gateway ${found.gateway}`]),
  ];
  if (other.length === 0) return;
  throw new ScriptError('CONFLICT', `the docker network ${found.name} exists, with ${other.join(', ')}`);
}

function refuseNic(host: WindowsHost, params: z.output<typeof PodNetworkParams>): void {
  const [other] = host.networks;
  if (other !== undefined) {
    throw new ScriptError(
      'CONFLICT',
      `the transparent network ${other.name} exists, and each needs a NIC of its own`,
    );
  }
  const nic = host.interfaces.find(({ kind, mac }) => kind === 'physical' && mac === params.containerNic);
  if (nic === undefined) {
    throw new ScriptError('NIC', `the container NIC ${params.containerNic} matches 0 adapters`);
  }
  const uses = busyReasons(host, nic, params.nodeIp);
  if (uses.length === 0) return;
  throw new ScriptError('NIC', `${nic.name} can't become the container NIC: ${uses.join(', ')}`);
}

/** The pod gateway's address on the network's host adapter, and forwarding there; or its removal. */
export function podGateway(before: WindowsHost, params: z.output<typeof PodGatewayParams>): Result {
  const host = passFence(before, params.fence);
  const nic = podAdapter(host, params.containerNic);
  if (nic !== undefined) return params.ensure ? addressed(host, nic, params) : bare(host, nic, params);
  if (params.ensure) {
    throw new ScriptError('POD-NIC', `0 host adapters carry the MAC ${params.containerNic}`);
  }
  return { host, changed: false, data: { ifIndex: null, alias: null, state: '', forwarding: null } };
}

function addressed(
  host: WindowsHost,
  nic: WindowsInterface,
  params: z.output<typeof PodGatewayParams>,
): Result {
  const held = { address: params.podGateway, prefixLength: params.podPrefixLength };
  const other = host.interfaces.find((each) => each !== nic && holds(each, held.address));
  if (other !== undefined) throw new ScriptError('CONFLICT', `${held.address} is already on ${other.name}`);
  const there = nic.addresses.some(
    ({ address, prefixLength }) => address === held.address && prefixLength === held.prefixLength,
  );
  const after = there ? host : setAddress(host, nic.ifIndex, held);
  return {
    host: setForwarding(after, nic.ifIndex, true),
    changed: !there || !nic.forwarding,
    data: { ifIndex: nic.ifIndex, alias: nic.name, state: 'Preferred', forwarding: 'Enabled' },
  };
}

function bare(host: WindowsHost, nic: WindowsInterface, params: z.output<typeof PodGatewayParams>): Result {
  const there = holds(nic, params.podGateway);
  return {
    host: there ? setAddress(host, nic.ifIndex, null) : host,
    changed: there,
    data: { ifIndex: nic.ifIndex, alias: nic.name, state: '', forwarding: forwardingText(nic) },
  };
}

function holds(nic: WindowsInterface, wanted: string): boolean {
  return nic.addresses.some(({ address }) => address === wanted);
}
