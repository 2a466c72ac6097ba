import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, BOB } from '../../sandbox/world.js';
import type { Change } from '../../src/change/change.js';
import { askRepair } from '../../workers/ask-repair.js';
import { botOf } from '../support/bot.js';
import { BUSY, openSite, podRoutes, type Site } from '../support/site.js';

describe('repairs beside other changes, and through their life', () => {
  let site: Site;
  let whole: Record<string, string[]>;
  beforeAll(async () => {
    site = await openSite(BUSY);
    await site.team.make('add linux node lin01 10.0.0.4');
    await site.team.make('add windows node win01 10.0.0.5');
    await site.team.make('add linux node lin02 10.0.0.8');
    // What Fairway would ask for itself after a reboot is no part of this.
    for (const name of ['lin01', 'lin02'])
      expect(await site.team.say(`mute ${name} for 1h`, BOB)).toMatch(/keep quiet/);
    whole = Object.fromEntries(['lin01', 'win01', 'lin02'].map((name) => [name, podRoutes(site.host(name))]));
  }, 60_000);
  afterAll(() => site.close());

  test('repairs of two nodes that rebooted together, planned side by side, do not make each other stale', async () => {
    const { team, host } = site;
    host('lin01').reboot();
    host('lin02').reboot();
    const first = await team.ask('repair lin01');
    const second = await team.ask('repair lin02');
    await team.click(second.id, 'Approve');
    expect((await team.until(second.id)).state).toMatch(/applied|failed/);
    await team.click(first.id, 'Approve');
    expect((await team.until(first.id)).state).toBe('applied');
    for (const name of ['lin01', 'lin02']) expect(podRoutes(host(name))).toEqual(whole[name]);
  }, 60_000);

  test('an add that was planned meanwhile is not made stale by a repair, nor is a repair by an add', async () => {
    const { team, host } = site;
    const add = await team.ask('add linux node lin03 10.0.0.9');
    host('win01').removeRoute('192.168.0.0/24');
    const repair = await team.ask('repair win01');
    await team.deny(add.id, 'planned on a route that was there');
    const again = await team.ask('add linux node lin03 10.0.0.9');
    await team.click(repair.id, 'Approve');
    expect((await team.until(repair.id)).state).toBe('applied');
    host('lin01').removeRoute('192.168.1.0/24');
    await team.click(again.id, 'Approve');
    // That one nobody of us took away.
    expect((await team.until(again.id)).state).toBe('stale');
    const mended = await team.ask('repair');
    const third = await team.make('add linux node lin03 10.0.0.9');
    expect(third.state).toBe('applied');
    await team.click(mended.id, 'Approve');
    expect((await team.until(mended.id)).state).toBe('applied');
    expect(podRoutes(host('lin01'))).toEqual(
      [...(whole['lin01'] ?? []), '192.168.3.0/24 via 10.0.0.9'].sort(),
    );
  }, 60_000);

  test('is withdrawn, expires, is stopped while it runs, and is run again, as any change', async () => {
    const { team, host } = site;
    host('lin01').removeRoute('192.168.1.0/24');
    host('lin02').removeRoute('192.168.1.0/24');
    const broken = podRoutes(host('lin02'));
    const withdrawn = await team.ask('repair');
    expect(await team.say(`cancel ${withdrawn.id}`)).toMatch(withdrawn.id);
    expect((await team.until(withdrawn.id)).state).toBe('cancelled');
    const late = await team.ask('repair');
    await team.untilCard(late.id, 'Approve');
    const past = { expiresAt: new Date(Date.now() - 1).toISOString() };
    await team.stores.changes.update(late.id, (change) => ({ ...change, ...past }), new Date());
    expect(await team.click(late.id, 'Approve', BOB, { stale: true })).toMatch(/expired/i);
    expect((await team.until(late.id, 'expired')).state).toBe('expired');

    // lin01 is the canary: lin02 has not begun when it is stopped.
    const stopped = await team.ask('repair');
    host('lin01').delay(1500);
    await team.click(stopped.id, 'Approve');
    await team.until(stopped.id, 'applying');
    await team.say(`cancel ${stopped.id}`);
    expect((await team.until(stopped.id)).state).toBe('cancelled');
    host('lin01').delay(0);
    expect(podRoutes(host('lin02'))).toEqual(broken);
    await team.click(stopped.id, 'Retry', ALICE);
    expect((await team.until(stopped.id, 'applied', 'failed')).state).toBe('applied');
    for (const name of ['lin01', 'lin02'])
      expect(podRoutes(host(name))).toEqual([...(whole[name] ?? []), '192.168.3.0/24 via 10.0.0.9'].sort());
    const leases = await team.stores.leases.list(new Date());
    expect(leases.map(({ podCidr, state }) => `${podCidr} ${state}`)).toEqual(
      [0, 1, 2, 3].map((slice) => `192.168.${slice}.0/24 held`),
    );
  }, 60_000);

  test('that Fairway asks for itself waits for an approver, unless the policy is another', async () => {
    const { team, host, world } = site;
    host('lin01').removeRoute('192.168.1.0/24');
    const bot = botOf(world, team.stores);
    const lostAt = new Date().toISOString();
    const left = (await askRepair(bot, 'lin01', 'lin01 lost 1 route', lostAt))?.id ?? '';
    expect(await team.until(left, 'pending')).toMatchObject({ requester: 'fairway', decisions: [] });
    // Nobody wanted it: it is not asked for over and over, but once more is lost.
    const finishedAt = new Date().toISOString();
    const expire = (change: Change): Change => ({ ...change, state: 'expired', finishedAt });
    await team.stores.changes.update(left, expire, new Date());
    expect(await askRepair(bot, 'lin01', 'lin01 lost 1 route', lostAt)).toBeNull();
    const begun = await askRepair(bot, 'lin01', 'lin01 lost 1 route', new Date().toISOString());
    await bot.close();
    const { id } = begun ?? { id: '' };
    expect(await team.until(id, 'pending')).toMatchObject({ requester: 'fairway', decisions: [] });
    await team.click(id, 'Approve');
    expect((await team.until(id)).state).toBe('applied');
  });

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});
