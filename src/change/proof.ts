/** Which pairs of pod gateways prove a change (N3), and what their answers say. Pure. */
import { type Ipv4, podGateway } from '../ip.js';
import type { Node } from '../node/node.js';
import type { HostPlan, Plan } from '../plan/plan.js';
import type { Change, HostResult, ProofRow } from './change.js';

/** Two members, asked in both directions. */
export interface Pair {
  a: Node;
  b: Node;
  /** False when one of them did not answer before: nothing can be said of the pair. */
  askable: boolean;
}

/** What each host heard from the gateways that it asked; null when it could not be asked itself. */
export type Answers = ReadonlyMap<string, Readonly<Record<Ipv4, ProofRow['answer']>> | null>;

/**
 * The pairs that prove a change: of a node, and a repair of one, with each of its peers; of a repair of all, those whose route was
 * repaired. One that somebody else's route keeps apart proves nothing. Those that can be asked come first.
 */
export function pairsOf(
  change: Change,
  plan: Plan,
  results: ReadonlyMap<string, HostResult>,
  members: readonly Node[],
): Pair[] {
  const absent = new Set(plan.kind === 'repair' ? plan.unread.map(({ host }) => host) : []);
  for (const { host, status } of results.values()) if (status === 'owed') absent.add(host);
  const pair = ([a, b]: [Node, Node]): Pair => ({
    a,
    b,
    askable: !absent.has(a.name) && !absent.has(b.name),
  });
  const blocked = new Set(plan.kind === 'repair' ? plan.foreign.map(asKey) : []);
  const isFree = ([a, b]: [Node, Node]) => !blocked.has(keyOf(a, b)) && !blocked.has(keyOf(b, a));
  const pairs = couples(change, plan, results, members).filter(isFree).map(pair);
  return [...pairs.filter(({ askable }) => askable), ...pairs.filter(({ askable }) => !askable)];
}

function keyOf(from: Node, to: Node): string {
  return `${from.name} ${to.podCidr}`;
}

function asKey({ host, route }: Plan['foreign'][number]): string {
  return `${host} ${route.destination}`;
}

function couples(
  change: Change,
  plan: Plan,
  results: ReadonlyMap<string, HostResult>,
  members: readonly Node[],
): [Node, Node][] {
  const { node: about } = change;
  if (about === undefined) return repairedPairs(plan.hosts, members);
  const node = members.find((member) => member.name === about.name);
  if (node === undefined && change.kind === 'repair') return [];
  return members
    .filter((peer) => peer.name !== about.name && (change.kind === 'repair' || results.has(peer.name)))
    .map((peer) => [node ?? about, peer]);
}

function repairedPairs(hosts: readonly HostPlan[], members: readonly Node[]): [Node, Node][] {
  const byName = new Map(members.map((member) => [member.name, member]));
  const found = new Map<string, [Node, Node]>();
  for (const host of hosts) {
    const a = byName.get(host.host);
    const ends = host.steps.flatMap((step) => (step.kind === 'route' ? (step.peer ?? []) : []));
    // Its pods may be what was cut off, and no route: then one host of each OS shows it.
    const others = (['linux', 'windows'] as const).flatMap(
      (os) => members.find((member) => member.os === os && member !== a)?.name ?? [],
    );
    const isPodSide = host.steps.some((step) => step.kind !== 'route');
    for (const name of isPodSide && ends.length === 0 ? others : ends) {
      const b = byName.get(name);
      if (a && b) found.set([a.name, b.name].sort().join(' '), [a, b]);
    }
  }
  return [...found.values()];
}

/** One row each way. A host that has no part in the plan, and can't be asked just now, says nothing against it by its silence. */
export function rowsOf(pairs: readonly Pair[], plan: Plan, answers: Answers): ProofRow[] {
  const involved = new Set(plan.hosts.map((host) => host.host));
  const row = (from: Node, to: Node, askable: boolean): ProofRow => {
    const gateway = podGateway(to.podCidr);
    const heard = askable ? (answers.get(from.name)?.[gateway] ?? 'unknown') : 'unknown';
    const isBystander = !involved.has(to.name) && !answers.get(to.name);
    const answer = heard === 'none' && isBystander ? 'unknown' : heard;
    return { from: from.name, to: to.name, gateway, answer };
  };
  return pairs.flatMap(({ a, b, askable }) => [row(a, b, askable), row(b, a, askable)]);
}
