/** Which pod CIDRs the API server has given, seen from a node that is to join. Pure. */
import { Refusal } from '../errors.js';
import { type Cidr, parseCidr } from '../ip.js';
import type { ApiNode } from './answers.js';
import { isShared } from './compare.js';

export interface ApiSlices {
  /** What the node itself has there: a podCIDR is never changed once it is set, so no other will do. Null: none yet. */
  own: Cidr | null;
  /** What the other nodes have there. */
  others: { name: string; podCidr: Cidr }[];
}

/** Reads them off. Throws a Refusal when the node's is no IPv4 range, or is another node's there too. */
export function slicesFor(name: string, nodes: readonly ApiNode[], clusterCidr: Cidr): ApiSlices {
  const own = nodes.find((node) => node.name === name)?.podCidr ?? null;
  if (own !== null && parseCidr(own) === null)
    throw new Refusal('pod-cidr-outside', { podCidr: own, clusterCidr, apiNode: name });
  const others = nodes.flatMap((node) =>
    node.name !== name && node.podCidr !== null && parseCidr(node.podCidr) !== null
      ? [{ name: node.name, podCidr: node.podCidr }]
      : [],
  );
  return { own, others };
}

/** Throws a Refusal when what was asked for (if anything) is not what the node has there, or when another node has there what this one has to get. */
export function checkSlice(name: string, asked: Cidr | undefined, { own, others }: ApiSlices): void {
  if (own !== null && asked !== undefined && asked !== own)
    throw new Refusal('pod-cidr-differs', { name, podCidr: asked, there: own });
  const slice = own ?? asked;
  const holder = slice === undefined ? undefined : others.find(({ podCidr }) => isShared(slice, podCidr));
  if (slice === undefined || holder === undefined) return;
  throw new Refusal('pod-cidr-held', {
    podCidr: slice,
    holder: holder.name,
    there: true,
    ...(own === null ? {} : { apiNode: name }),
  });
}
