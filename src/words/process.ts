/** Restarting a node's processes, and their last words. Pure. */
import type { Reply } from '../command/reply.js';
import type { Control } from '../job/job.js';
import type { Component } from '../node/component.js';
import { code, plain } from './mrkdwn.js';

type Of<K extends Reply['kind']> = Extract<Reply, { kind: K }>;

const DONE = { start: 'runs', stop: 'is stopped', restart: 'runs again' } as const;

/**
 * `along`: the services that went along with it, since they depend on it. `stayDown`: those that could have, but were stopped by a command
 * of their own.
 */
export function sayControlled(
  { action, component, host }: Control,
  { along, stayDown }: { along: readonly string[]; stayDown: readonly Component[] },
): string {
  const too =
    along.length === 0
      ? ''
      : `, and ${along.join(', ')}, which ${along.length === 1 ? 'depends' : 'depend'} on it, too`;
  const until =
    action === 'stop'
      ? ` ${too === '' ? 'It stays' : 'They stay'} so, without a word from me, until ${code(`start ${component} on ${host}`)}.`
      : '';
  const others = stayDown
    .map((each) => ` ${each} stays stopped until ${code(`start ${each} on ${host}`)}.`)
    .join('');
  return `${component} on ${code(host)} ${DONE[action]}${too}.${until}${others}`;
}

/** `why`: the host's own words. */
export function sayControlFailed({ action, component, host }: Control, why: string): string {
  return `I could not ${action} ${component} on ${code(host)}: ${plain(why, 600)}. ${code(`logs ${component} on ${host}`)} may tell more.`;
}

/** The request was taken. */
export function controlling({ action, component, host }: Of<'controlling'>): string {
  const doing = { start: 'Starting', stop: 'Stopping', restart: 'Restarting' }[action];
  return `${doing} ${component} on ${code(host)}… the outcome follows.`;
}

export function fetchingLogs({ component, host }: Of<'fetching-logs'>): string {
  return `Fetching the last log lines of ${component} on ${code(host)}…`;
}

/** In place of a log that can't be read; `why` is the host's word. */
export function sayNoLogs(host: string, component: Component, why: string): string {
  return `The log of ${component} on ${host} can't be read: ${why.replace(/\.$/, '')}. Once ssh ${host} works from my machine, ask again.`;
}

export function sayNoMember(host: string): string {
  return `${host} is no node any more. The command nodes lists them.`;
}

export const logsWords = {
  title: (component: Component, host: string) => `*${component}* on ${code(host)}, its last lines:`,
  none: 'The log is empty.',
} as const;
