/** A node joined: one route more on every peer, and read back. Fairway's whole way from the approval on, beside what one would use instead. */
import type { Client } from 'ssh2';
import type { Lab, LabHost } from '../test/lab/lab.js';
import { auditEvents } from '../test/support/audit.js';
import { type Cluster, openCluster } from './cluster.js';
import { inFlight } from './flight.js';
import { median } from './numbers.js';
import type { PutAway } from './put-away.js';
import { EXPECTED_OF, type Expectation, type RatedRow, type Report, type Row, rate } from './report.js';
import { coldLoop, exec, IN_FLIGHT, openAll } from './ssh-loop.js';
import { startMasters, stopMasters, toolsFor } from './tools.js';

export interface RoutesOptions {
  hosts: number;
  /** Measured rounds; one more, to warm up, comes before. */
  rounds: number;
  /** Gives every host its routes to all others first, as in a cluster that grew. */
  fullTables: boolean;
  /** Only contenders whose name or class has one of these in it. */
  only: readonly string[] | undefined;
}

interface Contender extends Omit<Row, 'samples'> {
  /** One run; milliseconds. */
  run(): Promise<number>;
}

/** Outside the cluster's CIDR, so that what the peers make is nothing to Fairway. */
const DESTINATION = '192.168.77.0/24';

export async function benchRoutes(options: RoutesOptions, putAway: PutAway): Promise<Report> {
  const { hosts, rounds, fullTables, only } = options;
  const cluster = await openCluster({ members: hosts, joiners: 1, fullTables }, putAway);
  const phases: Phases[] = [];
  const contenders = (await contendersFor(cluster, putAway, phases)).filter(
    ({ name, class: group }) => only === undefined || only.some((text) => `${name} ${group}`.includes(text)),
  );
  const samples = new Map(contenders.map(({ name, class: group }) => [`${name} ${group}`, [] as number[]]));
  for (let round = 0; round <= rounds; round += 1) {
    // One after the other in every round, so that what else the machine does hits all alike.
    for (const contender of contenders) {
      const took = await contender.run();
      if (round > 0) samples.get(`${contender.name} ${contender.class}`)?.push(took);
    }
    console.error(round === 0 ? 'warmed up' : `round ${round} of ${rounds}`);
  }
  const rows = rate(
    contenders.map(({ run: _run, ...row }) => ({
      ...row,
      samples: samples.get(`${row.name} ${row.class}`) ?? [],
    })),
  );
  return {
    bench: 'routes',
    of: { hosts, rounds, tables: fullTables ? 'full' : 'empty' },
    rows,
    facts: factsOf(phases),
    expectations: expectationsOf(rows, hosts),
  };
}

async function contendersFor(cluster: Cluster, putAway: PutAway, phases: Phases[]): Promise<Contender[]> {
  const { lab, members, joiners } = cluster;
  const gateway = joiners[0]?.spec.address ?? '';
  const command = `ip route replace ${DESTINATION} via ${gateway} proto 155; ip -j route show ${DESTINATION}`;
  await putAway.keep(startMasters(lab, members), stopMasters);
  const tools = toolsFor(lab, members, console.error).map(
    (tool): Contender => ({
      name: tool.name,
      class: tool.class,
      kind: 'tool',
      run: () =>
        timed(async () => {
          const answers = (await tool.run(command)).split(`"dst":"${DESTINATION}"`).length - 1;
          if (answers !== members.length)
            throw new Error(`${tool.name}: ${answers} of ${members.length} answered`);
        }),
    }),
  );
  return [
    { name: 'fairway', class: 'cold', kind: 'ours', run: () => joinAndLeave(cluster, true, phases) },
    { name: 'fairway', class: 'warm', kind: 'ours', run: () => joinAndLeave(cluster, false, phases) },
    ...tools,
    ...(await loops(lab, members, command, putAway)),
  ];
}

async function loops(
  lab: Lab,
  members: readonly LabHost[],
  command: string,
  putAway: PutAway,
): Promise<Contender[]> {
  const clients = await openAll(lab, members, putAway);
  const ask = async (client: Client | undefined) => {
    if (!client || !(await exec(client, command)).includes(DESTINATION))
      throw new Error('a host did not answer');
  };
  return [
    {
      name: `bare ssh2 loop, ${IN_FLIGHT} in flight`,
      class: 'cold',
      kind: 'loop',
      run: () => coldLoop(lab, members, command),
    },
    {
      name: `bare ssh2 loop, ${IN_FLIGHT} in flight`,
      class: 'warm',
      kind: 'loop',
      run: () => timed(() => inFlight(members, IN_FLIGHT, (host) => ask(clients.get(host)))),
    },
  ];
}

