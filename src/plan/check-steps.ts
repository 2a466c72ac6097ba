/** What a check looks at, and how it stands by the very steps that the plan would take: there is no second truth. Pure. */
import type { Cidr } from '../ip.js';
import type { Node } from '../node/node.js';
import { chooseNic } from './container-nic.js';
import type { Observation, Step } from './plan.js';
import { isRestored, isSomebodys, podSide, processSide } from './pod-side.js';
import type { PlanPolicy } from './policy.js';
import { missing, stepHolds } from './step.js';

export interface Looked {
  node: Node;
  /** null: it is no node yet, and holds no slice. */
  podCidr: Cidr | null;
  isMember: boolean;
  observed: Observation;
  policy: PlanPolicy;
  /** What makes a node of it, but for its routes. */
  steps: readonly Step[];
  /** Those that the plan, an addition's or a member's repair, would take. */
  planned: readonly Step[];
}

/** Without a slice the cluster's own range stands in for it, which no host holds. A card that can be chosen is, as planning will. */
export function lookedAt(
  node: Omit<Node, 'podCidr'> & { podCidr?: Cidr | undefined },
  isMember: boolean,
  observed: Observation,
  policy: PlanPolicy,
): Looked {
  const withSlice: Node = { ...node, podCidr: node.podCidr ?? policy.clusterCidr };
  const whole = isMember || node.os === 'linux' ? withSlice : withCard(withSlice, observed);
  const steps = [...podSide(whole, observed, policy), ...processSide(whole, policy)];
  return {
    node: withSlice,
    podCidr: node.podCidr ?? null,
    isMember,
    observed,
    policy,
    steps,
    planned: isMember
      ? missing(
          steps.filter((step) => isRestored(step, node.made)),
          observed,
        )
      : missing(steps, observed).filter((step) => !isSomebodys(step, observed)),
  };
}

/** The node with the network card for its containers, where one can be chosen. */
export function withCard(node: Node, { windows }: Observation): Node {
  const { mac } = chooseNic(node.containerNic, windows?.nics ?? []);
  return mac === null ? node : { ...node, containerNic: mac };
}

/**
 * `ok` when the step of this kind holds, `will` when the plan takes it, `note` when it is somebody else's to keep; null when a node of
 * this cluster has no such step.
 */
export function standing(
  { steps, planned, observed }: Looked,
  kind: Step['kind'],
  is: (step: Step) => boolean = () => true,
): 'ok' | 'will' | 'note' | null {
  const step = steps.find((each) => each.kind === kind && is(each));
  if (step === undefined) return null;
  if (stepHolds(step, observed)) return 'ok';
  return planned.includes(step) ? 'will' : 'note';
}

/** The same for what every plan sees to, since without it no pod is reached. */
export function restored(on: Looked, kind: Step['kind']): 'ok' | 'will' {
  return standing(on, kind) === 'ok' ? 'ok' : 'will';
}
