import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { HOSTS, startWorld, type World } from '../../sandbox/world.js';
import { createLab, type Lab } from '../lab/lab.js';
import { describeWith } from '../lab/requirements.js';
import { type Team, teamOf } from '../support/team.js';

/** Looks are seldom here, so whatever is heard sooner the host itself told. How soon is measured by `bench -- faults`. */
const EVERY_S = 20;
const TOLD_WITHIN_MS = 8000;
const NAMES = ['lin01', 'win01', 'lin02'];

describeWith(['root', 'dotnet'], 'faults on real hosts, as the channel hears them', () => {
  let lab: Lab;
  let world: World;
  let team: Team;

  beforeAll(async () => {
    const hosts = HOSTS.filter(({ name }) => NAMES.includes(name));
    lab = await createLab({ hosts: hosts.map((host) => ({ ...host, processes: true })) });
    world = await startWorld({ ssh: lab, workers: 2, env: { PROBE_EVERY: `${EVERY_S}s` } });
    team = teamOf(world);
    for (const { name, os, address } of hosts) await team.make(`add ${os} node ${name} ${address}`);
    await listening(...NAMES);
  }, 120_000);
  afterAll(async () => {
    team.close();
    await world.close();
    await lab.close();
  });

  // As if a while had passed: what happens within a minute would become one card.
  beforeEach(async () => {
    await team.stores.redis.del(team.stores.keys.noticeTimes);
  });

  /** Until the hosts would tell by themselves. */
  async function listening(...names: string[]): Promise<void> {
    const { redis, keys } = team.stores;
    for (const name of names) while (!(await redis.exists(keys.pushLease(name)))) await sleep(50);
  }

  test.each(['lin01', 'win01'])(
    'kube-proxy on %s killed and started: the host itself tells',
    async (name) => {
      await lab.kill(name, 'kube-proxy');
      await lab.startComponent(name, 'kube-proxy');
      const began = Date.now();
      const { text } = await team.untilNotice(`kube-proxy on ${name} restarted`);
      expect(Date.now() - began).toBeLessThan(TOLD_WITHIN_MS);
      expect(text).toContain('Routes 2/2 there; 2/2 peers have its route.');
    },
  );

  test.each(['lin02', 'win01'])(
    'kubelet on %s killed: down, and by Restart it is back',
    async (name) => {
      await listening(name);
      await lab.kill(name, 'kubelet');
      const { ts } = await team.untilNotice(`🔴 kubelet on ${name} is down`);
      await team.press(ts, 'Restart');
      expect((await team.untilNotice(`🟢 kubelet on ${name} is back`)).ts).toBe(ts);
    },
    60_000,
  );

  test('a route deleted by hand: told at once, and put back by the button', async () => {
    await lab.exec('lin01', 'ip route del 192.168.1.0/24');
    const { ts, text } = await team.untilNotice('🔴 lin01 lost part of its network');
    expect(text).toContain('192.168.1.0/24 via 10.0.0.5');
    expect(await team.mend(ts)).toMatchObject({ state: 'applied' });
    expect((await team.untilNotice('🟢 lin01 has its network again')).ts).toBe(ts);
    expect(await lab.exec('lin01', 'ip route show 192.168.1.0/24')).toContain('proto 155');
  }, 60_000);

  test.each(['lin02', 'win01'])(
    '%s reboots: one incident; its routes and its network came back by themselves',
    async (name) => {
      const before = team.notices().length;
      await lab.reboot(name);
      await team.untilNotice(`🟢 ${name} rebooted`, 'Routes 2/2 there; 2/2 peers have its route.');
      expect(team.notices()).toHaveLength(before + 1);
    },
    150_000,
  );

  test('a host cut off by a firewall rule for a minute: silence, and its end, on one card', async () => {
    const rules = 'add table ip cut; add chain ip cut in { type filter hook input priority 0; policy drop; }';
    const began = Date.now();
    await lab.exec('lin02', `nft '${rules}'`);
    try {
      const { ts } = await team.untilNotice('🔴 lin02 does not answer');
      const count = team.notices().length;
      await sleep(Math.max(0, began + 60_000 - Date.now()));
      expect(team.notices()).toHaveLength(count);
      await lab.exec('lin02', 'nft delete table ip cut');
      expect((await team.untilNotice('🟢 lin02 answers again')).ts).toBe(ts);
    } finally {
      await lab.exec('lin02', 'nft delete table ip cut').catch(() => undefined);
    }
  }, 180_000);

  test('Redis stopped for ten seconds, and a worker killed in a sweep: nothing is lost, and nothing told twice', async () => {
    const count = team.notices().length;
    const [first] = world.workers;
    const info = await team.stores.redis.info('server');
    const redis = Number(/process_id:(\d+)/.exec(info)?.[1]);
    process.kill(redis, 'SIGSTOP');
    await lab.kill('lin01', 'kubelet');
    await lab.startComponent('lin01', 'kubelet');
    await sleep(10_000);
    process.kill(redis, 'SIGCONT');
    if (!first) throw new Error('no worker');
    const ended = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await ended;
    await team.untilNotice('kubelet on lin01 restarted');
    await sleep(5000);
    expect(team.notices()).toHaveLength(count + 1);
  }, 90_000);

  test('and Slack never had to complain', () => {
    expect(world.slack.violations).toEqual([]);
  });
});
