/** Who has which part of the cluster CIDR, in the order of the addresses. Pure. */
import { baseOf, type Cidr, contains, overlaps, sizeOf, toText } from '../ip.js';
import type { Node } from '../node/node.js';
import type { NetworkPolicy } from './allocation.js';
import type { Lease } from './lease-store.js';

export type Use =
  | { kind: 'member'; node: string }
  /** Of a node that is no member: a change is adding it, or has not cleaned up behind it yet. */
  | { kind: 'claimed' | 'held'; node: string; changeId: string }
  /** `owing`: hosts that may route it still. */
  | { kind: 'resting'; node: string; until?: string; owing: string[] }
  | { kind: 'service' | 'reserved' }
  /** A node's own address lies in it: whoever routes the slice would lose the node. */
  | { kind: 'address'; node: string }
  /** So many slices in a row, the first of which is `cidr`, may be given. */
  | { kind: 'free'; count: number };

export interface Part {
  cidr: Cidr;
  use: Use;
}

/**
 * Every part of the cluster CIDR, the lowest first; the free slices between two parts are one. A slice that is kept for two reasons, such as
 * a member's in a range that was reserved later, is there twice.
 */
export function addressMap(policy: NetworkPolicy, nodes: readonly Node[], leases: readonly Lease[]): Part[] {
  const { clusterCidr, nodePrefixLength, serviceCidr, reserved } = policy;
  const others = leases.filter((lease) => !isMembers(lease, nodes));
  // Who is on the way keeps others from its address as a member does.
  const owners = [...nodes, ...others.flatMap(({ state, node }) => (state === 'resting' ? [] : [node]))];
  const taken: Part[] = [
    ...nodes.map(({ name, podCidr }): Part => ({ cidr: podCidr, use: { kind: 'member', node: name } })),
    ...others.map(partOf),
    ...reserved.map((cidr): Part => ({ cidr, use: { kind: 'reserved' } })),
    ...(overlaps(serviceCidr, clusterCidr) ? [{ cidr: serviceCidr, use: { kind: 'service' } as const }] : []),
    ...owners
      .filter(({ address }) => contains(clusterCidr, address))
      .map(({ name, address }): Part => ({ cidr: `${address}/32`, use: { kind: 'address', node: name } })),
  ].sort((a, b) => baseOf(a.cidr) - baseOf(b.cidr) || sizeOf(b.cidr) - sizeOf(a.cidr));
  return withFree(taken, clusterCidr, nodePrefixLength);
}

function isMembers({ podCidr, node }: Lease, nodes: readonly Node[]): boolean {
  return nodes.some((member) => member.name === node.name && member.podCidr === podCidr);
}

function partOf({ podCidr: cidr, state, node, changeId, restsUntil, owing }: Lease): Part {
  if (state !== 'resting') return { cidr, use: { kind: state, node: node.name, changeId } };
  const until = restsUntil === undefined ? {} : { until: restsUntil };
  return { cidr, use: { kind: 'resting', node: node.name, ...until, owing } };
}

/** Fills the gaps, of whole slices, between parts that are sorted by their first address. */
function withFree(taken: readonly Part[], clusterCidr: Cidr, length: number): Part[] {
  const size = 2 ** (32 - length);
  const first = baseOf(clusterCidr);
  const end = first + sizeOf(clusterCidr);
  const parts: Part[] = [];
  let next = first;
  const fillTo = (address: number): void => {
    const count = Math.floor((Math.min(address, end) - next) / size);
    if (count > 0) parts.push({ cidr: `${toText(next)}/${length}`, use: { kind: 'free', count } });
  };
  for (const part of taken) {
    fillTo(baseOf(part.cidr));
    parts.push(part);
    const behind = baseOf(part.cidr) + sizeOf(part.cidr);
    next = Math.max(next, first + Math.ceil((behind - first) / size) * size);
  }
  fillTo(end);
  return parts;
}
