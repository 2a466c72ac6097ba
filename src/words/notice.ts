/** What the cards of incidents say: what happened, what now, which button. Pure. */
import type { ToldView } from '../command/notice-view.js';
import type { Component } from '../node/component.js';
import type { Incident, Reason } from '../watch/incident.js';
import type { Told } from '../watch/notice.js';
import { isLost, LATELY_MS, type Lost, RESTARTS_AN_HOUR, type Watched } from '../watch/watched.js';
import { code, lines, plain, seconds, when, who } from './mrkdwn.js';
import { list, more, plural } from './phrase.js';

/** What happened, as in "kubelet on win03 restarted". */
const HAPPENED: Readonly<Record<Reason, string>> = {
  restarted: 'restarted',
  down: 'is down',
  'crash-loop': 'keeps restarting',
  rebooted: 'rebooted',
  unreachable: 'does not answer',
  lost: 'lost part of its network',
};

const MENDED: Readonly<Record<Reason, string>> = {
  restarted: 'restarted',
  down: 'is back',
  'crash-loop': 'is steady again',
  rebooted: 'rebooted',
  unreachable: 'answers again',
  lost: 'has its network again',
};

/** `kube-proxy on win03 restarted`. */
export function headline(view: Pick<ToldView, 'told' | 'incident'>): string {
  return `${subject(view.told)} ${outcome(view)}`;
}

/** `restarted`: what happened, or how it ended, whoever it was. */
export function outcome({ told, incident }: Pick<ToldView, 'told' | 'incident'>): string {
  return incident?.state === 'bad' ? happened(incident) : mended(told.reason, incident);
}

function happened(incident: Incident): string {
  if (isLost(incident.lost) && incident.reason !== 'lost') return 'lost part of its network by a reboot';
  return HAPPENED[incident.reason];
}

function mended(reason: Reason, incident: Incident | null): string {
  return incident?.rebooted ? 'rebooted, and answers again' : MENDED[reason];
}

function subject({ component, host }: Pick<Told, 'component' | 'host'>): string {
  return component ? `${component} on ${host}` : host;
}

export function light(incident: Incident | null): string {
  return incident?.state === 'bad' ? '🔴' : '🟢';
}

/** `prod: kube-proxy on win03 restarted`. */
export function noticeTitle(cluster: string, view: ToldView): string {
  return `${cluster}: ${headline(view)}`;
}

/** `prod: kube-proxy on win03 restarted (3rd in 20 min); routes 14/14 there; 14/14 peers have its route.` For a phone's lock screen. */
export function noticeText(cluster: string, view: ToldView): string {
  const { incident, host } = view;
  if (incident === null) return noticeTitle(cluster, view);
  const routes = host.silentSince === undefined ? `; ${routesText(view)}` : '';
  return `${noticeTitle(cluster, view)}${nth(incident, host)}${routes}`;
}

/** The lines under the title: how it stands, then what the reader asks next. */
export function incidentLines(view: ToldView): string[] {
  const { incident, host } = view;
  if (incident === null) return [overWords];
  return [
    `*${light(incident)} ${plain(headline(view), 200)}*${nth(incident, host)}`,
    ...facts(view, incident),
    ...(incident.acknowledgedBy ? [`👀 ${who(incident.acknowledgedBy)} is on it.`] : []),
    ...next(incident),
  ];
}

const overWords = '🟢 Over.';

/** `(3rd in 20 min)`, of what happened again. */
function nth({ reason, component, count, lastAt }: Incident, host: Watched): string {
  const starts = (component ? (host.starts[component] ?? []) : []).filter(
    (at) => at <= lastAt && Date.parse(lastAt) - Date.parse(at) < LATELY_MS,
  ).length;
  if (reason === 'crash-loop') return `: ${plural(Math.max(starts, count), 'start')} in 20 min`;
  if (reason === 'restarted') return starts > 1 ? ` (${ordinal(starts)} in 20 min)` : '';
  return count > 1 ? ` (${ordinal(count)} time)` : '';
}

function ordinal(number: number): string {
  const teen = number % 100 > 10 && number % 100 < 14;
  return `${number}${teen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th')}`;
}

