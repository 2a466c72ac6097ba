import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, BOB } from '../../sandbox/world.js';
import { askRepair } from '../../workers/ask-repair.js';
import { botOf } from '../support/bot.js';
import { openSite, podRoutes, type Site } from '../support/site.js';

const now = () => new Date().toISOString();

describe('a repair that Fairway asks for itself', () => {
  let site: Site;
  let bot: ReturnType<typeof botOf>;
  const ask = async (name: string, why: string) => {
    const begun = await askRepair(bot, name, why, now());
    if (!begun) throw new Error('held back');
    return begun;
  };
  beforeAll(async () => {
    site = await openSite({
      env: { DRIFT: 'repair', APPROVERS: `${BOB},UCAROL`, APPROVALS_REQUIRED: '2' },
    });
    const { team, world } = site;
    bot = botOf(world, team.stores);
    for (const text of ['add linux node lin01 10.0.0.4', 'add windows node win01 10.0.0.5']) {
      const { id } = await team.ask(text);
      await team.click(id, 'Approve', BOB);
      await team.click(id, 'Approve', 'UCAROL');
      await team.until(id);
    }
  }, 60_000);
  afterAll(async () => {
    await bot.close();
    await site.close();
  });

  test('is approved by the policy alone, in the channel for notices, on the card and on record', async () => {
    const { team, host } = site;
    const whole = podRoutes(host('win01'));
    host('win01').removeRoute('192.168.0.0/24');
    host('win01').delay(300);
    const [first, second] = await Promise.all([ask('win01', 'win01 lost 1 route'), ask('win01', 'again')]);
    host('win01').delay(0);
    expect([first.fresh, second.fresh].sort()).toEqual([false, true]);
    expect(first.id).toBe(second.id);
    const end = await team.until(first.id);
    expect(end).toMatchObject({
      state: 'applied',
      requester: 'fairway',
      channel: 'COPS',
      decisions: [{ actor: 'policy:DRIFT=repair', verdict: 'approve', planHash: end.planHash }],
    });
    expect(podRoutes(host('win01'))).toEqual(whole);
    const card = await team.untilCard(first.id, 'pairs answer');
    expect(card).toContain('Approved by policy DRIFT=repair');
    expect(card).toContain('Asked by Fairway');
    expect(card).toMatch(/Because: (win01 lost 1 route|again)/);
    const record = (await team.stores.audit.read()).filter(({ changeId }) => changeId === first.id);
    expect(record).toContainEqual(
      expect.objectContaining({ actor: 'policy:DRIFT=repair', what: 'approve', planHash: end.planHash }),
    );
    // Whoever doubts it turns it back, as any change.
    await team.click(first.id, 'Roll back', ALICE);
    expect((await team.until(first.id, 'rolled-back', 'failed')).state).toBe('rolled-back');
    expect(podRoutes(host('win01'))).toEqual([]);
    // That is a no, which counts for a while; people may still ask.
    expect(await askRepair(bot, 'win01', 'still', now())).toBeNull();
    const asked = await team.ask('repair win01');
    await team.deny(asked.id, 'not tonight');
    expect(await askRepair(bot, 'win01', 'still', now())).toBeNull();
    expect(podRoutes(host('win01'))).toEqual([]);
  }, 60_000);

  test('never takes a route away', async () => {
    const { team, host } = site;
    host('lin01').addForeignRoute({ destination: '192.168.99.0/24', nextHop: '10.0.0.5', protocol: '155' });
    host('lin01').removeRoute('192.168.1.0/24');
    const { id } = await ask('lin01', 'lin01 lost 1 route');
    expect((await team.until(id)).state).toBe('applied');
    expect(podRoutes(host('lin01'))).toEqual(['192.168.1.0/24 via 10.0.0.5', '192.168.99.0/24 via 10.0.0.5']);
    const asked = await team.ask('repair lin01');
    expect(asked.state).toBe('pending');
    expect(await team.untilCard(asked.id, 'Approve')).toContain('ip route del 192.168.99.0/24');
    await team.say(`cancel ${asked.id}`);
    host('lin01').removeRoute('192.168.99.0/24');
  }, 60_000);

  test('trusts no new host key: that waits for people, as many as it takes', async () => {
    const { team, host } = site;
    await team.stores.hostKeys.unpin('lin01');
    host('lin01').removeRoute('192.168.1.0/24');
    const { id } = await ask('lin01', 'lin01 lost 1 route');
    await team.until(id, 'pending');
    expect(await team.untilCard(id, 'Approve')).toContain(host('lin01').fingerprint);
    await team.click(id, 'Approve', BOB);
    expect((await team.stores.changes.get(id)).state).toBe('pending');
    await team.click(id, 'Approve', 'UCAROL');
    expect((await team.until(id)).state).toBe('applied');
    expect(await team.stores.hostKeys.pinned('lin01')).toBe(host('lin01').fingerprint);
  }, 60_000);

  test('is not asked for over and over, and never for what is no member', async () => {
    await expect(askRepair(bot, 'lin09', 'x', now())).rejects.toThrow('node-unknown');
    const { id } = await ask('lin01', 'once more');
    expect(await askRepair(bot, 'lin01', 'and again', now())).toBeNull();
    // There was nothing to repair: that is an answer too, for a while.
    const { team } = site;
    await team.until(id, 'refused');
    await team.stores.redis.del(team.stores.keys.ownRepairs('lin01'));
    expect(await askRepair(bot, 'lin01', 'and again', now())).toBeNull();
  });

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});
