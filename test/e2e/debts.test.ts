import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE } from '../../sandbox/world.js';
import { payHost } from '../../workers/pay-debts.js';
import { until } from '../lab/system.js';
import { botOf } from '../support/bot.js';
import { BUSY, openSite, podRoutes, type Site } from '../support/site.js';

const TTL_MS = 1500;

/** A site where debts are kept for so long; the guide's first two hosts and lin02 are members. */
async function openDebtors(debtTtl: string): Promise<Site & { bot: ReturnType<typeof botOf> }> {
  const site = await openSite({ ...BUSY, env: { DEBT_TTL: debtTtl, QUARANTINE: '1s' } });
  await site.team.make('add linux node lin01 10.0.0.4');
  await site.team.make('add windows node win01 10.0.0.5');
  await site.team.make('add linux node lin02 10.0.0.8');
  return { ...site, bot: botOf(site.world, site.team.stores) };
}

describe('what an absent host is owed', () => {
  let site: Awaited<ReturnType<typeof openDebtors>>;
  beforeAll(async () => {
    site = await openDebtors('7d');
  }, 60_000);
  afterAll(async () => {
    await site.bot.close();
    await site.close();
  });

  test('is shown with its host, since when and until when, and paid as soon as somebody sees that it is back', async () => {
    const { team, host, bot } = site;
    await host('win01').down();
    const change = await team.make('add linux node lin03 10.0.0.9');
    expect(change.state).toBe('owing');
    const dates = /win01` owed since <!date\^\d+.*, until <!date\^\d+/;
    expect(await team.untilCard(change.id, 'owed since')).toMatch(dates);
    expect(await team.say('nodes')).toMatch(/lin03.*not known yet to `win01` since <!date.*, until <!date/);
    expect(await team.say('node win01')).toMatch(/is owed `c\d+` since <!date.*, until <!date/);
    const { debt } = (await team.stores.changes.result(change.id, 'win01')) ?? {};
    expect(Date.parse(debt?.until ?? '') - Date.parse(debt?.since ?? '')).toBe(7 * 24 * 3_600_000);
    // Tried in vain, it is owed since the same moment.
    expect(await payHost(bot, 'win01')).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await team.stores.changes.result(change.id, 'win01'))?.debt).toEqual(debt);
    await host('win01').up();
    expect(await payHost(bot, 'win01')).toBe(true);
    expect((await team.until(change.id, 'applied')).state).toBe('applied');
    expect(podRoutes(host('win01'))).toContain('192.168.3.0/24 via 10.0.0.9');
    expect(await payHost(bot, 'win01')).toBe(false);
    expect(await team.say('nodes')).not.toMatch(/owed|not known yet/);
  }, 60_000);

  test('is simply gone when somebody paid it by hand: the host is read before anything is done', async () => {
    const { team, host, bot } = site;
    await host('win01').down();
    const change = await team.make('remove node lin03');
    expect(change.state).toBe('owing');
    host('win01').removeRoute('192.168.3.0/24');
    await host('win01').up();
    await payHost(bot, 'win01');
    expect((await team.until(change.id, 'applied')).state).toBe('applied');
    expect(await team.stores.changes.result(change.id, 'win01')).toMatchObject({ status: 'unchanged' });

    await host('win01').down();
    const repair = async () => {
      host('win01').removeRoute('192.168.0.0/24');
      await host('win01').up();
      const { id } = await team.ask('repair win01');
      await host('win01').down();
      await team.click(id, 'Approve');
      return team.until(id);
    };
    const owing = await repair();
    expect(owing.state).toBe('owing');
    host('win01').addForeignRoute({ destination: '192.168.0.0/24', nextHop: '10.0.0.4' });
    await host('win01').up();
    await payHost(bot, 'win01');
    expect((await team.until(owing.id, 'applied')).state).toBe('applied');
    expect(await team.stores.changes.result(owing.id, 'win01')).toMatchObject({ status: 'unchanged' });
  }, 60_000);

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});

describe('a debt past its end', () => {
  let site: Awaited<ReturnType<typeof openDebtors>>;
  beforeAll(async () => {
    site = await openDebtors(`${Math.ceil(TTL_MS / 1000)}s`);
  }, 60_000);
  afterAll(async () => {
    await site.bot.close();
    await site.close();
  });
  const past = () => new Promise((resolve) => setTimeout(resolve, TTL_MS + 700));
  const slices = async () =>
    (await site.team.stores.leases.list(new Date())).map(({ podCidr, state, owing }) => ({
      podCidr,
      state,
      owing,
    }));

  test('is given up: the host failed, with what to do; and what to do works', async () => {
    const { team, host, bot } = site;
    await host('win01').down();
    const change = await team.make('add linux node lin03 10.0.0.9');
    expect(change.state).toBe('owing');
    await past();
    await payHost(bot, 'win01');
    const end = await team.until(change.id, 'failed');
    expect(end.finishedAt).toBeDefined();
    const result = await team.stores.changes.result(change.id, 'win01');
    expect(result).toMatchObject({ status: 'failed' });
    expect(result?.error).toMatch(/out of reach from .* until .*given up\. Once it is back, repair win01/);
    await team.untilCard(change.id, 'repair win01');
    expect(await team.say('nodes')).not.toMatch(/owed|not known yet/);
    expect(await team.stores.works.of('win01')).toEqual([]);
    expect(await payHost(bot, 'win01')).toBe(false);
    await host('win01').up();
    const repair = await team.make('repair win01');
    expect(repair.state).toBe('applied');
    expect(podRoutes(host('win01'))).toContain('192.168.3.0/24 via 10.0.0.9');
  }, 60_000);

  test('leaves a removed node’s slice at rest until a repair has shown that nobody routes it', async () => {
    const { team, host, bot } = site;
    await host('win01').down();
    const change = await team.make('remove node lin03');
    expect(change.state).toBe('owing');
    const owed = { podCidr: '192.168.3.0/24', state: 'resting', owing: ['win01'] };
    expect(await slices()).toContainEqual(owed);
    await past();
    await payHost(bot, 'win01');
    expect((await team.until(change.id, 'failed')).state).toBe('failed');
    // A host that is reinstalled meanwhile comes with another key; nothing is owed to the old one any more.
    await until('the key to be forgotten', async () => (await team.stores.hostKeys.pinned('lin03')) === null);
    // Long after its quarantine, still nobody gets it: the lowest free one is another, and it is refused by name.
    expect(await slices()).toContainEqual(owed);
    expect(await team.say('add linux node lin03 10.0.0.9')).toMatch(/win01.*repair win01/s);
    expect(await team.say('add windows node win02 10.0.0.6 pod-cidr 192.168.3.0/24')).toMatch(
      /may still route it/,
    );
    const other = await team.ask('add windows node win02 10.0.0.6');
    expect(other.node?.podCidr).toBe('192.168.4.0/24');
    await team.say(`cancel ${other.id}`);
    await host('win01').up();
    expect(podRoutes(host('win01'))).toContain('192.168.3.0/24 via 10.0.0.9');
    const repair = await team.ask('repair win01');
    const card = await team.untilCard(repair.id, 'Approve');
    expect(card).toMatch(/Remove-NetRoute -DestinationPrefix 192\.168\.3\.0\/24/);
    expect(card).not.toMatch(/Roll back.*would run/);
    expect(await slices()).toContainEqual(owed);
    await team.click(repair.id, 'Approve');
    expect((await team.until(repair.id)).state).toBe('applied');
    expect(podRoutes(host('win01'))).not.toContain('192.168.3.0/24 via 10.0.0.9');
    await team.until(repair.id, 'applied');
    expect(await slices()).not.toContainEqual(expect.objectContaining({ podCidr: '192.168.3.0/24' }));
    const again = await team.make('add linux node lin03 10.0.0.9');
    expect(again).toMatchObject({ state: 'applied', node: { podCidr: '192.168.3.0/24' } });
  }, 60_000);

  test('the same when the route went by other means: then the repair finds nothing, and that settles it', async () => {
    const { team, host, bot } = site;
    await host('lin01').down();
    const change = await team.make('remove node lin03');
    expect(change.state).toBe('owing');
    await past();
    await payHost(bot, 'lin01');
    await team.until(change.id, 'failed');
    await host('lin01').up();
    host('lin01').removeRoute('192.168.3.0/24');
    expect(await slices()).toContainEqual(expect.objectContaining({ owing: ['lin01'] }));
    expect((await team.ask('repair lin01')).state).toBe('refused');
    expect(await slices()).not.toContainEqual(expect.objectContaining({ podCidr: '192.168.3.0/24' }));
  }, 60_000);

  test('Retry is a new debt; and a node that left while absent gets its own part by Retry', async () => {
    const { team, host, bot } = site;
    expect((await team.make('add linux node lin03 10.0.0.9')).state).toBe('applied');
    await host('lin03').down();
    const change = await team.make('remove node lin03');
    expect(change.state).toBe('owing');
    await past();
    await payHost(bot, 'lin03');
    await team.until(change.id, 'failed');
    expect((await team.stores.changes.result(change.id, 'lin03'))?.error).toMatch(
      /Once it is back, Retry does its part/,
    );
    await team.click(change.id, 'Retry', ALICE);
    expect((await team.until(change.id, 'owing')).state).toBe('owing');
    await host('lin03').up();
    await payHost(bot, 'lin03');
    expect((await team.until(change.id, 'applied')).state).toBe('applied');
    expect(podRoutes(host('lin03'))).toEqual([]);
  }, 60_000);

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});
