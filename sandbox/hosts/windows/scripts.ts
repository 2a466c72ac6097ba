/** A Windows host's answers to the resident channel's requests (docs/host-protocol.md). Pure. */
import { z } from 'zod';
import { Component } from '../../../src/node/component.js';
import { Ipv4Text } from '../../../src/node/node.js';
import type { Fabric } from '../fabric.js';
import { LogsParams, lastWords, ServiceParams, serviced } from '../processes.js';
import { Addresses, Fence, failure, type Outcome, prove, ScriptError } from '../script.js';
import type { WindowsHost } from '../state.js';
import { passFence } from './net.js';
import {
  ComponentParams,
  component,
  HalfDone,
  ImageParams,
  image,
  RoutingParams,
  routingService,
  SwitchParams,
  virtualSwitch,
} from './node.js';
import {
  ForwardingParams,
  forwarding,
  PodGatewayParams,
  PodNetworkParams,
  podGateway,
  podNetwork,
} from './pod.js';
import { advanced, ProvisionParams, provision } from './provision.js';
import { ReadParams, readData, readTables } from './read.js';
import { SyncParams, syncRoutes } from './routes.js';

/** What a script did: the host afterwards, and the answer's `data`. */
export interface Result {
  host: WindowsHost;
  changed: boolean;
  data: object;
}

const ProbeParams = z.object({ nodeIp: Ipv4Text });
const WindowsServiceParams = ServiceParams.extend({ ...ProbeParams.shape, stayDown: z.array(Component) });
const ProveParams = z.object({ source: Ipv4Text, targets: Addresses });

const RebootParams = z.object({ fence: Fence, boot: z.string() });

/** What one request did; `again`: it waits, so ask once more in this many milliseconds in place of answering; `restarts`: the host goes down. */
export interface WindowsOutcome extends Outcome<WindowsHost> {
  again?: number;
  restarts?: boolean;
}

/** Runs one request that came `waitedMs` ago, at `now` by the host's clock. Never throws for what a client sent. */
export function runWindowsScript(
  before: WindowsHost,
  script: string,
  params: unknown,
  fabric: Fabric,
  now: number,
  waitedMs = 0,
): WindowsOutcome {
  const host = advanced(before, now, (on, name, its) => run(on, name, its, fabric, now).host);
  try {
    if (script === 'provision') return provisioned(host, params, now, waitedMs);
    const { host: after, changed, data } = run(host, script, params, fabric, now);
    const restarts = script === 'reboot' && changed;
    return { host: after, lines: [success(changed, data)], printed: '', restarts };
  } catch (error) {
    const after = error instanceof HalfDone ? error.host : host;
    return { host: after, lines: [failure(error, 'BAD-PARAMS')], printed: '' };
  }
}

function provisioned(before: WindowsHost, params: unknown, now: number, waitedMs: number): WindowsOutcome {
  const asked = ProvisionParams.parse(params);
  const { host, data, again } = provision(before, asked, now);
  const left = Math.min(again, asked.waitMs - waitedMs);
  return { host, lines: [success(true, data)], printed: '', ...(left > 0 ? { again: left } : {}) };
}

function success(changed: boolean, data: object): string {
  return JSON.stringify({ ok: true, changed, data });
}

function run(host: WindowsHost, script: string, params: unknown, fabric: Fabric, now: number): Result {
  switch (script) {
    case 'read':
      return { host, changed: false, data: readData(host, ReadParams.parse(params), now) };
    case 'sync-routes':
      return syncRoutes(host, SyncParams.parse(params));
    case 'forwarding':
      return forwarding(host, ForwardingParams.parse(params));
    case 'pod-network':
      return podNetwork(host, PodNetworkParams.parse(params));
    case 'pod-gateway':
      return podGateway(host, PodGatewayParams.parse(params));
    case 'routing-service':
      return routingService(host, RoutingParams.parse(params));
    case 'virtual-switch':
      return virtualSwitch(host, SwitchParams.parse(params));
    case 'image':
      return image(host, ImageParams.parse(params));
    case 'component':
      return component(host, ComponentParams.parse(params), now);
    case 'reboot': {
      const { fence, boot } = RebootParams.parse(params);
      return { host: passFence(host, fence), changed: boot === host.boot, data: {} };
    }
    case 'prove': {
      const { source, targets } = ProveParams.parse(params);
      if (!host.interfaces.some((nic) => nic.addresses.some(({ address }) => address === source))) {
        throw new ScriptError('SOURCE', `no interface has the address ${source}`);
      }
      return { host, changed: false, data: { answers: prove(fabric, host.name, source, targets) } };
    }
    case 'probe':
      return { host, changed: false, data: probeData(host, ProbeParams.parse(params).nodeIp, now) };
    case 'service':
      return service(host, WindowsServiceParams.parse(params), now);
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

/** kube-proxy's service depends on kubelet's, so it goes along with it. */
function service(
  host: WindowsHost,
  { nodeIp, stayDown, ...asked }: z.output<typeof WindowsServiceParams>,
  now: number,
): Result {
  const others: Component[] = asked.component === 'kubelet' ? ['kube-proxy'] : [];
  const moved = [asked.component, ...others.filter((each) => !stayDown.includes(each))];
  const after = moved.reduce(
    (state, each) => serviced(state, { ...asked, component: each }, now),
    passFence(host, asked.fence),
  );
  const isOther = (each: Component): boolean => after.processes[each] !== host.processes[each];
  const data = { ...probeData(after, nodeIp, now), along: others.filter(isOther) };
  return { host: after, changed: isOther(asked.component), data };
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
