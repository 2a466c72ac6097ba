import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, CHANNEL } from '../../sandbox/world.js';
import { hurryDebts } from '../support/debts.js';
import { eventually } from '../support/eventually.js';
import { BUSY, openSite, podRoutes, type Site } from '../support/site.js';

/** What one does a second time, takes back, or does from two places at once. */
describe('once more, and back', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite(BUSY);
    await site.team.make('add linux node lin01 10.0.0.4');
    await site.team.make('add windows node win01 10.0.0.5');
  }, 60_000);
  afterAll(() => site.close());

  const all = () =>
    ['lin01', 'win01', 'lin02', 'lin03'].flatMap((name) => podRoutes(site.host(name))).join('\n');

  test('two who remove a node at the same moment get one change', async () => {
    const { team, world } = site;
    const remove = 'remove node win01';
    const [change, answer] = await Promise.all([
      team.begin(remove),
      team.say(remove),
      world.slack.as(ALICE).slash(remove, CHANNEL),
    ]);
    expect(answer).toContain(change.id);
    const open = (await team.stores.changes.open()).map(({ id }) => id);
    expect(open).toEqual([change.id]);
    await team.say(`cancel ${change.id}`);
  });

  test('what was withdrawn at the gate touched nothing, holds nothing, and can’t be run or undone', async () => {
    const { team, world, host } = site;
    const change = await team.ask('add linux node lin02 10.0.0.8');
    await team.untilCard(change.id, 'Approve');
    await Promise.all(world.workers.map((worker) => worker.stop()));
    const { stores } = team;
    await team.click(change.id, 'Approve');
    await team.say(`cancel ${change.id}`);
    world.startWorker();
    expect((await team.until(change.id, 'cancelled')).admittedAt).toBeUndefined();
    await eventually('nothing is held', async () =>
      (await stores.leases.list(new Date())).every(({ node }) => node.name !== 'lin02'),
    );
    expect(await team.say(`retry ${change.id}`)).toMatch(/nothing to retry/);
    expect(await team.say(`rollback ${change.id}`)).toMatch(/nothing to roll back/);
    expect(await team.untilCard(change.id, 'cancelled')).not.toContain('Roll back');
    expect(podRoutes(host('lin02'))).toEqual([]);
  });

  test('rolling back an addition takes along the routes of those who joined after it', async () => {
    const { team, host } = site;
    const first = await team.make('add linux node lin02 10.0.0.8');
    const second = await team.make('add linux node lin03 10.0.0.9');
    expect(podRoutes(host('lin03'))).toContain(`${first.node?.podCidr} via 10.0.0.8`);
    await team.click(first.id, 'Roll back', ALICE);
    expect((await team.until(first.id, 'rolled-back')).state).toBe('rolled-back');
    expect(all()).not.toContain('10.0.0.8');
    expect(podRoutes(host('lin02'))).toEqual([]);
    expect(podRoutes(host('lin01'))).toContain(`${second.node?.podCidr} via 10.0.0.9`);
    // Every peer has confirmed it: the slice waits for nobody.
    const resting = (await team.stores.leases.list(new Date())).find(({ node }) => node.name === 'lin02');
    expect(resting).toMatchObject({ state: 'resting', owing: [] });
    // The approved plan stands as it was approved.
    expect(
      (await team.stores.changes.sealedPlan(first.id))?.hosts.map(({ host: name }) => name),
    ).not.toContain('lin03');
  });

  test('a removal is not rolled back past somebody who joined since, and the remedy works', async () => {
    const { team, host } = site;
    const removal = await team.make('remove node lin03');
    await team.make('add linux node lin02 10.0.0.8');
    const answer = await team.click(removal.id, 'Roll back', ALICE);
    expect(answer).toMatch(/lin02.*joined after.*lin03/);
    expect((await team.make('add linux node lin03 10.0.0.9')).state).toBe('applied');
    expect(podRoutes(host('lin02')).join()).toContain('via 10.0.0.9');
  });

  test('an addition whose node was removed since is neither run again nor undone: the node may be another’s', async () => {
    const { team, host } = site;
    const [lin02] = (await team.stores.changes.latest(20)).filter(
      ({ kind, state, node }) => kind === 'add-node' && state === 'applied' && node?.name === 'lin02',
    );
    if (!lin02) throw new Error('no addition');
    expect((await team.make('remove node lin02')).state).toBe('applied');
    const again = await team.make('add linux node lin02 10.0.0.8');
    expect(again.node?.podCidr).not.toBe(lin02.node?.podCidr);
    expect(await team.click(lin02.id, 'Roll back', ALICE)).toMatch(/nothing to roll back/);
    expect(podRoutes(host('lin01'))).toContain(`${again.node?.podCidr} via 10.0.0.8`);
    expect(await team.say('nodes')).toContain('lin02');
  });
});