function facts(view: ToldView, incident: Incident): string[] {
  const { host } = view;
  switch (incident.reason) {
    case 'restarted':
    case 'crash-loop':
      return [started(incident), routesLine(view)];
    case 'down':
      return incident.state === 'bad'
        ? [
            `Not running since ${seconds(downSince(host, incident))}${pidWas(incident)}.`,
            ...healed(host),
            routesLine(view),
          ]
        : [started(incident), ...healed(host), routesLine(view)];
    case 'rebooted':
      return [`Seen ${seconds(incident.lastAt)}.`, ...processes(host), ...lostLines(incident.lost, view)];
    case 'unreachable':
      if (incident.state === 'bad' && host.silentSince)
        return [
          `No answer since ${seconds(host.silentSince)}: ${plain(host.why ?? incident.why ?? '', 300)}`,
        ];
      return [
        `Silent from ${seconds(incident.firstAt)} to ${seconds(incident.goodSince ?? incident.lastAt)}.`,
        ...processes(host),
        ...lostLines(incident.lost, view),
      ];
    case 'lost':
      return lostLines(incident.lost, view);
  }
}

/** What policy did by itself. */
function healed({ healed: restarts }: Watched): string[] {
  if (restarts.length === 0) return [];
  const enough = restarts.length >= RESTARTS_AN_HOUR ? '; it stops there, and a person has to look' : '';
  return [
    `Policy restarted processes of this host ${plural(restarts.length, 'time')} within the hour${enough}.`,
  ];
}

function started({ from, to, lastAt }: Incident): string {
  const pids = from && to ? `, pid ${from.pid} → ${to.pid}` : '';
  return `Started ${seconds(to?.startedAt ?? lastAt)}${pids}.`;
}

function pidWas({ from }: Incident): string {
  return from ? `; it was pid ${from.pid}` : '';
}

function downSince({ gone }: Watched, { component, lastAt }: Incident): string {
  return (component && gone[component]) ?? lastAt;
}

function processes({ running, gone }: Watched): string[] {
  const names = Object.keys(running) as Component[];
  if (names.length === 0) return [];
  const [away, here] = [names.filter((name) => gone[name]), names.filter((name) => !gone[name])];
  return [
    ...(here.length > 0 ? [`${list(here)} ${here.length === 1 ? 'runs' : 'run'}.`] : []),
    ...away.map((name) => `🔴 ${name} is not running.`),
  ];
}

/** `Routes 14/14 there; 14/14 peers have its route.` Restarts are when routes vanish, so everybody asks. */
function routesLine(view: ToldView): string {
  return `R${routesText(view).slice(1)}`;
}

function routesText({ host, peers, peersWithRoute }: ToldView): string {
  const held = host.desired - host.lost.routes.length;
  const there = `routes ${held}/${host.desired} there`;
  return peers === 0 ? `${there}.` : `${there}; ${peersWithRoute}/${peers} peers have its route.`;
}

function lostLines(lost: Lost | undefined, view: ToldView): string[] {
  if (lost === undefined || !isLost(lost)) return [routesLine(view)];
  const what = [
    ...(lost.gateway ? ['the pod gateway'] : []),
    ...(lost.forwarding ? ['forwarding'] : []),
    ...lost.routes.map(({ destination, nextHop }) => code(`${destination} via ${nextHop}`)),
  ];
  return [`Missing: ${lines(what, 900, more, ', ')}.`, routesLine(view)];
}

function next(incident: Incident): string[] {
  if (incident.state !== 'bad') return [];
  if (isLost(incident.lost))
    return ['*Repair plan* shows what would put it back; nothing runs before it is approved.'];
  switch (incident.reason) {
    case 'down':
      return ['*Logs* shows its last words, *Restart* starts it.'];
    case 'crash-loop':
      return ['*Logs* shows why it ends.'];
    case 'unreachable':
      return ['Look whether it is up and SSH answers. What it is owed is kept, and paid when it is back.'];
    default:
      return [];
  }
}

/** Why a repair is asked for by itself, as a part of a sentence. */
export function whyRepair({ id, reason }: Incident): string {
  return `${reason === 'lost' ? 'part of its network vanished' : 'a reboot lost part of its network'} (${id})`;
}

/** The same for many hosts. */
export function whyRepairs(hosts: number): string {
  return `${plural(hosts, 'host')} lost parts of their network`;
}

/** `Incident i7 · first Nov 27 03:12`. */
export function incidentFoot({ told, incident }: ToldView): string {
  const since = incident ? ` · first ${when(incident.firstAt)}` : '';
  return `Incident ${code(told.incident)}${since}`;
}
