/** The card of a host's checks: what it counts, where it comes from, and what to do next. Pure. */
import type { HostCheck } from '../command/reply.js';
import type { Check, Verdict } from '../plan/check.js';
import { checkLine } from './check.js';
import { code, plain } from './mrkdwn.js';
import { osName } from './phrase.js';
import { slackVoice } from './voice.js';

/** The checks are made after the answer. */
export function checking(host: string): string {
  return `Checking ${code(host, 80)}… what it says follows.`;
}

const SIGNS: Readonly<Record<Verdict, string>> = {
  fix: '❌',
  unknown: '❔',
  will: '🔧',
  note: 'ℹ️',
  ok: '✅',
};

/** `❌ Docker 1.10.3 is older than 1.12.2. … (S4)` */
export function checkRow(check: Check, { member }: HostCheck): string {
  const row = check.row === undefined ? '' : ` (${check.row})`;
  return `${SIGNS[check.verdict]} ${checkLine(check, member, slackVoice)}${row}`;
}

/** What the checks come to, such as `2 to fix, 5 missing, 9 ok`. */
function counts(checks: readonly Check[], isMember: boolean): string {
  const told: readonly [Verdict, string][] = [
    ['fix', 'to fix'],
    ['unknown', 'unknown'],
    ['will', isMember ? 'missing' : 'will be done'],
    ['note', 'to know'],
    ['ok', 'ok'],
  ];
  return told
    .map(([verdict, words]) => [checks.filter((each) => each.verdict === verdict).length, words] as const)
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`)
    .join(', ');
}

export const checkWords = {
  title: (cluster: string, { member, address }: HostCheck) => `${cluster}: check of ${member ?? address}`,
  head: (found: HostCheck) => {
    const { os, address, member, podCidr, checks, hostKey } = found;
    const name = member === null ? [] : [code(member)];
    const slice = podCidr === null ? '' : ` → ${code(podCidr)}`;
    return [
      checks === null ? '*It could not be read.*' : `*${counts(checks, member !== null)}*`,
      [...name, osName(os), `${code(address)}${slice}`].join(' · '),
      ...(hostKey?.firstContact
        ? [`🔑 First contact. It shows the host key ${code(hostKey.fingerprint)}`]
        : []),
    ].join('\n');
  },
  unreadable,
  next,
  rest: 'More did not fit here. Put right what is shown, then ask again.',
} as const;

/** Why it could not be read, and what to look at. */
function unreadable({ unreadable: reading, os, address, ssh }: HostCheck): string {
  const why = plain(reading?.unreadable ?? '', 600).replace(/\.$/, '');
  const said = why === '' ? 'It gave no answer' : why;
  const other = os === 'linux' ? 'windows' : 'linux';
  if (reading?.otherOs)
    return `It answers as a ${osName(other)} host (${said}). Ask ${code(`check ${other} host ${address}${viaSsh(ssh)}`)}, or look where ${code('ssh')} leads.`;
  const look =
    'Look whether it is up, sshd runs there and lets the workers in, and its account takes my key.';
  return reading?.outOfReach ? `${said}. ${look}` : `${said}.`;
}

/** The reader's next step; null when all is well. */
function next({ member, os, address, ssh, podCidr, checks }: HostCheck): string | null {
  const has = (verdict: Verdict) => checks?.some((each) => each.verdict === verdict) === true;
  if (checks === null || has('fix')) {
    const again = member === null ? `check ${os} host ${address}${viaSsh(ssh)}` : `check node ${member}`;
    return `Once that is put right, ${code(again)} looks again.`;
  }
  if (member !== null) return has('will') ? `${code(`repair ${member}`)} plans what is missing.` : null;
  const slice = podCidr === null ? '' : ` pod-cidr ${podCidr}`;
  return `${code(`add ${os} node <name> ${address}${slice}${viaSsh(ssh)}`)} plans the rest.`;
}

function viaSsh(ssh: string | undefined): string {
  return ssh === undefined ? '' : ` ssh ${ssh}`;
}
