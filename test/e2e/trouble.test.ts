import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, BOB } from '../../sandbox/world.js';
import type { Change } from '../../src/change/change.js';
import { hurryDebts } from '../support/debts.js';
import { BUSY, openSite, podRoutes, type Site } from '../support/site.js';

describe('trouble', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite(BUSY);
    await site.team.make('add linux node lin01 10.0.0.4');
    await site.team.make('add windows node win01 10.0.0.5');
  }, 60_000);
  afterAll(() => site.close());

  test('a host that changed since the plan makes it stale, and the card says what changed', async () => {
    const { team, host } = site;
    const change = await team.ask('add linux node lin02 10.0.0.8');
    host('lin01').addForeignRoute({ destination: '192.168.77.0/24', nextHop: '10.0.0.254' });
    await team.click(change.id, 'Approve');
    expect((await team.until(change.id)).state).toBe('stale');
    const card = await team.untilCard(change.id, '192.168.77.0/24');
    expect(card).toContain('lin01');
    expect(podRoutes(host('lin02'))).toEqual([]);
    expect(podRoutes(host('lin01'))).toEqual(['192.168.1.0/24 via 10.0.0.5']);
    const late = await team.click(change.id, 'Approve', BOB, { stale: true });
    expect(late).toMatch(/is stale since .* To ask again: `add linux node lin02 10\.0\.0\.8`\./);
  });

  test.each([
    ['add linux node win03 10.0.0.7', 'add windows node win03 10.0.0.7'],
    ['add windows node lin03 10.0.0.9', 'add linux node lin03 10.0.0.9'],
  ])('the wrong operating system: %s', async (typed, meant) => {
    const { team } = site;
    const change = await team.ask(typed);
    expect(change).toMatchObject({ state: 'refused', reason: expect.stringContaining(`ask \`${meant}\`;`) });
  });

  test('a slice that some host routes already is passed over, and refused by name when asked for', async () => {
    const { team, host } = site;
    host('win01').addForeignRoute({ destination: '192.168.2.0/24', nextHop: '10.0.0.254' });
    const change = await team.ask('add linux node lin02 10.0.0.8');
    expect(change.node?.podCidr).toBe('192.168.3.0/24');
    await team.say(`cancel ${change.id}`);
    const asked = await team.ask('add linux node lin02 10.0.0.8 pod-cidr 192.168.2.0/24');
    expect(asked.state).toBe('refused');
    expect(asked.reason).toMatch(/win01/);
    host('win01').removeRoute('192.168.2.0/24');
  });

  test('an unreachable peer is owed, the others are done, and it is paid when it returns', async () => {
    const { team, host } = site;
    await host('win01').down();
    const change = await team.ask('add linux node lin02 10.0.0.8');
    await team.click(change.id, 'Approve');
    expect((await team.until(change.id)).state).toBe('owing');
    expect(podRoutes(host('lin01'))).toContain('192.168.2.0/24 via 10.0.0.8');
    await team.untilCard(change.id, 'win01');
    expect(await team.say('nodes')).toMatch(/win01/);
    expect(await team.say('remove node lin02', BOB)).toMatch(
      new RegExp(`${change.id}.*asked for by <@UALICE>.*did not answer.*rollback ${change.id}.*undoes it`),
    );
    await host('win01').up();
    await hurryDebts(site.world);
    // Nobody clicks anything.
    expect((await team.until(change.id, 'applied')).state).toBe('applied');
    expect(podRoutes(host('win01'))).toContain('192.168.2.0/24 via 10.0.0.8');
    await team.untilCard(change.id, '3 of 3 hosts done');
  });

  test('Retry of a failed host runs only what is not done', async () => {
    const { team, host } = site;
    const change = await team.ask('add linux node lin03 10.0.0.9');
    host('lin03').delay(1000);
    await team.click(change.id, 'Approve');
    await team.until(change.id, 'applying');
    // After the gate: what it read is not what the host is visited with.
    const inTheWay = { destination: change.node?.podCidr ?? '', nextHop: '10.0.0.254' };
    host('win01').addForeignRoute(inTheWay);
    host('lin03').delay(0);
    expect((await team.until(change.id)).state).toBe('failed');
    const before = await team.stores.changes.results(change.id);
    expect(before.get('win01')?.error).toContain("is not Fairway's");
    expect(podRoutes(host('win01'))).toContain(`${inTheWay.destination} via 10.0.0.254`);
    host('win01').removeRoute(inTheWay.destination);
    const fences = () => Promise.all(['lin03', 'lin01', 'win01'].map(fenceOf));
    const fenceOf = (name: string) => team.stores.redis.get(team.stores.keys.hostFence(name));
    const [node, peer, failed] = await fences();
    expect(await team.click(change.id, 'Retry', ALICE)).toContain(change.id);
    expect((await team.until(change.id, 'applied', 'owing')).state).toBe('applied');
    const after = await team.stores.changes.results(change.id);
    expect(after.get('win01')?.status).toBe('done');
    for (const name of ['lin03', 'lin01']) expect(after.get(name)?.status).toBe(before.get(name)?.status);
    // Those that were done were not visited again.
    const visited = await fences();
    expect(visited.slice(0, 2)).toEqual([node, peer]);
    expect(Number(visited[2])).toBeGreaterThan(Number(failed));
    await team.click(change.id, 'Roll back', ALICE);
    await team.until(change.id, 'rolled-back');
  });

  test('Roll back gives back what the hosts held before', async () => {
    const { team, host } = site;
    const before = [podRoutes(host('lin01')), podRoutes(host('win01'))];
    const change = await team.make('add windows node win02 10.0.0.6');
    expect(change.state).toBe('applied');
    await team.click(change.id, 'Roll back', ALICE);
    // Before it deletes the container network, it asks.
    await team.untilAsks(change.id);
    await team.click(change.id, 'Delete network');
    expect((await team.until(change.id, 'rolled-back')).state).toBe('rolled-back');
    expect([podRoutes(host('lin01')), podRoutes(host('win01'))]).toEqual(before);
    expect(podRoutes(host('win02'))).toEqual([]);
    expect(host('win02').state).toMatchObject({ networks: [] });
    expect(await team.say('nodes')).not.toMatch(/win02/);
  });

  test('a changed host key stops everything for that host, and only for it', async () => {
    const { team, host } = site;
    host('lin02').changeHostKey();
    const change = await team.ask('add linux node lin03 10.0.0.9');
    await team.untilCard(change.id, 'key');
    await team.click(change.id, 'Approve');
    const end = await team.until(change.id);
    expect(end.state).toBe('failed');
    const results = await team.stores.changes.results(change.id);
    expect(results.get('lin02')).toMatchObject({ status: 'failed' });
    expect(results.get('lin02')?.error).toMatch(/key/i);
    expect(results.get('lin01')?.status).toBe('done');
    await team.untilCard(change.id, 'remove it and add it again');
    expect(podRoutes(host('lin03'))).not.toEqual([]);
    await team.click(change.id, 'Roll back', ALICE);
    // Nothing is sent to lin02, and it keeps nobody from going on.
    await team.until(change.id, 'rolled-back', 'failed');
    const back = [...(await team.stores.changes.results(change.id)).values()];
    expect(back.filter(({ status }) => status === 'failed').map((each) => each.host)).toEqual(['lin02']);
    for (const name of ['lin01', 'win01'])
      expect(podRoutes(host(name))).not.toContain(`${change.node?.podCidr} via 10.0.0.9`);
    expect(podRoutes(host('lin03'))).toEqual([]);
    expect(host('lin03').state).toMatchObject({
      interfaces: expect.not.arrayContaining([expect.objectContaining({ name: 'cbr0' })]),
    });
    // The remedy that the card names works: the reinstalled host comes back with its new key.
    expect((await team.make('remove node lin02')).state).toBe('applied');
    expect(await team.say('nodes')).not.toMatch(/lin02/);
    const again = await team.ask('add linux node lin02 10.0.0.8');
    expect(again).toMatchObject({ state: 'pending' });
    await team.untilCard(again.id, host('lin02').fingerprint);
  });

  test('a running change is cancelled at the next host boundary', async () => {
    const fresh = await openSite();
    try {
      const { team, host } = fresh;
      await team.make('add linux node lin01 10.0.0.4');
      await team.make('add linux node lin02 10.0.0.8');
      const change = await team.ask('add linux node lin03 10.0.0.9');
      host('lin03').delay(1500);
      await team.click(change.id, 'Approve');
      await team.until(change.id, 'applying');
      expect(await team.say(`cancel ${change.id}`)).toMatch(change.id);
      const end = await team.until(change.id);
      expect(end.state).toBe('cancelled');
      expect(podRoutes(host('lin01'))).toEqual(['192.168.1.0/24 via 10.0.0.8']);
      host('lin03').delay(0);
      await team.click(change.id, 'Roll back', ALICE);
      await team.until(change.id, 'rolled-back');
      expect(podRoutes(host('lin03'))).toEqual([]);
    } finally {
      await fresh.close();
    }
  }, 60_000);

  test('changes planned side by side are approved one after the other, in either order, and none of them goes stale', async () => {
    const fresh = await openSite();
    try {
      const { team, host } = fresh;
      const lines = [
        'add linux node lin01 10.0.0.4',
        'add windows node win01 10.0.0.5',
        'add linux node lin02 10.0.0.8',
        'add windows node win02 10.0.0.6',
      ];
      const plans: Change[] = [];
      for (const line of lines) plans.push(await team.ask(line));
      for (const index of [2, 0, 1, 3]) {
        const { id } = plans[index] ?? { id: '' };
        await team.click(id, 'Approve');
        expect(await team.until(id)).toMatchObject({ state: 'applied' });
      }
      const nodes = plans.flatMap((plan) => plan.node ?? []);
      const others = (name: string) => nodes.filter((node) => node.name !== name);
      for (const name of ['lin01', 'win01', 'lin02', 'win02']) {
        expect(podRoutes(host(name))).toEqual(
          others(name)
            .map((node) => `${node.podCidr} via ${node.address}`)
            .sort(),
        );
      }
    } finally {
      await fresh.close();
    }
  }, 60_000);

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});
