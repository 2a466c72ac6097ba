/** What reading a host gave, and how two readings differ. Pure. */
import { type Cidr, overlaps } from '../ip.js';
import type { ObservedRoute } from '../network/route.js';
import type { Observation } from './plan.js';

/** A host as planning found it: read whole, or not at all and why. */
export type HostReading =
  | { observed: Observation; fingerprint: string; firstContact: boolean }
  | {
      observed: null;
      unreadable: string;
      /** Another key than the pinned one was met. */
      keyChanged: boolean;
      /** The fingerprint that is pinned for it, if any. */
      pinned?: string;
      /** It answers as a host of the other operating system would. */
      otherOs?: boolean;
    };

/** The default route leads everywhere; it is nobody's claim to a slice. */
const DEFAULT_ROUTE = '0.0.0.0/0';

/** The routes that matter to pods: those that share an address with the cluster CIDR. */
export function clusterRoutes(observed: Observation, clusterCidr: Cidr): ObservedRoute[] {
  return observed.routes.filter(
    (route) => route.destination !== DEFAULT_ROUTE && overlaps(route.destination, clusterCidr),
  );
}

/** What a plan's seal covers of a host, one line a fact. Metrics and interface numbers change by themselves and are left out. */
export function sealedFacts(observed: Observation, clusterCidr: Cidr): string[] {
  const routes = clusterRoutes(observed, clusterCidr).map(factOf);
  const networks = (observed.windows?.podNetworks ?? []).map(
    (network) => `network ${network.name} ${network.subnet} gateway ${network.gateway}`,
  );
  const forwarding = observed.forwarding ? 'forwarding on' : 'forwarding off';
  return [forwarding, ...[...routes, ...networks].sort()];
}

function factOf(route: ObservedRoute): string {
  const via = route.nextHop === null ? 'connected' : `via ${route.nextHop}`;
  return `route ${route.destination} ${via}${route.ours ? ' (Fairway)' : ''}${route.partial ? ' (in part)' : ''}`;
}

/**
 * What changed on a host since a plan was sealed, as lines `+ fact` and `- fact`. What Fairway itself made or took away for other
 * approved changes in the meantime is no surprise: routes to their slices (`ownCidrs`), the pod network of a node that joined,
 * and forwarding that got switched on.
 */
export function differences(
  sealed: Observation,
  now: Observation,
  clusterCidr: Cidr,
  ownCidrs: ReadonlySet<Cidr>,
): string[] {
  const expected = (observed: Observation): Observation => ({
    ...observed,
    forwarding: observed.forwarding || now.forwarding,
    routes: observed.routes.filter(
      (route) => !(ownCidrs.has(route.destination) && (route.ours || route.nextHop === null)),
    ),
    ...(observed.windows
      ? {
          windows: {
            ...observed.windows,
            podNetworks: observed.windows.podNetworks.filter((network) => !ownCidrs.has(network.subnet)),
          },
        }
      : {}),
  });
  const before = sealedFacts(expected(sealed), clusterCidr);
  const after = sealedFacts(expected(sealed.windows ? now : withoutNetworks(now)), clusterCidr);
  return [
    ...before.filter((fact) => !after.includes(fact)).map((fact) => `- ${fact}`),
    ...after.filter((fact) => !before.includes(fact)).map((fact) => `+ ${fact}`),
  ];
}

/** A reading that asked for more than the sealed one did tells nothing new by that. */
function withoutNetworks({ windows: _more, ...observed }: Observation): Observation {
  return observed;
}
