/** One fault after the other on real hosts, and what the channel saw of it, after how long. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BOB, CHANNEL, HOSTS, startWorld } from '../sandbox/world.js';
import type { Os } from '../src/node/node.js';
import { createLab, type Lab } from '../test/lab/lab.js';
import { run } from '../test/lab/system.js';
import { type Team, teamOf } from '../test/support/team.js';
import type { PutAway } from './put-away.js';
import { type Report, type Row, rate } from './report.js';

/** Fairway's own default. */
const EVERY = '30s';
const PATIENCE_MS = 120_000;
/** The issue's own bound, for what the host itself tells. */
const HEARD_MS = 2000;

interface Fault {
  name: string;
  /** Makes it; whatever it gives back is undone at the end. */
  make(lab: Lab, host: string): Promise<unknown>;
  /** What the card says of it. */
  heard(host: string): string;
  mend?(lab: Lab, team: Team, host: string, ts: string): Promise<unknown>;
  mended?(host: string): string;
  /** Heard by the host's push, so within two seconds. */
  pushed?: boolean;
}

const repair = (_lab: Lab, team: Team, _host: string, ts: string) => team.mend(ts);

const FAULTS: readonly Fault[] = [
  {
    name: 'kube-proxy restarts',
    make: async (lab, host) => {
      await lab.kill(host, 'kube-proxy');
      await lab.startComponent(host, 'kube-proxy');
    },
    heard: (host) => `kube-proxy on ${host} restarted`,
    pushed: true,
  },
  {
    name: 'kubelet ends',
    make: (lab, host) => lab.kill(host, 'kubelet'),
    heard: (host) => `🔴 kubelet on ${host} is down`,
    mend: (_lab, team, _host, ts) => team.press(ts, 'Restart', BOB),
    mended: (host) => `🟢 kubelet on ${host} is back`,
  },
  {
    name: 'a route is deleted',
    make: (lab, host) => lab.exec(host, 'ip route flush root 192.168.0.0/16 scope global'),
    heard: (host) => `🔴 ${host} lost part of its network`,
    mend: repair,
    mended: (host) => `🟢 ${host} has its network again`,
  },
  {
    // Its routes and its network come back by themselves: there is nothing to mend.
    name: 'the host reboots',
    make: (lab, host) => lab.reboot(host),
    heard: (host) => `${host} rebooted`,
  },
  {
    name: 'the cable is pulled',
    make: (lab, host) => lab.cut(host),
    heard: (host) => `🔴 ${host} does not answer`,
    mend: (lab, _team, host) => lab.mend(host),
    mended: (host) => `🟢 ${host} answers again`,
  },
];

export async function benchFaults(putAway: PutAway): Promise<Report> {
  const systems: Os[] = (await hasDotnet()) ? ['linux', 'windows'] : ['linux'];
  const targets = systems.map((os) => ({ os, host: os === 'linux' ? 'lin01' : 'win01' }));
  const names = [...targets.map(({ host }) => host), 'lin02'];
  const hosts = HOSTS.filter(({ name }) => names.includes(name));
  const lab = await putAway.keep(
    createLab({ hosts: hosts.map((host) => ({ ...host, processes: true })) }),
    (made) => made.close(),
  );
  const world = await putAway.keep(
    startWorld({ ssh: lab, workers: 1, env: { PROBE_EVERY: EVERY } }),
    (made) => made.close(),
  );
  const team = teamOf(world);
  await putAway.keep(Promise.resolve(team), async () => team.close());
  for (const { name, os, address } of hosts) await team.make(`add ${os} node ${name} ${address}`);
  const rows: Row[] = [];
  const late: string[] = [];
  for (const fault of FAULTS) {
    for (const { host } of targets) {
      await listening(team, host);
      const before = Date.now();
      await fault.make(lab, host);
      const made = Date.now();
      const { ts, at } = await seen(team, world, fault.heard(host));
      const heard = at - (fault.pushed ? made : before);
      rows.push({ name: `${fault.name}, ${host}: heard`, class: 'all', kind: 'ours', samples: [heard] });
      if (fault.pushed && heard > HEARD_MS) late.push(`${host} ${heard} ms`);
      if (!fault.mend || !fault.mended) continue;
      await fault.mend(lab, team, host, ts);
      const mended = Date.now();
      const back = await seen(team, world, fault.mended(host));
      const row = { name: `${fault.name}, ${host}: seen mended`, class: 'all', kind: 'ours' } as const;
      rows.push({ ...row, samples: [Math.max(0, back.at - mended)] });
    }
  }
  return {
    bench: 'faults',
    of: { 'looked at every': EVERY, hosts: hosts.length },
    rows: rate(rows),
    facts: { 'cards in the channel': team.notices().length },
    expectations: [
      {
        text: 'a restart is heard within 2 s where the host tells',
        measured: late.length === 0 ? 'every time' : `not ${late.join(', ')}`,
        met: late.length === 0,
      },
    ],
  };
}

/** Windows hosts run on PowerShell's own engine, which the SDK builds. */
async function hasDotnet(): Promise<boolean> {
  return run('dotnet', ['--list-sdks']).then(
    (sdks) => sdks.trim() !== '',
    () => false,
  );
}

async function listening({ stores: { redis, keys } }: Team, host: string): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  while (!(await redis.exists(keys.pushLease(host)))) {
    if (Date.now() > until) throw new Error(`nobody listens to ${host}`);
    await sleep(100);
  }
}

/** When the newest card first said so, by the fake Slack's clock. */
async function seen(
  team: Team,
  world: Awaited<ReturnType<typeof startWorld>>,
  text: string,
): Promise<{ ts: string; at: number }> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = team.notices().findLast((notice) => notice.text.includes(text));
    const shown = found && world.slack.messages(CHANNEL).find(({ ts }) => ts === found.ts);
    if (found && shown) return { ts: found.ts, at: Date.now() };
    if (Date.now() > until) throw new Error(`the channel never saw "${text}"`);
    await sleep(20);
  }
}
