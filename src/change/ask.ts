/** What a change asks on its way, because approving its plan does not allow it yet: a restart, deleting a container network, or
 * switching to another binary. Pure. */
import { createHash } from 'node:crypto';
import type { Component } from '../node/component.js';
import type { Observation, Step } from '../plan/plan.js';

export type Ask =
  /** Windows waits for a restart; `boot` is the one that it would end. */
  | { kind: 'reboot'; boot: string }
  /** HNS networks are never deleted without somebody's word: it cuts what hangs on the NIC. (windows.md F) */
  | { kind: 'delete-network'; network: string }
  /** The delivered binary is there; from here on it is to run. It takes a restart of the process. */
  | { kind: 'switch'; component: Component; executable: string };

/** What somebody said to it, or nobody did in time. */
export interface Answer {
  host: string;
  ask: Ask;
  verdict: 'yes' | 'no';
  /** Actor id. */
  actor: string;
  /** ISO instant. */
  at: string;
}

/** What a step asks on a host that holds this; null: nothing. */
export function askOf(step: Step, observed: Observation): Ask | null {
  if (step.kind === 'reboot') return { kind: 'reboot', boot: observed.boot };
  if (step.kind === 'pod-network' && step.action === 'remove')
    return { kind: 'delete-network', network: step.network };
  return null;
}

/** The last word on it; null while nobody said one. */
export function answerTo(ask: Ask, answers: readonly Answer[]): Answer['verdict'] | null {
  return answers.findLast((answer) => isSameAsk(answer.ask, ask))?.verdict ?? null;
}

/** Names what a host asks in six hex digits, for a button that answers just what its card showed. */
export function askDigest(host: string, ask: Ask): string {
  return createHash('sha256')
    .update(JSON.stringify([host, ask.kind, objectOf(ask)]))
    .digest('hex')
    .slice(0, 6);
}

function isSameAsk(a: Ask, b: Ask): boolean {
  return a.kind === b.kind && objectOf(a) === objectOf(b);
}

/** What it is about: two of a kind about the same are one. */
function objectOf(ask: Ask): string {
  switch (ask.kind) {
    case 'reboot':
      return ask.boot;
    case 'delete-network':
      return ask.network;
    case 'switch':
      return ask.executable;
  }
}
