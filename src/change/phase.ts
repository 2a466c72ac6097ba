/** In which order a change visits its hosts. Pure. */

import type { HostPlan, Plan } from '../plan/plan.js';
import type { Change, HostResult } from './change.js';

/** Statuses that need no further visit in this run. */
const SETTLED: readonly HostResult['status'][] = ['done', 'unchanged', 'owed', 'failed', 'cancelled'];

/**
 * Groups of hosts, one after the other. Adding, repairing: the node, one canary peer of each OS, the other peers. Removing (and
 * rolling the others back) is the reverse in that the node comes last, so that no peer leads into a node that no longer carries
 * pods. A repair of all has no node.
 */
export function phases(plan: Plan, direction: Change['direction']): HostPlan[][] {
  // It visits none.
  if (plan.kind === 'adopt') return [];
  const node = plan.hosts.filter((host) => host.role === 'node');
  const peers = plan.hosts.filter((host) => host.role === 'peer');
  // A host that could not be read is no canary: it would prove nothing and hold the others up.
  const canaries = (['linux', 'windows'] as const).flatMap((os) => {
    const first = peers.find((host) => host.os === os && host.observed !== null);
    return first ? [first] : [];
  });
  const rest = peers.filter((host) => !canaries.includes(host));
  const makes = (plan.kind !== 'remove-node') === (direction === 'do');
  const order = makes ? [node, canaries, rest] : [canaries, rest, node];
  return order.filter((phase) => phase.length > 0);
}

/** `phase` counts from 0. */
export type NextMove =
  | { kind: 'dispatch'; phase: number; hosts: HostPlan[] }
  | { kind: 'wait'; phase: number }
  | { kind: 'finish' };

/** A change waits for others, so that they visit hosts together, for this long after its approval and no longer. In ms. */
const PATIENCE_MS = 15_000;

/** Whether a change still waits for others: one that was approved long ago, or runs again, goes its own way. */
export function isPatient(change: Change, now: Date): boolean {
  const approved = change.decisions.at(-1)?.at ?? '';
  return change.direction === 'do' && now.getTime() - Date.parse(approved) < PATIENCE_MS;
}

/**
 * What to do next, from how the hosts stand. A phase begins when the one before is settled and nothing in it failed; in the last
 * phase a failure stops nobody else, nor does that of a peer when a change is rolled back: what can be taken back is. `waiting`
 * hosts that have work queued (`dispatched`) are on their way already; those that ask wait for an answer.
 */
export function nextMove(
  plan: Plan,
  change: Change,
  results: ReadonlyMap<string, HostResult>,
  dispatched: ReadonlySet<string>,
): NextMove {
  for (const [index, phase] of phases(plan, change.direction).entries()) {
    const open = phase.filter((host) => !isSettled(results.get(host.host)));
    if (open.length > 0) {
      const fresh = open.filter((host) => !dispatched.has(host.host) && !asks(results.get(host.host)));
      return fresh.length > 0
        ? { kind: 'dispatch', phase: index, hosts: fresh }
        : { kind: 'wait', phase: index };
    }
    const stops = (host: HostPlan): boolean => change.direction === 'do' || host.role === 'node';
    if (phase.some((host) => stops(host) && results.get(host.host)?.status === 'failed'))
      return { kind: 'finish' };
  }
  return { kind: 'finish' };
}

function asks(result: HostResult | undefined): boolean {
  return result?.status === 'asking';
}

/** Whether it needs no further visit in this run. */
export function isSettled(result: HostResult | undefined): boolean {
  return result !== undefined && SETTLED.includes(result.status);
}
