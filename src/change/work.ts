/** Work: what approved changes have left to do on one host. It is stored until it is done, so what is left of it is a debt. */
import { type NextHopMode, nextHopTo, type Route } from '../network/route.js';
import type { Inventory, Node } from '../node/node.js';
import type { HostPlan, Step, Subject } from '../plan/plan.js';
import type { Answer } from './ask.js';
import type { Change } from './change.js';
import { isLeaving } from './transition.js';

export interface Work {
  changeId: string;
  kind: Subject['kind'];
  direction: Change['direction'];
  /** The host's node, as it was when the work was approved: a node that leaves is no longer in the inventory. */
  node: Node;
  role: HostPlan['role'];
  steps: Step[];
  /** What was answered where the change asked on this host. */
  answers?: Answer[];
  /** Of a build: names the run that it is of. */
  run?: string;
  /** SHA-256 of the host key that the approved plan trusted; null when the host could not be reached then. */
  fingerprint: string | null;
}

/**
 * The steps of `work` that the inventory still wants: a route is made only on a member and towards one, and taken away only when no
 * member holds its destination any more. (A plan also covers pairs with nodes that were pending; those may never have come.)
 *
 *     work of                    | ensure a route           | remove a route                       | other steps
 *     ---------------------------|--------------------------|--------------------------------------|------------
 *     add, remove, either way    | host is in, and its peer | nobody has it, or the host left      | see below
 *                                | has the slice, and is    |                                      |
 *                                | reached that way         |                                      |
 *     repair                     | the same                 | nobody has it, or the host itself    | host is in
 *     roll-back of a repair      | whoever had the slice then has it now: its peer, or nobody      | host is in
 *
 * What a node's pods hang on is made while the node is in with its slice, and taken away once it is out: a node that came back since,
 * by another change, keeps what that one made.
 */
export function wantedSteps(work: Work, inventory: Inventory, mode: NextHopMode): Step[] {
  // The build host is no member.
  if (work.kind === 'build') return work.steps;
  const { name, address, podCidr } = work.node;
  // A machine may come back under another name; it is the same host for that.
  const self =
    inventory.nodes.find((node) => node.name === name) ??
    inventory.nodes.find((node) => node.address === address);
  const isIn = self?.name === name && self.podCidr === podCidr;
  if (work.kind === 'deliver') return isIn ? work.steps : [];
  const repairs = work.kind === 'repair';
  const leaves = isLeaving(work);
  // Nothing is made on a host that left, or came back as another; and nothing is taken from a node that is a member again.
  if (repairs || work.role === 'node') {
    const stillWanted = leaves ? self === undefined : isIn;
    if (!stillWanted) return [];
  }
  return work.steps.filter((step) => {
    if (step.kind !== 'route') return repairs || (step.action === 'ensure' ? isIn : self === undefined);
    const member = inventory.nodes.find((node) => node.podCidr === step.route.destination);
    if (repairs && work.direction === 'undo') return (member?.name ?? null) === step.peer;
    if (step.action === 'ensure')
      return (
        isIn && member?.name === step.peer && step.route.nextHop === nextHopTo(member, work.node.os, mode)
      );
    // The node that leaves takes back its routes to members that stay.
    return member === undefined || self === undefined || (repairs && member === self);
  });
}

/** The routes among some steps. */
export function routesOf(steps: readonly Step[], action: Step['action']): Route[] {
  return steps.flatMap((step) => (step.kind === 'route' && step.action === action ? [step.route] : []));
}
