import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, BOB } from '../../sandbox/world.js';
import { openSite, podRoutes, type Site } from '../support/site.js';

describe('repair', () => {
  let site: Site;
  let whole: Record<string, string[]>;
  beforeAll(async () => {
    site = await openSite();
    await site.team.make('add linux node lin01 10.0.0.4');
    await site.team.make('add windows node win01 10.0.0.5');
    await site.team.make('add linux node lin02 10.0.0.8');
    whole = Object.fromEntries(['lin01', 'win01', 'lin02'].map((name) => [name, podRoutes(site.host(name))]));
  }, 60_000);
  afterAll(() => site.close());

  test('with nothing to repair the answer is just that, and no host is changed', async () => {
    const { team } = site;
    for (const command of ['repair', 'repair win01']) {
      const change = await team.ask(command);
      expect(change).toMatchObject({ kind: 'repair', state: 'refused' });
      expect(change.reason).toMatch(/^Nothing to repair.*3 hosts hold what the inventory says/);
      await team.untilCard(change.id, 'Nothing to repair');
    }
    expect(await team.say('repair win0')).toContain('Did you mean `win01`');
  });

  test('a route that was lost is planned, approved, back, and proved on both sides', async () => {
    const { team, host } = site;
    host('win01').removeRoute('192.168.0.0/24');
    expect(await team.say('nodes')).toContain('lin01');
    const change = await team.ask('repair lin01');
    expect(change).toMatchObject({ state: 'pending', moves: ['192.168.0.0/24'] });
    const card = await team.untilCard(change.id, 'Approve');
    expect(card).toContain('sandbox: repair lin01');
    expect(card).toContain('3 hosts read, 1 differs');
    expect(card).toMatch(/New-NetRoute -DestinationPrefix 192\.168\.0\.0\/24 .*10\.0\.0\.4/);
    expect(card).toMatch(/Roll back.*Remove-NetRoute -DestinationPrefix 192\.168\.0\.0\/24/s);
    // The same by anybody else leads there too.
    expect(await team.say('repair lin01', BOB)).toContain(change.id);
    await team.click(change.id, 'Approve');
    const end = await team.until(change.id);
    expect(end.state).toBe('applied');
    expect(podRoutes(host('win01'))).toEqual(whole['win01']);
    expect(end.proof?.map(({ from, to, answer }) => `${from} ${to} ${answer}`).sort()).toEqual([
      'lin01 lin02 icmp',
      'lin01 win01 icmp',
      'lin02 lin01 icmp',
      'win01 lin01 icmp',
    ]);
    await team.untilCard(change.id, '4 of 4 pairs answer');
    // What was approved with it takes exactly that back again.
    await team.click(change.id, 'Roll back', ALICE);
    expect(await team.until(change.id, 'rolled-back', 'failed')).toMatchObject({ state: 'rolled-back' });
    expect(podRoutes(host('win01'))).not.toContain('192.168.0.0/24 via 10.0.0.4');
    expect(podRoutes(host('lin01'))).toEqual(whole['lin01']);
    const again = await team.make('repair');
    expect(again.state).toBe('applied');
    expect(again.proof?.map(({ from, to }) => `${from} ${to}`).sort()).toEqual([
      'lin01 win01',
      'win01 lin01',
    ]);
    expect(podRoutes(host('win01'))).toEqual(whole['win01']);
  }, 60_000);

  test('what a reboot took from a Linux node comes back: bridge, forwarding, routes; and no lease or key moved', async () => {
    const { team, host } = site;
    const kept = async () => [
      await team.stores.leases.list(new Date()),
      await team.stores.nodes.read(),
      await team.stores.hostKeys.pinnedAll(['lin01', 'win01', 'lin02']),
    ];
    const before = await kept();
    host('lin01').reboot();
    expect(podRoutes(host('lin01'))).toEqual([]);
    const change = await team.ask('repair lin01');
    const card = await team.untilCard(change.id, 'Approve');
    for (const command of ['ip link add name cbr0', 'sysctl -w net.ipv4.ip_forward=1', 'ip route add'])
      expect(card).toContain(command);
    await team.click(change.id, 'Approve');
    expect((await team.until(change.id)).state).toBe('applied');
    expect(podRoutes(host('lin01'))).toEqual(whole['lin01']);
    expect(host('lin01').state).toMatchObject({ forward: true });
    expect(await kept()).toEqual(before);
    expect((await team.ask('repair')).state).toBe('refused');
  }, 60_000);

  test('a foreign route in the way is named and stays; what can be restored is', async () => {
    const { team, host } = site;
    host('lin01').removeRoute('192.168.1.0/24');
    host('lin01').removeRoute('192.168.2.0/24');
    host('lin01').addForeignRoute({ destination: '192.168.1.0/24', nextHop: '10.0.0.254' });
    const foreign = (await team.say('routes lin01')) && host('lin01').state;
    const change = await team.ask('repair');
    expect(await team.untilCard(change.id, 'Approve')).toContain('192.168.1.0/24 via 10.0.0.254');
    await team.click(change.id, 'Approve');
    expect((await team.until(change.id)).state).toBe('applied');
    expect(await team.untilCard(change.id, 'pairs answer')).toContain('where one of ours goes');
    expect(podRoutes(host('lin01'))).toEqual(['192.168.2.0/24 via 10.0.0.8']);
    expect(JSON.stringify(host('lin01').state)).toContain('10.0.0.254');
    expect(JSON.stringify(foreign)).toContain('10.0.0.254');
    const left = await team.ask('repair lin01');
    expect(left).toMatchObject({ state: 'refused' });
    expect(left.reason).toMatch(/`lin01` has 192\.168\.1\.0\/24 in the way/);
    host('lin01').removeRoute('192.168.1.0/24');
    expect((await team.make('repair')).state).toBe('applied');
    expect(podRoutes(host('lin01'))).toEqual(whole['lin01']);
  }, 60_000);

  test('a stray route of ours goes; a host that changed since the plan makes it stale; an absent host is not planned for', async () => {
    const { team, host } = site;
    host('lin02').addForeignRoute({ destination: '192.168.99.0/24', nextHop: '10.0.0.77', protocol: '155' });
    await host('win01').down();
    const change = await team.ask('repair');
    const card = await team.untilCard(change.id, 'Approve');
    expect(card).toContain('ip route del 192.168.99.0/24 via 10.0.0.77 proto 155');
    expect(card).toMatch(/Could not be read.*win01/s);
    host('lin02').addForeignRoute({ destination: '192.168.77.0/24', nextHop: '10.0.0.254' });
    await team.click(change.id, 'Approve');
    expect((await team.until(change.id)).state).toBe('stale');
    host('lin02').removeRoute('192.168.77.0/24');
    expect((await team.make('repair')).state).toBe('applied');
    expect(podRoutes(host('lin02'))).toEqual(whole['lin02']);
    await host('win01').up();
  }, 60_000);

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});
