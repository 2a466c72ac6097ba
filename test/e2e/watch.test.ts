import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ALICE, BOB } from '../../sandbox/world.js';
import { auditEvents } from '../support/audit.js';
import { openSite, podRoutes, type Site } from '../support/site.js';

/** Until hosts were looked at, and tell by themselves what ends. */
async function watched({ team: { stores } }: Site, ...hosts: string[]): Promise<void> {
  for (const host of hosts) while (!(await stores.redis.exists(stores.keys.pushLease(host)))) await sleep(50);
}

describe('what the channel hears', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({ env: { PROBE_EVERY: '2s' } });
    await site.team.make('add linux node lin01 10.0.0.4');
    await site.team.make('add windows node win01 10.0.0.5');
    await site.team.make('add linux node lin02 10.0.0.8');
    await watched(site, 'lin01', 'win01', 'lin02');
  }, 60_000);
  afterAll(() => site.close());
  // As if a while had passed: what happens within a minute would become one card.
  beforeEach(async () => {
    const { redis, keys } = site.team.stores;
    await redis.del(keys.noticeTimes);
  });

  test('a restart, with the pids, and how the routes are', async () => {
    const { team, host } = site;
    host('win01').restart('kube-proxy');
    const { ts, text } = await team.untilNotice('kube-proxy on win01 restarted');
    expect(text).toMatch(/pid \d+ → \d+/);
    expect(text).toContain('Routes 2/2 there; 2/2 peers have its route.');
    host('win01').restart('kube-proxy');
    expect(await team.untilNotice('(2nd in 20 min)')).toMatchObject({ ts });
    expect(team.notices()).toHaveLength(1);
  });

  test('a process that is down, after its grace; Restart is for approvers, and turns the card green', async () => {
    const { team, host } = site;
    host('lin01').kill('kubelet');
    const { ts } = await team.untilNotice('🔴 kubelet on lin01 is down');
    // The worker is quick: what it found may come before the word that it looks.
    await team.press(ts, 'Logs', ALICE);
    await team.hears('Fetching', ALICE);
    expect(await team.hears('its last lines', ALICE)).toMatch(/kubelet\[\d+\]/);
    expect(await team.press(ts, 'Restart', ALICE)).toMatch(/Only an approver/);
    expect(await team.press(ts, "I'm on it", ALICE)).toContain('you are on it');
    expect((await team.untilNotice('is on it.')).ts).toBe(ts);
    await team.press(ts, 'Restart', BOB);
    await team.hears('Restarting kubelet', BOB);
    expect((await team.untilNotice('🟢 kubelet on lin01 is back')).ts).toBe(ts);
    const audit = await auditEvents(team.stores.audit);
    expect(audit.filter(({ what }) => what === 'process-restart')).toMatchObject([
      { actor: `TSANDBOX:${BOB}`, host: 'lin01' },
    ]);
    // The restart was ours: no second card.
    expect(team.notices().filter(({ text }) => text.includes('kubelet on lin01'))).toHaveLength(1);
  }, 60_000);

  test('a route that vanished, at once, with the button whose plan puts it back', async () => {
    const { team, host } = site;
    host('lin02').removeRoute('192.168.1.0/24');
    const { ts, text } = await team.untilNotice('🔴 lin02 lost part of its network');
    expect(text).toContain('192.168.1.0/24 via 10.0.0.5');
    expect(await team.mend(ts)).toMatchObject({ state: 'applied', requester: `TSANDBOX:${ALICE}` });
    expect((await team.untilNotice('🟢 lin02 has its network again')).ts).toBe(ts);
    expect(podRoutes(host('lin02'))).toContain('192.168.1.0/24 via 10.0.0.5');
  }, 60_000);

  test('a reboot, once, with what it lost on the same card', async () => {
    const { team, host } = site;
    const count = team.notices().length;
    host('lin01').reboot();
    const { ts, text } = await team.untilNotice('lin01 lost part of its network by a reboot');
    expect(text).toContain('the pod gateway');
    // Its plan is there already: what a boot lost is asked for without a click.
    expect(await team.mend(ts)).toMatchObject({ state: 'applied', requester: 'fairway' });
    expect((await team.untilNotice('🟢 lin01 rebooted')).ts).toBe(ts);
    expect(team.notices()).toHaveLength(count + 1);
  }, 60_000);

  test('a host that does not answer, and that it does again; its debts are paid by then', async () => {
    const { team, host } = site;
    await host('win01').down();
    const { ts } = await team.untilNotice('🔴 win01 does not answer');
    const change = await team.ask('add linux node lin03 10.0.0.9');
    await team.click(change.id, 'Approve');
    expect((await team.until(change.id)).state).toBe('owing');
    // What is owed to one host alone hides nothing on the others, nor on the new node itself.
    host('lin02').removeRoute('192.168.3.0/24');
    await team.untilNotice('lin02 lost part of its network');
    host('lin03').removeRoute('192.168.2.0/24');
    await team.untilNotice('lin03 lost part of its network');
    expect((await team.make('repair lin02')).state).toBe('applied');
    await host('win01').up();
    expect((await team.untilNotice('🟢 win01 answers again')).ts).toBe(ts);
    expect((await team.until(change.id, 'applied')).state).toBe('applied');
    expect(podRoutes(host('win01'))).toContain('192.168.3.0/24 via 10.0.0.9');
    const owed = team.notices().filter(({ text }) => text.includes('win01'));
    expect(owed.some(({ text }) => text.includes('192.168.3.0/24'))).toBe(false);
  }, 90_000);

  test('nothing of what is muted, until it is not', async () => {
    const { team, host } = site;
    const count = team.notices().length;
    expect(await team.say('mute lin02 kubelet for 30m')).toContain('keep quiet about kubelet on `lin02`');
    host('lin02').kill('kubelet');
    await sleep(14_000);
    expect(team.notices()).toHaveLength(count);
    expect(await team.say('incidents')).toMatch(/kubelet on lin02 is down.*not told: muted/);
    expect(await team.say('unmute lin02 kubelet')).toContain('I speak about');
    await team.untilNotice('kubelet on lin02 is down');
    await team.say('start kubelet on lin02', BOB);
    await team.hears('Starting kubelet', BOB);
    await team.untilNotice('🟢 kubelet on lin02 is back');
  }, 60_000);

  test('nothing twice and nothing less after worker and bot started anew', async () => {
    const { team, host, world } = site;
    const count = team.notices().length;
    const { redis, keys } = team.stores;
    // What we did a moment ago is no news; this is to be some.
    while (await redis.exists(keys.expectedRestart('lin02', 'kube-proxy'))) await sleep(100);
    for (const { child } of [world.bot, ...world.workers]) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    host('lin02').restart('kube-proxy');
    world.startWorker();
    await world.startBot();
    await team.untilNotice('kube-proxy on lin02 restarted');
    await sleep(5000);
    expect(team.notices()).toHaveLength(count + 1);
  }, 60_000);

  test('and Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});

describe('between two turns of the watch', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({ env: { PROBE_EVERY: '10m' } });
    await site.team.make('add linux node lin01 10.0.0.4');
    await watched(site, 'lin01');
  }, 60_000);
  afterAll(() => site.close());

  test('a process that stays away is down after its grace', async () => {
    const { team, host } = site;
    const began = Date.now();
    host('lin01').kill('kubelet');
    await team.untilNotice('🔴 kubelet on lin01 is down');
    expect(Date.now() - began).toBeGreaterThan(10_000);
  }, 120_000);
});

