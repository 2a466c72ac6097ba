/** Plans an adoption: reads every node of the list and every member, all at once. */
import type { AdoptChange } from '../src/change/change.js';
import { Refusal } from '../src/errors.js';
import type { NodeEntry } from '../src/node/node.js';
import { planAdopt } from '../src/plan/adopt-nodes.js';
import type { AdoptPlan } from '../src/plan/plan.js';
import { leftOutLine } from '../src/words/adopt.js';
import { bareVoice } from '../src/words/voice.js';
import type { WorkerDeps } from './deps.js';
import { planPolicy, readHosts } from './read-hosts.js';

/** A refusal with a line for each node that was left out. */
export class NothingToAdopt extends Refusal<'nothing-to-adopt'> {
  readonly leftOut: readonly string[];

  constructor(plan: AdoptPlan) {
    super('nothing-to-adopt', { unchanged: plan.unchanged.length, leftOut: plan.leftOut.length });
    this.leftOut = plan.leftOut.map((each) => leftOutLine(each, bareVoice));
  }
}

/** Reads the hosts and plans. Throws NothingToAdopt when no node is left to record. */
export async function planAdopting(deps: WorkerDeps, change: AdoptChange): Promise<AdoptPlan> {
  const plan = await planOf(deps, change, change.asked);
  if (plan.nodes.length === 0) throw new NothingToAdopt(plan);
  return plan;
}

/** What would be recorded of these nodes as hosts, inventory and leases are now. */
export async function planOf(
  deps: WorkerDeps,
  change: AdoptChange,
  asked: readonly NodeEntry[],
): Promise<AdoptPlan> {
  const { clusterCidr } = deps.config.cluster;
  const inventory = await deps.nodes.read();
  const members = new Set(inventory.nodes.map((member) => member.name));
  // Nothing that is read of a host depends on its slice.
  const others = asked
    .filter((entry) => !members.has(entry.name))
    .map((entry) => ({ ...entry, podCidr: entry.podCidr ?? clusterCidr }));
  const readings = await readHosts(
    deps,
    [...others, ...inventory.nodes],
    new Set(others.map((node) => node.name)),
  );
  const leases = await deps.leases.list(new Date());
  return planAdopt({
    asked,
    inventory,
    leases: leases.filter((lease) => lease.changeId !== change.id || lease.state === 'resting'),
    readings,
    network: deps.config.cluster,
    policy: planPolicy(deps),
  });
}
