import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, CHANNEL } from '../../sandbox/world.js';
import { readNodeList } from '../../src/command/node-list.js';
import { Jobs } from '../../src/job/queue.js';
import { auditEvents } from '../support/audit.js';
import { BUSY, openSite, podRoutes, type Site } from '../support/site.js';

const HEAD = 'cluster: sandbox\nclusterCidr: 192.168.0.0/16\nnodes:\n';

describe('a lost Redis', () => {
  let site: Site;
  let exported: string;
  let before: unknown;
  beforeAll(async () => {
    site = await openSite(BUSY);
    await site.team.make('add linux node lin01 10.0.0.4');
    await site.team.make('add windows node win01 10.0.0.5');
    await site.team.make('add windows node win02 10.0.0.6');
  }, 60_000);
  afterAll(() => site.close());

  /** What is known of the nodes, but for what Fairway made on them. */
  async function known() {
    const { nodes, leases, hostKeys } = site.team.stores;
    const members = (await nodes.read()).nodes;
    return {
      nodes: members.map(({ made: _made, ...node }) => node),
      leases: (await leases.list(new Date())).map(({ podCidr, node, state }) => [podCidr, node.name, state]),
      keys: await hostKeys.pinnedAll(members.map((node) => node.name)),
      journal: await site.team.stores.works.owned('win01'),
    };
  }
  const states = () => ['lin01', 'win01', 'win02'].map((name) => JSON.stringify(site.host(name).state));

  test('export gives the inventory as a list', async () => {
    const said = await site.team.say('export');
    expect(said).toContain('3 nodes');
    [, exported = ''] = /```\n([\s\S]*?)\n```/.exec(said) ?? [];
    exported = exported.replaceAll('&lt;', '<');
    expect(exported).toContain('  - { name: lin01, os: linux, address: 10.0.0.4, podCidr: 192.168.0.0/24 }');
    before = await known();
  });

  test('after it is gone, adopt with that list brings back nodes, leases, keys and journal; no host is touched', async () => {
    const { team } = site;
    await site.loseRedis();
    expect(await team.say('nodes')).toContain('No node yet');
    const hosts = states();
    const change = await team.adopt(exported);
    expect(change).toMatchObject({ kind: 'adopt', state: 'pending', id: 'c1' });
    const card = await team.untilCard('c1', 'First contact');
    expect(card).toContain('sandbox: adopt 3 nodes');
    expect(card).toContain('Nothing is changed on any host');
    expect(card).toContain('`lin01` Linux `10.0.0.4` → `192.168.0.0/24` · 2 of 2 routes');
    expect(card).toContain('`win01` Windows `10.0.0.5` → `192.168.1.0/24` · 2 of 2 routes (2 become Fairway');
    expect(card).toContain('win01  192.168.0.0/24 via 10.0.0.4');
    expect(card).toContain(site.host('win02').fingerprint);
    expect(card).not.toContain('not Fairway');
    expect((await known()).nodes).toEqual([]);
    await team.click('c1', 'Approve');
    expect((await team.until('c1')).state).toBe('applied');
    await team.untilCard('c1', '3 nodes recorded; no host was touched');
    expect(await known()).toEqual(before);
    expect(states()).toEqual(hosts);
    await team.say('routes', ALICE);
    await team.hears('Reading 3 hosts', ALICE);
    await team.hears('3 hosts: every route is there, and none of ours is left over', ALICE);
    const events = (await auditEvents(team.stores.audit)).filter((event) => event.changeId === 'c1');
    expect(events.map((event) => event.what)).toEqual([
      'change-requested',
      'plan-sealed',
      'approve',
      'apply-started',
      'nodes-adopted',
      'change-applied',
    ]);
    expect(JSON.stringify(events.at(-2))).toContain('win02 10.0.0.6 192.168.2.0/24');
  }, 60_000);

  test('the next node gets the next slice, and its routes', async () => {
    const change = await site.team.make('add windows node win03 10.0.0.7');
    expect(change).toMatchObject({ state: 'applied', node: { podCidr: '192.168.3.0/24' } });
    expect(podRoutes(site.host('lin01'))).toContain('192.168.3.0/24 via 10.0.0.7');
  }, 60_000);

  test('a card from before bears the id of another change now: its buttons do nothing', async () => {
    const { slack } = site.world;
    const [old] = slack.messages(CHANNEL).filter((message) => message.metadata?.event_payload['id'] === 'c1');
    expect(old?.text).toContain('add linux node lin01');
    await slack.as(ALICE).click(old?.ts ?? '', 'Roll back', CHANNEL);
    await site.team.hears('older plan of `c1`', ALICE);
    expect((await site.team.stores.changes.get('c1')).state).toBe('applied');
  });

  test('after that the adoption is not rolled back', async () => {
    expect(await site.team.click('c1', 'Roll back', ALICE)).toMatch(/`c2` came after it/);
    expect(await site.team.say('rollback c1')).toContain('remove node');
    expect((await site.team.stores.changes.get('c1')).state).toBe('applied');
  });

  test('removing an adopted node takes its routes away everywhere, and nothing that Fairway is not known to have made', async () => {
    const { team, host } = site;
    for (const name of ['win01', 'lin01']) {
      const change = await team.make(`remove node ${name}`);
      expect(change.state).toBe('applied');
      expect(podRoutes(host(name))).toEqual([]);
    }
    expect(podRoutes(host('win02'))).toEqual(['192.168.3.0/24 via 10.0.0.7']);
    expect(host('win01').state).toMatchObject({ networks: [{ subnet: '192.168.1.0/24' }] });
    expect(JSON.stringify(host('lin01').state)).toContain('192.168.0.1');
    expect(host('lin01').state).toMatchObject({ forward: true });
    const leases = await team.stores.leases.list(new Date());
    expect(leases.filter(({ state }) => state === 'resting').map(({ podCidr }) => podCidr)).toEqual([
      '192.168.0.0/24',
      '192.168.1.0/24',
    ]);
  }, 60_000);

  test('a removed node may come back with its own slice, by its own name', async () => {
    const { team } = site;
    const change = await team.adopt(`${HEAD}  - { name: lin01, os: linux, address: 10.0.0.4 }\n`);
    expect(change).toMatchObject({ state: 'pending', moves: ['192.168.0.0/24'] });
    await team.click(change.id, 'Approve');
    expect((await team.until(change.id)).state).toBe('applied');
    expect(await team.untilCard(change.id, 'recorded')).toContain('0 of 2 routes');
  }, 60_000);

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});

