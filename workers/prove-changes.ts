/** Proves with packets what applied changes claim: pod gateway to pod gateway, both ways (N3). */
import type { Change, HostResult, ProofRow } from '../src/change/change.js';
import { type Answers, type Pair, pairsOf, rowsOf } from '../src/change/proof.js';
import { isMembership } from '../src/change/subject.js';
import { outcome } from '../src/change/transition.js';
import { HostError } from '../src/host/host.js';
import { platformOf } from '../src/host/platform.js';
import { type Ipv4, podGateway } from '../src/ip.js';
import type { Node } from '../src/node/node.js';
import type { Plan } from '../src/plan/plan.js';
import { FAIRWAY } from '../src/principal.js';
import { sayUnproved } from '../src/words/trouble.js';
import type { WorkerDeps } from './deps.js';
import { contextOf, expectedKey } from './read-hosts.js';

/** Processes `prove-changes`: every change that waits for its proof, with one request a host for all of them. */
export async function proveChanges(deps: WorkerDeps): Promise<void> {
  const proving = (await deps.changes.open()).filter((change) => change.state === 'proving');
  if (proving.length === 0) return;
  const { nodes } = await deps.nodes.read();
  const proofs = await Promise.all(proving.map((change) => prepare(deps, change, nodes)));
  const targets = new Map<string, { node: Node; gateways: Set<Ipv4> }>();
  const ask = (from: Node, to: Node) => {
    const entry = targets.get(from.name) ?? { node: from, gateways: new Set() };
    targets.set(from.name, { ...entry, gateways: entry.gateways.add(podGateway(to.podCidr)) });
  };
  for (const { change, pairs } of proofs) {
    const askable = pairs.filter((pair) => pair.askable);
    for (const { a, b } of askable) {
      ask(a, b);
      ask(b, a);
    }
    deps.log.debug({ change: change.id, pairs: askable.length }, 'proving');
  }
  const answers: Answers = new Map(
    await Promise.all(
      [...targets.values()].map(
        async ({ node, gateways }) => [node.name, await answersOf(deps, node, [...gateways])] as const,
      ),
    ),
  );
  for (const { change, plan, pairs } of proofs) await conclude(deps, change, rowsOf(pairs, plan, answers));
}

async function prepare(
  deps: WorkerDeps,
  change: Change,
  nodes: readonly Node[],
): Promise<{ change: Change; plan: Plan; pairs: Pair[] }> {
  const plan = await deps.changes.plan(change.id);
  if (!plan) throw new Error(`change ${change.id} is to be proved without a plan`);
  return { change, plan, pairs: pairsOf(change, plan, await deps.changes.results(change.id), nodes) };
}

async function answersOf(
  deps: WorkerDeps,
  node: Node,
  gateways: Ipv4[],
): Promise<Record<Ipv4, ProofRow['answer']> | null> {
  try {
    const context = await contextOf(deps, node);
    const platform = platformOf(node.os);
    const pinned = await deps.hostKeys.pinned(node.name);
    const request = platform.prove(context, podGateway(node.podCidr), gateways);
    const reply = await deps.hosts.request(context.target, request, expectedKey(pinned));
    return platform.parseProof(reply.data);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    deps.log.warn({ host: node.name, error: error.message }, 'could not prove');
    return null;
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
    {
      record: () => [
        {
          at: now.toISOString(),
          actor: FAIRWAY,
          what: `change-${settled}`,
          changeId: change.id,
          facts: { proof },
        },
      ],
    },
  );
  await deps.jobs.card(change.id);
  // Watched from now on; and what was mended is told at once, not at the next turn.
  const hosts = isMembership(change) ? [change.node.name] : results.map(({ host }) => host);
  if (hosts.length > 0) await deps.jobs.look(hosts);
}
