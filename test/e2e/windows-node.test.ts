import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, BOB } from '../../sandbox/world.js';
import { eventually } from '../support/eventually.js';
import { BUSY, openSite, podRoutes, type Site } from '../support/site.js';

/** What is asked of a host beside the watch's looks. */
const asked = (site: Site, name: string) =>
  site.host(name).asked.filter((script) => script !== 'probe' && script !== 'watch');

/** What makes a node of a Windows machine, as the host has it. */
function made(site: Site, name: string) {
  const { state } = site.host(name);
  if (state.os !== 'windows') throw new Error(`${name} is no Windows host`);
  const { switches, routing, images, components } = state.machine;
  return {
    networks: state.networks.map((network) => network.name),
    switches: switches.map((each) => each.name),
    images: Object.keys(images),
    router: routing !== null,
    components: Object.values(components).map((each) => each !== null),
  };
}

const NODE = {
  networks: ['transparent'],
  switches: ['KubeProxySwitch'],
  images: ['apprenda/pause'],
  router: true,
  components: [true, true],
};
const MACHINE = { networks: [], switches: [], images: [], router: false, components: [false, false] };

describe('a Windows node', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite(BUSY);
    await site.team.make('add linux node lin01 10.0.0.4');
  }, 60_000);
  afterAll(() => site.close());

  test('is made of a bare machine by one approved change, in at most ten requests; a peer is asked for its part once', async () => {
    const { team } = site;
    expect(made(site, 'win01')).toEqual(MACHINE);
    const change = await team.make('add windows node win01 10.0.0.5');
    expect(change).toMatchObject({ state: 'applied' });
    expect(made(site, 'win01')).toEqual(NODE);
    const { state } = site.host('win01');
    const api = site.world.env['API_SERVER'];
    expect(state.os === 'windows' && state.machine.components).toMatchObject({
      kubelet: {
        executable: 'C:\\k\\kubelet.exe',
        arguments: `--hostname-override=win01 --pod-infra-container-image="apprenda/pause" --resolv-conf="" --api_servers=${api}`,
        environment: ['CONTAINER_NETWORK=transparent'],
      },
      'kube-proxy': {
        arguments: `--v=3 --proxy-mode=userspace --hostname-override=win01 --master=${api} --bind-address=10.0.0.5`,
        environment: ['INTERFACE_TO_ADD_SERVICE_IP=vEthernet (KubeProxySwitch)'],
      },
    });
    expect(asked(site, 'win01').length).toBeLessThanOrEqual(10);

    const before = asked(site, 'win01').length;
    expect((await team.make('add linux node lin02 10.0.0.8')).state).toBe('applied');
    // Read for the plan and at the gate, its one route, and its packets for the proof.
    expect(asked(site, 'win01').slice(before)).toEqual(['read', 'read', 'sync-routes', 'prove']);
  });

  test('whose connection is cut while it is made is made all the same, and the card follows', async () => {
    const { team } = site;
    const host = site.host('win02');
    const change = await team.ask('add windows node win02 10.0.0.6');
    await team.click(change.id, 'Approve');
    await eventually('the work begins', async () => host.asked.includes('provision'));
    await host.down();
    await host.up();
    expect(await team.until(change.id)).toMatchObject({ state: 'applied' });
    expect(made(site, 'win02')).toEqual(NODE);
    // The work was joined, not begun anew.
    expect(asked(site, 'win02').filter((script) => script === 'provision').length).toBeGreaterThan(1);
  });

  test('that takes a restart asks first; the one who asked for the node can’t allow it, an approver can', async () => {
    const { team } = site;
    const host = site.host('win04');
    const boot = host.state.boot;
    const change = await team.ask('add windows node win04 10.0.0.10');
    await team.untilCard(change.id, 'may have to restart on the way');
    await team.click(change.id, 'Approve');
    expect(await team.untilAsks(change.id)).toBe('win04');
    await team.untilCard(change.id, 'has to restart before it goes on');
    expect(host.state.boot).toBe(boot);
    expect(await team.say(`confirm ${change.id}`, ALICE)).toMatch(/may|approver/);
    expect(host.state.boot).toBe(boot);

    await team.click(change.id, 'Restart win04');
    expect(await team.until(change.id)).toMatchObject({ state: 'applied' });
    expect(host.state.boot).not.toBe(boot);
    expect(made(site, 'win04')).toEqual(NODE);
    expect(await team.say(`confirm ${change.id}`, BOB)).toContain('asks nothing now');
  });

  test('that is removed keeps its container network unless somebody says otherwise, and nothing else of ours', async () => {
    const { team } = site;
    const change = await team.ask('remove node win04');
    await team.click(change.id, 'Approve');
    await team.untilAsks(change.id);
    // Peers have forgotten it by now; only the network waits for a word.
    expect(podRoutes(site.host('lin01')).join()).not.toContain('10.0.0.10');
    await team.click(change.id, 'Keep network', ALICE);
    expect(await team.until(change.id)).toMatchObject({ state: 'applied' });
    expect(made(site, 'win04')).toEqual({ ...MACHINE, networks: ['transparent'] });
  });

  test('whose restart nobody agrees to is not made; Retry asks anew', async () => {
    const { team } = site;
    await team.make('remove node win02');
    expect(made(site, 'win02')).toEqual(MACHINE);
    site
      .host('win02')
      .alter((state) =>
        state.os === 'windows' ? { ...state, machine: { ...state.machine, wantsRestart: true } } : state,
      );
    const change = await team.ask('add windows node win02 10.0.0.6');
    await team.click(change.id, 'Approve');
    await team.untilAsks(change.id);
    await team.click(change.id, "Don't restart", ALICE);
    expect((await team.until(change.id)).state).toBe('failed');
    expect(await team.untilCard(change.id, 'nobody agreed to it')).toContain('Retry');

    await team.click(change.id, 'Retry (4)', ALICE);
    await team.untilAsks(change.id);
    expect(await team.agree(change.id)).toMatchObject({ state: 'applied' });
    expect(made(site, 'win02')).toEqual(NODE);
  });
});
