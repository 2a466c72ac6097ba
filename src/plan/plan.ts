/** Plans: which steps a change takes on which host, as plain data. Pure. */
import type { Cidr, Ipv4 } from '../ip.js';
import type { Trouble } from '../kube/trouble.js';
import type { ObservedRoute, Route } from '../network/route.js';
import type { Made, Node, NodeEntry, Os } from '../node/node.js';
import type { AdoptConflict } from './adopt-conflict.js';

/** A network card of a Windows host (S8). */
export interface Nic {
  name: string;
  ifIndex: number;
  mac: string;
  status: string;
  /** `virtual` is a Hyper-V host adapter. */
  kind: 'physical' | 'virtual';
  addresses: Ipv4[];
  /** Why this NIC can't be given to the container network: it carries the node's address, the SSH session or a default route. Empty: it can. */
  busy: string[];
}

/** The container network of a Windows node as docker describes it (S11). */
export interface PodNetwork {
  name: string;
  driver: string;
  subnet: Cidr;
  gateway: Ipv4;
}

/** What one read of a host saw. Never partly filled: a host that can't be read whole is unreadable, not empty. */
export interface Observation {
  /** Every IPv4 route of the main table (Windows: both stores, merged), default route included. */
  routes: ObservedRoute[];
  addresses: { address: Ipv4; prefixLength: number; device: string }[];
  /** Whether the host forwards packets from its routable interface (Linux: `net.ipv4.ip_forward`). */
  forwarding: boolean;
  /** The device that holds the node's address; null when none does. */
  nodeDevice: string | null;
  /** Linux: the names of all bridges. */
  bridges: string[];
  /** Changes with every boot. */
  boot: string;
  /** Windows, new node only. */
  windows?: { build: number; nics: Nic[]; podNetworks: PodNetwork[]; podNicForwarding: boolean };
}

/**
 * One thing to make true (`ensure`) or untrue (`remove`) on a host. Every step is check → apply → verify, safe to repeat.
 * `peer` names the node that a route leads to: the step counts only while both ends are members (or, for `remove`, once one is not).
 * It is null for a stray route, which leads to no member.
 */
export type Step =
  | { kind: 'route'; action: 'ensure' | 'remove'; peer: string | null; route: Route }
  /** The host forwards packets between its routable interface and its pods (S9). */
  | { kind: 'forwarding'; action: 'ensure' | 'remove' }
  /** Linux: the bridge that holds the pod gateway (S7). `ownBridge`: Fairway creates and removes the bridge itself, not only its address. */
  | { kind: 'bridge'; action: 'ensure' | 'remove'; bridge: string; podCidr: Cidr; ownBridge: boolean }
  /** Windows: the transparent docker network, bound to the container NIC (S11). */
  | { kind: 'pod-network'; action: 'ensure' | 'remove'; network: string; podCidr: Cidr; containerNic: string }
  /** Windows: the pod gateway's address and forwarding on the network's host adapter (S12). */
  | { kind: 'pod-gateway'; action: 'ensure' | 'remove'; podCidr: Cidr; containerNic: string };

/** What a plan does on one host. */
export interface HostPlan {
  host: string;
  os: Os;
  /** The slice that its node had when this was planned: whoever has the name later, with another slice, is another member. */
  podCidr: Cidr;
  /** `node`: the one being added or removed, or to be repaired by its name. */
  role: 'node' | 'peer';
  steps: Step[];
  /** The inverse, in the order to run it; computed and approved together with the steps (N2). */
  undo: Step[];
  /** The very commands of `steps`, as shown to the approver. */
  commands: string[];
  undoCommands: string[];
  /** What the host held when the plan was sealed; null when it could not be read, and `unreadable` says why. */
  observed: Observation | null;
  unreadable?: string;
  /** SHA-256 of the host key that this plan trusts, and whether this was the first contact with it. */
  hostKey: { fingerprint: string; firstContact: boolean } | null;
}

/** What a plan, and the change that carries it, is about. */
export type Subject =
  | { kind: 'add-node' | 'remove-node'; node: Node }
  /** Restores what the inventory says where hosts differ from it: on and towards one member, or (no `node`) of all. */
  | { kind: 'repair'; node?: Node }
  /** Makes members of nodes that carry pods already: an existing cluster, or one whose inventory was lost. */
  | { kind: 'adopt'; asked: readonly NodeEntry[]; node?: never };

interface PlanBase {
  /** Inventory revision that it was computed from. */
  basedOn: number;
  /** Names of nodes, of other open changes, that this plan's pair routes also cover once both are members. */
  together: string[];
  hosts: HostPlan[];
  /** Removing, repairing: routes that are not ours where one of ours should go. They stay. */
  foreign: { host: string; route: ObservedRoute }[];
}

/** A node joins or leaves. `made`: what is going to be made on the node itself; stored with the node once it is a member. */
export type MembershipPlan = PlanBase &
  Extract<Subject, { node: Node }> & {
    made: Made;
    /** Adding: why the API server could not be asked whether it agrees on the node's pod CIDR. */
    apiUnread?: Trouble;
  };

/**
 * Of the hosts that were `read` (how many), `hosts` has those that differ, and the named node. Nothing is known of the `unread`, so
 * nothing is planned for them.
 */
export type RepairPlan = PlanBase & Extract<Subject, { kind: 'repair' }> & { read: number; unread: Unread[] };

/** A host that could not be read, and why: in a host's own words, or ours. */
export interface Unread {
  host: string;
  why: string;
}

/** How much a host holds of the routes that an adoption makes desired there. */
export interface HeldRoutes {
  host: string;
  wanted: number;
  held: number;
  /** Linux: how many of the held ones are not Fairway's. They stay so, which is no harm. */
  notOurs: number;
  /** Windows, which can't mark routes: those held that are to be known for Fairway's from then on. */
  own: Route[];
}

/** A node's route for which nobody is known, as some hosts hold it. */
export interface RouteToNobody extends Route {
  /** Linux: Fairway made it, some time. */
  ours: boolean;
  hosts: string[];
}

/**
 * Nothing is done on any host: `hosts` have no steps, and say what was seen when it was sealed, on those of `nodes` and on the members
 * that could be read.
 */
export type AdoptPlan = PlanBase & {
  kind: 'adopt';
  node?: never;
  /** What is going to be recorded. */
  nodes: Node[];
  /** Names of those that are members already, with the very same facts. */
  unchanged: string[];
  /** Those that are not recorded, and why. */
  leftOut: { name: string; address: Ipv4; conflict: AdoptConflict }[];
  routes: HeldRoutes[];
  toNobody: RouteToNobody[];
  /** Members only. */
  unread: Unread[];
};

export type Plan = MembershipPlan | RepairPlan | AdoptPlan;

/** True when one node joins or leaves. */
export function isMembershipPlan(plan: Plan): plan is MembershipPlan {
  return plan.kind === 'add-node' || plan.kind === 'remove-node';
}
