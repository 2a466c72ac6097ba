/** Delivering a binary: the plan, the question, and what came of it. Pure. */
import type { Component } from '../node/component.js';
import type { Built } from '../plan/build.js';
import { deliveredPath } from '../plan/deliver.js';
import type { DeliverAsked, DeliverPlan } from '../plan/plan.js';
import { buildName } from './build.js';
import { code, lines, plain } from './mrkdwn.js';
import { gib, megabytes, more, plural } from './phrase.js';

/** `kubelet v1.5.0 to win03`. */
export function deliverName({ nodes, ...asked }: DeliverAsked): string {
  const [first = '', ...others] = nodes;
  return `${buildName(asked)} to ${others.length === 0 ? first : plural(nodes.length, 'node')}`;
}

export function deliverFacts({ built, hosts }: DeliverPlan): string[] {
  const names = hosts.map(({ host }) => code(host, 80));
  return [
    `${code(buildName(built))}, commit ${code(built.commit.slice(0, 12))}, ${megabytes(built.size)}, built by ${code(built.changeId)}`,
    `From ${code(built.source, 200)}`,
    `SHA-256 ${code(built.sha256)}`,
    `To ${lines(names, 600, more, ', ')}: ${code(deliveredPath(built))}, beside what runs`,
  ];
}

/** What approving does and does not mean. */
export const deliverMeans =
  'Approving copies the file and checks its sum on each node. Before anything is switched, and restarts, the change asks once more; then one node after the other.';

/** Of a node where Fairway keeps nothing running that it could switch. */
export function onlyCopied(host: string, component: Component): string {
  return `ℹ️ ${code(host, 80)} has no ${component} that Fairway keeps running, so the file is only brought there; switching is by hand.`;
}

/** A node that could not be read. */
export function leftOutOfDelivery(host: string, why: string): string {
  return `❔ ${code(host, 80)}: ${plain(why === '' ? 'not read' : why, 200)}. Ask again for it once it is back.`;
}

export const leftOutHead = 'Could not be read, so nothing is brought there:';

export const deliverLooks = 'Reading the nodes…';

/** `copies the file: 43.1 of 88.2 MB`. */
export function sayCopied(bytes: number, size: number): string {
  return `copies the file: ${share(bytes, size)}`;
}

function share(bytes: number, size: number): string {
  return `${(bytes / 1e6).toFixed(1)} of ${megabytes(size)}`;
}

export function switching(component: Component, executable: string): string {
  return `switches ${component} to ${executable}`;
}

/** What is asked before a node switches. */
export function askSwitch(host: string, component: Component, executable: string): string {
  return `${code(host, 80)} has ${code(executable)}, with the right sum. Switch ${component} to it? It restarts; pods keep running.`;
}

/** Below a node that is done. */
export function delivered(built: Built): string {
  return `runs ${buildName(built)}`;
}

export function deliveredOnly(built: Built): string {
  return `has ${buildName(built)} at ${deliveredPath(built)}; what ran before runs on`;
}

export function sayNoRoom(host: string, free: number, size: number): string {
  return `${host} has ${gib(free)} of disk free, and the file has ${megabytes(size)}; Windows needs some for itself. Make room there, then Retry.`;
}

/** A host said no to the file, such as for want of room; SFTP has no better words for that than `Failure`. */
export function sayBrokenOff(
  host: string,
  builder: string,
  bytes: number,
  size: number,
  why: string,
): string {
  return `The copy ended at ${share(bytes, size)} (${why}). See to room on ${host}, and that ${builder} still has the file; then Retry.`;
}

export function sayUnstable(component: Component, why: string): string {
  return `${component} does not stay up${why === '' ? ': it was another process a moment later' : `: ${why}`}`;
}

/** `why`: what kept the new one from running; `still`: the same of the former one, null when it runs. */
export function sayPutBack(component: Component, why: string, still: string | null): string {
  const head = `The new ${component} did not run (${why}). `;
  return still === null
    ? `${head}The former one was put back, and runs. No other node is switched.`
    : `${head}The former one was put back, and does not run either (${still}): look at its log. No other node is switched.`;
}

export function sayNotKept(component: Component): string {
  return `Nothing keeps ${component} running there any more, so it was not switched. The file is there.`;
}

export function sayOtherSince(component: Component): string {
  return `${component} was set up otherwise there after this was planned, so it was not switched. The file is there: ask for it again.`;
}

/** The registry has another file by now. */
export function sayBuildGone(component: Component, version: string): string {
  return `${component} ${version} was built anew after this was planned, so nothing was delivered. Ask again.`;
}
