/** Progress and results as a card shows them: failures first, then the proof. Pure. */
import type { HostResult, HostStatus, ProofRow } from '../change/change.js';
import type { ChangeView } from '../command/reply.js';
import type { Snippet } from '../snippet/kubectl.js';
import { type Block, section } from './blocks.js';
import { plural } from './card-plan.js';
import { code, codeBlock, lines, plain, visible } from './text.js';

/** Proof tables larger than this are told in one line, and only what does not answer is listed. */
const PROOF_HOSTS = 12;

const SIGN: Readonly<Record<HostStatus, string>> = {
  failed: '❌',
  owed: '🟠',
  cancelled: '⏹️',
  running: '⏳',
  waiting: '·',
  unchanged: '✅',
  done: '✅',
};

/** Failures and debts with the host's own words, what still runs, and the names of those not visited (`over`: nobody will be, unasked). */
export function hostLines(hosts: readonly HostResult[], over: boolean): Block[] {
  const worded = byStatus(hosts, ['failed', 'owed', 'running']).map((host) => {
    const error = host.error ? `: ${plain(host.error, 400)}` : '';
    return `${SIGN[host.status]} ${code(host.host, 80)} ${host.status}${error}`;
  });
  const named = (['cancelled', 'waiting'] as const).flatMap((status) => {
    const names = byStatus(hosts, [status]).map((host) => code(host.host, 80));
    const list = lines(names, 400, (left) => `${left} more`, ', ');
    return names.length > 0 ? [`${SIGN[status]} ${over ? 'not run' : status}: ${list}`] : [];
  });
  const told = [...worded, ...named];
  // Failures come first, so that what is cut matters least (Q13).
  return told.length > 0 ? [section(lines(told, 2000, (left) => `… and ${left} more in *Details*.`))] : [];
}

function byStatus(hosts: readonly HostResult[], order: readonly HostStatus[]): HostResult[] {
  return order.flatMap((status) => hosts.filter((host) => host.status === status));
}

/** Who reaches whom, asked with packets (N3). */
export function proofBlocks(rows: readonly ProofRow[], node: string): Block[] {
  if (rows.length === 0) return [];
  const good = rows.filter(answers).length;
  const summary = `*Proof*: ${good} of ${plural(rows.length, 'pair')} ${good === 1 ? 'answers' : 'answer'}`;
  const peers = new Set(rows.flatMap((row) => [row.from, row.to]));
  peers.delete(node);
  if (peers.size <= PROOF_HOSTS) return [section(`${summary}\n${codeBlock(proofTable(rows, node), 1500)}`)];
  const bad = rows.filter((row) => !answers(row)).map(pairText);
  return [
    section(
      bad.length === 0
        ? summary
        : `${summary}. Not:\n${codeBlock(
            lines(bad, 1200, (left) => `… and ${left} more`),
            1700,
          )}`,
    ),
  ];
}

function answers(row: ProofRow): boolean {
  return row.answer === 'icmp' || row.answer === 'tcp';
}

function pairText(row: ProofRow): string {
  return `${row.from} → ${row.to} (${row.gateway}): ${word(row)}`;
}

function word(row: ProofRow | undefined): string {
  switch (row?.answer) {
    case 'icmp':
    case 'tcp':
      return `ok ${row.answer}`;
    case 'none':
      return 'NO ANSWER';
    case 'unknown':
      return 'unknown';
    default:
      return '-';
  }
}

/** One line a peer with both directions, which is narrow enough for a phone; pairs without the node follow as they are. */
export function proofTable(rows: readonly ProofRow[], node: string): string {
  const others = [...new Set(rows.flatMap((row) => [row.from, row.to]))].filter((name) => name !== node);
  const peers = others.filter((peer) => rows.some((row) => touches(row, node, peer)));
  const width = Math.max(...peers.map((peer) => peer.length), 4);
  const line = (peer: string, out: string, back: string) =>
    `${peer.padEnd(width)}  ${out.padEnd(9)}  ${back}`;
  const table = peers.map((peer) =>
    line(
      peer,
      word(rows.find((row) => row.from === node && row.to === peer)),
      word(rows.find((row) => row.from === peer && row.to === node)),
    ),
  );
  const rest = rows.filter((row) => row.from !== node && row.to !== node).map(pairText);
  return [
    ...(table.length > 0 ? [`${node}:`, line('peer', 'to it', 'from it'), ...table] : []),
    ...rest,
  ].join('\n');
}

function touches(row: ProofRow, node: string, peer: string): boolean {
  return (row.from === node && row.to === peer) || (row.from === peer && row.to === node);
}

/** The kubectl lines to run by hand (S23). */
export function snippetBlocks(snippets: readonly Snippet[]): Block[] {
  return snippets.map((snippet) =>
    section(`*${plain(snippet.title, 200)}*\n${codeBlock(snippet.code, 2500)}`),
  );
}

/** Lines of detail, such as what changed since the plan was sealed. */
export function detailBlocks(view: ChangeView): Block[] {
  const detail = view.change.detail ?? [];
  const shown = lines(detail.map(visible), 1000, (left) => `… and ${left} more lines`);
  return detail.length > 0 ? [section(codeBlock(shown, 1200))] : [];
}
