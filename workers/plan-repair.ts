/** Plans a repair: reads every member, and settles what the reading shows by itself. */
import type { Change, RepairChange } from '../src/change/change.js';
import { slicesMoving } from '../src/change/subject.js';
import { routesOf } from '../src/change/work.js';
import { Refusal } from '../src/errors.js';
import type { Cidr } from '../src/ip.js';
import type { Lease } from '../src/network/lease-store.js';
import type { RepairPlan } from '../src/plan/plan.js';
import type { HostReading } from '../src/plan/reading.js';
import { planRepair } from '../src/plan/repair-drift.js';
import { FAIRWAY } from '../src/principal.js';
import type { WorkerDeps } from './deps.js';
import { planPolicy, readHosts, renderer } from './read-hosts.js';

/** Reads the hosts and plans. Throws the Refusals `node-unknown` and `nothing-to-repair`. */
export async function planRepairing(deps: WorkerDeps, change: RepairChange): Promise<RepairPlan> {
  const inventory = await deps.nodes.read();
  const node = inventory.nodes.find((member) => member.name === change.node?.name);
  if (change.node && !node) throw new Refusal('node-unknown', { name: change.node.name });
  const names = node ? [node.name] : inventory.nodes.map((member) => member.name);
  const readings = await readHosts(deps, inventory.nodes, new Set(names));
  const open = (await deps.changes.open()).filter((other) => other.id !== change.id);
  const accounted = await accountedFor(deps, open);
  const resting = (await deps.leases.list(new Date())).filter((lease) => lease.state === 'resting');
  await settleSeen(deps, resting, readings, accounted);
  return planRepair({
    ...(node ? { node } : {}),
    inventory,
    readings,
    accounted,
    resting: new Set(resting.map((lease) => lease.podCidr)),
    strays: isByPolicy(deps, change) ? 'leave' : 'remove',
    policy: planPolicy(deps),
    render: renderer(deps.config),
  });
}

/** What no person looks at before it runs must only restore; what is one too many may be what a lost inventory forgot. */
function isByPolicy({ config }: WorkerDeps, change: RepairChange): boolean {
  return config.drift === 'repair' && change.requester === FAIRWAY;
}

/** Slices of nodes that join or leave right now, and where owed work leads: whoever has that in hand sees to the routes there. */
async function accountedFor(deps: WorkerDeps, open: readonly Change[]): Promise<Set<Cidr>> {
  const slices = open.flatMap(slicesMoving);
  const owed = await Promise.all((await deps.works.owing()).map((host) => deps.works.of(host)));
  const steps = owed.flat().flatMap((work) => work.steps);
  const routes = [...routesOf(steps, 'ensure'), ...routesOf(steps, 'remove')];
  return new Set([...slices, ...routes.map((route) => route.destination)]);
}

/** A peer that was to forget a removed node, and whose debt nobody keeps any more, has forgotten it if its table says so. */
async function settleSeen(
  deps: WorkerDeps,
  resting: readonly Lease[],
  readings: ReadonlyMap<string, HostReading>,
  accounted: ReadonlySet<Cidr>,
): Promise<void> {
  for (const { podCidr, owing } of resting) {
    if (accounted.has(podCidr)) continue;
    for (const peer of owing) {
      const observed = readings.get(peer)?.observed;
      if (observed && !observed.routes.some((route) => route.destination === podCidr))
        await deps.leases.settle(podCidr, peer);
    }
  }
}
