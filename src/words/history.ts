/** What is on record, one line an event; and how its chain stands. Pure. */
import type { AuditCheck, AuditEvent, AuditWhat } from '../change/audit-record.js';
import type { ChangeState } from '../change/change.js';
import type { HistoryEntry, Reply } from '../command/reply.js';
import { code, plain, stored, when, who } from './mrkdwn.js';
import { list, plural } from './phrase.js';
import { stateWords } from './status.js';

type Say = (event: AuditEvent) => string;
type History = Extract<Reply, { kind: 'history' }>;

const CONTROLS = { start: 'started', stop: 'stopped', restart: 'restarted' } as const;

/** What each event says behind who did it. */
const SENTENCES: Readonly<Record<AuditWhat, Say>> = {
  'change-requested': (event) => `asked for ${code(fact(event, 'command'), 200)}`,
  'plan-sealed': (event) => `sealed the plan ${code(event.planHash ?? '')}${newKeys(event)}`,
  'plan-refused': (event) => `refused to plan it${reason(event)}`,
  approve: ({ planHash = '' }) => `approved the plan ${code(planHash)}`,
  // A person's own words.
  deny: (event) => `denied it${because(plain(fact(event, 'reason'), 200))}`,
  'reboot-yes': ({ host = '' }) => `agreed to a restart of ${code(host)}`,
  'reboot-no': ({ host = '' }) => `declined a restart of ${code(host)}`,
  'delete-network-yes': ({ host = '' }) => `agreed to delete the container network of ${code(host)}`,
  'delete-network-no': ({ host = '' }) => `declined to delete the container network of ${code(host)}`,
  'switch-yes': ({ host = '' }) => `agreed to switch ${code(host)} to what was brought`,
  'switch-no': ({ host = '' }) => `declined to switch ${code(host)} to what was brought`,
  'apply-started': () => 'began',
  'nodes-adopted': ({ facts }) => `recorded ${plural([facts?.['recorded'] ?? []].flat().length, 'node')}`,
  ...(Object.fromEntries(
    Object.entries(stateWords).map(([state, words]) => [
      `change-${state}`,
      (event) => `${words}${reason(event)}`,
    ]),
  ) as Record<`change-${ChangeState}`, Say>),
  // Its line is made of all that settled together.
  'host-settled': (event) => because(plain(fact(event, 'error'), 200)),
  cancel: () => 'asked to cancel it',
  retry: () => 'asked to run again what is not done',
  rollback: () => 'asked to roll it back',
  'rollback-started': () => 'began to roll it back',
  acknowledge: (event) => `is on ${code(fact(event, 'incident'))} of ${code(event.host ?? '')}`,
  mute: (event) => `muted ${ofHost(event)} until ${when(fact(event, 'until'))}`,
  unmute: (event) => `unmuted ${ofHost(event)}`,
  'process-start': (event) => controlled('start', event),
  'process-stop': (event) => controlled('stop', event),
  'process-restart': (event) => controlled('restart', event),
  'host-checked': ({ host = '' }) => `had ${code(host)} checked`,
};

/** As stored, there may be ones that a later Fairway writes. */
const sentences = new Map<string, Say>(Object.entries(SENTENCES));

/** `Nov 28 05:12 · @bob · approved the plan 6d074a9a7381 · c4`. */
export function historyLine({ event, settled }: HistoryEntry): string {
  if (event === null)
    return `❔ A record that can't be read; ${code('audit verify')} says whether the chain holds.`;
  const said = (sentences.get(event.what) ?? (() => plain(event.what, 80)))(event);
  const what = settled.length === 0 ? said : `${settledHosts(settled)}${settled.length === 1 ? said : ''}`;
  return [when(event.at), who(event.actor), what, ...(event.changeId ? [code(event.changeId)] : [])].join(
    ' · ',
  );
}

/** `done: lin01 and win01; owed: win02`. */
function settledHosts(settled: HistoryEntry['settled']): string {
  const statuses = [...new Set(settled.map(({ status }) => status))];
  return statuses
    .map((status) => {
      const hosts = settled.filter((each) => each.status === status).map(({ host }) => code(host, 80));
      return `${plain(String(status), 40)}: ${list(hosts)}`;
    })
    .join('; ');
}

