import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeWith } from '../../lab/requirements.js';
import { PROGRAMS } from '../../support/programs.js';
import { type Answer, type Channel, neighbour, nodeIp, type Site, startSite } from './site.js';

interface Pair {
  destination: string;
  nextHop: string;
}
const first: Pair = { destination: '192.168.1.0/24', nextHop: neighbour };
const second: Pair = { destination: '192.168.2.0/24', nextHop: neighbour };

describeWith(['root', 'dotnet'], 'routes and forwarding of a Windows host', () => {
  let site: Site;
  let channel: Channel;
  let fence = 100;

  beforeAll(async () => {
    site = await startSite('routes');
    channel = await site.open();
    // The neighbour is the node of 192.168.1.0/24.
    site.beside('ip', 'address', 'add', '192.168.1.1/24', 'dev', 'lo');
  }, 120_000);
  afterAll(() => site.stop());
  beforeEach(() => {
    site.inside('ip', 'route', 'flush', 'proto', 'static');
    site.inside('ip', 'route', 'flush', 'proto', 'boot');
    site.host.edit((state) => Object.assign(state, { routes: [], faults: {} }));
  });

  const sync = (add: Pair[], remove: Pair[] = [], more: object = {}): Promise<Answer> =>
    channel.request('sync-routes', {
      fence,
      nodeIp,
      clusterCidr: '192.168.0.0/16',
      ownCidr: '192.168.3.0/24',
      add,
      remove,
      ...more,
    });
  const prove = async (target: string): Promise<string> =>
    (await channel.request('prove', { source: nodeIp, targets: [target] })).data.answers[target];
  /** What the kernel and the persistent store hold in the cluster, next to what the answer says of both. */
  function expectRoutes(answer: Answer, active: Pair[], persistent = active): void {
    const text = ({ destination, nextHop }: Pair): string => `${destination} via ${nextHop}`;
    const kernel = site
      .inside('ip', '-4', 'route', 'show', 'root', '192.168.0.0/16')
      .split('\n')
      .filter(Boolean);
    expect(new Set(kernel.map((line) => line.split(' ').slice(0, 3).join(' ')))).toEqual(
      new Set(active.map(text)),
    );
    expect(new Set(site.host.state().routes.map(text))).toEqual(new Set(persistent.map(text)));
    const told = (answer.data.routes as { store: string; dest: string; nextHop: string }[])
      .filter(({ dest }) => dest.startsWith('192.168.'))
      .map(({ store, dest, nextHop }) => `${store} ${dest} via ${nextHop}`);
    const both = [
      ...active.map((r) => `ActiveStore ${text(r)}`),
      ...persistent.map((r) => `PersistentStore ${text(r)}`),
    ];
    expect(told).toHaveLength(both.length);
    expect(new Set(told)).toEqual(new Set(both));
  }

  test('a route that was not there carries packets', async () => {
    expect(await prove('192.168.1.1')).toBe('none');
    const answer = await sync([first]);
    expect(answer).toMatchObject({
      ok: true,
      changed: true,
      data: { conflicts: [], errors: [], ifIndex: 1007 },
    });
    expect(answer.data.actions).toEqual(['add 192.168.1.0/24 via 10.0.0.8 on interface 1007']);
    expectRoutes(answer, [first]);
    expect(await prove('192.168.1.1')).toBe('icmp');
  });

  test('done already: nothing happens', async () => {
    await sync([first, second]);
    const answer = await sync([first, second]);
    expect(answer).toMatchObject({
      ok: true,
      changed: false,
      data: { actions: [], conflicts: [], errors: [] },
    });
    expectRoutes(answer, [first, second]);
  });

  test.each<[string, (site: Site) => void]>([
    ['only active', ({ host }) => host.edit(({ routes }) => void routes.shift())],
    ['only persistent', ({ inside }) => inside('ip', 'route', 'del', first.destination)],
    [
      'on another interface',
      ({ inside }) => {
        inside('ip', 'route', 'del', first.destination);
        inside(
          'ip',
          'route',
          'add',
          first.destination,
          'via',
          neighbour,
          'dev',
          'eth1',
          'onlink',
          'metric',
          '256',
        );
      },
    ],
    [
      'also on another interface',
      ({ inside }) =>
        inside(
          'ip',
          'route',
          'append',
          first.destination,
          'via',
          neighbour,
          'dev',
          'eth1',
          'onlink',
          'metric',
          '256',
        ),
    ],
  ])('%s: repaired', async (_, damage) => {
    await sync([first, second]);
    damage(site);
    const answer = await sync([first, second]);
    expect(answer.data.actions).toEqual(['renew 192.168.1.0/24 via 10.0.0.8 on interface 1007']);
    expectRoutes(answer, [first, second]);
    expect(site.inside('ip', 'route', 'show', first.destination)).toContain('dev eth0');
  });

  test('a foreign route in the way is left alone, and the others are made', async () => {
    site.inside('ip', 'route', 'add', first.destination, 'via', '10.0.0.9', 'metric', '5');
    const answer = await sync([first, second]);
    expect(answer.data.conflicts).toEqual(['192.168.1.0/24 via 10.0.0.9 on interface 1007, ActiveStore']);
    expectRoutes(answer, [{ ...first, nextHop: '10.0.0.9' }, second], [second]);
  });

  test('another next hop: the old one goes when it is named', async () => {
    await sync([{ ...first, nextHop: '10.0.0.9' }]);
    const answer = await sync([first], [{ ...first, nextHop: '10.0.0.9' }]);
    expect(answer.data.actions).toEqual([
      'add 192.168.1.0/24 via 10.0.0.8 on interface 1007',
      'remove 192.168.1.0/24 via 10.0.0.9',
    ]);
    expectRoutes(answer, [first]);
  });

  test('removing takes what is named, once', async () => {
    await sync([first, second]);
    const answer = await sync([], [first]);
    expect(answer.data).toMatchObject({ actions: ['remove 192.168.1.0/24 via 10.0.0.8'], errors: [] });
    expectRoutes(answer, [second]);
    expect(await sync([], [first])).toMatchObject({
      ok: true,
      changed: false,
      data: { actions: [], errors: [] },
    });
  });

  test('removing another next hop than the one held takes nothing', async () => {
    await sync([first]);
    const answer = await sync([], [{ ...first, nextHop: '10.0.0.9' }]);
    expect(answer).toMatchObject({ changed: false, data: { actions: [] } });
    expectRoutes(answer, [first]);
  });

  test.each(['ActiveStore', 'PersistentStore'])(
    'a copy that Remove-NetRoute leaves in the %s goes too',
    async (stubborn) => {
      await sync([first, second]);
      site.host.edit((state) => Object.assign(state.faults, { stubborn }));
      const answer = await sync([], [first]);
      expect(answer.data.errors).toEqual([]);
      expectRoutes(answer, [second]);
    },
  );

  test('a route that Windows refuses is told in its own words, and the others are made', async () => {
    const own = { ...first, nextHop: nodeIp };
    const answer = await sync([own, second]);
    expect(answer.data.errors).toEqual([
      '192.168.1.0/24 via 10.0.0.7: The parameter is incorrect. [Windows System Error 87,New-NetRoute]',
    ]);
    expectRoutes(answer, [second]);
  });

  test.each<[string, Pair]>([
    ["is this node's own pod CIDR", { destination: '192.168.3.0/24', nextHop: neighbour }],
    ['is outside the cluster CIDR', { destination: '172.16.0.0/24', nextHop: neighbour }],
    ['is outside the cluster CIDR', { destination: '192.0.0.0/8', nextHop: neighbour }],
    ['is outside the cluster CIDR', { destination: '0.0.0.0/0', nextHop: neighbour }],
    ['is a connected route', { destination: '192.168.1.0/24', nextHop: '0.0.0.0' }],
  ])('refused, added or removed: it %s', async (why, route) => {
    await sync([first]);
    for (const [add, remove] of [
      [[second, route], []],
      [[second], [route]],
    ] as const) {
      const answer = await sync([...add], [...remove], { fence: fence + 1_000_000 });
      expect(answer).toEqual({ ok: false, code: 'REFUSED', error: `${route.destination} ${why}` });
    }
    expectRoutes(await sync([first]), [first]);
  });

  test("refused: a prefix that covers the node's address", async () => {
    const answer = await sync([{ destination: '10.0.0.0/24', nextHop: neighbour }], [], {
      clusterCidr: '10.0.0.0/16',
      ownCidr: '10.0.3.0/24',
    });
    expect(answer).toMatchObject({
      ok: false,
      code: 'REFUSED',
      error: "10.0.0.0/24 covers this node's own address",
    });
  });

  test('many routes at once', async () => {
    const many = Array.from({ length: 40 }, (_, i) => ({
      destination: `192.168.${i + 50}.0/24`,
      nextHop: neighbour,
    }));
    const answer = await sync(many);
    expect(answer.data.errors).toEqual([]);
    expectRoutes(answer, many);
    expectRoutes(await sync([], many), []);
  });

  test('whoever held the lease before changes nothing', async () => {
    await sync([first]);
    const answer = await sync([second], [first], { fence: fence - 1 });
    expect(answer).toMatchObject({ ok: false, code: 'FENCED' });
    expect(await channel.request('forwarding', { fence: fence - 1, nodeIp, enabled: true })).toMatchObject({
      ok: false,
      code: 'FENCED',
    });
    fence += 1;
    expectRoutes(await sync([first]), [first]);
    expect(await sync([second], [], { fence: fence - 1 })).toMatchObject({ ok: false, code: 'FENCED' });
  });

  test("an address that is not the host's: told, and the rest can be read", async () => {
    expect(await sync([first], [], { nodeIp: '10.0.0.99' })).toMatchObject({
      ok: false,
      code: 'NODE-IP',
      error: "the node's address 10.0.0.99 is on 0 interfaces",
    });
    const { data } = await channel.request('read', { nodeIp: '10.0.0.99', full: true, ...PROGRAMS });
    expect(data).toMatchObject({
      ifIndex: null,
      guid: null,
      nodeError: "the node's address 10.0.0.99 is on 0 interfaces",
    });
    expect(data.addresses).toContainEqual({
      address: nodeIp,
      prefixLength: 24,
      ifIndex: 1007,
      alias: 'Ethernet',
    });
  });

  test('reads no host routes, multicast, link-local or loopback', async () => {
    site.inside('ip', 'route', 'add', '192.168.77.7/32', 'via', neighbour);
    site.inside('ip', 'route', 'add', '169.254.0.0/16', 'dev', 'eth1');
    site.inside('ip', 'route', 'add', 'default', 'via', neighbour);
    const { data } = await channel.request('read', { nodeIp, full: false });
    const read: Set<string> = new Set(data.routes.map(({ dest }: { dest: string }) => dest));
    expect(read).toEqual(new Set(['0.0.0.0/0', '10.0.0.0/24']));
  });

  test('finds its interface by the address, whatever index it has today', async () => {
    await sync([first]);
    site.host.edit(({ nics }) => {
      for (const nic of nics) nic.index += 50;
    });
    const answer = await sync([first, second]);
    expect(answer.data).toMatchObject({
      ifIndex: 1057,
      actions: ['add 192.168.2.0/24 via 10.0.0.8 on interface 1057'],
    });
    expectRoutes(answer, [first, second]);
    site.host.edit(({ nics }) => {
      for (const nic of nics) nic.index -= 50;
    });
  });

  const forwarding = (enabled: boolean): Promise<Answer> =>
    channel.request('forwarding', { fence, nodeIp, enabled });
  const kernelForwards = (): string => site.inside('sysctl', '-n', 'net.ipv4.conf.eth0.forwarding').trim();

  test.each([{}, { netsh: 'kaputt' }])(
    'forwarding, on and off again, with netsh broken like %j',
    async (faults) => {
      site.host.edit((state) => Object.assign(state, { faults }));
      expect(await forwarding(true)).toEqual({
        ok: true,
        changed: true,
        data: { ifIndex: 1007, forwarding: 'Enabled' },
      });
      expect(kernelForwards()).toBe('1');
      expect(await forwarding(true)).toMatchObject({ ok: true, changed: false });
      expect(await forwarding(false)).toEqual({
        ok: true,
        changed: true,
        data: { ifIndex: 1007, forwarding: 'Disabled' },
      });
      expect(kernelForwards()).toBe('0');
      expect(await forwarding(false)).toMatchObject({ ok: true, changed: false });
    },
  );
});
