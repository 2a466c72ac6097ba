/** What a change is about, whichever its kind. Pure. */
import type { Cidr } from '../ip.js';
import type { Change, MembershipChange } from './change.js';

/** True when one node joins or leaves by it. */
export function isMembership(change: Change): change is MembershipChange {
  return change.kind === 'add-node' || change.kind === 'remove-node';
}

/** The slices of nodes that join or leave by it. */
export function slicesMoving(change: Change): Cidr[] {
  switch (change.kind) {
    case 'add-node':
    case 'remove-node':
      return [change.node.podCidr];
    case 'adopt':
      return change.moves ?? change.asked.flatMap((entry) => entry.podCidr ?? []);
    case 'repair':
    case 'build':
    case 'deliver':
      return [];
  }
}

/** True when the node of that name is what it is about, or one of several. */
export function isAbout(change: Change, name: string): boolean {
  if (change.kind === 'deliver') return change.deliver.nodes.includes(name);
  return change.kind === 'adopt'
    ? change.asked.some((entry) => entry.name === name)
    : change.node?.name === name;
}
