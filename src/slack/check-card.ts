/** The card of a host's checks: what a person has to do stands first. It has no buttons. Pure. */
import type { HostCheck } from '../command/reply.js';
import { type Check, URGENCY } from '../plan/check.js';
import { checkRow, checkWords } from '../words/check-card.js';
import { lines, plain } from '../words/mrkdwn.js';
import { andMore } from '../words/phrase.js';
import { context, header, type Message, pack, section } from './blocks.js';

/** Of JSON, in a section. */
const GROUP = 2800;

export function checkCard(found: HostCheck, cluster: string): Message {
  const title = checkWords.title(cluster, found);
  const next = checkWords.next(found);
  const groups =
    found.checks === null
      ? [checkWords.unreadable(found)]
      : URGENCY.flatMap((verdict) => group(found, found.checks ?? [], verdict));
  return {
    text: plain(title),
    blocks: pack(
      [header(title), section(checkWords.head(found))],
      groups.map(section),
      next === null ? [] : [context(next)],
      () => context(checkWords.rest),
    ),
  };
}

/** The lines of one verdict, which stand together. */
function group(found: HostCheck, checks: readonly Check[], verdict: Check['verdict']): string[] {
  const rows = checks.filter((each) => each.verdict === verdict).map((each) => checkRow(each, found));
  return rows.length === 0 ? [] : [lines(rows, GROUP, andMore)];
}
