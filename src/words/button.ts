/** What buttons and dialogs say. Pure. */
import type { Component } from '../node/component.js';

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
