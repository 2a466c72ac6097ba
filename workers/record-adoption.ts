/** What an adoption records, and how that is taken back. Every part is safe to repeat, and no host is visited for any. */
import type { AuditEvent } from '../src/change/audit-log.js';
import type { Change } from '../src/change/change.js';
import type { AdoptPlan } from '../src/plan/plan.js';
import { FAIRWAY } from '../src/principal.js';
import type { WorkerDeps } from './deps.js';
import { buildsIn } from './read-hosts.js';

/**
 * Makes the nodes members: those that still have the slice that this change took. Keys and journal go first. What is to go on record
 * about it comes back.
 */
export async function recordAdopted(
  deps: WorkerDeps,
  change: Change,
  plan: AdoptPlan,
): Promise<() => AuditEvent[]> {
  const leases = await deps.leases.confirmAll(change.id);
  const held = new Set(leases.map((lease) => `${lease.node.name} ${lease.podCidr}`));
  const nodes = plan.nodes.filter((node) => held.has(`${node.name} ${node.podCidr}`));
  const names = new Set(nodes.map((node) => node.name));
  // Only now: what was approved and came to nothing leaves no key behind.
  for (const { host, hostKey } of plan.hosts)
    if (hostKey && names.has(host)) await deps.hostKeys.pin(host, hostKey.fingerprint);
  for (const { host, own } of plan.routes) await deps.works.own(host, own);
  for (const node of nodes) await deps.nodes.add(node, change.id);
  await deps.nodes.noteBuilds(buildsIn(plan.hosts.filter(({ host }) => names.has(host))));
  // Watched from now on.
  if (names.size > 0) await deps.jobs.look([...names]);
  const facts = {
    recorded: nodes.map(({ name, address, podCidr }) => `${name} ${address} ${podCidr}`),
    journal: plan.routes.flatMap(({ host, own }) => (own.length > 0 ? [{ host, own }] : [])),
  };
  const at = new Date().toISOString();
  return () => [{ at, actor: FAIRWAY, what: 'nodes-adopted', changeId: change.id, facts }];
}

/** Takes away what this change recorded, and nobody else since. The slices rest, for the hosts go on with them. */
export async function forgetAdopted(deps: WorkerDeps, change: Change, plan: AdoptPlan): Promise<void> {
  const until = new Date(Date.now() + deps.config.quarantineMs);
  const added = await deps.nodes.addedBy();
  for (const { name, podCidr } of plan.nodes) {
    if (added.get(name) !== change.id) continue;
    await deps.leases.quarantine({ podCidr, node: name, peersOwing: [], until });
    await deps.nodes.remove(name);
    await deps.hostKeys.unpin(name);
  }
  for (const { host, own } of plan.routes) await deps.works.disown(host, own);
}
