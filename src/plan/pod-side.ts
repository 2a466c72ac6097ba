/** What a node itself needs before it can carry pods. Pure. */
import type { Made, Node } from '../node/node.js';
import { bridgeOf, persistenceSteps } from './linux-node.js';
import type { Observation, Step } from './plan.js';
import type { PlanPolicy } from './policy.js';
import { hasGuideFlags, windowsComponents, windowsSteps } from './windows-node.js';

/** The steps on the node itself before its routes, in order: all of them, whatever holds already. A reboot may undo any. */
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

/** The steps on the node itself once its routes are there. */
export function processSide(node: Node, policy: PlanPolicy): Step[] {
  return node.os === 'windows' && hasGuideFlags(policy) ? windowsComponents(node, policy) : [];
}

/** Whether Fairway itself made this on the node when it was added. */
export function isMade(step: Step, made: Made | undefined): boolean {
  switch (step.kind) {
    case 'route':
      return true;
    case 'forwarding':
      return made?.forwarding === true;
    case 'bridge':
      return made?.gateway ?? true;
    case 'pod-network':
    case 'pod-gateway':
      return made?.podNetwork === true;
    case 'routing-service':
    case 'reboot':
      return made?.routingService === true;
    case 'image':
      return made?.image === true;
    case 'virtual-switch':
      return made?.virtualSwitch === true;
    case 'component':
      return made?.components?.includes(step.component) === true;
    case 'persistence':
      return made?.persistence === true;
    case 'build':
    case 'binary':
      return false;
  }
}

/** What a node's pods need to be reached. */
export function carriesPods({ kind }: Step): boolean {
  return ['route', 'forwarding', 'bridge', 'pod-network', 'pod-gateway'].includes(kind);
}

/**
 * Whether a repair restores it: what its pods need to be reached, whoever made that; of the rest, what Fairway made. How a person made a
 * node of the machine is for that person to keep.
 */
export function isRestored(step: Step, made: Made | undefined): boolean {
  return carriesPods(step) || isMade(step, made);
}

/** A kubelet or kube-proxy that somebody keeps running is left alone when its node is added. */
export function isSomebodys(step: Step, observed: Observation): boolean {
  return step.kind === 'component' && observed.windows?.machine.components[step.component]?.ours === false;
}

/** What some steps are going to make of their own on a node. */
export function madeBy(steps: readonly Step[]): Made {
  const has = (kind: Step['kind']) => steps.some((step) => step.kind === kind);
  return {
    bridge: steps.some((step) => step.kind === 'bridge' && step.ownBridge),
    gateway: has('bridge'),
    podNetwork: has('pod-network'),
    forwarding: has('forwarding'),
    routingService: has('routing-service'),
    virtualSwitch: has('virtual-switch'),
    image: has('image'),
    components: steps.flatMap((step) => (step.kind === 'component' ? [step.component] : [])),
    persistence: has('persistence'),
  };
}
