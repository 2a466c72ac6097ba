/** What is said in a card's thread to those who are to look at it: an edited card rings nobody. Pure. */
import type { Change } from '../change/change.js';
import { code, plain, stored, when } from './mrkdwn.js';
import { anyOf } from './phrase.js';
import { slackVoice } from './voice.js';

/** To those who may approve, principals or actors; `others`: more may than are named. */
export function sayWaits(
  { id, command, expiresAt }: Change,
  whom: readonly string[],
  others: boolean,
): string {
  const names = [...whom.map(slackVoice.who), ...(others ? ['another approver'] : [])];
  const until = expiresAt === undefined ? '' : ` until ${when(expiresAt)}`;
  return `🔔 ${anyOf(names)}: ${code(id)} waits for an approval${until} (${code(command, 120)}). Approve or deny it on its card, or type ${code(`approve ${id}`)}.`;
}

/** To whoever asked, or approved what Fairway asked for: how it ended. Only of the states that ring. */
export function sayEnded(change: Change, whom: readonly string[]): string {
  return `${whom.map(slackVoice.who).join(', ')}: ${ended(change)}`;
}

function ended({ id, state, command, reason = '' }: Change): string {
  switch (state) {
    case 'denied':
      return `${code(id)} was denied${reason === '' ? '' : `: ${plain(reason)}`}. Nothing was run; its card says by whom.`;
    case 'expired':
      return `nobody decided on ${code(id)} in time. Nothing was run; ask again: ${code(command, 120)}.`;
    case 'stale':
      return `${code(id)} is stale. ${stored(reason)}`;
    case 'owing':
      return `${code(id)} is done, but for hosts that do not answer. They are tried every minute; ${code(`change ${id}`)} shows them.`;
    default:
      return `${code(id)} failed. Its card says why, and has the buttons for what can be done.`;
  }
}
