/** A change with all that its card, its file and the console show of it. */
import type { Change, HostResult } from '../change/change.js';
import { isMembershipPlan, type Plan } from '../plan/plan.js';
import { type SnippetCluster, snippetsOf } from '../snippet/for-node.js';
import type { Snippet } from '../snippet/kubectl.js';
import type { Stores } from '../stores.js';
import type { ChangeView } from './reply.js';

/** Reads a change as it stands now; null when there is none with this id. */
export async function viewChange(
  stores: Pick<Stores, 'changes' | 'nodes'>,
  cluster: SnippetCluster,
  id: string,
): Promise<ChangeView | null> {
  const change = await stores.changes.load(id);
  if (change === null) return null;
  const [plan, results] = await Promise.all([stores.changes.plan(id), stores.changes.results(id)]);
  const hosts = plan
    ? plan.hosts.flatMap((host) => results.get(host.host) ?? [])
    : await hostsToRead(stores, change);
  return { change, plan, hosts, snippets: snippetsFor(change, plan, cluster) };
}

/**
 * Draining comes before a removal, so its lines are on the plan already; the others are worth reading once there is a result. A node
 * that did not get all the way carries no pods yet.
 */
function snippetsFor(change: Change, plan: Plan | null, cluster: SnippetCluster): Snippet[] {
  if (plan === null || !isMembershipPlan(plan)) return [];
  const leaves = (change.kind === 'remove-node') === (change.direction === 'do');
  if (!leaves && ['failed', 'cancelled'].includes(change.state)) return [];
  return snippetsOf(plan.node, cluster, leaves ? 'leaving' : 'joined');
}

/** Before there is a plan: the hosts that planning reads. */
async function hostsToRead({ nodes }: Pick<Stores, 'nodes'>, change: Change): Promise<HostResult[]> {
  if (change.kind === 'build' || change.kind === 'deliver') return [];
  const names = (await nodes.read()).nodes.map((node) => node.name);
  const own = change.kind === 'adopt' ? change.asked : change.node ? [change.node] : [];
  return [...new Set([...own.map((node) => node.name), ...names])].map((host) => ({
    host,
    status: 'waiting',
    at: change.requestedAt,
  }));
}
