import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE } from '../../sandbox/world.js';
import { planHash } from '../../src/plan/seal.js';
import { planChange } from '../../workers/plan-change.js';
import { planPolicy } from '../../workers/read-hosts.js';
import { auditEvents } from '../support/audit.js';
import { eventually } from '../support/eventually.js';
import { type InProcess, inProcess, instead } from '../support/in-process.js';
import { openSite, podRoutes, type Site } from '../support/site.js';

describe('what was approved is what runs', () => {
  let site: Site;
  let own: InProcess;
  beforeAll(async () => {
    site = await openSite();
    own = inProcess(site.world, site.team.stores);
    await site.team.make('add linux node lin01 10.0.0.4');
    await site.team.make('add windows node win01 10.0.0.5');
  }, 60_000);
  afterAll(async () => {
    await own.close();
    await site.close();
  });

  test('a planner that comes late, after another one’s plan was approved, changes nothing of it', async () => {
    const { team, host, world } = site;
    const { changes } = team.stores;
    await Promise.all(world.workers.map((worker) => worker.stop()));
    const planning = await team.begin('add linux node lin02 10.0.0.8');
    // It reads the hosts, and is then held up before it can seal.
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let isHeld = (): void => undefined;
    const reached = new Promise<void>((resolve) => {
      isHeld = resolve;
    });
    const late = planChange(
      {
        ...own.deps,
        changes: instead(changes, {
          moveOnce: async (...call) => {
            isHeld();
            await held;
            return changes.moveOnce(...call);
          },
        }),
      },
      planning.id,
    );
    await reached;
    host('lin02').alter((state) => ({ ...state, forward: true }));
    world.startWorker();
    const sealed = await team.until(planning.id, 'pending');
    const plan = await changes.sealedPlan(sealed.id);
    await team.click(sealed.id, 'Approve');
    goOn();
    await late;
    expect(await changes.sealedPlan(sealed.id)).toEqual(plan);
    expect((await team.until(sealed.id)).state).toBe('applied');
    const approved = await changes.sealedPlan(sealed.id);
    expect(approved && planHash(approved, planPolicy(own.deps))).toBe(sealed.planHash);
    const ran = (await auditEvents(team.stores.audit)).find(
      (event) => event.changeId === sealed.id && event.what === 'host-settled' && event.host === 'lin02',
    );
    // Forwarding was on already when the approved plan was made: not in it, and not to be switched off by its inverse.
    expect(ran?.facts?.['commands']).toEqual(plan?.hosts[0]?.commands);
    expect(JSON.stringify(ran?.facts?.['commands'])).not.toContain('ip_forward');
    expect((await changes.results(sealed.id)).get('lin02')?.status).toBe('done');
  }, 60_000);

  test('a planner that died right after it refused is followed by one that gives the slice back', async () => {
    const { changes, leases } = site.team.stores;
    const { id, state } = await site.team.ask('add linux node lin77 10.0.0.77');
    expect(state).toBe('refused');
    await site.team.untilCard(id, 'lin77');
    const node = { name: 'lin77', os: 'linux', address: '10.0.0.77' } as const;
    await leases.claim({ changeId: id, node, excluded: [], now: new Date() });
    await planChange(own.deps, id);
    expect((await leases.list(new Date())).filter((lease) => lease.node.name === 'lin77')).toEqual([]);
    expect(await changes.get(id)).toMatchObject({ state: 'refused' });
  }, 60_000);

  test('a stored plan that is not the approved one is not run', async () => {
    const { team, host } = site;
    const change = await team.ask('add linux node lin03 10.0.0.9');
    const { redis, keys } = team.stores;
    const text = (await redis.get(keys.changePlan(change.id))) ?? '';
    await redis.set(keys.changePlan(change.id), text.replaceAll('192.168.3.0/24', '192.168.99.0/24'));
    await team.click(change.id, 'Approve');
    expect(await team.until(change.id)).toMatchObject({
      state: 'stale',
      reason: expect.stringContaining('not the one'),
    });
    expect(podRoutes(host('lin01'))).not.toContain('192.168.99.0/24 via 10.0.0.9');
    await eventually('nothing is held', async () =>
      (await team.stores.leases.list(new Date())).every((lease) => lease.node.name !== 'lin03'),
    );
  });

  test('a bridge that somebody else made meanwhile makes it stale, and stays theirs', async () => {
    const { team, host } = site;
    const change = await team.ask('add linux node lin03 10.0.0.9');
    host('lin03').alter((state) => {
      const bridge = {
        name: 'cbr0',
        ifIndex: 9,
        mac: '02:00:00:00:00:09',
        kind: 'bridge',
        up: true,
        addresses: [],
      } as const;
      return state.os === 'linux' ? { ...state, interfaces: [...state.interfaces, bridge] } : state;
    });
    await team.click(change.id, 'Approve');
    expect(await team.until(change.id)).toMatchObject({ state: 'stale', detail: ['lin03: + bridge cbr0'] });
    // Asked again, the plan takes it as it finds it, and its inverse leaves it there.
    const again = await team.make('add linux node lin03 10.0.0.9');
    expect(again.state).toBe('applied');
    await team.click(again.id, 'Roll back', ALICE);
    await team.until(again.id, 'rolled-back');
    const { interfaces } = host('lin03').state;
    expect(interfaces.find(({ name }) => name === 'cbr0')).toMatchObject({ addresses: [] });
  });

  test('a network card that got something else to do meanwhile makes it stale', async () => {
    const { team, host } = site;
    const change = await team.ask('add windows node win02 10.0.0.6');
    const { interfaces } = host('win02').state;
    const spare = interfaces.find(({ name }) => name === 'Ethernet 2');
    host('win02').alter((state) => {
      const route = {
        destination: '0.0.0.0/0',
        nextHop: '10.0.0.254',
        ifIndex: spare?.ifIndex ?? 0,
        metric: 9,
      };
      return state.os === 'windows' ? { ...state, active: [...state.active, route] } : state;
    });
    await team.click(change.id, 'Approve');
    expect(await team.until(change.id)).toMatchObject({
      state: 'stale',
      detail: [`win02: - network card ${spare?.mac} free for containers`],
    });
  });

  test('a route into the new slice, on a host that was away when it was chosen, makes it stale and is named', async () => {
    const { team, host } = site;
    await host('lin01').down();
    const change = await team.ask('add linux node lin03 10.0.0.9');
    const slice = change.node?.podCidr ?? '';
    const inside = slice.replace('.0/24', '.128/25');
    await host('lin01').up();
    host('lin01').addForeignRoute({ destination: inside, nextHop: '10.0.0.254' });
    await team.click(change.id, 'Approve');
    const end = await team.until(change.id);
    expect(end.state).toBe('stale');
    expect(end.reason).toContain('lin01');
    expect(end.reason).toContain(inside);
    expect(podRoutes(host('lin01'))).not.toContain(`${slice} via 10.0.0.9`);
    // The remedy that it names works.
    const again = await team.make('add linux node lin03 10.0.0.9');
    expect(again).toMatchObject({ state: 'applied' });
    expect(again.node?.podCidr).not.toBe(slice);
    expect((await team.make('remove node lin03')).state).toBe('applied');
    host('lin01').removeRoute(inside);
  });

  test('a new node that is out of reach by then does not become a member', async () => {
    const { team, host } = site;
    const change = await team.ask('add linux node lin03 10.0.0.9');
    await host('lin03').down();
    await team.click(change.id, 'Approve');
    const end = await team.until(change.id);
    expect(end.state).toBe('stale');
    expect(end.reason).toContain('lin03 does not answer any more');
    expect(await team.say('nodes')).not.toContain('lin03');
    await host('lin03').up();
    // Its key was not accepted by a plan that came to nothing.
    host('lin03').changeHostKey();
    expect(await team.ask('add linux node lin03 10.0.0.9')).toMatchObject({ state: 'pending' });
  });

  test('a member whose addition failed is told from the others, and nobody is invited to use it', async () => {
    const { team, host } = site;
    const [newest] = await team.stores.changes.latest(1);
    const change = await team.until(newest?.id ?? '', 'pending');
    host('lin01').changeHostKey();
    await team.click(change.id, 'Approve');
    expect((await team.until(change.id)).state).toBe('failed');
    const card = await team.untilCard(change.id, 'failed');
    expect(card).not.toContain('kubectl');
    for (const asked of ['nodes', 'node lin03']) {
      const [line = ''] = (await team.say(asked)).split('\n').filter((each) => each.includes('lin03` Linux'));
      expect(line).toMatch(/🔴.*not fully added.*failed/);
    }
    expect(await team.say('node win01')).toContain('🟢');
  });
});
