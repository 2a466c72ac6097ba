/**
 * The plan that makes an existing cluster's nodes members as they are: what is recorded, what is left out and why, what hosts hold
 * of the routes between them. Nothing is guessed, and nothing is done on any host. Pure.
 */
import { contains } from '../ip.js';
import { checkAddress, checkPodCidr, type NetworkPolicy } from '../network/allocation.js';
import type { Lease } from '../network/lease-store.js';
import type { Inventory, Node, NodeEntry } from '../node/node.js';
import { type AdoptConflict, toConflict } from './adopt-conflict.js';
import { routedElsewhere, routesHeld, routesToNobody, tablesOf } from './adopt-routes.js';
import { heldPodCidr } from './held-pod-cidr.js';
import type { AdoptPlan, HostPlan } from './plan.js';
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
interface Draft {
  entry: NodeEntry;
  node: Node | null;
  conflict: AdoptConflict | null;
}

/** Fairway made none of it, so that a removal takes none of it away. */
const NOTHING_MADE = { bridge: false, gateway: false, podNetwork: false, forwarding: false };

/** Builds the plan. `nodes` may come out empty: then there is nothing to approve. */
export function planAdopt(input: AdoptInput): AdoptPlan {
  const { inventory, readings, leases, policy } = input;
  const tables = tablesOf(readings, policy.clusterCidr);
  const { members, unchanged, fresh } = sort(input);
  const first = fresh.map((entry) => draft(entry, input));
  const known = [...members.values(), ...input.asked];
  const elsewhere = routedElsewhere(
    first.flatMap(({ node }) => node ?? []),
    known,
    tables,
    input.network.nodePrefixLength,
    policy,
  );
  const drafts = first.map((each): Draft => {
    const conflict = each.conflict ?? shared(each, first) ?? elsewhere.get(each.entry.name) ?? null;
    return { ...each, conflict };
  });
  const nodes = drafts.flatMap(({ node, conflict }) => (node && conflict === null ? [node] : []));
  const present = inventory.nodes.filter((member) => readings.get(member.name)?.observed);
  // What a left-out node seems to have is spoken of with its conflict.
  const spokenOf = [
    ...inventory.nodes.map((node) => node.podCidr),
    ...leases.map((lease) => lease.podCidr),
    ...drafts.flatMap(({ node, entry }) => node?.podCidr ?? entry.podCidr ?? []),
  ];
  return {
    kind: 'adopt',
    nodes,
    unchanged: unchanged.map((entry) => entry.name),
    leftOut: drafts.flatMap(({ entry: { name, address }, conflict }) =>
      conflict ? [{ name, address, conflict }] : [],
    ),
    routes: routesHeld(nodes, inventory.nodes, tables, policy.nextHop),
    toNobody: routesToNobody([...nodes, ...present], new Set(spokenOf), tables, policy.clusterCidr),
    unread: inventory.nodes.flatMap(({ name: host }) => {
      const reading = readings.get(host);
      return reading?.observed ? [] : [{ host, why: reading?.unreadable ?? '' }];
    }),
    basedOn: inventory.revision,
    together: [],
    hosts: [
      ...nodes.flatMap((node) => seen(node, 'node', readings)),
      ...present.flatMap((member) => seen(member, 'peer', readings)),
    ],
    foreign: [],
  };
}

/** Those of a sealed plan that would not be recorded just so any more, with what speaks against it now. */
export function noLongerAdopted(
  sealed: AdoptPlan,
  now: AdoptPlan,
): { name: string; conflict: AdoptConflict | null }[] {
  const still = new Map(now.nodes.map((node) => [node.name, node.podCidr]));
  return sealed.nodes
    .filter((node) => still.get(node.name) !== node.podCidr)
    .map(({ name }) => ({
      name,
      conflict: now.leftOut.find((each) => each.name === name)?.conflict ?? null,
    }));
}

/** Members with the same facts are unchanged; what was not said of one is not contradicted. */
function sort({ asked, inventory }: AdoptInput) {
  const members = new Map(inventory.nodes.map((node) => [node.name, node]));
  const isUnchanged = (entry: NodeEntry) => {
    const member = members.get(entry.name);
    return member !== undefined && differing(entry, member).length === 0;
  };
  return {
    members,
    unchanged: asked.filter(isUnchanged),
    fresh: asked.filter((entry) => !isUnchanged(entry)),
  };
}

function differing(entry: NodeEntry, member: Node): string[] {
  const keys = ['os', 'address', 'podCidr', 'ssh', 'containerNic'] as const;
  return keys.filter((key) => entry[key] !== undefined && entry[key] !== member[key]);
}

/** What is to be said of a node without looking at the others of the list. */
function draft(entry: NodeEntry, input: AdoptInput): Draft {
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
  return (
    toConflict(checkAddress(node.address, network, holders)) ??
    toConflict(checkPodCidr(node.podCidr, network, [], [...asked, ...others])) ??
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
function shared(one: Draft, all: readonly Draft[]): AdoptConflict | null {
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

function seen(node: Node, role: HostPlan['role'], readings: AdoptInput['readings']): HostPlan[] {
  const reading = readings.get(node.name);
  if (!reading?.observed) return [];
  const { observed, fingerprint, firstContact } = reading;
  return [
    {
      host: node.name,
      os: node.os,
      podCidr: node.podCidr,
      role,
      steps: [],
      undo: [],
      commands: [],
      undoCommands: [],
      observed,
      hostKey: { fingerprint, firstContact },
    },
  ];
}
