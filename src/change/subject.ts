/** What a change is about, whichever its kind. Pure. */
import type { Cidr } from '../ip.js';
import type { BuildAsked } from '../plan/build.js';
import type { DeliverAsked } from '../plan/plan.js';
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

/** What is built or delivered by it, exactly as it was asked for; null when it is about neither. */
export function binaryOf(change: Change): BuildAsked | DeliverAsked | null {
  if (change.kind === 'build') return change.build;
  return change.kind === 'deliver' ? change.deliver : null;
}
