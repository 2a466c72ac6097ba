/** How each host of a change went, and the proof. Pure. */

import type { Ask } from '../change/ask.js';
import type { Debt, HostResult, HostStatus, ProofRow } from '../change/change.js';
import type { Progress } from '../host/platform.js';
import { builtLines } from './build.js';
import { askSwitch } from './deliver.js';
import { code, lines, plain, when, who } from './mrkdwn.js';
import { more, plural } from './phrase.js';

const SIGN: Readonly<Record<HostStatus, string>> = {
  failed: '❌',
  owed: '🟠',
  cancelled: '⏹️',
  asking: '✋',
  waiting: '·',
  unchanged: '✅',
  done: '✅',
};

/** One host with its own words. */
export function hostLine(host: HostResult): string {
  const error = host.error ? `: ${plain(host.error, 400)}` : '';
  if (host.status === 'asking' && host.ask) return `${SIGN.asking} ${asked(host.host, host.ask)}`;
  if (host.built) return builtLines(host).join('\n');
  if (host.doing) return `⏳ ${code(host.host, 80)} ${plain(host.doing, 200)}`;
  if (host.note) return `${SIGN[host.status]} ${code(host.host, 80)} ${plain(host.note, 300)}`;
  const debt = host.status === 'owed' && host.debt ? ` ${owedFor(host.debt)}` : '';
  return `${SIGN[host.status]} ${code(host.host, 80)} ${host.status}${debt}${error}`;
}

/** What a host waits to be told. */
export function asked(host: string, ask: Ask): string {
  switch (ask.kind) {
    case 'reboot':
      return `${code(host, 80)} has to restart before it goes on: Windows asks for it. Everything on it is away for some minutes.`;
    case 'switch':
      return askSwitch(host, ask.component, ask.executable);
    case 'delete-network':
      return `${code(host, 80)}: delete the container network ${code(ask.network)} too? It cuts whatever else hangs on that network card. Without a word it stays.`;
  }
}

/** The same, to whoever asked for the change. */
export function sayAsking(id: string, requester: string, host: string, ask: Ask): string {
  return `${who(requester)}: ${asked(host, ask)} An approver answers on the card of ${code(id)}, or types ${code(`confirm ${id}`)} or ${code(`decline ${id}`)}.`;
}

/** How far work is that goes on there, such as `3 of 8: image (4 of 7 layers)`. */
export function sayProgress({ done, of, doing, progress }: Progress): string {
  if (doing === '') return `${done} of ${of} steps`;
  return `${done + 1} of ${of}: ${doing.replaceAll('-', ' ')}${progress === '' ? '' : ` (${progress})`}`;
}

export const restarting = 'restarts';

/** `since today 15:04, until …`, in the reader's own time zone. */
export function owedFor({ since, until }: Debt): string {
  return `since ${when(since)}, until ${when(until)}`;
}

/** The names of hosts that nobody has visited; nobody will, unasked, once the change is `over`. */
export function unvisited(hosts: readonly string[], status: 'cancelled' | 'waiting', over: boolean): string {
  const names = hosts.map((host) => code(host, 80));
  return `${SIGN[status]} ${over ? 'not run' : status}: ${lines(names, 400, more, ', ')}`;
}

export function proofHead(rows: readonly ProofRow[]): string {
  const good = rows.filter(answers).length;
  return `*Proof*: ${good} of ${plural(rows.length, 'pair')} ${good === 1 ? 'answers' : 'answer'}`;
}

/** The same, above the pairs that don't answer. */
export function proofHeadNot(rows: readonly ProofRow[]): string {
  return `${proofHead(rows)}. Not:`;
}

export function answers(row: ProofRow): boolean {
  return row.answer === 'icmp' || row.answer === 'tcp';
}

export function pairText(row: ProofRow): string {
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

/**
 * One line a peer with both directions, which is narrow enough for a phone; pairs without the node follow as they are. Without a
 * node, one line a pair.
 */
export function proofTable(rows: readonly ProofRow[], node?: string): string {
  if (node === undefined) return pairTable(rows);
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

function pairTable(rows: readonly ProofRow[]): string {
  const pairs = new Map(rows.map((row) => [[row.from, row.to].sort().join(' '), [row.from, row.to]]));
  const lines = [...pairs.values()].map(([a = '', b = '']) => {
    const way = (from: string, to: string) => word(rows.find((row) => row.from === from && row.to === to));
    return { pair: `${a} ↔ ${b}`, there: way(a, b), back: way(b, a) };
  });
  const width = Math.max(...lines.map(({ pair }) => pair.length), 4);
  return [{ pair: 'pair', there: '→', back: '←' }, ...lines]
    .map(({ pair, there, back }) => `${pair.padEnd(width)}  ${there.padEnd(9)}  ${back}`)
    .join('\n');
}

function touches(row: ProofRow, node: string, peer: string): boolean {
  return (row.from === node && row.to === peer) || (row.from === peer && row.to === node);
}

export function moreLines(left: number): string {
  return `… and ${left} more lines`;
}
