/** A Windows host's answers to the resident channel's requests (docs/host-protocol.md). Pure. */
import { z } from 'zod';
import { Ipv4Text } from '../../../src/node/node.js';
import type { Fabric } from '../fabric.js';
import { Addresses, failure, type Outcome, prove, ScriptError } from '../script.js';
import type { WindowsHost } from '../state.js';
import {
  ForwardingParams,
  forwarding,
  PodGatewayParams,
  PodNetworkParams,
  podGateway,
  podNetwork,
} from './pod.js';
import { ReadParams, readData } from './read.js';
import { SyncParams, syncRoutes } from './routes.js';

/** What a script did: the host afterwards, and the answer's `data`. */
export interface Result {
  host: WindowsHost;
  changed: boolean;
  data: object;
}

const ProveParams = z.object({ source: Ipv4Text, targets: Addresses });

/** Runs one request. Never throws for what a client sent. */
export function runWindowsScript(
  host: WindowsHost,
  script: string,
  params: unknown,
  fabric: Fabric,
): Outcome<WindowsHost> {
  try {
    const { host: after, changed, data } = run(host, script, params, fabric);
    return { host: after, lines: [JSON.stringify({ ok: true, changed, data })], printed: '' };
  } catch (error) {
    return { host, lines: [failure(error, 'BAD-PARAMS')], printed: '' };
  }
}

function run(host: WindowsHost, script: string, params: unknown, fabric: Fabric): Result {
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
    default:
      throw new ScriptError('UNKNOWN-SCRIPT', 'there is no such script');
  }
}
