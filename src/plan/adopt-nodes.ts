/**
 * The plan that makes an existing cluster's nodes members as they are: what is recorded, what is left out and why, what hosts hold
 * of the routes between them. Nothing is guessed, and nothing is done on any host. Pure.
 */
import type { Node, NodeEntry } from '../node/node.js';
import type { AdoptConflict } from './adopt-conflict.js';
import { type AdoptInput, type Draft, differing, draft, shared } from './adopt-draft.js';
import { routedElsewhere, routesHeld, routesToNobody, tablesOf } from './adopt-routes.js';
import type { AdoptPlan, HostPlan } from './plan.js';

/** Builds the plan. `nodes` may come out empty: then there is nothing to approve. */
export function planAdopt(input: AdoptInput): AdoptPlan {
  const { inventory, readings, leases, policy } = input;
  const tables = tablesOf(readings, policy.clusterCidr);
  const { members, unchanged, fresh } = sort(input);
  const first = fresh.map((entry) => draft(entry, input));
  const known = [...input.asked, ...members.values()];
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
