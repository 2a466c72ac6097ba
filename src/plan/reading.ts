/** What reading a host gave, and how two readings differ. Pure. */
import { type Cidr, overlaps } from '../ip.js';
import type { ObservedRoute } from '../network/route.js';
import { Component } from '../node/component.js';
import type { WindowsMachine } from './machine.js';
import type { HostPlan, Observation, Plan } from './plan.js';
import type { PlanPolicy } from './policy.js';
import { KUBE_PROXY_SWITCH } from './windows-node.js';

/** A host as planning found it: read whole, or not at all and why. */
export type HostReading = { observed: Observation; fingerprint: string; firstContact: boolean } | Unreadable;

export interface Unreadable {
  observed: null;
  unreadable: string;
  /** Another key than the pinned one was met. */
  keyChanged: boolean;
  /** The fingerprint that is pinned for it, if any. */
  pinned?: string;
  /** It answers as a host of the other operating system would. */
  otherOs?: boolean;
  /** Nobody answers, or our key is not taken. */
  outOfReach?: boolean;
}

/** The default route leads everywhere; it is nobody's claim to a slice. */
const DEFAULT_ROUTE = '0.0.0.0/0';

/** The routes that matter to pods: those that share an address with the cluster CIDR. */
export function clusterRoutes(observed: Observation, clusterCidr: Cidr): ObservedRoute[] {
  return observed.routes.filter(
    (route) => route.destination !== DEFAULT_ROUTE && overlaps(route.destination, clusterCidr),
  );
}

/** What the seal of a plan looks at on one of its hosts. */
export interface SealScope {
  clusterCidr: Cidr;
  /** The bridge that its pods would hang on; null where planning decided nothing by the machine itself, as on a peer. */
  bridge: string | null;
}

/** The scope of a host in a plan: where its pod side is planned too, the seal covers what that was decided by. */
export function scopeOf(
  plan: Plan,
  host: HostPlan,
  policy: Pick<PlanPolicy, 'clusterCidr' | 'bridge'>,
): SealScope {
  const isWhole = host.role === 'node' || (plan.kind === 'repair' && plan.node === undefined);
  return { clusterCidr: policy.clusterCidr, bridge: isWhole ? policy.bridge : null };
}

/**
 * What a plan's seal covers of a host, one line a fact. Metrics and interface numbers change by themselves and are left out. Whose bridge
 * it is, or kubelet or switch or image, was decided by whether there was one, and which NIC the containers get by which were free.
 */
export function sealedFacts(observed: Observation, { clusterCidr, bridge }: SealScope): string[] {
  const routes = clusterRoutes(observed, clusterCidr).map(factOf);
  const networks = networkFacts(observed);
  const nics = (observed.windows?.nics ?? []).filter(
    (nic) => nic.kind === 'physical' && nic.busy.length === 0,
  );
  const free = nics.map((nic) => `network card ${nic.mac} free for containers`);
  const bridges = bridge !== null && observed.bridges.includes(bridge) ? [`bridge ${bridge}`] : [];
  const machine = bridge !== null && observed.windows ? machineFacts(observed.windows.machine) : [];
  const forwarding = observed.forwarding ? 'forwarding on' : 'forwarding off';
  return [forwarding, ...[...routes, ...networks, ...free, ...bridges, ...machine].sort()];
}

/** What is there already is nothing that the plan would make, and so nothing that its undo may take away. */
function machineFacts({ components, switches, pauseImage, routing }: WindowsMachine): string[] {
  const kept = Component.options.flatMap((name) => {
    const installed = components[name];
    if (installed === null) return [];
    return [`${name} ${installed.ours ? '(Fairway)' : `by ${installed.manager}: ${installed.executable}`}`];
  });
  const known = Array.isArray(switches) ? switches : [];
  const named = known.filter(({ name }) => name === KUBE_PROXY_SWITCH);
  return [
    ...kept,
    ...named.map(({ name, type }) => `switch ${name} ${type}`),
    ...(pauseImage === null ? [] : ['pause image']),
    ...(routing === null ? [] : [`Routing and Remote Access for ${routing.isRouter ? 'routing' : 'else'}`]),
  ];
}

function networkFacts({ windows }: Observation): string[] {
  if (windows === undefined) return [];
  if (windows.podNetworks === null) return ['docker does not answer'];
  return windows.podNetworks.map(
    ({ name, subnet, gateway }) => `network ${name} ${subnet} gateway ${gateway}`,
  );
}

function factOf(route: ObservedRoute): string {
  const via = route.nextHop === null ? 'connected' : `via ${route.nextHop}`;
  return `route ${route.destination} ${via}${route.ours ? ' (Fairway)' : ''}${route.partial ? ' (in part)' : ''}`;
}

/**
 * What changed on a host since a plan was sealed, as lines `+ fact` and `- fact`. What Fairway itself made or took away for other
 * approved changes in the meantime is no surprise: routes to their slices (`ownCidrs`), the bridge or pod network of a node that
 * joined, and forwarding that got switched on.
 */
export function differences(
  sealed: Observation,
  now: Observation,
  scope: SealScope,
  ownCidrs: ReadonlySet<Cidr>,
): string[] {
  const ownBridges = new Set([...carrying(sealed, ownCidrs), ...carrying(now, ownCidrs)]);
  const expected = (observed: Observation): Observation => ({
    ...observed,
    forwarding: observed.forwarding || now.forwarding,
    bridges: observed.bridges.filter((bridge) => !ownBridges.has(bridge)),
    routes: observed.routes.filter(
      (route) => !(ownCidrs.has(route.destination) && (route.ours || route.nextHop === null)),
    ),
    ...(observed.windows
      ? {
          windows: {
            ...observed.windows,
            podNetworks:
              observed.windows.podNetworks?.filter((network) => !ownCidrs.has(network.subnet)) ?? null,
          },
        }
      : {}),
  });
  const before = sealedFacts(expected(sealed), scope);
  const after = sealedFacts(expected(sealed.windows ? now : withoutNetworks(now)), scope);
  return [
    ...before.filter((fact) => !after.includes(fact)).map((fact) => `- ${fact}`),
    ...after.filter((fact) => !before.includes(fact)).map((fact) => `+ ${fact}`),
  ];
}

/** The devices that a slice of these is connected to. */
function carrying(observed: Observation, cidrs: ReadonlySet<Cidr>): string[] {
  return observed.routes
    .filter((route) => route.nextHop === null && cidrs.has(route.destination))
    .map((route) => route.device);
}

/** A reading that asked for more than the sealed one did tells nothing new by that. */
function withoutNetworks({ windows: _more, ...observed }: Observation): Observation {
  return observed;
}
