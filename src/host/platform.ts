/** What an operating system means for a host: how it is read, how steps are rendered, how its answers are understood. Pure. */
import type { Cidr, Ipv4 } from '../ip.js';
import type { Route } from '../network/route.js';
import type { Component } from '../node/component.js';
import type { Os } from '../node/node.js';
import type { Observation, Step } from '../plan/plan.js';
import type { Probe } from '../plan/probe.js';
import type { HostRequest, HostTarget } from './host.js';
import { linux } from './linux.js';
import { windows } from './windows.js';

/** What a platform needs to know of one host, beside what it reads there. */
export interface HostContext {
  target: HostTarget;
  clusterCidr: Cidr;
  /** The node's own slice. */
  podCidr: Cidr;
  /** The transparent docker network's name (Windows). */
  network: string;
  /** The bridge that holds the pod gateway (Linux). */
  bridge: string;
  /** The image that holds a pod's network open (Windows). */
  pauseImage: string;
  /** Where kubelet and kube-proxy lie (Windows). */
  executables: Readonly<Record<Component, string>>;
  /** MAC of the NIC given to containers (Windows). */
  containerNic?: string;
  /** The journal of routes that Fairway made on this host. Windows has no mark for them; Linux ignores it. */
  owned: readonly Route[];
}

/** What can be done to a component's process. */
export type ServiceAction = 'start' | 'stop' | 'restart';

type ProofAnswer = 'icmp' | 'tcp' | 'none';

/** How far work is that goes on outside the session. */
export interface Progress {
  /** Steps that are through, of how many. */
  done: number;
  of: number;
  /** The script of the step in hand, and what it says of itself; both may be empty. */
  doing: string;
  progress: string;
}

export interface Platform {
  /** The request that reads a host. `full` also asks what only the new node needs. */
  observe(ctx: HostContext, full: boolean): HostRequest;
  /** Understands the answer to `observe` (and to the last of `apply`). Throws HostError `garbled`. */
  parseObservation(data: unknown, ctx: HostContext): Observation;
  /** The commands that a person would type for these steps, for the approver to read. They do not depend on what holds already. */
  commands(steps: readonly Step[], ctx: HostContext, observed: Observation | null): string[];
  /**
   * The requests that make the steps hold, in order. What holds already, and what a foreign route is in the way of, is left out.
   * Throws HostError `script` with code `REFUSED` for a route that may never be made there: own slice, outside the cluster, over an address.
   */
  apply(steps: readonly Step[], ctx: HostContext, observed: Observation, fence: number): HostRequest[];
  /** Understands the answer to a request that `goesOn`: null once it is over. Throws HostError `script` when a step failed, `garbled`. */
  parseProgress(data: unknown, ctx: HostContext): Progress | null;
  /** The request that asks each target for a sign of life, from `source` (null: the node's address). */
  prove(ctx: HostContext, source: Ipv4 | null, targets: readonly Ipv4[]): HostRequest;
  /** Understands the answer to `prove`. Throws HostError `garbled`. */
  parseProof(data: unknown): Record<Ipv4, ProofAnswer>;
  /** The request for one look at a watched host: read only, and as cheap as it gets. */
  probe(ctx: HostContext): HostRequest;
  /** Understands the answer to `probe` and to `service`. Throws HostError `garbled`. */
  parseProbe(data: unknown, ctx: HostContext): Probe;
  /**
   * The request that starts, stops or restarts a component by the host's own service manager, and then probes. Its answer is a success only
   * when what runs afterwards is what was asked for, and stays for 8 s; otherwise it fails with code `SERVICE`. Of those that start along with
   * it, since they depend on it, `stayDown` do not.
   */
  service(
    ctx: HostContext,
    component: Component,
    action: ServiceAction,
    fence: number,
    stayDown?: readonly Component[],
  ): HostRequest;
  /** Understands what else the answer to `service` says: the names of the services that went along, since they depend on it. */
  parseAlong(data: unknown): string[];
  /** The command that a person would type for it. */
  serviceCommand(component: Component, action: ServiceAction): string;
  /** The request for the last lines of a component's log: at most 200, and 64 KiB. */
  logs(ctx: HostContext, component: Component, lines: number): HostRequest;
  /** Understands the answer to `logs`: the lines as the host has them, secrets included. Throws HostError `garbled`. */
  parseLogs(data: unknown): string;
}

/** The platform of an operating system. */
export function platformOf(os: Os): Platform {
  return os === 'windows' ? windows : linux;
}
