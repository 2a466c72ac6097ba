/** What commands answer about incidents and silences, one line each. Pure. */
import type { OpenIncident, Reply } from '../command/reply.js';
import { toldOf } from '../watch/notice.js';
import type { Silence } from '../watch/silence.js';
import type { PastIncident } from '../watch/watch-store.js';
import { code, plain, when, who } from './mrkdwn.js';
import { headline, light } from './notice.js';
import { plural } from './phrase.js';

type Of<K extends Reply['kind']> = Extract<Reply, { kind: K }>;

/** `🔴 i7 kubelet on win03 is down · 2 times · Nov 27 03:12 · @bob is on it`. */
export function incidentLine({ host, incident }: OpenIncident): string {
  const hushed = incident.hushed ? [` · not told: ${HUSHED[incident.hushed]}`] : [];
  const taken = incident.acknowledgedBy ? [` · ${who(incident.acknowledgedBy)} is on it`] : [];
  const often = incident.count > 1 ? [` · ${incident.count} times`] : [];
  const head = `${light(incident)} ${code(incident.id)} ${plain(headline({ told: toldOf(host, incident), incident }), 200)}`;
  return [head, ...often, ` · ${when(incident.lastAt)}`, ...taken, ...hushed].join('');
}

/** One that is over. */
export function pastLine({ host, ...incident }: PastIncident): string {
  const often = incident.count > 1 ? ` · ${incident.count} times` : '';
  return `▫️ ${code(incident.id)} ${plain(headline({ told: toldOf(host, incident), incident }), 200)}${often} · ${when(incident.firstAt)}`;
}

const HUSHED = { muted: 'muted', maintenance: 'maintenance window' } as const;

export function silenceLine({ host, component, until, by, atWork }: Silence): string {
  return `🔇 ${component ? `${component} on ` : ''}${code(host)} until ${when(until)}, ${atWork ? `while ${code(by)} is at work there` : `by ${who(by)}`}`;
}

export const incidentsWords = {
  head: (cluster: string, bad: number, open: number) =>
    `*${plain(cluster, 80)}*: ${open === 0 ? 'no incident' : `${plural(open, 'incident')}, ${bad} not over`}`,
  rest: (left: number) => `… and ${left} more.`,
} as const;

export function acknowledged({ id, host }: Of<'acknowledged'>): string {
  return `Noted: you are on it, ${code(id)} on ${code(host)}. Its card and ${code('incidents')} say so.`;
}

export function muted({ silence }: Of<'muted'>): string {
  const { host, component, until } = silence;
  const what = component ? `${component} on ${code(host)}` : code(host);
  return `I keep quiet about ${what} until ${when(until)}. What is wrong still shows in ${code('incidents')}; ${code(`unmute ${component ? `${host} ${component}` : host}`)} ends it.`;
}

export function unmuted({ host, component, count }: Of<'unmuted'>): string {
  const what = component ? `${component} on ${code(host)}` : code(host);
  return count === 0
    ? `There is no silence of ${what} to end. ${code('incidents')} lists those there are.`
    : `I speak about ${what} again.`;
}
