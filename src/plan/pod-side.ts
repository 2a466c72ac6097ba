/** What a node itself needs before it can carry pods. Pure. */
import type { Node } from '../node/node.js';
import { bridgeOf, persistenceSteps } from './linux-node.js';
import type { Observation, Step } from './plan.js';
import type { PlanPolicy } from './policy.js';
import { windowsSteps } from './windows-node.js';

/** The steps on the node itself, in order: all of them, whatever holds already. A reboot may undo any. */
export function podSide(node: Node, observed: Observation, policy: PlanPolicy): Step[] {
  if (node.os === 'windows') return windowsSteps(node, policy);
  const bridge = bridgeOf(node, observed) ?? policy.bridge;
  const ownBridge = !observed.bridges.includes(bridge);
  return [
    { kind: 'bridge', action: 'ensure', bridge, podCidr: node.podCidr, ownBridge },
    { kind: 'forwarding', action: 'ensure' },
    ...persistenceSteps(observed),
  ];
}
