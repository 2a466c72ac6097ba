/** Steps against what a host holds: done already, in the way, or never to be done. Pure. */
import { type Cidr, contains, type Ipv4, podGateway, prefixLength } from '../ip.js';
import { holds } from '../network/route.js';
import type { Observation, Step } from './plan.js';

/**
 * True when the host already is as the step wants it.
 *
 *     step          | ensure                                         | remove
 *     --------------|------------------------------------------------|------------------------------------
 *     route         | held in full, and no wrong one of ours beside  | no route of ours like it
 *     forwarding    | on                                             | off
 *     bridge        | it holds the gateway and is up                 | gateway gone (own bridge: bridge gone)
 *     pod-network   | docker has it, with this subnet and gateway    | docker does not have it
 *     pod-gateway   | the address is there and its NIC forwards      | the address is gone
 */
export function stepHolds(step: Step, observed: Observation): boolean {
  const ensure = step.action === 'ensure';
  switch (step.kind) {
    case 'route': {
      const { destination, nextHop } = step.route;
      const ours = observed.routes.filter((seen) => seen.ours && seen.destination === destination);
      if (!ensure) return !ours.some((seen) => seen.nextHop === nextHop);
      return (
        observed.routes.some((seen) => holds(seen, step.route)) &&
        ours.every((seen) => holds(seen, step.route))
      );
    }
    case 'forwarding':
      return observed.forwarding === ensure;
    case 'bridge': {
      const addressed = hasAddress(observed, step.podCidr, step.bridge);
      if (!ensure) return !addressed && !(step.ownBridge && observed.bridges.includes(step.bridge));
      // The connected route is there only while the bridge is up.
      return (
        addressed &&
        observed.routes.some((seen) => seen.destination === step.podCidr && seen.device === step.bridge)
      );
    }
    case 'pod-network': {
      const networks = observed.windows?.podNetworks;
      if (networks === undefined) return false;
      const named = networks.filter((network) => network.name === step.network);
      if (!ensure) return named.length === 0;
      return named.some(
        (network) => network.subnet === step.podCidr && network.gateway === podGateway(step.podCidr),
      );
    }
    case 'pod-gateway': {
      const addressed = hasAddress(observed, step.podCidr);
      return ensure ? addressed && observed.windows?.podNicForwarding === true : !addressed;
    }
  }
}

/** What, not Fairway's, is in the way of a route step: a route to the same destination that leads elsewhere. null: nothing. */
export function conflicts(step: Step, observed: Observation): string | null {
  if (step.kind !== 'route' || step.action !== 'ensure') return null;
  const other = observed.routes.find(
    (seen) => !seen.ours && seen.destination === step.route.destination && !holds(seen, step.route),
  );
  if (other === undefined) return null;
  const via = other.nextHop === null ? '' : ` via ${other.nextHop}`;
  return `${other.destination}${via} dev ${other.device} is not Fairway's`;
}

/** Why a route may never be made on the node with this address and slice, whatever it holds. null: it may. */
export function forbidden(
  step: Step,
  on: { address: Ipv4; podCidr: Cidr; clusterCidr: Cidr },
): string | null {
  if (step.kind !== 'route' || step.action !== 'ensure') return null;
  const { destination, nextHop } = step.route;
  if (!contains(on.clusterCidr, destination))
    return `${destination} is outside the cluster's ${on.clusterCidr}`;
  if (contains(destination, on.podCidr) || contains(on.podCidr, destination)) {
    return `${destination} overlaps the node's own ${on.podCidr}`;
  }
  if (contains(destination, on.address)) return `${destination} covers the node's own address ${on.address}`;
  // Only the guide's next hop, the peer's pod gateway, lies in the slice that it leads to.
  if (contains(destination, nextHop) && nextHop !== podGateway(destination)) {
    return `${destination} covers its own next hop ${nextHop}`;
  }
  return null;
}

function hasAddress(observed: Observation, podCidr: Cidr, device?: string): boolean {
  return observed.addresses.some(
    (held) =>
      held.address === podGateway(podCidr) &&
      held.prefixLength === prefixLength(podCidr) &&
      (device === undefined || held.device === device),
  );
}
