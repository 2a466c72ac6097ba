/** What buttons and dialogs say. Pure. */
import type { Component } from '../node/component.js';
import { plural } from './phrase.js';

/** The label of each button; Retry's counts, see `retryLabel`. */
export const buttonWords = {
  approve: 'Approve',
  deny: 'Deny',
  details: 'Details',
  cancel: 'Cancel',
  rollback: 'Roll back',
} as const;

/** `left`: the hosts that a retry would visit, `failed` of which failed. */
export function retryLabel(left: number, failed: number): string {
  return failed === left ? `Retry failed (${left})` : `Retry (${left})`;
}

/** What is asked before a roll-back. */
export const rollbackWords = {
  title: 'Roll back?',
  text: 'The inverse commands, approved with the plan, run on every host it touched.',
  yes: 'Roll back',
  no: 'Keep it',
} as const;

/** What is asked before hosts restart. */
export function restart(hosts: readonly string[]) {
  const which = hosts.length === 1 ? hosts[0] : plural(hosts.length, 'host');
  return {
    yes: cut(`Restart ${which}`),
    no: "Don't restart",
    dialog: {
      title: 'Restart now?',
      text: `${which} restarts at once: its pods and sessions end, and it is away for some minutes. Then the change goes on by itself.`,
      yes: 'Restart',
      no: 'Not now',
    },
  };
}

/** What is asked before a process is switched to another binary. */
export function switchOver(component: Component, hosts: readonly string[]) {
  const which = hosts.length === 1 ? hosts[0] : plural(hosts.length, 'host');
  return {
    yes: cut(`Switch ${which}`),
    no: 'Leave it as it is',
    dialog: {
      title: 'Switch now?',
      text: `${component} restarts on ${which}, one after the other. One that does not stay up is put back by itself, and ends it.`,
      yes: 'Switch',
      no: 'Not now',
    },
  };
}

/** What is asked before a container network is deleted. */
export function deletion(hosts: readonly string[]) {
  const which = hosts.length === 1 ? hosts[0] : plural(hosts.length, 'host');
  return {
    yes: 'Delete network',
    no: 'Keep network',
    dialog: {
      title: 'Delete the network?',
      text: `The container network on ${which} goes, and with it whatever else hangs on that network card.`,
      yes: 'Delete',
      no: 'Keep it',
    },
  };
}

/** Slack's room for a label is 75 characters; a node's name may have 63. */
function cut(label: string): string {
  return label.length > 75 ? `${label.slice(0, 74)}…` : label;
}

/** The dialog that asks why a plan is denied. */
export const denyWords = {
  title: (id: string) => `Deny ${id}`,
  question: 'Why? The requester reads it on the card.',
  yes: 'Deny',
  no: 'Back',
} as const;

export const noticeButtons = {
  repair: 'Repair plan',
  restart: 'Restart',
  logs: 'Logs',
  mute: 'Mute 1 h',
  acknowledge: "I'm on it",
} as const;

/** What is asked before a restart; `command` is what will run. */
export const restartWords = {
  title: 'Restart it?',
  text: (component: Component, host: string, command: string) =>
    `On ${host} this runs: ${command}. Pods keep running; ${component} is away for some seconds.`,
  yes: 'Restart',
  no: 'Leave it',
} as const;
