/** Proves with packets what applied changes claim: pod gateway to pod gateway, from the node and from every peer (N3). */
import type { Change, HostResult, ProofRow } from '../src/change/change.js';
import { outcome } from '../src/change/transition.js';
import { HostError } from '../src/host/host.js';
import { platformOf } from '../src/host/platform.js';
import { type Ipv4, podGateway } from '../src/ip.js';
import type { Node } from '../src/node/node.js';
import { sayUnproved } from '../src/words/trouble.js';
import type { WorkerDeps } from './deps.js';
import { contextOf } from './read-hosts.js';

type Answers = ReadonlyMap<string, Readonly<Record<Ipv4, ProofRow['answer']>>>;

/** Processes `prove-changes`: every change that waits for its proof, with one request a host for all of them. */
export async function proveChanges(deps: WorkerDeps): Promise<void> {
  const proving = (await deps.changes.open()).filter((change) => change.state === 'proving');
  if (proving.length === 0) return;
  const { nodes } = await deps.nodes.read();
  const pairs = await Promise.all(
    proving.map(async (change) => ({ change, peers: await provablePeers(deps, change, nodes) })),
  );
  const targets = new Map<string, { node: Node; gateways: Set<Ipv4> }>();
  const ask = (from: Node, to: Node) => {
    const entry = targets.get(from.name) ?? { node: from, gateways: new Set() };
    targets.set(from.name, { ...entry, gateways: entry.gateways.add(podGateway(to.podCidr)) });
  };
  for (const { change, peers } of pairs) {
    for (const peer of peers.reachable) {
      ask(peers.node, peer);
      ask(peer, peers.node);
    }
    deps.log.debug({ change: change.id, peers: peers.reachable.length }, 'proving');
  }
  const answers: Answers = new Map(
    await Promise.all(
      [...targets.values()].map(
        async ({ node, gateways }) => [node.name, await answersOf(deps, node, [...gateways])] as const,
      ),
    ),
  );
  for (const { change, peers } of pairs) await conclude(deps, change, proofOf(peers, answers));
}

interface Peers {
  node: Node;
  reachable: Node[];
  /** Hosts that did not answer while applying: nothing can be said of them. */
  absent: Node[];
}

async function provablePeers(deps: WorkerDeps, change: Change, nodes: readonly Node[]): Promise<Peers> {
  const results = await deps.changes.results(change.id);
  const node = nodes.find((member) => member.name === change.node.name) ?? change.node;
  const peers = nodes.filter((member) => member.name !== node.name && results.has(member.name));
  const isAbsent = (peer: Node) => results.get(peer.name)?.status === 'owed';
  return { node, reachable: peers.filter((peer) => !isAbsent(peer)), absent: peers.filter(isAbsent) };
}

function proofOf({ node, reachable, absent }: Peers, answers: Answers): ProofRow[] {
  const row = (from: Node, to: Node, known: boolean): ProofRow => {
    const gateway = podGateway(to.podCidr);
    return {
      from: from.name,
      to: to.name,
      gateway,
      answer: known ? (answers.get(from.name)?.[gateway] ?? 'unknown') : 'unknown',
    };
  };
  return [
    ...reachable.flatMap((peer) => [row(node, peer, true), row(peer, node, true)]),
    ...absent.flatMap((peer) => [row(node, peer, false), row(peer, node, false)]),
  ];
}

async function answersOf(
  deps: WorkerDeps,
  node: Node,
  gateways: Ipv4[],
): Promise<Record<Ipv4, ProofRow['answer']>> {
  try {
    const context = await contextOf(deps, node);
    const platform = platformOf(node.os);
    const pinned = await deps.hostKeys.pinned(node.name);
    const request = platform.prove(context, podGateway(node.podCidr), gateways);
    const reply = await deps.hosts.request(context.target, request, { fingerprint: pinned ?? 'none' });
    return platform.parseProof(reply.data);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    deps.log.warn({ host: node.name, error: error.message }, 'could not prove');
    return {};
  }
}

async function conclude(deps: WorkerDeps, change: Change, proof: ProofRow[]): Promise<void> {
  const results: HostResult[] = [...(await deps.changes.results(change.id)).values()];
  const silent = proof.filter((row) => row.answer === 'none');
  const settled = silent.length > 0 ? 'failed' : outcome(change, results);
  const now = new Date();
  await deps.changes.update(
    change.id,
    (current) =>
      current.state === 'proving'
        ? {
            ...current,
            state: settled,
            proof,
            finishedAt: now.toISOString(),
            ...(silent.length > 0 ? { reason: sayUnproved(silent.length, proof.length) } : {}),
          }
        : current,
    now,
  );
  await deps.audit.append({
    at: now.toISOString(),
    actor: 'fairway',
    what: `change-${settled}`,
    changeId: change.id,
    facts: { proof },
  });
  await deps.jobs.card(change.id);
}
