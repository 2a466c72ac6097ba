/** Choosing a pod CIDR: which slices a cluster has, which of them may be given, and why one asked for may not. Pure. */
import { Refusal } from '../errors.js';
import { baseOf, type Cidr, contains, type Ipv4, overlaps, prefixLength, sizeOf, toText } from '../ip.js';
import type { Node, NodeSpec } from '../node/node.js';

/** What the configuration says of a cluster's addresses (S5, S6). */
export interface NetworkPolicy {
  clusterCidr: Cidr;
  /** Prefix length of one node's slice, in bits. */
  nodePrefixLength: number;
  serviceCidr: Cidr;
  /** Ranges within the cluster CIDR that no node gets. */
  reserved: readonly Cidr[];
}

/** Who has a slice: a node, or the change that is adding it. */
export interface Holder {
  podCidr: Cidr;
  holder: string;
  changeId?: string;
}

/** Every slice of the cluster, lowest first. */
export function* podCidrs(clusterCidr: Cidr, length: number): Generator<Cidr> {
  const size = 2 ** (32 - length);
  for (let base = baseOf(clusterCidr); base < baseOf(clusterCidr) + sizeOf(clusterCidr); base += size) {
    yield `${toText(base)}/${length}`;
  }
}

/** How many slices the cluster has. */
export function sliceCount(policy: NetworkPolicy): number {
  return 2 ** (policy.nodePrefixLength - prefixLength(policy.clusterCidr));
}

/** What no node may get, whoever holds what: reserved ranges, the service CIDR, and every slice with a node's own address in it. */
export function neverGiven(policy: NetworkPolicy, addresses: readonly Ipv4[]): Cidr[] {
  return [policy.serviceCidr, ...policy.reserved, ...addresses.map((address): Cidr => `${address}/32`)];
}

/** The lowest slice that overlaps neither a taken one nor an excluded range; null when there is none. */
export function firstFree(
  policy: NetworkPolicy,
  taken: readonly Cidr[],
  excluded: readonly Cidr[],
): Cidr | null {
  const blocked = [...taken, ...excluded];
  for (const slice of podCidrs(policy.clusterCidr, policy.nodePrefixLength)) {
    if (!blocked.some((range) => overlaps(range, slice))) return slice;
  }
  return null;
}

/** How many slices overlap neither a taken one nor an excluded range. One walk over the ranges in the order of their start. */
export function countFree(policy: NetworkPolicy, taken: readonly Cidr[], excluded: readonly Cidr[]): number {
  const first = baseOf(policy.clusterCidr);
  const size = 2 ** (32 - policy.nodePrefixLength);
  const slices = sliceCount(policy);
  const spans = [...taken, ...excluded]
    .map((range) => ({
      from: Math.max(0, Math.floor((baseOf(range) - first) / size)),
      to: Math.min(slices - 1, Math.floor((baseOf(range) + sizeOf(range) - 1 - first) / size)),
    }))
    .sort((a, b) => a.from - b.from);
  let used = 0;
  let next = 0;
  for (const { from, to } of spans) {
    used += Math.max(0, to + 1 - Math.max(from, next));
    next = Math.max(next, to + 1);
  }
  return slices - used;
}

/** Why a slice that the user asked for can't be given; null when it can. `nodes` includes the new one: no slice may cover its address. */
export function checkPodCidr(
  explicit: Cidr,
  policy: NetworkPolicy,
  holders: readonly Holder[],
  nodes: readonly Pick<NodeSpec, 'name' | 'address'>[],
): Refusal | null {
  const { clusterCidr, nodePrefixLength } = policy;
  if (!contains(clusterCidr, explicit))
    return new Refusal('pod-cidr-outside', { podCidr: explicit, clusterCidr });
  if (prefixLength(explicit) !== nodePrefixLength) {
    return new Refusal('pod-cidr-size', { podCidr: explicit, prefixLength: nodePrefixLength });
  }
  if (overlaps(policy.serviceCidr, explicit)) {
    return new Refusal('pod-cidr-overlaps', {
      podCidr: explicit,
      overlap: 'service-cidr',
      with: policy.serviceCidr,
    });
  }
  const reserved = policy.reserved.find((range) => overlaps(range, explicit));
  if (reserved !== undefined) {
    return new Refusal('pod-cidr-overlaps', { podCidr: explicit, overlap: 'reserved', with: reserved });
  }
  const inside = nodes.find((node) => contains(explicit, node.address));
  if (inside !== undefined) {
    return new Refusal('pod-cidr-overlaps', {
      podCidr: explicit,
      overlap: 'node-address',
      with: inside.address,
      owner: inside.name,
    });
  }
  const holder = holders.find((held) => overlaps(held.podCidr, explicit));
  if (holder === undefined) return null;
  const { changeId } = holder;
  return new Refusal('pod-cidr-held', {
    podCidr: explicit,
    holder: holder.holder,
    ...(changeId === undefined ? {} : { changeId }),
  });
}

/** Why an address can't be a node's; null when it can. Who has the same address already is the lease store's to say. */
export function checkAddress(
  address: Ipv4,
  policy: NetworkPolicy,
  nodes: readonly Pick<Node, 'name' | 'podCidr'>[],
): Refusal | null {
  const special = notUnicast.find(([range]) => contains(range, address));
  if (special !== undefined) return new Refusal('address-unusable', { address, because: special[1] });
  if (contains(policy.serviceCidr, address)) {
    return new Refusal('address-unusable', {
      address,
      because: `it is in the service CIDR ${policy.serviceCidr}, which kube-proxy takes over`,
    });
  }
  const inside = nodes.find((node) => contains(node.podCidr, address));
  return inside === undefined
    ? null
    : new Refusal('address-in-pod-cidr', { address, podCidr: inside.podCidr, holder: inside.name });
}

/** RFC 6890's blocks that no host on a network has for an address. */
const notUnicast: readonly [range: Cidr, because: string][] = [
  ['0.0.0.0/8', 'it means "this network"'],
  ['127.0.0.0/8', 'it is a loopback address'],
  ['169.254.0.0/16', 'it is a link-local address'],
  ['224.0.0.0/4', 'it is a multicast address'],
  ['240.0.0.0/4', 'it is reserved'],
];

/** The ranges as first and last address, in numbers: how they travel into the lease script. */
export function toRanges(cidrs: readonly Cidr[]): number[] {
  return cidrs.flatMap((cidr) => [baseOf(cidr), baseOf(cidr) + sizeOf(cidr) - 1]);
}
