/** What a new run of a change finds: which hosts take part in it, and whether the node is still the one that it is about. Pure. */
import type { Inventory } from '../node/node.js';
import type { Plan } from '../plan/plan.js';
import type { Change, HostResult, HostStatus } from './change.js';

const DONE: readonly HostStatus[] = ['done', 'unchanged'];
/** Whether something may have been done on the host, in this run or in one before. One without work in the plan is unchanged unvisited. */
function isVisited({ status, visited }: HostResult): boolean {
  return visited === true || status === 'done' || status === 'failed' || status === 'owed';
}

/**
 * The hosts' results as a new run begins with them; applying it twice is applying it once. Retry visits what is not done. Roll back visits
 * every host that was ever visited, however that ended: what it finds undone already costs nothing, what it leaves out stays for good.
 */
export function resultsFor(run: 'retry' | 'undo', results: readonly HostResult[], at: string): HostResult[] {
  return results.map((result): HostResult => {
    const visited = isVisited(result);
    const isOut = run === 'undo' ? !visited : DONE.includes(result.status);
    return {
      host: result.host,
      status: !isOut ? 'waiting' : run === 'undo' ? 'unchanged' : result.status,
      at,
      ...(visited ? { visited } : {}),
    };
  });
}

/**
 * Whether the node that a change added is still the member that it added. Not so once it was removed: then its slice, its name and its
 * address may be others' by now. `added`: by name, the change that made each member one.
 */
export function stillStands(
  change: Change,
  plan: Plan,
  inventory: Inventory,
  added: ReadonlyMap<string, string>,
): boolean {
  if (plan.kind !== 'add-node') return true;
  const { name, podCidr } = plan.node;
  const member = inventory.nodes.find((node) => node.name === name);
  return member?.podCidr === podCidr && added.get(name) === change.id;
}
