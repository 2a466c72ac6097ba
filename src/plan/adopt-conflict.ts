/** Why a node of an existing cluster is not recorded. Words and remedies are in `words/adopt.ts`. Pure. */
import { isRefusal, type Refusal } from '../errors.js';
import type { Cidr, Ipv4 } from '../ip.js';

export type AdoptConflict =
  /** It is a member, with other facts: `differs` names them. */
  | { kind: 'member-differs'; podCidr: Cidr; address: Ipv4; differs: string[] }
  | { kind: 'unreadable'; why: string }
  /** The host answers, but none of its devices holds the address. */
  | { kind: 'address-not-there' }
  /** Nothing that the host holds is a node's slice; `held` is what its bridges or container networks do hold. */
  | { kind: 'no-pod-cidr'; held: string[] }
  | { kind: 'several-pod-cidrs'; found: Cidr[] }
  | { kind: 'other-pod-cidr'; asked: Cidr; found: Cidr[]; held: string[] }
  /** Windows: the container network is not called as configured. */
  | { kind: 'network-name'; network: string; configured: string }
  | { kind: 'nic-unknown'; mac: string; has: string[] }
  | { kind: 'outside'; podCidr: Cidr; clusterCidr: Cidr }
  | { kind: 'size'; podCidr: Cidr; prefixLength: number }
  | {
      kind: 'overlaps';
      podCidr: Cidr;
      overlap: 'service-cidr' | 'reserved' | 'node-address';
      with: string;
      owner?: string;
    }
  | { kind: 'address-unusable'; address: Ipv4; because: string }
  | { kind: 'address-in-pod-cidr'; address: Ipv4; podCidr: Cidr; holder: string }
  /** Others of the same list have the same. */
  | { kind: 'shared'; what: Shared; value: string; with: string[] }
  /**
   * `changeId`: it is only claimed, by an open change. `restsUntil`: an ISO instant, of a removed node's slice that is not free yet;
   * `owing`: the peers that may still route it.
   */
  | {
      kind: 'taken';
      what: Shared;
      value: string;
      holder: string;
      changeId?: string;
      restsUntil?: string;
      owing?: string[];
    }
  /** `nextHop` null: the host is connected to it. `otherMode`: the route is as the other NEXT_HOP would have it. */
  | { kind: 'routed'; host: string; destination: Cidr; nextHop: Ipv4 | null; otherMode: boolean };

export type Shared = 'name' | 'address' | 'pod-cidr';

/** What the checks of addresses and slices refuse, as a conflict; null for none. */
export function toConflict(refusal: Refusal | null): AdoptConflict | null {
  if (refusal === null) return null;
  if (isRefusal(refusal, 'pod-cidr-outside')) return { kind: 'outside', ...refusal.facts };
  if (isRefusal(refusal, 'pod-cidr-size')) return { kind: 'size', ...refusal.facts };
  if (isRefusal(refusal, 'address-unusable')) return { kind: 'address-unusable', ...refusal.facts };
  if (isRefusal(refusal, 'address-in-pod-cidr')) return { kind: 'address-in-pod-cidr', ...refusal.facts };
  if (isRefusal(refusal, 'pod-cidr-overlaps') && refusal.facts.overlap !== 'host-route')
    return { kind: 'overlaps', ...refusal.facts, overlap: refusal.facts.overlap };
  throw refusal;
}
