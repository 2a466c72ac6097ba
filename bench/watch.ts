/**
 * What watching costs while nothing happens, beside the same by clush in a loop; then what the channel hears when every kubelet
 * restarts at once. Hosts are real sshds with two processes each that stand for kubelet and kube-proxy.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHANNEL } from '../sandbox/world.js';
import { untold } from '../src/watch/notice.js';
import { type Cluster, openCluster } from './cluster.js';
import { inFlight } from './flight.js';
import type { PutAway } from './put-away.js';
import { EXPECTED_OF, type Expectation, type Report, type Row, rate } from './report.js';
import { startMasters, stopMasters, toolsFor } from './tools.js';

/** Fairway's own default. */
const EVERY_S = 30;
/** What a person would ask for in a loop: the boot, both processes with their starts, the routes. */
const BY_HAND =
  'cat /proc/sys/kernel/random/boot_id; for p in $(pgrep -x "kubelet|kube-proxy"); do cat /proc/$p/stat; done; ip -j route show';
/** Of one core. */
const MOST_SHARE = 0.03;
const STORM_WITHIN_MS = 120_000;

export async function benchWatch(
  size: { hosts: number; minutes: number },
  putAway: PutAway,
): Promise<Report> {
  const { hosts, minutes } = size;
  const cluster = await openCluster(
    { members: hosts, joiners: 0, fullTables: true, watched: `${EVERY_S}s` },
    putAway,
  );
  await allSeen(cluster);
  // Connections, listeners and just-in-time compilation are not what is measured.
  await sleep(EVERY_S * 1000);
  const ours = await idle(cluster, minutes);
  const storm = await restartAll(cluster);
  const byHand = await clushLoop(cluster, minutes, putAway);
  const rows: Row[] = [
    { name: 'fairway: worker, bot and Redis', class: 'all', kind: 'ours', samples: [ours.cpuMs] },
    ...(byHand ? [{ ...byHand, class: 'all' as const, kind: 'tool' as const }] : []),
  ];
  const share = ours.cpuMs / (minutes * 60_000);
  return {
    bench: 'watch',
    of: { hosts, minutes, 'CPU time in': 'ms', 'routes a host': hosts - 1 },
    rows: rate(rows),
    facts: {
      'of a core': `${(share * 100).toFixed(2)} %`,
      'bytes to and from the hosts, a host and look': Math.round(
        ours.bytes / hosts / ((minutes * 60) / EVERY_S),
      ),
      'worker, resident memory': `${ours.memoryMiB} MiB`,
      ...storm.facts,
    },
    expectations: [
      {
        text: `at most ${MOST_SHARE * 100} % of a core for ${EXPECTED_OF} hosts`,
        measured: `${(share * 100).toFixed(2)} % for ${hosts}`,
        met: hosts === EXPECTED_OF ? share <= MOST_SHARE : null,
      },
      ...storm.expectations,
    ],
  };
}

/** Until every host was looked at, and tells by itself what ends. */
async function allSeen({ stores, members }: Cluster): Promise<void> {
  const { redis, keys, watch } = stores;
  for (;;) {
    const seen = (await watch.all()).filter(({ boot }) => boot !== null).length;
    const listening = await redis.exists(members.map(({ spec }) => keys.pushLease(spec.name)));
    if (seen === members.length && listening === members.length) return;
    await sleep(200);
  }
}

