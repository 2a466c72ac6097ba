/** What a cluster's configuration says that plans depend on. Pure. */
import type { Cidr } from '../ip.js';
import type { NextHopMode } from '../network/route.js';
import type { Component } from '../node/component.js';
import type { Node } from '../node/node.js';
import type { HostPlan, Observation, Step } from './plan.js';

export interface PlanPolicy {
  clusterCidr: Cidr;
  nextHop: NextHopMode;
  /** The Linux bridge that holds the pod gateway, `cbr0` for kubenet. */
  bridge: string;
  /** The name of the transparent docker network (S11). */
  network: string;
  /** Whether Windows nodes get Routing and Remote Access (S9), beside forwarding, which they always get. */
  rras: 'required' | 'skip';
  /** The image that holds a pod's network open on Windows (S14). */
  pauseImage: string;
  /** Where kubelet and kube-proxy lie on Windows hosts. */
  executables: Readonly<Record<Component, string>>;
  /** Without the `v`. */
  kubernetesVersion: string;
  apiServer: string;
}

/** How a host's OS writes steps down as commands; supplied by its platform, so that planning knows no OS. */
export type RenderCommands = (node: Node, steps: readonly Step[], observed: Observation | null) => string[];

/** Completes a host's plan with its commands. */
export function withCommands(
  draft: Omit<HostPlan, 'commands' | 'undoCommands'>,
  node: Node,
  render: RenderCommands,
): HostPlan {
  return {
    ...draft,
    commands: render(node, draft.steps, draft.observed),
    undoCommands: render(node, draft.undo, draft.observed),
  };
}
