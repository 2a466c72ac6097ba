/** A Windows host's answers to the resident channel's requests (docs/host-protocol.md). Pure. */
import { z } from 'zod';
import { type Cidr, contains, type Ipv4 } from '../../../src/ip.js';
import { CidrText, Ipv4Text, Mac } from '../../../src/node/node.js';
import type { Fabric } from '../fabric.js';
import { Addresses, checkFence, Fence, failure, type Outcome, prove, ScriptError } from '../script.js';
import type { WindowsHost } from '../state.js';
import {
  addRoute,
  busyReasons,
  createNetwork,
  interfaceOf,
  podAdapter,
  removeNetwork,
  removeRoute,
  setAddress,
  setForwarding,
} from './net.js';
import { forwardingText, ReadParams, readData, readTables } from './read.js';

interface Result {
  host: WindowsHost;
  data: object;
}

const Routes = z.array(z.object({ destination: CidrText, nextHop: Ipv4Text }));
const SyncParams = z.object({
  fence: Fence,
  nodeIp: Ipv4Text,
  clusterCidr: CidrText,
  ownCidr: CidrText.nullish(),
  add: Routes,
  remove: Routes,
});
const ForwardingParams = z.object({ fence: Fence, nodeIp: Ipv4Text, enabled: z.boolean() });
const PodNetworkParams = z.object({
  fence: Fence,
  network: z.string().min(1),
  podCidr: CidrText,
  podGateway: Ipv4Text,
  containerNic: Mac,
  nodeIp: Ipv4Text,
  ensure: z.boolean(),
});
const PodGatewayParams = z.object({
  fence: Fence,
  containerNic: Mac,
  podGateway: Ipv4Text,
  podPrefixLength: z.int().min(0).max(32),
  ensure: z.boolean(),
});
const ProveParams = z.object({ source: Ipv4Text, targets: Addresses });

/** Runs one request. Never throws for what a client sent. */
export function runWindowsScript(
  host: WindowsHost,
  script: string,
  params: unknown,
  fabric: Fabric,
): Outcome<WindowsHost> {
  try {
    const result = run(host, script, params, fabric);
    // The fence is remembered whether or not anything else changed.
    const changed = result.host !== host && !same(result.host, host);
    const line = JSON.stringify({ ok: true, changed, data: result.data });
    return { host: result.host, lines: [line], stderr: '' };
  } catch (error) {
    return { host, lines: [failure(error)], stderr: '' };
  }
}

function run(host: WindowsHost, script: string, params: unknown, fabric: Fabric): Result {
  switch (script) {
    case 'read':
      return { host, data: readData(host, ReadParams.parse(params)) };
    case 'sync-routes':
      return syncRoutes(host, SyncParams.parse(params));
    case 'forwarding':
      return forwarding(host, ForwardingParams.parse(params));
    case 'pod-network':
      return podNetwork(host, PodNetworkParams.parse(params));
    case 'pod-gateway':
      return podGateway(host, PodGatewayParams.parse(params));
    case 'prove': {
      const { source, targets } = ProveParams.parse(params);
      return { host, data: { answers: prove(fabric, host.name, source, targets) } };
    }
    default:
      throw new ScriptError('SCRIPT', `no script ${script}`);
  }
}

function syncRoutes(host: WindowsHost, params: z.output<typeof SyncParams>): Result {
  const fence = checkFence(host.fence, params.fence);
  const { ifIndex } = interfaceOf(host, params.nodeIp);
  for (const { destination } of params.add) guard(destination, params);
  const [actions, conflicts]: [string[], string[]] = [[], []];
  let now: WindowsHost = { ...host, fence };
  for (const { destination, nextHop } of params.remove) {
    const without = removeRoute(now, destination, nextHop);
    if (same(without, now)) continue;
    actions.push(`del ${destination} via ${nextHop}`);
    now = without;
  }
  for (const { destination, nextHop } of params.add) {
    const foreign = [...now.active, ...now.persistent].filter(
      (held) => held.destination === destination && held.nextHop !== nextHop,
    );
    if (foreign.length > 0) {
      conflicts.push(...new Set(foreign.map((held) => `${destination} via ${held.nextHop} is not ours`)));
      continue;
    }
    const held = (route: { destination: Cidr; nextHop: Ipv4; ifIndex: number }): boolean =>
      route.destination === destination && route.nextHop === nextHop && route.ifIndex === ifIndex;
    if (now.active.some(held) && now.persistent.some(held)) continue;
    actions.push(`add ${destination} via ${nextHop} if ${ifIndex}`);
    now = addRoute(now, destination, nextHop, ifIndex);
  }
  return { host: now, data: { actions, conflicts, errors: [], ...readTables(now, params.nodeIp) } };
}