describe('what policy does by itself', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({ env: { PROBE_EVERY: '2s', HEAL: 'restart', DRIFT: 'repair' } });
    await site.team.make('add linux node lin01 10.0.0.4');
    await site.team.make('add windows node win01 10.0.0.5');
    await watched(site, 'lin01', 'win01');
  }, 60_000);
  afterAll(() => site.close());

  test('a process that is down is restarted, and the card says so', async () => {
    const { team, host } = site;
    host('win01').kill('kubelet');
    await team.untilNotice('🟢 kubelet on win01 is back', 'Policy restarted processes of this host 1 time');
    const audit = await auditEvents(team.stores.audit);
    expect(audit.filter(({ what }) => what === 'process-restart')).toMatchObject([
      { actor: 'policy:HEAL=restart', host: 'win01' },
    ]);
  }, 60_000);

  test('kube-proxy, which depends on kubelet on Windows, goes along with it, unless it was stopped by itself', async () => {
    const { team, host } = site;
    const order = async (text: string, outcome: string) => {
      await team.say(text, BOB);
      await team.hears(outcome, BOB);
    };
    await order(
      'stop kubelet on win01',
      'kubelet on `win01` is stopped, and kube-proxy, which depends on it, too. They stay so, without a word from me',
    );
    expect(host('win01').state.processes).toEqual({ kubelet: null, 'kube-proxy': null });
    await order(
      'start kubelet on win01',
      'kubelet on `win01` runs, and kube-proxy, which depends on it, too.',
    );
    // What comes of it is news again.
    const { redis, keys } = team.stores;
    while (await redis.exists(keys.expectedRestart('win01', 'kube-proxy'))) await sleep(100);
    host('win01').kill('kube-proxy');
    await team.untilNotice('🔴 kube-proxy on win01 is down');

    await order('stop kube-proxy on win01', 'kube-proxy on `win01` is stopped');
    await order(
      'restart kubelet on win01',
      'kubelet on `win01` runs again. kube-proxy stays stopped until `start kube-proxy on win01`.',
    );
    expect(host('win01').state.processes['kube-proxy']).toBeNull();
    await order('start kube-proxy on win01', 'kube-proxy on `win01` runs.');
  }, 60_000);

  test('what a boot lost is restored by a change that policy approved, on record like any other', async () => {
    const { team, host } = site;
    host('lin01').reboot();
    const { ts } = await team.untilNotice('lin01 rebooted');
    const [repair] = await team.stores.changes.latest(1);
    expect(repair).toMatchObject({ kind: 'repair', requester: 'fairway' });
    expect(await team.until(repair?.id ?? '')).toMatchObject({ state: 'applied' });
    expect((await team.untilNotice('🟢 lin01 rebooted')).ts).toBe(ts);
    expect(podRoutes(host('lin01'))).toEqual(['192.168.1.0/24 via 10.0.0.5']);
    await team.untilCard(repair?.id ?? '', 'Approved by policy');
  }, 60_000);
});
