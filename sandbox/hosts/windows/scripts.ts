/** A Windows host's answers to the resident channel's requests (docs/host-protocol.md). Pure. */
import { z } from 'zod';
import { Ipv4Text } from '../../../src/node/node.js';
import type { Fabric } from '../fabric.js';
import { LogsParams, lastWords, ServiceParams, serviced } from '../processes.js';
import { Addresses, failure, type Outcome, prove, ScriptError } from '../script.js';
import type { WindowsHost } from '../state.js';
import { passFence } from './net.js';
import {
  ForwardingParams,
  forwarding,
  PodGatewayParams,
  PodNetworkParams,
  podGateway,
  podNetwork,
} from './pod.js';
import { ReadParams, readData, readTables } from './read.js';
import { SyncParams, syncRoutes } from './routes.js';

/** What a script did: the host afterwards, and the answer's `data`. */
export interface Result {
  host: WindowsHost;
  changed: boolean;
  data: object;
}

const ProbeParams = z.object({ nodeIp: Ipv4Text });
const ProveParams = z.object({ source: Ipv4Text, targets: Addresses });

/** Runs one request, at `now` by the host's clock. Never throws for what a client sent. */
export function runWindowsScript(
  host: WindowsHost,
  script: string,
  params: unknown,
  fabric: Fabric,
  now: number,
): Outcome<WindowsHost> {
  try {
    const { host: after, changed, data } = run(host, script, params, fabric, now);
    return { host: after, lines: [JSON.stringify({ ok: true, changed, data })], printed: '' };
  } catch (error) {
    return { host, lines: [failure(error, 'BAD-PARAMS')], printed: '' };
  }
}

function run(host: WindowsHost, script: string, params: unknown, fabric: Fabric, now: number): Result {
  switch (script) {
    case 'read':
      return { host, changed: false, data: readData(host, ReadParams.parse(params)) };
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
      if (!host.interfaces.some((nic) => nic.addresses.some(({ address }) => address === source))) {
        throw new ScriptError('SOURCE', `no interface has the address ${source}`);
      }
      return { host, changed: false, data: { answers: prove(fabric, host.name, source, targets) } };
    }
    case 'probe':
      return { host, changed: false, data: probeData(host, ProbeParams.parse(params).nodeIp, now) };
    case 'service': {
      const { nodeIp, ...asked } = ServiceParams.extend(ProbeParams.shape).parse(params);
      const after = serviced(passFence(host, asked.fence), asked, now);
      const changed = after.processes[asked.component] !== host.processes[asked.component];
      return { host: after, changed, data: probeData(after, nodeIp, now) };
    }
    case 'logs':
      return {
        host,
        changed: false,
        data: { log: lastWords(host, LogsParams.parse(params)).join('\n') },
      };
    default:
      throw new ScriptError('UNKNOWN-SCRIPT', 'there is no such script');
  }
}

function probeData(host: WindowsHost, nodeIp: string, now: number): object {
  const entries = Object.entries(host.processes).map(([component, process]) => [
    component,
    process && { pid: process.pid, started: new Date(process.startedMs).toISOString() },
  ]);
  return {
    ...readTables(host, nodeIp),
    processes: Object.fromEntries(entries),
    clock: new Date(now).toISOString(),
  };
}
