/** Many nodes approved one right after the other: how often each host is visited for all of them, and how long it takes. */
import { readFileSync } from 'node:fs';
import type { Client } from 'ssh2';
import type { LabHost } from '../test/lab/lab.js';
import { auditEvents } from '../test/support/audit.js';
import { type Cluster, openCluster } from './cluster.js';
import { inFlight } from './flight.js';
import type { PutAway } from './put-away.js';
import { type Report, rate } from './report.js';
import { exec, IN_FLIGHT, openAll } from './ssh-loop.js';

/** What an approver may take for granted: a host that waits for many changes is visited for all of them. */
const MOST_VISITS = 2;

export async function benchBulk(size: { nodes: number; hosts: number }, putAway: PutAway): Promise<Report> {
  const { nodes, hosts } = size;
  const cluster = await openCluster({ members: hosts, joiners: nodes, fullTables: false }, putAway);
  // A warm worker: one that has done it all before, and took it back.
  await joinAll(cluster);
  await leaveAll(cluster);
  const ours = await joinAll(cluster);
  const visits = visitsOf(cluster, ours.ids);
  const [one, all] = await loops(cluster, putAway);
  const counts = cluster.members.map(({ spec }) => visits.get(spec.name)?.size ?? 0);
  const most = Math.max(...counts);
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return {
    bench: 'bulk',
    of: { nodes, hosts },
    rows: rate([
      { name: 'fairway, first approval to last host', class: 'warm', kind: 'ours', samples: [ours.settled] },
      { name: 'fairway, first approval to last proof', class: 'all', kind: 'ours', samples: [ours.proved] },
      { name: 'bare ssh2, node after node', class: 'warm', kind: 'loop', samples: [one] },
      { name: 'bare ssh2, all nodes in one exec a host', class: 'warm', kind: 'loop', samples: [all] },
    ]),
    facts: {
      'visits a host, whatever came of them, most': most,
      'visits a host, mean': mean.toFixed(2),
      'beside them, a host':
        'read once by each gate (2: the first change, then all others), asked for the proofs once or twice',
    },
    expectations: [
      {
        text: `each host is visited at most ${MOST_VISITS} times to change it`,
        measured: `${most} times`,
        met: most <= MOST_VISITS,
      },
    ],
  };
}

interface Joined {
  ids: readonly string[];
  /** Milliseconds from the first approval. */
  settled: number;
  proved: number;
}

/** Asks for all, waits for their plans, approves them one after the other without waiting, and waits for all. */
async function joinAll(cluster: Cluster): Promise<Joined> {
  const ids: string[] = [];
  for (const { spec } of cluster.joiners) {
    const { name, os, address } = spec;
    ids.push(await cluster.ask({ kind: 'add-node', spec: { name, os, address } }));
  }
  for (const id of ids) await cluster.until(id, 'pending');
  const start = Date.now();
  for (const id of ids) await cluster.approve(id);
  const ends: number[] = [];
  for (const id of ids) ends.push(Date.parse((await cluster.until(id, 'applied')).finishedAt ?? ''));
  const events = await auditEvents(cluster.stores.audit);
  const settled = events
    .filter(({ changeId, what }) => what === 'change-proving' && ids.includes(changeId ?? ''))
    .map(({ at }) => Date.parse(at));
  return { ids, settled: Math.max(...settled) - start, proved: Math.max(...ends) - start };
}

async function leaveAll(cluster: Cluster): Promise<void> {
  for (const { spec } of cluster.joiners) {
    const id = await cluster.ask({ kind: 'remove-node', name: spec.name });
    await cluster.until(id, 'pending');
    await cluster.approve(id);
    await cluster.until(id, 'applied');
  }
}

/** The visits of each host for these changes, by host, from the worker's log: those that found nothing to do, failed or came too late count too. */
function visitsOf({ logFile }: Cluster, ids: readonly string[]): Map<string, Set<number>> {
  const visits = new Map<string, Set<number>>();
  for (const line of readFileSync(logFile, 'utf8').split('\n')) {
    if (!line.includes('"visit":')) continue;
    const { change, host, visit } = JSON.parse(line) as Record<string, unknown>;
    if (!ids.includes(String(change))) continue;
    const known = visits.get(String(host)) ?? new Set();
    visits.set(String(host), known.add(Number(visit)));
  }
  return visits;
}

/** The same routes by hand over open connections: a round for each node, and one for all of them. Milliseconds. */
async function loops(cluster: Cluster, putAway: PutAway): Promise<[number, number]> {
  const clients = await openAll(cluster.lab, cluster.members, putAway);
  const routes = cluster.joiners.map(
    ({ spec }, index) => `192.168.${index}.0/24 via ${spec.address} proto 155`,
  );
  const round = (command: string) =>
    inFlight(cluster.members, IN_FLIGHT, (host: LabHost) => exec(clients.get(host) as Client, command));
  await round('true');
  const first = performance.now();
  for (const route of routes)
    await round(`ip route replace ${route}; ip -j route show ${route.split(' ')[0]}`);
  const second = performance.now();
  const lines = routes.map((route) => `'route replace ${route}'`);
  await round(`printf '%s\\n' ${lines.join(' ')} | ip -batch - && ip -j route show proto 155`);
  return [second - first, performance.now() - second];
}