async function idle(cluster: Cluster, minutes: number) {
  const info = await cluster.stores.redis.info('server');
  const worker = cluster.world.workers.at(-1)?.child.pid ?? 0;
  const pids = [worker, cluster.world.bot.child.pid ?? 0, Number(/process_id:(\d+)/.exec(info)?.[1])];
  const device = deviceOf(cluster);
  const [cpu, bytes] = [cpuMsOf(pids), bytesOn(device)];
  await sleep(minutes * 60_000);
  return {
    cpuMs: cpuMsOf(pids) - cpu,
    bytes: bytesOn(device) - bytes,
    memoryMiB: Math.round(
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${worker}/status`, 'utf8'))?.[1]) / 1024,
    ),
  };
}

/** Every kubelet restarts at the same time: is each heard once, and how fast does the channel scroll? */
async function restartAll(cluster: Cluster) {
  const { lab, members, stores, world } = cluster;
  const hear = () =>
    world.slack
      .messages(CHANNEL)
      .filter((message) => message.metadata?.event_type === 'fairway_notice' && !message.deleted);
  const began = Date.now();
  await inFlight(members, 32, ({ spec }) => lab.exec(spec.name, 'systemctl restart kubelet.service'));
  const restarted = Date.now();
  const isToldOf = async () => {
    const all = await stores.watch.all();
    const heard = all.filter(({ incidents }) =>
      incidents.some(
        ({ reason, component, notice }) => reason === 'restarted' && component === 'kubelet' && notice,
      ),
    );
    return heard.length === members.length && untold(all).length === 0;
  };
  while (!(await isToldOf())) {
    if (Date.now() - began > STORM_WITHIN_MS) throw new Error('not every restart was told of');
    await sleep(100);
  }
  await sleep(5000);
  const told = Date.now() - began - 5000;
  const incidents = (await stores.watch.all()).flatMap((host) => host.incidents);
  const posts = hear().map(({ ts }) => Number(ts) * 1000);
  const gaps = posts.slice(1).map((at, index) => at - (posts[index] ?? 0));
  const often = incidents.filter(({ count }) => count > 1).length;
  return {
    facts: {
      'all kubelets restarted within': `${restarted - began} ms`,
      'all told within': `${told} ms`,
      'messages in the channel': posts.length,
    },
    expectations: [
      {
        text: 'each restart is one incident, told once',
        measured: `${incidents.length} incidents of ${members.length} restarts, ${often} counted twice`,
        met: incidents.length === members.length && often === 0,
      },
      {
        text: 'at most one message a second in the channel',
        measured: gaps.length === 0 ? 'one message' : `${Math.round(Math.min(...gaps))} ms apart at least`,
        met: gaps.every((gap) => gap >= 1000),
      },
    ] satisfies Expectation[],
  };
}

/** The same questions by clush over open connections; null when it is not installed. */
async function clushLoop({ lab, members }: Cluster, minutes: number, putAway: PutAway) {
  const masters = await putAway.keep(startMasters(lab, members), stopMasters);
  const say = (line: string) => console.error(line);
  const clush = toolsFor(lab, members, say).find(
    ({ name }) => name.startsWith('clush') && name.includes('Master'),
  );
  if (!clush) return null;
  await clush.run(BY_HAND);
  const pids = masters.map(({ pid }) => pid ?? 0);
  const [own, children] = [cpuMsOf(pids), childrenMs()];
  const end = Date.now() + minutes * 60_000;
  for (let next = Date.now(); Date.now() < end; ) {
    await clush.run(BY_HAND);
    next += EVERY_S * 1000;
    await sleep(Math.max(0, Math.min(next, end) - Date.now()));
  }
  const cpuMs = cpuMsOf(pids) - own + childrenMs() - children;
  return { name: `${clush.name}, every ${EVERY_S} s`, samples: [cpuMs] };
}

/** CPU time of processes that still run, in ms: user and system, in ticks of 10 ms. */
function cpuMsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = statOf(pid);
    return sum + (Number(fields[11]) + Number(fields[12])) * 10;
  }, 0);
}

/** CPU time of our children that have ended, and of theirs, in ms. */
function childrenMs(): number {
  const fields = statOf(process.pid);
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** The fields of /proc/PID/stat after the name. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Bytes both ways on the one link into the lab. */
function bytesOn(device: string): number {
  const read = (way: string) =>
    Number(readFileSync(`/sys/class/net/${device}/statistics/${way}_bytes`, 'utf8'));
  return read('rx') + read('tx');
}

function deviceOf({ lab }: Cluster): string {
  return `fw${/(\d+)$/.exec(lab.dir)?.[1]}`;
}
