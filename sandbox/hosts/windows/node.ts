/** The scripts that make a node of a Windows machine: `routing-service`, `virtual-switch`, `image`, `component`. Pure. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Component } from '../../../src/node/component.js';
import { killed, started } from '../processes.js';
import { Fence, ScriptError } from '../script.js';
import type { WindowsHost, WindowsInterface } from '../state.js';
import { EXECUTABLE, FEATURES, IMAGE, isRebootPending, type Machine } from './machine.js';
import { passFence } from './net.js';
import type { Result } from './scripts.js';

const Ensure = z.object({ fence: Fence, ensure: z.boolean() });
export const RoutingParams = Ensure;
export const SwitchParams = Ensure.extend({ name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/) });
export const ImageParams = Ensure.extend({ image: IMAGE });
export const ComponentParams = Ensure.extend({
  component: Component,
  executable: EXECUTABLE,
  arguments: z.string(),
  environment: z.array(z.string()),
  dependsOn: z.array(z.string()),
});

const RESTART_FIRST = 'Windows has to restart before Routing and Remote Access works';

/** Routing and Remote Access as a router, or what Fairway made of it undone. A restart that is wanted first fails it, once all else is done. */
export function routingService(
  before: WindowsHost,
  { fence, ensure }: z.output<typeof RoutingParams>,
): Result {
  const host = passFence(before, fence);
  if (host.machine.routing?.isVpn === true)
    throw new ScriptError('CONFLICT', 'Remote Access is in use here, for VPN or DirectAccess');
  const { machine } = host;
  if (!ensure && isRebootPending(machine) && machine.routingRecord?.length)
    throw new ScriptError(
      'REBOOT',
      `Windows has to restart before ${machine.routingRecord.join(', ')} can be taken away`,
    );
  const after = ensure ? withRouting(machine) : withoutRouting(machine);
  const data = { rebootPending: isRebootPending(after) };
  if (ensure && data.rebootPending) throw new HalfDone('REBOOT', RESTART_FIRST, { ...host, machine: after });
  return { host: { ...host, machine: after }, changed: after !== machine, data };
}

/** A script's no that still changed the host. */
export class HalfDone extends ScriptError {
  readonly host: WindowsHost;
  constructor(code: string, message: string, host: WindowsHost) {
    super(code, message);
    this.host = host;
  }
}

function withRouting(machine: Machine): Machine {
  if (isRebootPending(machine)) return machine;
  const missing = FEATURES.filter((name) => machine.features[name] !== 'Installed');
  if (missing.length === 0 && machine.routing !== null) return machine;
  const become = machine.wantsRestart ? 'InstallPending' : 'Installed';
  const features = {
    ...machine.features,
    ...Object.fromEntries(missing.map((name) => [name, become] as const)),
  };
  const routingRecord = [...(machine.routingRecord ?? []), ...missing];
  const waits = missing.length > 0 && machine.wantsRestart;
  return { ...machine, features, routingRecord, routing: waits ? null : { isVpn: false } };
}

function withoutRouting(machine: Machine): Machine {
  if (machine.routingRecord === null) return machine;
  const gone = Object.fromEntries(machine.routingRecord.map((name) => [name, 'Available'] as const));
  return { ...machine, features: { ...machine.features, ...gone }, routing: null, routingRecord: null };
}

/** Hyper-V's internal switch with its host adapter, or its removal. */
export function virtualSwitch(before: WindowsHost, params: z.output<typeof SwitchParams>): Result {
  const host = passFence(before, params.fence);
  const { name, ensure } = params;
  const found = host.machine.switches.find((each) => each.name === name);
  if (found !== undefined && found.type !== 'Internal')
    throw new ScriptError('CONFLICT', `the virtual switch ${name} exists, and is ${found.type}`);
  const changed = (found !== undefined) !== ensure;
  const alias = `vEthernet (${name})`;
  const others = host.interfaces.filter((nic) => nic.name !== alias);
  const switches = host.machine.switches.filter((each) => each !== found);
  if (!ensure) {
    const after = { ...host, interfaces: others, machine: { ...host.machine, switches } };
    return { host: after, changed, data: { alias: null, ifIndex: null } };
  }
  const adapter = host.interfaces.find((nic) => nic.name === alias) ?? newAdapter(host, alias);
  const machine = { ...host.machine, switches: [...switches, { name, type: 'Internal' }] };
  const after = { ...host, interfaces: [...others, adapter], machine };
  return { host: changed ? after : host, changed, data: { alias, ifIndex: adapter.ifIndex } };
}

function newAdapter(host: WindowsHost, name: string): WindowsInterface {
  const ifIndex = 1 + Math.max(...host.interfaces.map((nic) => nic.ifIndex));
  const [nic] = host.interfaces.filter(({ kind }) => kind === 'physical');
  return {
    name,
    ifIndex,
    guid: (nic?.guid ?? '').replace(/^\{0/, '{E'),
    mac: (nic?.mac ?? '').replace(/^00-15-5D-../, '00-15-5D-0A'),
    kind: 'pod',
    up: true,
    forwarding: false,
    addresses: [],
  };
}

/** An image that docker has, or its removal. */
export function image(before: WindowsHost, params: z.output<typeof ImageParams>): Result {
  const host = passFence(before, params.fence);
  const { [params.image]: id, ...others } = host.machine.images;
  if ((id !== undefined) === params.ensure) return { host, changed: false, data: { id: id ?? null } };
  const pulled = `sha256:${createHash('sha256').update(params.image).digest('hex')}`;
  const images = params.ensure ? { ...others, [params.image]: pulled } : others;
  const after = { ...host, machine: { ...host.machine, images } };
  return { host: after, changed: true, data: { id: params.ensure ? pulled : null } };
}

/** kubelet or kube-proxy as a scheduled task (there is no nssm here), or its removal. A process that was started by hand gives way. */
export function component(
  before: WindowsHost,
  params: z.output<typeof ComponentParams>,
  now: number,
): Result {
  const host = passFence(before, params.fence);
  const { component: name, executable, environment, ensure } = params;
  const installed = host.machine.components[name];
  const set = (value: Machine['components'][Component]): WindowsHost => ({
    ...host,
    machine: { ...host.machine, components: { ...host.machine.components, [name]: value } },
  });
  if (!ensure) {
    const after = installed === null ? host : killed(set(null), name);
    return { host: after, changed: installed !== null, data: { manager: null, pid: null } };
  }
  const spec = {
    manager: 'task' as const,
    ours: true,
    executable,
    arguments: params.arguments,
    environment,
    atBoot: true,
    runs: true,
  };
  const changed = JSON.stringify(installed) !== JSON.stringify(spec) || host.processes[name] === null;
  const after = changed ? started(set(spec), name, now) : host;
  return { host: after, changed, data: { manager: 'task', pid: after.processes[name]?.pid ?? null } };
}
