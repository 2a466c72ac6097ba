/** The safety net's own work: what somebody began, and died before it was handed on, is found and finished or given back. */
import type { Change } from '../src/change/change.js';
import { isAbout } from '../src/change/subject.js';
import type { Lease } from '../src/network/lease-store.js';
import { type Claimant, fateOf } from '../src/network/orphan.js';
import type { Inventory } from '../src/node/node.js';
import type { WorkerDeps } from './deps.js';
import { showNotices } from './tell-incidents.js';

/** Processes `safety-net`, before what is open is moved on. Safe to repeat, and to run twice at once. */
export async function mend(deps: WorkerDeps): Promise<void> {
  await deps.audit.flush();
  await planAgain(deps);
  await giveBackOrphans(deps);
  for (const id of await deps.changes.dueCards()) await deps.jobs.card(id);
  await showNotices(deps);
}

/** A planner is asked at once; one that was asked works on it for longer, and is not asked twice. */
const ASKED_WITHIN_MS = 15_000;

/** Changes whose planner was never asked, or gave up on our own trouble. */
async function planAgain(deps: WorkerDeps): Promise<void> {
  const before = new Date(Date.now() - ASKED_WITHIN_MS).toISOString();
  for (const { id, state, requestedAt } of await deps.changes.open()) {
    if (state !== 'planning' || requestedAt > before) continue;
    await deps.jobs.planChange(id);
    await deps.jobs.card(id);
  }
}

async function giveBackOrphans(deps: WorkerDeps): Promise<void> {
  const now = new Date();
  const isIn = membersOf(await deps.nodes.read());
  const suspects = (await deps.leases.list(now)).filter(
    ({ state, node }) => state === 'claimed' || (state === 'held' && !isIn.has(node.name)),
  );
  if (suspects.length === 0) return;
  // In this order: what is not open now is over for good, and a change is over only after its node has joined.
  const open = await deps.changes.open();
  const changes = await deps.changes.loadAll(suspects.map(({ changeId }) => changeId));
  const members = membersOf(await deps.nodes.read());
  for (const lease of suspects) {
    const change = changes.find(({ id }) => id === lease.changeId);
    const fate = fateOf(lease, claimantOf(lease, change, open, members), now);
    if (fate === 'keep') continue;
    const { podCidr, changeId } = lease;
    deps.log.warn({ podCidr, change: changeId, fate }, 'a slice that nobody came back for');
    if (fate === 'free') await deps.leases.release(changeId, 'untouched');
    else {
      const until = new Date(now.getTime() + deps.config.quarantineMs);
      await deps.leases.quarantine({ podCidr, node: lease.node.name, peersOwing: [...members], until });
    }
  }
}

function claimantOf(
  { node, changeId }: Lease,
  change: Change | undefined,
  open: readonly Change[],
  members: ReadonlySet<string>,
): Claimant {
  const isOpen = open.some(({ id }) => id === changeId);
  return {
    change: change === undefined ? 'absent' : isOpen ? 'open' : 'over',
    admitted: change?.admittedAt !== undefined,
    member: members.has(node.name),
    moving: open.some((each) => each.kind !== 'repair' && isAbout(each, node.name)),
  };
}

function membersOf({ nodes }: Inventory): ReadonlySet<string> {
  return new Set(nodes.map((node) => node.name));
}
