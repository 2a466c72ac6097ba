/** Which pod CIDR a host has already, by what it holds. Pure. */
import { type Cidr, cidrAround, contains, type Ipv4, podGateway, prefixLength } from '../ip.js';
import type { NetworkPolicy } from '../network/allocation.js';
import type { NodeEntry } from '../node/node.js';
import type { AdoptConflict } from './adopt-conflict.js';
import type { Observation } from './plan.js';
import type { PlanPolicy } from './policy.js';

/** Something on a host that may be the seat of its pods: a bridge's address, or a container network. */
interface Seat {
  /** Of the bridge, or of the network. */
  name: string;
  /** Null: no node's slice of this cluster, or the pod gateway is not its `.1`. */
  podCidr: Cidr | null;
  text: string;
}

/**
 * The slice that the host of a node holds. Linux: by the address of a bridge, the configured one's before any other's; Windows: by
 * the transparent docker network. The one that was asked for has to be among them; without that, there has to be just one.
 */
export function heldPodCidr(
  entry: NodeEntry,
  observed: Observation,
  network: NetworkPolicy,
  policy: PlanPolicy,
): { podCidr: Cidr } | { conflict: AdoptConflict } {
  const seats =
    entry.os === 'windows' ? networksOf(observed, network, policy) : bridgesOf(observed, network, policy);
  const held = seats.map(({ text }) => text);
  const configured = entry.os === 'windows' ? policy.network : policy.bridge;
  const all = slicesOf(seats);
  const preferred = slicesOf(seats.filter(({ name }) => name === configured));
  const asked = entry.podCidr;
  if (asked !== undefined && !all.includes(asked))
    return { conflict: { kind: 'other-pod-cidr', asked, found: all, held } };
  const candidates = asked !== undefined ? [asked] : preferred.length > 0 ? preferred : all;
  const [podCidr, ...others] = candidates;
  if (podCidr === undefined) return { conflict: { kind: 'no-pod-cidr', held } };
  if (others.length > 0) return { conflict: { kind: 'several-pod-cidrs', found: candidates } };
  const wrongName = entry.os === 'windows' && !preferred.includes(podCidr);
  const called = seats.find((seat) => seat.podCidr === podCidr)?.name ?? '';
  return wrongName ? { conflict: { kind: 'network-name', network: called, configured } } : { podCidr };
}

function slicesOf(seats: readonly Seat[]): Cidr[] {
  return [...new Set(seats.flatMap(({ podCidr }) => podCidr ?? []))];
}

function bridgesOf({ addresses, bridges }: Observation, network: NetworkPolicy, policy: PlanPolicy): Seat[] {
  return addresses
    .filter(({ device }) => bridges.includes(device))
    .map(({ address, prefixLength: length, device }) => ({
      name: device,
      podCidr: sliceOf(cidrAround(address, length), address, network, policy),
      text: `${device} ${address}/${length}`,
    }));
}

function networksOf({ windows }: Observation, network: NetworkPolicy, policy: PlanPolicy): Seat[] {
  return (windows?.podNetworks ?? []).map(({ name, subnet, gateway }) => ({
    name,
    podCidr: sliceOf(subnet, gateway, network, policy),
    text: `${name} ${subnet} gateway ${gateway}`,
  }));
}

function sliceOf(
  cidr: Cidr,
  gateway: Ipv4,
  network: NetworkPolicy,
  { clusterCidr }: PlanPolicy,
): Cidr | null {
  const fits = prefixLength(cidr) === network.nodePrefixLength && contains(clusterCidr, cidr);
  return fits && gateway === podGateway(cidr) ? cidr : null;
}
