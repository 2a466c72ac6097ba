/** Progress and results as a card shows them: failures first, then the proof. Pure. */
import type { HostResult, HostStatus, ProofRow } from '../change/change.js';
import type { ChangeView } from '../command/reply.js';
import type { Snippet } from '../snippet/kubectl.js';
import { codeBlock, lines, plain, visible } from '../words/mrkdwn.js';
import { andMore, moreInDetails } from '../words/phrase.js';
import {
  answers,
  hostLine,
  moreLines,
  pairText,
  proofHead,
  proofHeadNot,
  proofTable,
  unvisited,
} from '../words/result.js';
import { type Block, section } from './blocks.js';

/** Proof tables larger than this are told in one line, and only what does not answer is listed. */
const PROOF_HOSTS = 12;

/** Failures and debts with the host's own words, what still runs, and the names of those not visited (`over`: nobody will be, unasked). */
export function hostLines(hosts: readonly HostResult[], over: boolean): Block[] {
  const busy = hosts.filter((host) => host.status === 'waiting' && host.doing !== undefined);
  const built = hosts.filter((host) => host.built !== undefined || host.note !== undefined);
  const worded = [...byStatus(hosts, ['failed', 'asking', 'owed']), ...busy, ...built].map(hostLine);
  const named = (['cancelled', 'waiting'] as const).flatMap((status) => {
    const names = byStatus(hosts, [status])
      .filter((host) => !busy.includes(host))
      .map((host) => host.host);
    return names.length > 0 ? [unvisited(names, status, over)] : [];
  });
  const told = [...worded, ...named];
  // Failures come first, so that what is cut matters least (Q13).
  return [
    ...(told.length > 0 ? [section(lines(told, 2000, moreInDetails))] : []),
    ...hosts.flatMap(({ tail }) => (tail ? [section(codeBlock(tail, 1600))] : [])),
  ];
}

function byStatus(hosts: readonly HostResult[], order: readonly HostStatus[]): HostResult[] {
  return order.flatMap((status) => hosts.filter((host) => host.status === status));
}

/** Who reaches whom, asked with packets (N3). */
export function proofBlocks(rows: readonly ProofRow[], node?: string): Block[] {
  if (rows.length === 0) return [];
  const peers = new Set(rows.flatMap((row) => [row.from, row.to]));
  if (node !== undefined) peers.delete(node);
  if (peers.size <= PROOF_HOSTS) return [headed(proofHead(rows), proofTable(rows, node), 1500)];
  const bad = rows.filter((row) => !answers(row)).map(pairText);
  if (bad.length === 0) return [section(proofHead(rows))];
  return [headed(proofHeadNot(rows), lines(bad, 1200, andMore), 1700)];
}

/** The kubectl lines to run by hand (S23). */
export function snippetBlocks(snippets: readonly Snippet[]): Block[] {
  return snippets.map((snippet) => headed(`*${plain(snippet.title, 200)}*`, snippet.code, 2500));
}

function headed(head: string, code: string, room: number): Block {
  return section(`${head}\n${codeBlock(code, room)}`);
}

/** Lines of detail, such as what changed since the plan was sealed. Of a change that was refused they are all there is to read. */
export function detailBlocks({ change }: ChangeView): Block[] {
  const detail = change.detail ?? [];
  const room = change.state === 'refused' ? 2400 : 1000;
  const shown = lines(detail.map(visible), room, moreLines);
  return detail.length > 0 ? [section(codeBlock(shown, room + 200))] : [];
}
