/** The inventory against the nodes that the API server has. Pure. */
import { type Cidr, contains, overlaps, parseCidr } from '../ip.js';
import type { Node, Os } from '../node/node.js';
import type { ApiNode } from './answers.js';

/** How one node differs. `theirs` is what the API server has. */
export type Difference = { name: string } & (
  | { kind: 'not-there' }
  /** A node that is none here. `holder`: the one here that has its slice. */
  | { kind: 'not-here'; podCidr: string | null; holder?: string }
  /** `theirs` null: none yet. `outside`: not in the cluster CIDR at all, which has to change there. */
  | { kind: 'pod-cidr'; ours: Cidr; theirs: string | null; outside: boolean }
  | { kind: 'address'; ours: string; theirs: string[] }
  /** `theirs` null: it has no such label. */
  | { kind: 'os'; ours: Os; theirs: string | null }
);

/** Every difference: first of our nodes in their order, then of those that only the API server has. */
export function compareNodes(
  ours: readonly Node[],
  theirs: readonly ApiNode[],
  clusterCidr: Cidr,
): Difference[] {
  const there = new Map(theirs.map((node) => [node.name, node]));
  const names = new Set(ours.map((node) => node.name));
  return [
    ...ours.flatMap((node) => differencesOf(node, there.get(node.name), clusterCidr)),
    ...theirs.filter(({ name }) => !names.has(name)).map((node) => stranger(node, ours)),
  ];
}

function differencesOf(node: Node, other: ApiNode | undefined, clusterCidr: Cidr): Difference[] {
  const { name } = node;
  if (other === undefined) return [{ name, kind: 'not-there' }];
  const { podCidr: theirs, addresses, os } = other;
  const found: Difference[] = [];
  if (theirs !== node.podCidr) {
    const outside = theirs !== null && !isWithin(clusterCidr, theirs);
    found.push({ name, kind: 'pod-cidr', ours: node.podCidr, theirs, outside });
  }
  if (!addresses.includes(node.address))
    found.push({ name, kind: 'address', ours: node.address, theirs: addresses });
  if (os !== node.os) found.push({ name, kind: 'os', ours: node.os, theirs: os });
  return found;
}

function stranger({ name, podCidr }: ApiNode, ours: readonly Node[]): Difference {
  const holder = ours.find((node) => isShared(node.podCidr, podCidr))?.name;
  return { name, kind: 'not-here', podCidr, ...(holder === undefined ? {} : { holder }) };
}

function isWithin(clusterCidr: Cidr, text: string): boolean {
  return parseCidr(text) !== null && contains(clusterCidr, text);
}

/** Whether what the API server has shares an address with a slice. What is no IPv4 range shares none. */
export function isShared(slice: Cidr, theirs: string | null): boolean {
  return theirs !== null && parseCidr(theirs) !== null && overlaps(slice, theirs);
}
