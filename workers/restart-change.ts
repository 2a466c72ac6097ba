/** The beginning of another run of a change: what Retry and Roll back set going. */
import type { Change, HostResult } from '../src/change/change.js';
import type { Plan } from '../src/plan/plan.js';
import { restSlice } from './admit-changes.js';
import { forgetAdopted } from './adopt-cluster.js';
import type { WorkerDeps } from './deps.js';

/** Prepares a new run, for Retry or Roll back: which hosts take part, and what the inventory should say. */
export async function restartChange(deps: WorkerDeps, change: Change): Promise<void> {
  const plan = await deps.changes.plan(change.id);
  if (!plan) throw new Error(`change ${change.id} restarts without a plan`);
  const results = [...(await deps.changes.results(change.id)).values()];
  const again = (result: HostResult): boolean =>
    change.restart === 'undo'
      ? result.status !== 'waiting' && result.status !== 'cancelled'
      : result.status !== 'done' && result.status !== 'unchanged';
  const at = new Date().toISOString();
  await deps.works.withdraw(
    change.id,
    results.map((result) => result.host),
  );
  await deps.changes.setResults(
    change.id,
    results.map(({ host, status }) => ({
      host,
      at,
      status: again({ host, status, at }) ? 'waiting' : change.restart === 'undo' ? 'unchanged' : status,
    })),
  );
  if (change.restart === 'undo') await reverseInventory(deps, change, plan);
  await deps.changes.update(change.id, ({ restart: _done, ...current }) => current, new Date());
  await deps.jobs.advance();
}

async function reverseInventory(deps: WorkerDeps, change: Change, plan: Plan): Promise<void> {
  switch (plan.kind) {
    case 'add-node': {
      const inventory = await deps.nodes.read();
      await restSlice(deps, plan.node, inventory.nodes);
      await deps.nodes.remove(plan.node.name);
      break;
    }
    case 'remove-node':
      await deps.leases.restore(plan.node, change.id, new Date());
      await deps.nodes.add(plan.node);
      break;
    case 'repair':
      // It never moved.
      break;
    case 'adopt':
      await forgetAdopted(deps, change, plan);
      break;
  }
  await deps.audit.append({
    at: new Date().toISOString(),
    actor: change.rolledBackBy ?? 'fairway',
    what: 'rollback-started',
    changeId: change.id,
  });
}
