/** Plans a delivery, and lets an approved one through. */
import type { DeliverChange } from '../src/change/change.js';
import { Refusal } from '../src/errors.js';
import { deliverCommands } from '../src/host/deliver-commands.js';
import { planDeliver } from '../src/plan/deliver.js';
import type { DeliverPlan } from '../src/plan/plan.js';
import { planHash } from '../src/plan/seal.js';
import { sayBuildGone } from '../src/words/deliver.js';
import { sayLeftSince, sayPlanAltered } from '../src/words/trouble.js';
import { begin } from './admit-changes.js';
import { builderOf } from './build-host.js';
import type { WorkerDeps } from './deps.js';
import { makeStale, withdraw } from './end-untouched.js';
import { planPolicy, readHosts } from './read-hosts.js';

/** Throws the Refusals `no-build-host`, `not-built`, `node-unknown` and `node-unreadable`. */
export async function planDelivering(deps: WorkerDeps, { deliver }: DeliverChange): Promise<DeliverPlan> {
  const { component, version } = deliver;
  const builder = builderOf(deps);
  if (builder === null) throw new Refusal('no-build-host', {});
  const built = await deps.builds.newest(component, version);
  if (built === null) throw new Refusal('not-built', { component, version });
  const { nodes: members, revision } = await deps.nodes.read();
  const nodes = deliver.nodes.map((name) => {
    const node = members.find((member) => member.name === name);
    if (!node) throw new Refusal('node-unknown', { name });
    return node;
  });
  const readings = await readHosts(deps, nodes, new Set(deliver.nodes));
  return planDeliver(builder, built, nodes, readings, { basedOn: revision, commands: deliverCommands });
}

/** The gate of a delivery: the file and the nodes are those that were approved. What runs on a node is looked at again by its visit. */
export async function admitDelivery(deps: WorkerDeps, change: DeliverChange): Promise<void> {
  if (change.cancelRequestedBy !== undefined) return withdraw(deps, change);
  const plan = await deps.changes.sealedPlan(change.id);
  if (plan?.kind !== 'deliver' || planHash(plan, planPolicy(deps)) !== change.planHash)
    return makeStale(deps, change, sayPlanAltered());
  const { component, version, sha256 } = plan.built;
  const known = await deps.builds.newest(component, version);
  if (known?.sha256 !== sha256) return makeStale(deps, change, sayBuildGone(component, version));
  const { nodes } = await deps.nodes.read();
  const gone = plan.hosts.find(
    ({ host, podCidr }) => !nodes.some((node) => node.name === host && node.podCidr === podCidr),
  );
  if (gone) return makeStale(deps, change, sayLeftSince(gone.host));
  await begin(deps, change, plan, []);
}
