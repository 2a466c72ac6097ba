/** What speaks against one node of an existing cluster: its host, what no node may have, what others have. Pure. */
import { contains } from '../ip.js';
import { checkAddress, checkPodCidr, type NetworkPolicy } from '../network/allocation.js';
import type { Lease } from '../network/lease-store.js';
import type { Inventory, Node, NodeEntry } from '../node/node.js';
import { type AdoptConflict, toConflict } from './adopt-conflict.js';
import { heldPodCidr } from './held-pod-cidr.js';
import type { PlanPolicy } from './policy.js';
import type { HostReading } from './reading.js';

export interface AdoptInput {
  asked: readonly NodeEntry[];
  inventory: Inventory;
  /** All but those of this very change. */
  leases: readonly Lease[];
  /** Of the nodes asked for (in full) and of the members. */
  readings: ReadonlyMap<string, HostReading>;
  network: NetworkPolicy;
  policy: PlanPolicy;
}

/** One of the list: its node as it would be recorded, unless something speaks against it. */
export interface Draft {
  entry: NodeEntry;
  node: Node | null;
  conflict: AdoptConflict | null;
}

/** Fairway made none of it, so that a removal takes none of it away. */
const NOTHING_MADE = { bridge: false, gateway: false, podNetwork: false, forwarding: false };

/** Which facts of a member the list contradicts. What was not said of it is not contradicted. */
export function differing(entry: NodeEntry, member: Node): string[] {
  const keys = ['os', 'address', 'podCidr', 'ssh', 'containerNic'] as const;
  return keys.filter((key) => entry[key] !== undefined && entry[key] !== member[key]);
}

/** What is to be said of a node without looking at the others of the list. */
export function draft(entry: NodeEntry, input: AdoptInput): Draft {
  const out = (conflict: AdoptConflict): Draft => ({ entry, node: null, conflict });
  const member = input.inventory.nodes.find((node) => node.name === entry.name);
  if (member) {
    const { podCidr, address } = member;
    return out({ kind: 'member-differs', podCidr, address, differs: differing(entry, member) });
  }
  const asked = entry.podCidr === undefined ? null : allowed({ ...entry, podCidr: entry.podCidr }, input);
  if (asked) return out(asked);
  const reading = input.readings.get(entry.name);
  if (!reading?.observed) return out({ kind: 'unreadable', why: reading?.unreadable ?? '' });
  const { observed } = reading;
  if (observed.nodeDevice === null) return out({ kind: 'address-not-there' });
  const nics = (observed.windows?.nics ?? []).filter((nic) => nic.kind === 'physical');
  if (entry.containerNic !== undefined && !nics.some((nic) => nic.mac === entry.containerNic)) {
    const has = nics.map((nic) => `${nic.mac} (${nic.name})`);
    return out({ kind: 'nic-unknown', mac: entry.containerNic, has });
  }
  const held = heldPodCidr(entry, observed, input.network, input.policy);
  if ('conflict' in held) return out(held.conflict);
  const node: Node = { ...entry, podCidr: held.podCidr, made: NOTHING_MADE };
  return { entry, node, conflict: entry.podCidr === undefined ? allowed(node, input) : null };
}

/** What no node may have, or somebody else has already; null when neither. */
function allowed(node: Node, { asked, inventory, leases, network }: AdoptInput): AdoptConflict | null {
  const others = inventory.nodes.filter((member) => member.name !== node.name);
  const holders = [...others, ...leases.map(({ podCidr, node: { name } }) => ({ name, podCidr }))];
  const claimants = leases.flatMap(({ state, node: of }) => (state === 'resting' ? [] : [of]));
  return (
    toConflict(checkAddress(node.address, network, holders)) ??
    toConflict(checkPodCidr(node.podCidr, network, [], [...asked, ...others, ...claimants])) ??
    taken(node, others, leases)
  );
}

function taken(node: Node, members: readonly Node[], leases: readonly Lease[]): AdoptConflict | null {
  const names = new Set(members.map((member) => member.name));
  for (const member of members) {
    const conflict = sameAs(node, member, member.podCidr);
    if (conflict) return { ...conflict, holder: member.name };
  }
  for (const { podCidr, node: of, state, changeId, restsUntil, owing } of leases) {
    const isOwn = of.name === node.name && of.address === node.address && podCidr === node.podCidr;
    if (state !== 'resting') {
      const conflict = names.has(of.name) ? null : sameAs(node, of, podCidr);
      if (conflict) return { ...conflict, holder: of.name, ...(state === 'claimed' ? { changeId } : {}) };
      continue;
    }
    // A node that was removed may come back to its own slice, once nobody leads there any more for the one that it was.
    if (isOwn && owing.length === 0) continue;
    const conflict = sameAs(node, owing.length > 0 ? of : null, podCidr);
    if (conflict)
      return { ...conflict, holder: of.name, owing: [...owing], ...(restsUntil ? { restsUntil } : {}) };
  }
  return null;
}

function sameAs(node: Node, other: Pick<Node, 'name' | 'address'> | null, podCidr: string) {
  const kind = 'taken' as const;
  if (other?.name === node.name) return { kind, what: 'name' as const, value: node.name };
  if (other?.address === node.address) return { kind, what: 'address' as const, value: node.address };
  return contains(podCidr, node.podCidr) || contains(node.podCidr, podCidr)
    ? { kind, what: 'pod-cidr' as const, value: node.podCidr }
    : null;
}

/** Which others of the list have the same name, address or slice, as far as it is known. */
export function shared(one: Draft, all: readonly Draft[]): AdoptConflict | null {
  const others = all.filter((other) => other !== one);
  const podCidrOf = ({ node, entry }: Draft) => node?.podCidr ?? entry.podCidr;
  for (const [what, of] of [
    ['name', ({ entry }: Draft) => entry.name],
    ['address', ({ entry }: Draft) => entry.address],
    ['pod-cidr', podCidrOf],
  ] as const) {
    const value = of(one);
    const same = others.filter((other) => value !== undefined && of(other) === value);
    if (value !== undefined && same.length > 0)
      return { kind: 'shared', what, value, with: same.map(({ entry }) => entry.name) };
  }
  return null;
}
