/** Routes: what every host should hold, and how that differs from what it does hold. Pure. */
import { type Cidr, type Ipv4, podGateway } from '../ip.js';
import type { Node, Os } from '../node/node.js';

export interface Route {
  destination: Cidr;
  nextHop: Ipv4;
}

/**
 * `node-address`: every route goes to the peer's routable address, as flannel's host-gw does it.
 * `pod-gateway`: Windows routes go to the peer's `.1`, exactly as the guide has them (S13).
 */
export type NextHopMode = 'node-address' | 'pod-gateway';

/** A route as a host's table holds it. */
export interface ObservedRoute {
  destination: Cidr;
  /** null for a connected route. */
  nextHop: Ipv4 | null;
  /** Device name on Linux, interface index on Windows. */
  device: string;
  /** Whether Fairway made it: `proto 155` on Linux, the journal on Windows. */
  ours: boolean;
  metric: number;
  /** Windows: present in only one of the two stores, or on another interface than the routable one. Such a route does not count as held. */
  partial?: boolean;
}

/** The next hop that a host of `os` uses towards `peer`. Linux refuses off-link gateways, so the guide's form is for Windows only. */
export function nextHopTo(peer: Node, os: Os, mode: NextHopMode): Ipv4 {
  return os === 'windows' && mode === 'pod-gateway' ? podGateway(peer.podCidr) : peer.address;
}

/** The route to `peer` that a host of `os` should hold. */
export function routeTo(peer: Node, os: Os, mode: NextHopMode): Route {
  return { destination: peer.podCidr, nextHop: nextHopTo(peer, os, mode) };
}

/** Every route that `node`'s host should hold: one to each other node of the inventory, in the inventory's order. */
export function desiredRoutes(node: Node, nodes: readonly Node[], mode: NextHopMode): Route[] {
  return nodes.filter((peer) => peer.name !== node.name).map((peer) => routeTo(peer, node.os, mode));
}

export interface Drift {
  /** Desired and not there. */
  missing: Route[];
  /** Ours, for a desired destination, but with another next hop or only half there. */
  wrong: ObservedRoute[];
  /** Ours, for a destination that nobody desires. */
  stray: ObservedRoute[];
  /** Not ours, in the way of a desired route. Reported, never touched. */
  foreign: ObservedRoute[];
}

/**
 * Compares what a host should hold with what it holds.
 *
 *     desired | held, ours | held, foreign | verdict
 *     --------|------------|---------------|---------------------------
 *     A via x | -          | -             | missing
 *     A via x | A via x    | -             | nothing
 *     A via x | A via y    | -             | missing + wrong
 *     A via x | -          | A via x       | nothing (good, though not ours)
 *     A via x | -          | A via y       | missing + foreign
 *     -       | A via x    | -             | stray
 *     -       | -          | A via x       | nothing
 */
export function diffRoutes(desired: readonly Route[], observed: readonly ObservedRoute[]): Drift {
  const wanted = new Map(desired.map((route) => [route.destination, route.nextHop]));
  const held = new Map<Cidr, ObservedRoute[]>();
  for (const seen of observed) held.set(seen.destination, [...(held.get(seen.destination) ?? []), seen]);
  const drift: Drift = { missing: [], wrong: [], stray: [], foreign: [] };
  for (const route of desired) {
    if (!held.get(route.destination)?.some((seen) => holds(seen, route))) drift.missing.push(route);
  }
  for (const seen of observed) {
    const nextHop = wanted.get(seen.destination);
    if (nextHop === undefined) {
      if (seen.ours) drift.stray.push(seen);
    } else if (seen.nextHop !== nextHop || seen.partial) {
      (seen.ours ? drift.wrong : drift.foreign).push(seen);
    }
  }
  return drift;
}

/** True when an observed route is, in full, the route asked for. */
export function holds(seen: ObservedRoute, route: Route): boolean {
  return seen.destination === route.destination && seen.nextHop === route.nextHop && !seen.partial;
}
