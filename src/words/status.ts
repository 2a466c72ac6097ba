/** How a change stands, and the reader's next step. Pure. */
import type { Change, ChangeState, HostResult } from '../change/change.js';
import { isExpired, isRetryable, isWithdrawn, unasked } from '../change/transition.js';
import { listInDetails, sayAdopted, sayForgotten } from './adopt.js';
import { buildLooks } from './build.js';
import { deliverLooks } from './deliver.js';
import { code, plain, stored, when, who } from './mrkdwn.js';
import { plural } from './phrase.js';

/** What each kind of change does, in one word. */
export const verbs: Readonly<Record<Change['kind'], string>> = {
  'add-node': 'add',
  'remove-node': 'remove',
  repair: 'repair',
  adopt: 'adopt',
  build: 'build',
  deliver: 'deliver',
};

/** How a state is called in lists and notifications. */
export const stateWords: Readonly<Record<ChangeState, string>> = {
  planning: '⏳ planning',
  refused: '🚫 refused',
  pending: '🟡 waiting for approval',
  denied: '🚫 denied',
  expired: '⌛ expired',
  stale: '♻️ stale',
  approved: '🟢 approved',
  applying: '⚙️ applying',
  proving: '🔎 proving',
  applied: '✅ applied',
  owing: '🟠 applied, hosts owed',
  failed: '❌ failed',
  cancelled: '⏹️ cancelled',
  'rolling-back': '↩️ rolling back',
  'rolled-back': '↩️ rolled back',
};

/** Of a plan that was cancelled before anybody's approval let it run. */
export const withdrawn = 'Withdrawn. Nothing was run.';

/** The first lines under the title: how it stands, and the reader's next step. */
export function status(change: Change, hosts: readonly HostResult[], now: Date): string {
  return [`*${stateWords[change.state]}*`, ...sentence(change, hosts, now)].join('\n');
}

function sentence(change: Change, hosts: readonly HostResult[], now: Date): string[] {
  const reason = change.reason ? [plain(change.reason, 600)] : [];
  const again = `To ask again: ${code(change.command, 200)}${change.kind === 'adopt' ? listInDetails : ''}`;
  const progress =
    hosts.length > 0 && change.kind !== 'build' ? [`${finished(hosts)} of ${hosts.length} hosts done`] : [];
  const where = change.kind === 'build' ? 'the build host ends it' : 'it stops at the next host';
  const stopping = change.cancelRequestedBy
    ? [`${who(change.cancelRequestedBy)} asked to cancel: ${where}.`]
    : [];
  switch (change.state) {
    case 'planning':
      if (change.kind === 'build') return [buildLooks];
      if (change.kind === 'deliver') return [deliverLooks];
      return [hosts.length > 0 ? `Reading ${hosts.length} hosts…` : 'Reading the hosts…'];
    case 'refused':
      return [
        ...(change.reason ? [stored(change.reason, 600)] : []),
        'Nothing was run.',
        ...(change.kind === 'adopt' ? [again] : []),
      ];
    case 'pending':
      if (isExpired(change, now)) return ['Nobody decided in time. Nothing was run.', again];
      return change.expiresAt ? [`Expires ${when(change.expiresAt)}.`] : [];
    case 'denied':
      // The reason stands with the decision.
      return ['Nothing was run.'];
    case 'expired':
      return ['Nobody decided in time. Nothing was run.', again];
    case 'stale':
      return [...reason, again];
    case 'approved':
      return [...reason, ...stopping, 'Waiting for its turn.'];
    case 'applying':
      return [...progress, ...stopping, ...question(change, hosts)];
    case 'proving':
      return [...progress, 'Asking every pod gateway with packets…'];
    case 'applied':
      return [
        ...ended(change),
        ...progress,
        ...unproved(change),
        ...(change.kind === 'adopt' ? [sayAdopted(change)] : []),
      ];
    case 'owing':
      return [...ended(change), ...progress, owed(hosts.filter((host) => host.status === 'owed').length)];
    case 'failed':
      return [...reason, ...progress, ...(change.reason ? [] : [repair(change)])];
    case 'cancelled':
      return [
        change.cancelRequestedBy ? `By ${who(change.cancelRequestedBy)}.` : '',
        ...reason,
        ...(isWithdrawn(change) ? [withdrawn] : progress),
        ...(change.direction === 'undo' && isRetryable(change) ? ['Retry goes on with the roll-back.'] : []),
      ].filter((line) => line !== '');
    case 'rolling-back':
      return [...rolledBy(change), ...progress, ...stopping, ...question(change, hosts)];
    case 'rolled-back':
      return [
        ...rolledBy(change),
        ...ended(change),
        ...progress,
        ...unproved(change),
        ...(change.kind === 'adopt' ? [sayForgotten] : []),
      ];
  }
}

/** Who has to say a word before it goes on. */
function question({ id }: Change, hosts: readonly HostResult[]): string[] {
  if (!hosts.some(({ status: each }) => each === 'asking')) return [];
  return [
    `*It asks*: an approver presses the button, or types ${code(`confirm ${id}`)} or ${code(`decline ${id}`)}.`,
  ];
}

function ended(change: Change): string[] {
  return change.finishedAt ? [`Finished ${when(change.finishedAt)}.`] : [];
}

/** What the buttons of a failed change do, where no reason says what to do first. */
function repair(change: Change): string {
  if (change.kind === 'build') return 'Put right what the build host says, then Retry.';
  return change.direction === 'undo'
    ? 'Put right what the hosts say, then Retry.'
    : 'Put right what the hosts say, then Retry; or Roll back.';
}

/** Routes are there, but not every pod gateway could be asked whether packets cross. */
function unproved(change: Change): string[] {
  const left = unasked(change);
  if (left === 0) return [];
  return [`${left} of ${plural(change.proof?.length ?? 0, 'pair')} could not be asked, and are not proved.`];
}

function rolledBy(change: Change): string[] {
  return change.rolledBackBy ? [`By ${who(change.rolledBackBy)}.`] : [];
}

/** Since and until when stands with each host. */
function owed(count: number): string {
  return count === 1
    ? '1 host did not answer: what it is owed runs by itself when it is back in time.'
    : `${count} hosts did not answer: what they are owed runs by itself when they are back in time.`;
}

/** Hosts where the change is as it should be. */
export function finished(hosts: readonly HostResult[]): number {
  return hosts.filter((host) => host.status === 'done' || host.status === 'unchanged').length;
}
