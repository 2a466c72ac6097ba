import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, BOB, CHANNEL } from '../../sandbox/world.js';
import { openSite, type Site } from '../support/site.js';

const CAROL = 'UCAROL';
const DAVE = 'UDAVE';
const EVE = 'UEVE';

describe('approval', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({
      env: { APPROVERS: `${BOB},${CAROL},${DAVE},${ALICE}`, APPROVALS_REQUIRED: '2' },
    });
  }, 60_000);
  afterAll(() => site.close());

  test('a command’s card stands in an idle channel within a second', async () => {
    const { team, world } = site;
    const took: number[] = [];
    // The best of three: other tests may have the processor just now.
    while (took.length < 3 && !took.some((ms) => ms < 1000)) {
      const typed = Date.now();
      const { id } = await team.ask('add linux node lin03 10.0.0.9');
      await team.untilCard(id, 'Approve');
      const card = world.slack.messages(CHANNEL).find((each) => each.metadata?.event_payload['id'] === id);
      took.push((card?.versions[0]?.at ?? 0) - typed);
      expect(await team.say(`cancel ${id}`)).toContain('Withdrawn. Nothing was run.');
      await team.untilCard(id, 'Withdrawn. Nothing was run.');
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    expect(Math.min(...took)).toBeLessThan(1000);
  });

  test('a plan that nobody looks at rings those who may approve it, and its end whoever asked', async () => {
    const { team, world } = site;
    const { id } = await team.ask('add linux node lin03 10.0.0.9');
    const card = await team.untilCard(id, 'Approve').then(() => team.stores.changes.get(id));
    const inThread = () =>
      world.slack.messages(CHANNEL).filter(({ threadTs }) => threadTs === card.cards[0]?.ts);
    const waits = await world.slack.waitFor(
      ({ threadTs, text }) => threadTs === card.cards[0]?.ts && text.includes('waits for an approval'),
      40_000,
    );
    expect(waits.text).toContain(`🔔 <@${BOB}>, <@${CAROL}> or <@${DAVE}>: \`${id}\``);
    await team.deny(id, 'wrong rack');
    await world.slack.waitFor(
      ({ text }) => text.includes(`<@${ALICE}>: \`${id}\` was denied: wrong rack`),
      40_000,
    );
    expect(inThread()).toHaveLength(2);
  }, 100_000);

  test('takes two different people, neither of them the requester, and each click gets its own answer', async () => {
    const { team } = site;
    const { id } = await team.ask('add linux node lin01 10.0.0.4');
    await team.untilCard(id, 'Approve');
    const answers = [
      await team.click(id, 'Approve', ALICE),
      await team.click(id, 'Approve', EVE),
      await team.click(id, 'Approve', BOB),
      await team.click(id, 'Approve', BOB),
    ];
    expect(new Set(answers).size).toBe(4);
    expect(answers[0]).toMatch(/own/i);
    expect(answers[1]).toMatch(/approver/i);
    expect(answers[2]).toMatch(/1 of 2/);
    expect((await team.stores.changes.get(id)).state).toBe('pending');
    // Two approvers at once: exactly one of them is the second approval, the other hears that it is decided.
    const both = await Promise.all([team.click(id, 'Approve', CAROL), team.click(id, 'Approve', DAVE)]);
    const change = await team.until(id);
    expect(change.state).toBe('applied');
    const [first, second, ...more] = change.decisions.map(({ actor }) => actor.replace('TSANDBOX:', ''));
    expect([first, more]).toEqual([BOB, []]);
    const [won, lost] = second === CAROL ? both : both.toReversed();
    expect(won).toContain(`Approved \`${id}\`: it runs now.`);
    // Meanwhile it may run already, or be done.
    expect(lost).toMatch(
      new RegExp(`^\`${id}\` is (approved|applying|proving|applied).* nothing left to decide`),
    );
    const card = team.cardText(id);
    expect(card).toContain(`<@${BOB}>`);
    expect(card).toContain(`<@${second}>`);
    // Somebody whose screen is behind clicks what is no longer there.
    expect(await team.click(id, 'Approve', BOB, { stale: true })).toMatch(
      /is applied since .* nothing left to decide/,
    );
  });

  test('a mistyped, a forbidden and a repeated command are all answered with what would work', async () => {
    const { team } = site;
    expect(await team.say('ad linux node lin02 10.0.0.8')).toContain('add linux node lin02 10.0.0.8');
    expect(await team.say('add linux node lin02 10.0.0.8', EVE)).toMatch(/operator/i);
    const first = await team.ask('add linux node lin02 10.0.0.8');
    expect(await team.say('add linux node lin02 10.0.0.8')).toContain(`\`${first.id}\` does this already`);
    expect(await team.say('add windows node lin02 10.0.0.9')).toMatch(/lin02/);
    expect(await team.say('approve c999', BOB)).toMatch(/c999/);
    expect(await team.say(`deny ${first.id} wrong night`, BOB)).toMatch(first.id);
    expect(await team.until(first.id)).toMatchObject({ state: 'denied', reason: 'wrong night' });
    await team.untilCard(first.id, 'wrong night');
  });

  test('a plan that nobody decides on expires, says so, and gives its slice back', async () => {
    const short = await openSite({ env: { APPROVAL_TTL: '1s' } });
    try {
      const { team } = short;
      const change = await team.ask('add linux node lin01 10.0.0.4');
      expect((await team.until(change.id)).state).toBe('expired');
      await team.untilCard(change.id, 'xpired');
      expect(team.cardText(change.id)).not.toContain('Approve');
      expect(await team.click(change.id, 'Approve', BOB, { stale: true })).toMatch(/expired/i);
      expect(await team.stores.leases.list(new Date())).toEqual([]);
    } finally {
      await short.close();
    }
  }, 60_000);

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});