describe('a cluster that was made by hand', () => {
  let site: Site;
  let jobs: Jobs;
  beforeAll(async () => {
    site = await openSite(BUSY);
    const { team, host } = site;
    await team.make('add linux node lin01 10.0.0.4');
    await team.make('add windows node win01 10.0.0.5');
    await team.make('add linux node lin02 10.0.0.8');
    await team.make('add linux node lin03 10.0.0.9 pod-cidr 192.168.77.0/24');
    await site.loseRedis();
    // lin01's routes are by somebody else's hand; nobody routes lin03's slice yet.
    for (const [destination, nextHop] of [
      ['192.168.1.0/24', '10.0.0.5'],
      ['192.168.2.0/24', '10.0.0.8'],
    ] as const) {
      host('lin01').removeRoute(destination);
      host('lin01').addForeignRoute({ destination, nextHop });
    }
    for (const name of ['lin01', 'win01', 'lin02']) host(name).removeRoute('192.168.77.0/24');
    jobs = new Jobs(team.stores.redis, site.world.env['REDIS_PREFIX'] ?? '', () => undefined);
  }, 90_000);
  afterAll(async () => {
    await jobs.close();
    await site.close();
  });

  const LIST = `${HEAD}  - { name: lin01, os: linux, address: 10.0.0.4 }
  - { name: win01, os: windows, address: 10.0.0.5 }
  - { name: lin02, os: linux, address: 10.0.0.8, podCidr: 192.168.2.0/24 }
  - { name: win03, os: windows, address: 10.0.0.7 }
`;
  const members = async () =>
    (await site.team.stores.nodes.read()).nodes.map(({ name, podCidr }) => `${name} ${podCidr}`);
  const leases = async () =>
    (await site.team.stores.leases.list(new Date())).map(({ node, state }) => `${node.name} ${state}`);
  /** What is left when nothing was recorded. */
  const nothing = async () => {
    expect(await members()).toEqual([]);
    expect(await leases()).toEqual([]);
    expect(await site.team.stores.works.owned('win01')).toEqual([]);
  };
  const approve = async (id: string) => {
    await site.team.click(id, 'Approve');
    return site.team.until(id);
  };

  test('what is wrong with a list is said in the form, which stays open; nobody else may ask', async () => {
    const { team } = site;
    expect(await team.tryList(LIST.replace('address: 10.0.0.5', 'adress: 10.0.0.5'))).toBe(
      'Line 5, `address`: it is missing, so add it.\nLine 5, `adress`: there is no such key. There are name, os, address, podCidr, ssh and containerNic.',
    );
    expect(await team.tryList(LIST.replace('sandbox', 'staging'))).toContain('this is a list of `staging`');
    expect(await team.tryList('a: &a [x]')).toContain('Line 1: `&a` has no place there');
    expect(await team.say('adopt', 'UCAROL')).toMatch(/Only an operator may/);
    expect(await team.say('export', 'UCAROL')).toMatch(/Only a viewer may/);
    await nothing();
  });

  test('a mention is answered with the button that opens the form', async () => {
    const { world } = site;
    const asked = await world.slack.as(ALICE).mention('adopt', CHANNEL);
    const answer = await world.slack.waitFor((message) => message.threadTs === asked.body, 10_000);
    expect(answer.text).toContain('/fairway adopt');
    const before = world.slack.views(ALICE).length;
    expect((await world.slack.as(ALICE).click(answer.ts, 'Open the form', CHANNEL)).ok).toBe(true);
    while (world.slack.views(ALICE).length === before)
      await new Promise((resolve) => setTimeout(resolve, 25));
  });

  test('what fits is planned, what does not is left out with a reason; hosts stay as they are', async () => {
    const { team, host } = site;
    host('lin01').removeRoute('192.168.2.0/24');
    host('lin01').addForeignRoute({ destination: '192.168.2.0/24', nextHop: '10.0.0.254' });
    host('lin01').addForeignRoute({ destination: '192.168.50.0/24', nextHop: '10.0.0.50' });
    await host('win02').down();
    const hosts = ['lin01', 'win01', 'lin02', 'win03'].map((name) => JSON.stringify(host(name).state));
    const change = await team.adopt(`${LIST}  - { name: win02, os: windows, address: 10.0.0.6 }\n`);
    const card = await team.untilCard(change.id, 'Left out');
    expect(card).toContain('2 nodes, 3 left out');
    expect(card).toContain('`lin01` Linux `10.0.0.4` → `192.168.0.0/24` · 1 of 1 route (1 not Fairway');
    expect(card).toContain('`win01` Windows `10.0.0.5` → `192.168.1.0/24` · 1 of 1 route (1 becomes Fairway');
    expect(card).toMatch(
      /`lin02` 10\.0\.0\.8: `lin01` leads 192\.168\.2\.0\/24 elsewhere, via 10\.0\.0\.254/,
    );
    expect(card).toMatch(/`win03` 10\.0\.0\.7: it holds no pod CIDR of this cluster/);
    expect(card).toMatch(/`win02` 10\.0\.0\.6: it can't be read: /);
    expect(card).toMatch(/lin01.* leads `192\.168\.50\.0\/24 via 10\.0\.0\.50`, to no node here/);
    expect(await approve(change.id)).toMatchObject({ state: 'applied' });
    expect(await members()).toEqual(['lin01 192.168.0.0/24', 'win01 192.168.1.0/24']);
    expect(await team.stores.works.owned('win01')).toEqual([
      { destination: '192.168.0.0/24', nextHop: '10.0.0.4' },
    ]);
    // Of those that became members.
    expect(await team.stores.nodes.builds()).toEqual(new Map([['win01', 14393]]));
    expect(['lin01', 'win01', 'lin02', 'win03'].map((name) => JSON.stringify(host(name).state))).toEqual(
      hosts,
    );
  }, 60_000);

  test('rolled back while nothing counts on it, all of it is gone, and can be asked for again', async () => {
    const { team } = site;
    const [adopted] = await team.stores.changes.latest(1);
    await team.untilCard(adopted?.id ?? '', '2 nodes recorded');
    await team.click(adopted?.id ?? '', 'Roll back', ALICE);
    expect((await team.until(adopted?.id ?? '', 'rolled-back')).state).toBe('rolled-back');
    await team.untilCard(adopted?.id ?? '', 'The records are gone again');
    expect(await members()).toEqual([]);
    expect(await leases()).toEqual(['lin01 resting', 'win01 resting']);
    expect(await team.stores.works.owned('win01')).toEqual([]);
    expect(await team.stores.hostKeys.pinnedAll(['lin01', 'win01'])).toEqual([null, null]);
    // The slices are not free: their pods are still there.
    const add = await team.ask('add windows node win03 10.0.0.7');
    expect(add.node?.podCidr).toBe('192.168.2.0/24');
    await team.say(`cancel ${add.id}`);
  }, 60_000);

  test('a host that changed since the plan makes it stale', async () => {
    const { team, host } = site;
    const change = await team.adopt(LIST);
    host('win01').removeRoute('192.168.0.0/24');
    expect(await approve(change.id)).toMatchObject({ state: 'stale' });
    expect(await team.untilCard(change.id, 'win01: - route 192.168.0.0/24 via 10.0.0.4')).toContain(
      'nothing was recorded',
    );
    host('win01').addForeignRoute({ destination: '192.168.0.0/24', nextHop: '10.0.0.4' });
    expect(await members()).toEqual([]);
    expect(await team.stores.hostKeys.pinnedAll(['lin01', 'win01'])).toEqual([null, null]);
  }, 60_000);

  test('a host that shows another key than the approved one makes it stale', async () => {
    const { team, host } = site;
    const change = await team.adopt(LIST);
    host('lin01').changeHostKey();
    expect(await approve(change.id)).toMatchObject({ state: 'stale' });
    await team.untilCard(change.id, `lin01: it shows another host key now, ${host('lin01').fingerprint}`);
    expect(await members()).toEqual([]);
  }, 60_000);

  test('a node that takes the slice meanwhile makes it stale: never two with one', async () => {
    const { team } = site;
    const lin03 = `${HEAD}  - { name: lin03, os: linux, address: 10.0.0.9 }\n`;
    const change = await team.adopt(lin03);
    expect(change).toMatchObject({ state: 'pending', moves: ['192.168.77.0/24'] });
    const add = await team.ask('add windows node win03 10.0.0.7 pod-cidr 192.168.77.0/24');
    expect(add.state).toBe('pending');
    expect(await approve(change.id)).toMatchObject({ state: 'stale' });
    await team.untilCard(change.id, `win03 has the pod CIDR 192.168.77.0/24 already (${add.id}`);
    const again = await team.adopt(lin03);
    expect(again.state).toBe('refused');
    expect(again.detail).toEqual([expect.stringMatching(/^lin03 10\.0\.0\.9: win03 has the pod CIDR/)]);
    await team.say(`cancel ${add.id}`);
    expect(await members()).toEqual([]);
  }, 60_000);

  test('a worker that dies at any point of recording leaves nothing half done', async () => {
    const { team } = site;
    const { stores } = team;
    const change = await team.adopt(LIST);
    expect(await approve(change.id)).toMatchObject({ state: 'applied' });
    const whole = [await members(), await leases(), await stores.works.owned('win01')];
    expect(whole[0]).toHaveLength(2);
    const back = (state: 'approved' | 'applying') =>
      stores.changes.update(
        change.id,
        ({ finishedAt: _at, ...current }) => ({
          ...current,
          state,
          ...(state === 'applying' ? { starts: 'first' } : {}),
        }),
        new Date(),
      );
    const pinned = await stores.hostKeys.pinnedAll(['lin01', 'win01']);
    /** Undoes the later part of it, as if it had not come to that. */
    const lost: (() => Promise<unknown>)[] = [
      async () => undefined,
      () => stores.nodes.remove('win01'),
      () => Promise.all(['lin01', 'win01'].map((name) => stores.nodes.remove(name))),
      () => stores.hostKeys.unpin('win01'),
      () => stores.works.disown('win01', [{ destination: '192.168.0.0/24', nextHop: '10.0.0.4' }]),
    ];
    for (const undo of lost) {
      await undo();
      await back('applying');
      await jobs.advance();
      expect(await team.until(change.id)).toMatchObject({ state: 'applied' });
      expect([await members(), await leases(), await stores.works.owned('win01')]).toEqual(whole);
      expect(await stores.hostKeys.pinnedAll(['lin01', 'win01'])).toEqual(pinned);
    }
    // Between taking the slices and going on: the gate takes them once more.
    for (const name of ['lin01', 'win01']) {
      await stores.nodes.remove(name);
      await stores.hostKeys.unpin(name);
    }
    await stores.works.disown('win01', [{ destination: '192.168.0.0/24', nextHop: '10.0.0.4' }]);
    await back('approved');
    await jobs.advance();
    expect(await team.until(change.id)).toMatchObject({ state: 'applied' });
    expect([await members(), await leases(), await stores.works.owned('win01')]).toEqual(whole);
  }, 60_000);

  test('with the conflict mended the rest is adopted, members stay as they are, and repair makes what is missing', async () => {
    const { team, host } = site;
    host('lin01').removeRoute('192.168.2.0/24');
    const change = await team.adopt(LIST);
    const card = await team.untilCard(change.id, 'Approve');
    expect(card).toContain('1 node, 1 left out, 2 are nodes already, unchanged');
    expect(card).toContain('`lin01` (a node already) · 0 of 1 route');
    expect(await approve(change.id)).toMatchObject({ state: 'applied' });
    expect((await team.make('repair')).state).toBe('applied');
    expect(podRoutes(host('lin01'))).toEqual(['192.168.2.0/24 via 10.0.0.8']);
    // What somebody else made, and is good, stays theirs.
    expect(JSON.stringify(host('lin01').state)).toContain('"protocol":"static"');
    expect(await team.click(change.id, 'Roll back', ALICE)).toMatch(/came after it/);
    const same = await team.adopt(LIST.replace(/ {2}- \{ name: win03.*\n/, ''));
    expect(same).toMatchObject({ state: 'refused' });
    expect(same.reason).toMatch(/^Nothing to adopt: all 3 are nodes already/);
  }, 60_000);

  test('a node that joined since it was planned makes it stale: its routes were not looked at', async () => {
    const { team } = site;
    const change = await team.adopt(`${HEAD}  - { name: lin03, os: linux, address: 10.0.0.9 }\n`);
    expect((await team.make('add windows node win03 10.0.0.7')).state).toBe('applied');
    expect(await approve(change.id)).toMatchObject({ state: 'stale' });
    await team.untilCard(change.id, 'win03 joined after this was planned');
    expect((await team.make('remove node win03')).state).toBe('applied');
    expect(await members()).toHaveLength(3);
  }, 60_000);

  test('an inventory that is too long for an answer comes as a file, which is taken back', async () => {
    const { team, world } = site;
    for (let i = 0; i < 60; i += 1)
      await team.stores.nodes.add({
        name: `other-${i}`,
        os: 'linux',
        address: `10.0.1.${i + 1}`,
        podCidr: `192.168.${100 + i}.0/24`,
      });
    await team.say('export');
    await team.hears('The list of 63 nodes comes as a file', ALICE);
    const sent = await world.slack.waitFor((message) => message.files.length > 0, 10_000);
    const [file] = sent.files;
    expect(file?.name).toBe('sandbox-nodes.yaml');
    expect(readNodeList(file?.content ?? '', { name: 'sandbox', cidr: '192.168.0.0/16' })).toHaveLength(63);
  }, 30_000);

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});