/** Never let a typo strand the host. */
function guard(destination: Cidr, params: z.output<typeof SyncParams>): void {
  if (destination === params.ownCidr) {
    throw new ScriptError('', `refusing to route own pod CIDR ${destination}`);
  }
  if (!contains(params.clusterCidr, destination)) {
    throw new ScriptError('', `${destination} is outside the cluster CIDR`);
  }
  if (contains(destination, params.nodeIp)) {
    throw new ScriptError('', `${destination} covers this node's own address`);
  }
}

function forwarding(host: WindowsHost, params: z.output<typeof ForwardingParams>): Result {
  const fence = checkFence(host.fence, params.fence);
  const { ifIndex } = interfaceOf(host, params.nodeIp);
  const after = setForwarding({ ...host, fence }, ifIndex, params.enabled);
  return { host: after, data: { ifIndex, forwarding: params.enabled ? 'Enabled' : 'Disabled' } };
}

function podNetwork(host: WindowsHost, params: z.output<typeof PodNetworkParams>): Result {
  const now = { ...host, fence: checkFence(host.fence, params.fence) };
  const found = now.networks.find(({ name }) => name === params.network);
  if (!params.ensure) {
    return { host: found ? removeNetwork(now, found) : now, data: { network: null } };
  }
  const nic = now.interfaces.find(({ kind, mac }) => kind === 'physical' && mac === params.containerNic);
  const why = nic ? busyReasons(now, nic, params.nodeIp) : ['no NIC has this MAC'];
  if (why.length > 0) throw new ScriptError('NIC', `container NIC ${params.containerNic}: ${why.join('; ')}`);
  const wanted = {
    name: params.network,
    subnet: params.podCidr,
    gateway: params.podGateway,
    mac: params.containerNic,
  };
  if (found !== undefined) {
    const bad = [
      ...(found.subnet === wanted.subnet ? [] : [`subnet ${found.subnet}`]),
      ...(found.gateway === wanted.gateway ? [] : [`gateway ${found.gateway}`]),
    ];
    if (bad.length > 0) throw new ScriptError('CONFLICT', `exists but differs: ${bad.join(', ')}`);
    return { host: now, data: { network: params.network } };
  }
  if (now.networks.length > 0) {
    throw new ScriptError('CONFLICT', 'another transparent network exists; each needs its own adapter');
  }
  return { host: createNetwork(now, wanted), data: { network: params.network } };
}

function podGateway(host: WindowsHost, params: z.output<typeof PodGatewayParams>): Result {
  const now = { ...host, fence: checkFence(host.fence, params.fence) };
  const nic = podAdapter(now, params.containerNic);
  if (nic === undefined) {
    if (params.ensure) throw new ScriptError('', 'pod vNIC: 0 candidates');
    return { host: now, data: { ifIndex: null, alias: null, state: null, forwarding: null } };
  }
  const held = { address: params.podGateway, prefixLength: params.podPrefixLength };
  const elsewhere = now.interfaces.find(
    (other) => other !== nic && other.addresses.some(({ address }) => address === held.address),
  );
  if (params.ensure && elsewhere !== undefined) {
    throw new ScriptError('', `${held.address} already on ifIndex ${elsewhere.ifIndex}`);
  }
  const holds = nic.addresses.some(
    ({ address, prefixLength }) => address === held.address && prefixLength === held.prefixLength,
  );
  const addressed = holds === params.ensure ? now : setAddress(now, nic.ifIndex, params.ensure ? held : null);
  const after = setForwarding(addressed, nic.ifIndex, params.ensure);
  const data = {
    ifIndex: nic.ifIndex,
    alias: nic.name,
    state: params.ensure ? 'Preferred' : null,
    forwarding: forwardingText({ ...nic, forwarding: params.ensure }),
  };
  return { host: after, data };
}

/** Whether two states differ in nothing but the fence. */
function same(a: WindowsHost, b: WindowsHost): boolean {
  return JSON.stringify({ ...a, fence: 0 }) === JSON.stringify({ ...b, fence: 0 });
}