function controlled(action: keyof typeof CONTROLS, event: AuditEvent): string {
  const error = plain(fact(event, 'error'), 200);
  return error === ''
    ? `${CONTROLS[action]} ${ofHost(event)}`
    : `could not ${action} ${ofHost(event)}: ${error}`;
}

function ofHost(event: AuditEvent): string {
  const component = plain(fact(event, 'component'), 80);
  return `${component === '' ? '' : `${component} on `}${code(event.host ?? '')}`;
}

/** Whose keys an approval accepts; an only one is shown. */
function newKeys({ facts }: AuditEvent): string {
  const stated = [facts?.['hostKeys'] ?? []].flat() as ({ host?: string; key?: string } | null)[];
  const keys = stated.filter((each) => each !== null);
  const [first] = keys;
  if (!first) return '';
  const which = keys.length === 1 ? ` ${code(String(first.key), 80)}` : '';
  return `, whose approval accepts the host key${which} of ${list(keys.map(({ host }) => code(String(host), 80)))}`;
}

/** A sentence of ours. */
function reason(event: AuditEvent): string {
  return because(stored(fact(event, 'reason'), 200));
}

function because(why: string): string {
  return why === '' ? '' : `: ${why}`;
}

function fact({ facts }: AuditEvent, key: string): string {
  const value = facts?.[key];
  return typeof value === 'string' ? value : '';
}

const everything = `${code('audit export')} gives everything, to an approver`;

export const historyWords = {
  head: ({ cluster, node, entries, looked }: History) => {
    const of = `*${plain(cluster, 80)}*${node === undefined ? '' : `, ${code(node)}`}`;
    if (entries.length > 0) return `${of}: what was done, the newest first`;
    if (looked !== undefined) return `${of}: nothing was found.`;
    return `${of}: nothing is on record yet. ${code('help')} lists what you may ask for.`;
  },
  rest: (left: number) => `… and ${left} more.`,
  /** Empty when all that there is was looked at. */
  foot: ({ node, older, looked }: History) => {
    if (looked !== undefined) return `Only the newest ${looked} records were looked at; ${everything}.`;
    if (!older) return '';
    return `Older: ${node === undefined ? `${code('history <node>')} for one node; ` : ''}${everything}.`;
  },
} as const;

/** How the chain stands, and what to do when it is broken. */
export function auditCheck({ records, from, to, broken, hash }: AuditCheck): string {
  const span = `from ${when(from)} to ${when(to)}`;
  const last = `The newest has the hash ${code(hash.slice(0, 16))}: as long as a later ${code('audit export')} has that in record`;
  if (broken === null)
    return records === 0
      ? auditWords.empty
      : `✅ The audit log holds: ${plural(records, 'record')}, ${span}. ${last} ${records}, nobody changed what comes before.`;
  const held = broken - 1;
  const what =
    broken > records
      ? `🔴 The audit log does not end as it was written, after record ${records}: newer ones are gone, or others were put there.`
      : `🔴 The audit log is broken: record ${broken} of ${records} does not follow from the one before.`;
  const whole = held === 0 ? 'No record before it holds.' : `Up to record ${held} it holds, ${span}.`;
  return `${what} ${whole} Somebody wrote to Redis past me, or it came back damaged. Keep ${code('audit export')} now, and compare it with an older one, or with a backup of Redis.`;
}

export const auditWords = {
  verifying: 'Checking the audit log… the outcome follows.',
  follows: 'The audit log comes as a file.',
  empty: 'The audit log is empty: nothing was asked for yet.',
  fileTitle: (from: number, records: number) => `Audit log, records ${from} to ${records}`,
  /** `user` is a Slack id. */
  fileComment: (user: string, from: number, records: number) => {
    const asked = `<@${user}> asked for the audit log: `;
    return from === 1
      ? `${asked}${plural(records, 'record')}, all of it.`
      : `${asked}its newest part, records ${from} to ${records}. In a shell, ${code('npm -s run console -- audit export > audit.jsonl')} gives all.`;
  },
} as const;

/** A file's name: safe everywhere, and different for each state of the log. */
export function auditFileName(from: number, records: number): string {
  return `audit-${from}-${records}.jsonl`;
}
