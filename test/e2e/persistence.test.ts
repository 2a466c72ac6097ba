/** What Fairway installs on a Linux node so that its network outlives a boot: with the node it comes, with the node it goes. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { LinuxHost } from '../../sandbox/hosts/state.js';
import { openSite, podRoutes, type Site } from '../support/site.js';

describe('a Linux node whose login may install things', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
    await site.team.make('add linux node lin02 10.0.0.8');
    for (const name of ['lin01', 'lin03']) mayInstall(name, true);
  }, 60_000);
  afterAll(() => site.close());

  function mayInstall(name: string, may: boolean): void {
    site.host(name).alter((state) => (state.os === 'linux' ? { ...state, mayInstall: may } : state));
  }

  function stateOf(name: string): LinuxHost {
    const { state } = site.host(name);
    if (state.os !== 'linux') throw new Error(`${name} is no Linux host`);
    return state;
  }

  test('gets the root helper by the plan, which says so; nothing is planned on its peer', async () => {
    const { team } = site;
    const change = await team.ask('add linux node lin01 10.0.0.4');
    const card = await team.untilCard(change.id, 'Approve');
    expect(card).toContain('Linux: +2 routes, +bridge, +forwarding, +persistence on 2 hosts');
    expect(card.match(/fairway-node install 192\.168\.0\.0\/16 cbr0 192\.168\.1\.0\/24/g)).toHaveLength(1);
    await team.click(change.id, 'Approve');
    expect(await team.until(change.id)).toMatchObject({ state: 'applied' });
    expect(stateOf('lin01').helper).toMatchObject({ bridge: 'cbr0', podCidr: '192.168.1.0/24' });
    expect(stateOf('lin02').helper).toBeNull();
  });

  test('that lost the right after it was planned fails, and says what to do', async () => {
    const { team } = site;
    const change = await team.ask('add linux node lin03 10.0.0.9');
    mayInstall('lin03', false);
    await team.click(change.id, 'Approve');
    await team.until(change.id, 'failed');
    const card = await team.untilCard(change.id, 'failed');
    expect(card).toContain(
      'sudo does not let it do that: docs/linux-host.md has what to paste there as root',
    );
    await team.click(change.id, 'Roll back');
    await team.until(change.id, 'rolled-back');
  });

  test('has its network after a reboot, so that there is nothing to repair', async () => {
    const { team, host } = site;
    const before = podRoutes(host('lin01'));
    host('lin01').reboot();
    expect(podRoutes(host('lin01'))).toEqual(before);
    expect(await team.ask('repair')).toMatchObject({ state: 'refused' });
  });

  test('gets it back by repair', async () => {
    const { team, host } = site;
    host('lin01').alter((state) => (state.os === 'linux' ? { ...state, helper: null } : state));
    expect(await team.make('repair lin01')).toMatchObject({ state: 'applied' });
    expect(stateOf('lin01').helper).not.toBeNull();
  });

  test('loses it with the rest when it is removed', async () => {
    expect(await site.team.make('remove node lin01')).toMatchObject({ state: 'applied' });
    const { helper, forward, interfaces } = stateOf('lin01');
    expect([helper, forward, interfaces.map(({ name }) => name)]).toEqual([null, false, ['lo', 'eth0']]);
  });
});
