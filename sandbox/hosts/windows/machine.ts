/** What a Windows host is beside its network, as the `read` script tells it. Pure. */
import { z } from 'zod';
import { Component } from '../../../src/node/component.js';
import type { InstalledComponent, WindowsMachine } from '../../../src/plan/machine.js';
import type { WindowsHost } from '../state.js';

export const IMAGE = z.string().regex(/^[a-z0-9][a-z0-9._/:@-]{0,254}$/);
export const EXECUTABLE = z.string().regex(/^[A-Za-z]:(\\[A-Za-z0-9._-]{1,64}){1,8}$/);
export const MachineParams = z.object({
  pauseImage: IMAGE,
  executables: z.record(Component, EXECUTABLE),
});

/** The part of a host's state that the machine's own steps change. */
export interface Machine {
  features: Readonly<Record<string, FeatureState>>;
  /** Windows installs nothing of them without a restart. */
  wantsRestart: boolean;
  /** Routing and Remote Access; null while it is set up for nothing. */
  routing: { isVpn: boolean } | null;
  /** What Fairway installed of the features; null: nothing, and it set up nothing either. */
  routingRecord: readonly string[] | null;
  switches: readonly { name: string; type: string }[];
  /** Docker's, by name: the id. */
  images: Readonly<Record<string, string>>;
  components: Readonly<Record<Component, InstalledComponent | null>>;
  job: Job | null;
}

export type FeatureState = 'Available' | 'Installed' | 'InstallPending' | 'UninstallPending';

/** Work that goes on outside of any session. */
export interface Job {
  id: string;
  /** The lease's, of who asked last. */
  fence: number;
  steps: readonly { script: string; params: Record<string, unknown> }[];
  done: number;
  /** When the step in hand began, in milliseconds since 1970. */
  sinceMs: number;
  failed: { script: string; code: string; error: string } | null;
  /** The machine went down meanwhile. */
  isLost: boolean;
}

export const FEATURES = ['RemoteAccess', 'Routing', 'RSAT-RemoteAccess-PowerShell'] as const;
const DOCKER = '1.12.2-cs2-ws-beta';
/** 40 GB. */
const FREE_BYTES = 42_949_672_960;

/** Server 2016 with docker, Hyper-V's cmdlets and both binaries, and nothing set up. Its kubelet and kube-proxy were started by hand. */
export function freshMachine(wantsRestart: boolean): Machine {
  return {
    features: Object.fromEntries(FEATURES.map((name) => [name, 'Available'])),
    wantsRestart,
    routing: null,
    routingRecord: null,
    switches: [],
    images: {},
    components: { kubelet: null, 'kube-proxy': null },
    job: null,
  };
}

/** What a reboot makes of it: features are there, and whatever was at work is lost. */
export function afterBoot(machine: Machine): Machine {
  const features = Object.entries(machine.features).map(([name, state]): [string, FeatureState] => [
    name,
    state === 'InstallPending' ? 'Installed' : state === 'UninstallPending' ? 'Available' : state,
  ]);
  const { job } = machine;
  return {
    ...machine,
    features: Object.fromEntries(features),
    wantsRestart: false,
    job: job && { ...job, isLost: true },
  };
}

/** Whether a feature waits for a restart. */
export function isRebootPending({ features }: Machine): boolean {
  return Object.values(features).some((state) => state.endsWith('Pending'));
}

/** The machine's part of a full read, at `now` by the host's clock. */
export function machineData(
  host: WindowsHost,
  { pauseImage }: z.output<typeof MachineParams>,
  now: number,
): WindowsMachine {
  const { features, routing, routingRecord, switches, images, components } = host.machine;
  const runs = routing !== null;
  const isSetUp = { runs, atBoot: runs, isRouter: routing?.isVpn === false, isVpn: routing?.isVpn === true };
  const isMine = routingRecord !== null && /^Install/.test(features['Routing'] ?? '');
  return {
    product: 'Microsoft Windows Server 2016 Standard',
    isServer: true,
    language: 1033,
    codePage: 437,
    isAdministrator: true,
    freeBytes: FREE_BYTES,
    ipHelper: { runs: true, atBoot: true },
    docker: { version: DOCKER },
    pauseImage: images[pauseImage] ?? null,
    features: { ...features },
    routing: runs || isMine ? isSetUp : null,
    rebootPending: isRebootPending(host.machine),
    switches: [...switches],
    nssm: null,
    binaries: { kubelet: true, 'kube-proxy': true },
    permissions: { 'C:\\k': 'O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)' },
    components: { kubelet: stateOf(host, 'kubelet'), 'kube-proxy': stateOf(host, 'kube-proxy') },
    clock: new Date(now).toISOString(),
  };

  function stateOf({ processes }: WindowsHost, component: Component): InstalledComponent | null {
    const installed = components[component];
    return installed && { ...installed, runs: processes[component] !== null };
  }
}
