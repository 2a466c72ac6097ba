/** In which order a delivery goes on: it is copied to all nodes side by side, and they switch one after the other. Pure. */
import type { HostPlan, Plan } from '../plan/plan.js';
import type { Change, HostResult } from './change.js';
import { isSettled, type NextMove } from './phase.js';

/** The next move. A node where the switch failed keeps the others from it: what runs there runs on. */
export function nextDelivery(
  plan: Plan,
  change: Change,
  results: ReadonlyMap<string, HostResult>,
  dispatched: ReadonlySet<string>,
): NextMove {
  const status = (host: HostPlan) => results.get(host.host)?.status;
  const switches = (host: HostPlan) => change.direction === 'undo' || isAgreed(change, host.host);
  const open = plan.hosts.filter((host) => !isSettled(results.get(host.host)));
  const fresh = open.filter((host) => !dispatched.has(host.host) && status(host) !== 'asking');
  const isBusy = open.some((host) => dispatched.has(host.host) && switches(host));
  const isBroken = plan.hosts.some((host) => status(host) === 'failed' && switches(host));
  const next = isBusy || isBroken ? [] : fresh.filter(switches).slice(0, 1);
  const hosts = [...fresh.filter((host) => !switches(host)), ...next];
  if (hosts.length > 0) return { kind: 'dispatch', phase: 0, hosts };
  const isWaiting = open.some((host) => dispatched.has(host.host) || status(host) === 'asking');
  return isWaiting ? { kind: 'wait', phase: 0 } : { kind: 'finish' };
}

/** Whether somebody agreed to the node's switch. */
function isAgreed({ answers = [] }: Change, host: string): boolean {
  return answers.findLast((answer) => answer.host === host)?.verdict === 'yes';
}
