import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeWith } from '../../lab/requirements.js';
import { until } from '../../lab/system.js';
import { podGateway, podNetwork, pods, readFull } from './pods.js';
import { type Answer, type Channel, nodeIp, type Site, startSite } from './site.js';

const other = { id: 'f00', device: null, ...pods };

describeWith(['root', 'dotnet'], 'the pod network of a Windows host', () => {
  let site: Site;
  let channel: Channel;

  beforeAll(async () => {
    site = await startSite('pods');
    channel = await site.open();
  }, 120_000);
  afterAll(() => site.stop());
  beforeEach(() => {
    for (const { device } of site.host.state().networks)
      if (device !== null) site.inside('ip', 'link', 'del', device);
    site.inside('ip', 'address', 'flush', 'dev', 'eth1');
    site.host.edit((state) => {
      Object.assign(state, { networks: [], containers: {}, faults: {} });
      state.nics = state.nics.filter(({ device }) => device.startsWith('eth'));
    });
  });

  const network = (ensure: boolean, more: object = {}, on = channel): Promise<Answer> =>
    podNetwork(on, site, ensure, more);
  const breakIt = (faults: Record<string, string>): void =>
    site.host.edit((state) => Object.assign(state, { faults }));
  const routableMac = (): string =>
    site.inside('cat', '/sys/class/net/eth0/address').trim().toUpperCase().replaceAll(':', '-');

  test('made, made already, and read back', async () => {
    expect(await network(true)).toEqual({ ok: true, changed: true, data: { network: pods } });
    expect(await network(true)).toEqual({ ok: true, changed: false, data: { network: pods } });
    const { data } = await readFull(channel, site);
    expect(data.podNetworks).toEqual([pods]);
    expect(data.podNic).toEqual({
      ifIndex: 1010,
      alias: 'vEthernet (HNSTransparent)',
      forwarding: 'Disabled',
    });
    expect(data.nics).toMatchObject([
      {
        name: 'Ethernet',
        virtual: false,
        addresses: [nodeIp],
        busy: ["it carries the node's address", 'it carries this SSH session'],
      },
      { name: 'Ethernet 2', mac: site.mac, virtual: false, status: 'Up', busy: [] },
      {
        name: 'vEthernet (HNSTransparent)',
        mac: site.mac,
        virtual: true,
        busy: ['it is a Hyper-V host adapter'],
      },
    ]);
    expect(site.inside('ip', 'link', 'show', 'eth1')).toContain('master hns1');
  });

  test('cards in another order, with each other’s names and other indexes: the one of that MAC is taken, and given back', async () => {
    const swap = (): void =>
      site.host.edit(({ nics }) => {
        const [routable, own] = nics.filter(({ device }) => device.startsWith('eth'));
        if (!routable || !own) throw new Error('two cards are missing');
        [routable.name, own.name] = [own.name, routable.name];
        [routable.index, own.index] = [own.index, routable.index];
        nics.reverse();
      });
    swap();
    expect(await network(true)).toMatchObject({ ok: true, changed: true });
    expect(site.inside('ip', 'link', 'show', 'eth1')).toContain('master hns1');
    expect(site.inside('ip', 'link', 'show', 'eth0')).not.toContain('master');
    expect(await podGateway(channel, site, true)).toMatchObject({ ok: true, changed: true });
    // The order changes under the network too, as by a restart.
    swap();
    expect(await network(true)).toMatchObject({ ok: true, changed: false });
    expect(await podGateway(channel, site, true)).toMatchObject({ ok: true, changed: false });
    expect(await podGateway(channel, site, false)).toMatchObject({ ok: true, changed: true });
    expect(await network(false)).toMatchObject({ ok: true, changed: true });
    expect(site.inside('ip', 'link', 'show', 'eth1')).not.toContain('master');
  });

  test('removed, and removed already', async () => {
    await network(true);
    expect(await network(false)).toEqual({ ok: true, changed: true, data: { network: null } });
    expect(await network(false)).toEqual({ ok: true, changed: false, data: { network: null } });
    expect((await readFull(channel, site)).data).toMatchObject({ podNetworks: [], podNic: null });
  });

  test('stays while containers are on it', async () => {
    await network(true);
    site.host.edit((state) => Object.assign(state.containers, { pods: 2 }));
    expect(await network(false)).toMatchObject({
      ok: false,
      code: 'IN-USE',
      error: '2 containers are on the docker network pods',
    });
    expect(site.host.state().networks).toHaveLength(1);
  });

  test.each([
    ['subnet 192.168.9.0/24, gateway 192.168.9.1', { subnet: '192.168.9.0/24', gateway: '192.168.9.1' }],
    ['driver nat', { driver: 'nat' }],
  ])('another network of that name is a conflict: %s', async (what, difference) => {
    site.host.edit((state) => Object.assign(state, { networks: [{ ...other, ...difference }] }));
    for (const ensure of [true, false]) {
      expect(await network(ensure)).toEqual({
        ok: false,
        code: 'CONFLICT',
        error: `the docker network pods exists, with ${what}`,
      });
    }
    expect(site.host.state().networks).toHaveLength(1);
  });

  test('another transparent network is a conflict; one without a subnet can be read', async () => {
    site.host.edit((state) =>
      Object.assign(state, { networks: [{ ...other, name: 'theirs', subnet: null, gateway: null }] }),
    );
    expect(await network(true)).toMatchObject({
      ok: false,
      code: 'CONFLICT',
      error: 'the transparent network theirs exists, and each needs a NIC of its own',
    });
    expect((await readFull(channel, site)).data.podNetworks).toEqual([
      { name: 'theirs', driver: 'transparent', subnet: '0.0.0.0/0', gateway: '0.0.0.0' },
    ]);
    expect(await network(false)).toMatchObject({ ok: true, changed: false });
  });

  test('docker that is still starting is waited for; a read does not wait', async () => {
    breakIt({ 'docker-until': new Date(Date.now() + 6_000).toISOString() });
    expect((await readFull(channel, site)).data.podNetworks).toBeNull();
    expect(await network(true)).toEqual({ ok: true, changed: true, data: { network: pods } });
  });

  test('docker down is not "no networks"', async () => {
    breakIt({
      docker:
        'error during connect: open //./pipe/docker_engine: Das System kann die angegebene Datei nicht finden.',
    });
    const error = expect.stringContaining('error during connect');
    expect(await readFull(channel, site)).toMatchObject({
      ok: true,
      data: { podNetworks: null, machine: { docker: { error } } },
    });
    for (const answer of [await network(true), await network(false)]) {
      expect(answer).toMatchObject({
        ok: false,
        code: 'DOCKER',
        error,
      });
    }
  });

  test('the NIC that carries the node, this session or a default route is not given away', async () => {
    const before = site.inside('ip', 'address');
    expect(await network(true, { containerNic: routableMac() })).toEqual({
      ok: false,
      code: 'NIC',
      error:
        "Ethernet can't become the container NIC: it carries the node's address, it carries this SSH session",
    });
    expect(await network(true, { containerNic: '00-15-5D-00-00-99' })).toMatchObject({
      code: 'NIC',
      error: 'the container NIC 00-15-5D-00-00-99 matches 0 adapters',
    });
    expect(await network(true, { nodeIp: '10.0.0.99' })).toMatchObject({ ok: false, code: 'NODE-IP' });
    site.inside('ip', 'route', 'add', 'default', 'via', '10.1.0.1', 'dev', 'eth1', 'onlink');
    expect(await network(true)).toMatchObject({
      code: 'NIC',
      error: "Ethernet 2 can't become the container NIC: it holds a default route",
    });
    site.inside('ip', 'route', 'del', 'default');
    expect(site.inside('ip', 'address')).toBe(before);
  });

  test('a NIC below the switch that carries the node is not free, though its address is elsewhere', async () => {
    // So it looks once a virtual switch sits on the routable NIC: the address on a host adapter, the NIC bare, one MAC for both.
    site.inside(
      'ip',
      'link',
      'set',
      'eth1',
      'address',
      site.inside('cat', '/sys/class/net/eth0/address').trim(),
    );
    site.host.edit(({ nics }) => Object.assign(nics[0] ?? {}, { component: 'vms_mp' }));
    const { data } = await readFull(channel, site);
    const answer = await network(true, { containerNic: routableMac() });
    site.host.edit(({ nics }) => Object.assign(nics[0] ?? {}, { component: 'vmbus' }));
    site.inside('ip', 'link', 'set', 'eth1', 'address', site.mac.replaceAll('-', ':'));
    expect(data.nics[1]).toMatchObject({ name: 'Ethernet 2', busy: ["it carries the node's address"] });
    expect(answer).toMatchObject({ ok: false, code: 'NIC' });
  });

  test("docker's own words when it can't", async () => {
    site.host.edit(({ nics }) => Object.assign(nics[1] ?? {}, { name: 'Ethernet "2"' }));
    expect(await network(true)).toMatchObject({
      ok: false,
      code: 'DOCKER',
      error: expect.stringContaining('HNS failed with error : Element not found.'),
    });
    site.host.edit(({ nics }) => Object.assign(nics[1] ?? {}, { name: 'Ethernet 2' }));
  });

  test('an address of the NIC stays with it when Windows loses it, beside the pod gateway, and back', async () => {
    breakIt({ 'lose-address': 'yes' });
    site.inside('ip', 'address', 'add', '10.9.0.7/24', 'dev', 'eth1');
    const on = async (name: string): Promise<string[]> => {
      const { data } = await readFull(channel, site);
      return data.nics.find((nic: { name: string }) => nic.name === name).addresses;
    };
    expect(await network(true)).toMatchObject({ ok: true, changed: true });
    expect(await on('vEthernet (HNSTransparent)')).toEqual(['10.9.0.7']);
    for (const changed of [true, false]) {
      expect(await podGateway(channel, site, true)).toMatchObject({ ok: true, changed });
      expect(await on('vEthernet (HNSTransparent)')).toEqual(['10.9.0.7', pods.gateway]);
    }
    expect(await network(true)).toMatchObject({ ok: true, changed: false });
    expect(await network(false)).toMatchObject({ ok: true, changed: true });
    expect(await on('Ethernet 2')).toEqual(['10.9.0.7']);
  });

  test('an address that a cut request could not put back is put back by the next', async () => {
    site.inside('ip', 'address', 'add', '10.9.0.7/24', 'dev', 'eth1');
    breakIt({ 'lose-address': 'yes', netsh: 'Zugriff verweigert' });
    expect(await network(true)).toMatchObject({ ok: false, code: 'NETSH' });
    breakIt({});
    expect(await network(true)).toMatchObject({ ok: true, changed: true });
    expect(site.inside('ip', 'address', 'show', 'hns1')).toContain('10.9.0.7/24');
  });

  test('as provisioned: a cut session does not stop docker, and the next request has the result', async () => {
    breakIt({ 'docker-slow': '1500' });
    const { name, subnet: podCidr, gateway } = pods;
    const common = { fence: 10, containerNic: site.mac, podGateway: gateway, ensure: true };
    const work = {
      fence: 10,
      id: 'change-1',
      waitMs: 60_000,
      steps: [
        { script: 'pod-network', params: { ...common, network: name, podCidr, nodeIp } },
        { script: 'pod-gateway', params: { ...common, podPrefixLength: 24 } },
      ],
    };
    const cut = await site.open();
    cut.request('provision', work).catch(() => {});
    await until(
      'docker',
      () => site.inside('sh', '-c', 'pgrep -f "[d]ocker.*network create" || true') !== '',
    );
    cut.cut();
    expect((await channel.request('provision', work)).data).toMatchObject({
      over: true,
      done: 2,
      failed: null,
    });
    expect(site.host.state().networks).toHaveLength(1);
    expect(site.inside('ip', 'address', 'show', 'hns1')).toContain(`${gateway}/24`);
  });

  test('no gateway without the network', async () => {
    expect(await podGateway(channel, site, true)).toEqual({
      ok: false,
      code: 'POD-NIC',
      error: `0 host adapters carry the MAC ${site.mac}`,
    });
  });

  test('whoever held the lease before changes nothing', async () => {
    await network(true, { fence: 11 });
    expect(await network(false)).toMatchObject({ ok: false, code: 'FENCED' });
    expect(await podGateway(channel, site, true)).toMatchObject({ ok: false, code: 'FENCED' });
    expect(site.host.state().networks).toHaveLength(1);
  });
});
