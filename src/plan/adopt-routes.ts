/** What hosts hold of the routes between nodes that are to be adopted, and what contradicts them. Pure. */
import { baseOf, type Cidr, cidrAround, contains, overlaps, prefixLength, toText } from '../ip.js';
import { desiredRoutes, type NextHopMode, nextHopTo, type ObservedRoute } from '../network/route.js';
import type { Node } from '../node/node.js';
import type { AdoptConflict } from './adopt-conflict.js';
import type { HeldRoutes, RouteToNobody } from './plan.js';
import type { PlanPolicy } from './policy.js';
import { clusterRoutes, type HostReading } from './reading.js';

/** Of each host that could be read, the routes that matter to pods. */
export type Tables = ReadonlyMap<string, readonly ObservedRoute[]>;

/** Worked out once: of hundreds of hosts with hundreds of routes each it takes longest. */
export function tablesOf(readings: ReadonlyMap<string, HostReading>, clusterCidr: Cidr): Tables {
  return new Map(
    [...readings].flatMap(([host, { observed }]) =>
      observed ? [[host, clusterRoutes(observed, clusterCidr)] as const] : [],
    ),
  );
}

/**
 * For each node whose slice some host leads elsewhere: the first such route. `known` tells the OS of every host. A table of hundreds of
 * routes is gone through once, not once for each node.
 */
export function routedElsewhere(
  nodes: readonly Node[],
  known: readonly Pick<Node, 'name' | 'os'>[],
  tables: Tables,
  nodePrefixLength: number,
  { nextHop }: PlanPolicy,
): Map<string, AdoptConflict> {
  const found = new Map<string, AdoptConflict>();
  const bySlice = new Map<Cidr, Node[]>();
  for (const node of nodes) bySlice.set(node.podCidr, [...(bySlice.get(node.podCidr) ?? []), node]);
  const osOf = new Map(known.map(({ name, os }) => [name, os]));
  const touched = ({ destination }: ObservedRoute) => {
    const length = prefixLength(destination);
    if (length < nodePrefixLength) return nodes.filter((node) => overlaps(node.podCidr, destination));
    const slice =
      length === nodePrefixLength ? destination : cidrAround(toText(baseOf(destination)), nodePrefixLength);
    return bySlice.get(slice) ?? [];
  };
  for (const [host, routes] of tables) {
    for (const route of routes) {
      for (const node of touched(route)) {
        const leads = (mode: NextHopMode) =>
          host !== node.name &&
          route.destination === node.podCidr &&
          route.nextHop === nextHopTo(node, osOf.get(host) ?? 'linux', mode);
        // A node's own pods are connected there.
        const own = host === node.name && route.nextHop === null && contains(node.podCidr, route.destination);
        if (own || leads(nextHop) || found.has(node.name)) continue;
        const { destination } = route;
        const otherMode = leads(nextHop === 'node-address' ? 'pod-gateway' : 'node-address');
        found.set(node.name, { kind: 'routed', host, destination, nextHop: route.nextHop, otherMode });
      }
    }
  }
  return found;
}

/** Of each adopted node all routes, of each member that could be read those to adopted nodes. */
export function routesHeld(
  nodes: readonly Node[],
  members: readonly Node[],
  tables: Tables,
  mode: NextHopMode,
): HeldRoutes[] {
  const count = (node: Node, peers: readonly Node[]): HeldRoutes[] => {
    const routes = tables.get(node.name);
    if (!routes) return [];
    const whole = routes.filter((route) => !route.partial);
    const held = new Map(whole.map((route) => [`${route.destination} ${route.nextHop}`, route]));
    const wanted = desiredRoutes(node, peers, mode);
    const there = wanted.filter((route) => held.has(`${route.destination} ${route.nextHop}`));
    const notOurs = there.filter((route) => !held.get(`${route.destination} ${route.nextHop}`)?.ours);
    return [
      {
        host: node.name,
        wanted: wanted.length,
        held: there.length,
        notOurs: node.os === 'linux' ? notOurs.length : 0,
        own: node.os === 'windows' ? notOurs : [],
      },
    ];
  };
  if (nodes.length === 0) return [];
  const all = [...members, ...nodes];
  return [...nodes.flatMap((node) => count(node, all)), ...members.flatMap((member) => count(member, nodes))];
}

/** Routes on these hosts, into the cluster's range, to slices that are nobody's: perhaps those of nodes that the list forgot. */
export function routesToNobody(
  hosts: readonly Pick<Node, 'name'>[],
  slices: ReadonlySet<Cidr>,
  tables: Tables,
  clusterCidr: Cidr,
): RouteToNobody[] {
  const found = new Map<string, RouteToNobody>();
  for (const { name } of hosts) {
    for (const { destination, nextHop, ours } of tables.get(name) ?? []) {
      if (nextHop === null || slices.has(destination) || !contains(clusterCidr, destination)) continue;
      const key = `${destination} ${nextHop}`;
      const before = found.get(key) ?? { destination, nextHop, ours: false, hosts: [] };
      if (before.hosts.includes(name)) continue;
      found.set(key, { ...before, ours: before.ours || ours, hosts: [...before.hosts, name] });
    }
  }
  return [...found.values()].sort((a, b) => baseOf(a.destination) - baseOf(b.destination));
}