describe('a roll-back', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite(BUSY);
    await site.team.make('add linux node lin01 10.0.0.4');
    await site.team.make('add windows node win01 10.0.0.5');
    await site.team.make('add windows node win02 10.0.0.6');
  }, 60_000);
  afterAll(() => site.close());

  test('a removal taken back leaves its node trusted by the same key as before', async () => {
    const { team, host } = site;
    const removal = await team.make('remove node win02');
    expect(await team.stores.hostKeys.pinned('win02')).toBeNull();
    await team.click(removal.id, 'Roll back', ALICE);
    expect((await team.until(removal.id, 'rolled-back', 'failed', 'owing')).state).toBe('rolled-back');
    expect(await team.stores.hostKeys.pinned('win02')).toBe(host('win02').fingerprint);
    expect(podRoutes(host('lin01'))).toContain(`${removal.node?.podCidr} via 10.0.0.6`);
  }, 60_000);

  test('a running roll-back is cancelled at the next host boundary, and Retry goes on with it', async () => {
    const { team, host } = site;
    const added = await team.make('add linux node lin02 10.0.0.8');
    host('lin01').delay(1500);
    await team.click(added.id, 'Roll back', ALICE);
    await team.until(added.id, 'rolling-back');
    const lease = team.stores.keys.hostLease('lin01');
    while ((await team.stores.redis.exists(lease)) === 0) await new Promise((done) => setTimeout(done, 10));
    expect(await team.click(added.id, 'Cancel', ALICE)).toContain(added.id);
    expect((await team.until(added.id, 'cancelled', 'rolled-back')).state).toBe('cancelled');
    // The host in hand was finished; those that had not begun keep what they have.
    expect(podRoutes(host('lin01'))).not.toContain(`${added.node?.podCidr} via 10.0.0.8`);
    expect(podRoutes(host('win02'))).toContain(`${added.node?.podCidr} via 10.0.0.8`);
    expect(await team.untilCard(added.id, 'Retry goes on')).not.toContain('Roll back');
    host('lin01').delay(0);
    await team.click(added.id, 'Retry', ALICE);
    expect((await team.until(added.id, 'rolled-back', 'failed')).state).toBe('rolled-back');
    for (const name of ['lin01', 'win01', 'win02'])
      expect(podRoutes(host(name))).not.toContain(`${added.node?.podCidr} via 10.0.0.8`);
    expect(podRoutes(host('lin02'))).toEqual([]);
  }, 60_000);
});

describe('a node that leaves while hosts are away', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({ ...BUSY, env: { QUARANTINE: '1s' } });
    for (const text of [
      'linux node lin01 10.0.0.4',
      'linux node lin02 10.0.0.8',
      'windows node win01 10.0.0.5',
    ])
      await site.team.make(`add ${text}`);
  }, 60_000);
  afterAll(() => site.close());

  test('given up while a peer is away, it can come back once the removal was run again', async () => {
    const { team, host } = site;
    await host('win01').down();
    const removal = await team.make('remove node lin02');
    expect(removal.state).toBe('owing');
    const add = 'add linux node lin02 10.0.0.8';
    expect(await team.say(add)).toMatch(new RegExp(`removed by .*${removal.id}.*cancel ${removal.id}`));
    await team.say(`cancel ${removal.id}`);
    await team.until(removal.id, 'cancelled');
    expect(await team.say(add)).toMatch(new RegExp(`win01.*retry ${removal.id}`));
    await host('win01').up();
    await team.say(`retry ${removal.id}`);
    expect((await team.until(removal.id, 'applied', 'failed', 'owing')).state).toBe('applied');
    expect(podRoutes(host('win01'))).not.toContain(`${removal.node?.podCidr} via 10.0.0.8`);
    expect((await team.make(add)).state).toBe('applied');
  }, 60_000);

  test('dead, removed, and installed anew with another key, it can be added again', async () => {
    const { team, host } = site;
    await host('lin02').down();
    const removal = await team.make('remove node lin02');
    expect(removal.state).toBe('owing');
    host('lin02').changeHostKey();
    await host('lin02').up();
    await hurryDebts(site.world);
    // Nobody asks for it: what it is owed is found to be nothing.
    expect((await team.until(removal.id, 'applied', 'failed')).state).toBe('applied');
    const again = await team.ask('add linux node lin02 10.0.0.8');
    expect(again).toMatchObject({ state: 'pending' });
    await team.untilCard(again.id, host('lin02').fingerprint);
    await team.click(again.id, 'Approve');
    expect((await team.until(again.id)).state).toBe('applied');
    expect(host('lin02').state).toMatchObject({
      interfaces: expect.arrayContaining([expect.objectContaining({ name: 'cbr0' })]),
    });
  }, 60_000);

  test('dead for good, it keeps no other change waiting', async () => {
    const { team, host } = site;
    await host('lin01').down();
    const added = await team.make('add linux node lin03 10.0.0.9');
    expect(added.state).toBe('owing');
    await team.make('remove node lin01');
    expect((await team.until(added.id, 'applied', 'failed')).state).toBe('applied');
    const results = await team.stores.changes.results(added.id);
    expect(results.get('lin01')?.status).toBe('unchanged');
  }, 60_000);

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});
