/** The steps between nodes, and their inverses: what every plan is composed of. Pure. */
import type { NextHopMode } from '../network/route.js';
import { routeTo } from '../network/route.js';
import type { Node } from '../node/node.js';
import type { Step } from './plan.js';

/** Makes `from`'s host lead to `to`'s pods. */
export function ensureRoute(from: Node, to: Node, mode: NextHopMode): Step {
  return { kind: 'route', action: 'ensure', peer: to.name, route: routeTo(to, from.os, mode) };
}

/** The step that takes back what `step` does. */
export function inverse(step: Step): Step {
  return { ...step, action: step.action === 'ensure' ? 'remove' : 'ensure' };
}

/** The inverses of some steps, last one first. A restart has none. */
export function inverses(steps: readonly Step[]): Step[] {
  return steps
    .filter(({ kind }) => kind !== 'reboot')
    .map(inverse)
    .reverse();
}
