/** Work: what approved changes have left to do on one host. It is stored until it is done, so what is left of it is a debt. */
import type { Route } from '../network/route.js';
import type { Inventory, Node } from '../node/node.js';
import type { HostPlan, Step } from '../plan/plan.js';

export interface Work {
  changeId: string;
  /** The host's node, as it was when the work was approved: a node that leaves is no longer in the inventory. */
  node: Node;
  role: HostPlan['role'];
  steps: Step[];
  /** SHA-256 of the host key that the approved plan trusted; null when the host could not be reached then. */
  fingerprint: string | null;
}

/**
 * The steps of `work` that the inventory still wants: a route is made only towards a member, and taken away only when no
 * member holds its destination any more. (A plan also covers pairs with nodes that were pending; those may never have come.)
 */
export function wantedSteps(work: Work, inventory: Inventory): Step[] {
  return work.steps.filter((step) => {
    if (step.kind !== 'route') return true;
    const member = inventory.nodes.find((node) => node.podCidr === step.route.destination);
    if (step.action === 'ensure') return member !== undefined && member.name === step.peer;
    // The node that leaves takes back its routes to members that stay.
    return member === undefined || !inventory.nodes.some((node) => node.name === work.node.name);
  });
}

/** The routes among some steps. */
export function routesOf(steps: readonly Step[], action: Step['action']): Route[] {
  return steps.flatMap((step) => (step.kind === 'route' && step.action === action ? [step.route] : []));
}