async function timed(job: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await job();
  return performance.now() - start;
}

/** Where the time of one change went, in milliseconds since the approval. */
interface Phases {
  cold: boolean;
  /** Every host read again, the new node a member. */
  gate: number;
  /** The new node, then the canary: these go before all others. */
  canary: number;
  /** Every host settled. */
  settled: number;
  /** Every pair of pods proved. */
  proved: number;
}

/** Adds a node by the worker, and rolls it back. Milliseconds from the approval to the moment when the last host was settled. */
async function joinAndLeave(cluster: Cluster, cold: boolean, phases: Phases[]): Promise<number> {
  const { stores, joiners } = cluster;
  const [joiner] = joiners;
  if (!joiner) throw new Error('no host to add');
  const { name, os, address } = joiner.spec;
  const id = await cluster.ask({ kind: 'add-node', spec: { name, os, address } });
  await cluster.until(id, 'pending');
  if (cold) await cluster.freshWorker();
  await cluster.approve(id);
  const change = await cluster.until(id, 'applied');
  const results = [...(await stores.changes.results(id)).values()];
  if (results.some(({ status }) => status !== 'done'))
    throw new Error(
      `${id}: not every host was changed: ${results
        .filter(({ status }) => status !== 'done')
        .map((r) => JSON.stringify(r))
        .join()}`,
    );
  const at = async (what: string): Promise<number> =>
    Date.parse(
      (await auditEvents(stores.audit)).findLast((event) => event.changeId === id && event.what === what)
        ?.at ?? '',
    );
  const approved = await at('approve');
  const settled = (await at('change-proving')) - approved;
  const times = results.map((result) => Date.parse(result.at) - approved).sort((a, b) => a - b);
  phases.push({
    cold,
    gate: (await at('apply-started')) - approved,
    canary: times[1] ?? Number.NaN,
    settled,
    proved: Date.parse(change.finishedAt ?? '') - approved,
  });
  await cluster.ask({ kind: 'rollback', id });
  await cluster.until(id, 'rolled-back');
  return settled;
}

/** The phases' medians, without the runs that warmed up. */
function factsOf(phases: readonly Phases[]): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const cold of [true, false]) {
    const runs = phases.filter((run) => run.cold === cold).slice(1);
    const of = (key: 'gate' | 'canary' | 'settled' | 'proved') =>
      median(runs.map((run) => run[key])).toFixed(0);
    if (runs.length > 0) {
      facts[`fairway ${cold ? 'cold' : 'warm'}, ms after the approval`] =
        `all hosts read again ${of('gate')}, canary done ${of('canary')}, all done ${of('settled')}, proved ${of('proved')}`;
    }
  }
  return facts;
}

function expectationsOf(rows: readonly RatedRow[], hosts: number): Expectation[] {
  const judged = (met: boolean): boolean | null => (hosts === EXPECTED_OF ? met : null);
  const at = `at ${EXPECTED_OF} hosts`;
  const of = (kind: Row['kind'], group: Row['class'], text: string) =>
    rows.find((row) => row.kind === kind && row.class === group && row.name.includes(text))?.median;
  const [cold, loop] = [of('ours', 'cold', ''), of('loop', 'cold', '')];
  const [warm, master] = [of('ours', 'warm', ''), of('tool', 'warm', 'xargs')];
  const expected: Expectation[] = [];
  if (cold && loop)
    expected.push({
      text: `cold, ${at}: at most 1.1 × the bare loop`,
      measured: `${(cold / loop).toFixed(2)} × at ${hosts}`,
      met: judged(cold / loop <= 1.1),
    });
  if (warm && master)
    expected.push({
      text: `warm, ${at}: at least 3 × faster than ssh over ControlMaster`,
      measured: `${(master / warm).toFixed(2)} × faster at ${hosts}`,
      met: judged(master / warm >= 3),
    });
  return expected;
}
