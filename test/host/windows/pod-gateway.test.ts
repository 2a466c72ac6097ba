import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeWith } from '../../lab/requirements.js';
import { podGateway, podNetwork, pods, readFull } from './pods.js';
import { type Answer, type Channel, neighbour, nodeIp, type Site, startSite } from './site.js';

describeWith(['root', 'dotnet'], 'the pod gateway of a Windows host', () => {
  let site: Site;
  let channel: Channel;

  beforeAll(async () => {
    site = await startSite('gate');
    channel = await site.open();
    site.beside('ip', 'route', 'add', '192.168.3.0/24', 'via', nodeIp);
    expect(await podNetwork(channel, site, true)).toMatchObject({ ok: true });
  }, 120_000);
  afterAll(() => site.stop());
  beforeEach(() => {
    site.inside('ip', 'address', 'flush', 'dev', 'hns1');
    site.inside('sysctl', '-qw', 'net.ipv4.conf.hns1.forwarding=0');
    breakIt({});
  });

  const gateway = (ensure: boolean): Promise<Answer> => podGateway(channel, site, ensure);
  const breakIt = (faults: Record<string, string>): void =>
    site.host.edit((state) => Object.assign(state, { faults }));

  test('the gateway with another mask is put right', async () => {
    site.inside('ip', 'address', 'add', '192.168.3.1/16', 'dev', 'hns1');
    expect(await gateway(true)).toMatchObject({ ok: true, changed: true, data: { state: 'Preferred' } });
    expect(site.inside('ip', '-4', 'address', 'show', 'dev', 'hns1').match(/inet \S+/g)).toEqual([
      'inet 192.168.3.1/24',
    ]);
  });

  test('the gateway is there, forwarding is not', async () => {
    await gateway(true);
    site.inside('sysctl', '-qw', 'net.ipv4.conf.hns1.forwarding=0');
    expect(await gateway(true)).toMatchObject({ ok: true, changed: true, data: { forwarding: 'Enabled' } });
  });

  test('the gateway on another NIC, on another host, or refused by netsh', async () => {
    site.inside('ip', 'address', 'add', '192.168.3.1/24', 'dev', 'eth0');
    expect(await gateway(true)).toEqual({
      ok: false,
      code: 'CONFLICT',
      error: '192.168.3.1 is already on Ethernet',
    });
    site.inside('ip', 'address', 'del', '192.168.3.1/24', 'dev', 'eth0');
    breakIt({ netsh: 'Zugriff verweigert' });
    expect(await gateway(true)).toEqual({
      ok: false,
      code: 'NETSH',
      error: 'netsh address (1): Zugriff verweigert',
    });
    breakIt({ duplicate: '192.168.3.1' });
    expect(await gateway(true)).toMatchObject({ ok: false, code: 'DUPLICATE' });
  });

  test('the gateway answers its peers once the routable NIC forwards, and the way back is proved', async () => {
    const ping = (): string =>
      site.beside('sh', '-c', 'ping -c1 -W1 192.168.3.1 >/dev/null && echo yes || echo no').trim();
    const prove = async (targets: string[], source = pods.gateway): Promise<Answer> =>
      channel.request('prove', { source, targets });
    await gateway(true);
    expect(ping()).toBe('no');
    await channel.request('forwarding', { fence: 10, nodeIp, enabled: true });
    expect(ping()).toBe('yes');

    const started = Date.now();
    expect((await prove([neighbour, '10.0.0.99', '10.0.0.98'])).data).toEqual({
      answers: { [neighbour]: 'icmp', '10.0.0.99': 'none', '10.0.0.98': 'none' },
    });
    expect(Date.now() - started).toBeLessThan(4000);
    site.beside(
      'nft',
      'add table ip f; add chain ip f i { type filter hook input priority 0; }; add rule ip f i icmp type echo-request drop',
    );
    expect((await prove([neighbour])).data).toEqual({ answers: { [neighbour]: 'tcp' } });
    site.beside('ip', 'route', 'del', '192.168.3.0/24');
    expect((await prove([neighbour])).data).toEqual({ answers: { [neighbour]: 'none' } });
    expect(await prove([neighbour], '192.168.8.1')).toMatchObject({ ok: false, code: 'SOURCE' });
  });

  test('the gateway: given, given already, taken away', async () => {
    expect(await gateway(true)).toEqual({
      ok: true,
      changed: true,
      data: { ifIndex: 1010, alias: 'vEthernet (HNSTransparent)', state: 'Preferred', forwarding: 'Enabled' },
    });
    expect(await gateway(true)).toMatchObject({ ok: true, changed: false });
    expect((await readFull(channel, site)).data.podNic).toMatchObject({ forwarding: 'Enabled' });
    expect(await gateway(false)).toMatchObject({ ok: true, changed: true, data: { state: '' } });
    expect(await gateway(false)).toMatchObject({ ok: true, changed: false });
    await podNetwork(channel, site, false);
    expect(await gateway(false)).toEqual({
      ok: true,
      changed: false,
      data: { ifIndex: null, alias: null, state: '', forwarding: null },
    });
  });
});
