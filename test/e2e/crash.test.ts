import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Program } from '../../sandbox/program.js';
import { ALICE, BOB, CHANNEL } from '../../sandbox/world.js';
import type { Actor } from '../../src/change/change.js';
import type { Desk } from '../../src/command/desk.js';
import { parseCommand } from '../../src/command/grammar.js';
import { startRun } from '../../workers/start-run.js';
import { auditEvents } from '../support/audit.js';
import { eventually } from '../support/eventually.js';
import { type InProcess, inProcess, instead } from '../support/in-process.js';
import { openSite, podRoutes, type Site } from '../support/site.js';

/** BullMQ's lock (10 s) and one look for stalled jobs (5 s). */
const PICKED_UP_WITHIN_MS = 15_000;

/** Runs something until its process dies: nothing of it goes on after it has called `die`. */
function untilDead(act: (die: () => Promise<never>) => Promise<unknown>): Promise<void> {
  return new Promise((died, failed) => {
    const die = (): Promise<never> => {
      died();
      return new Promise(() => undefined);
    };
    act(die).then(() => failed(new Error('it lived on')), failed);
  });
}

async function kill({ child }: Program): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** As an orchestrator does it; exit code and signal. */
async function end({ child }: Program): Promise<unknown[]> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  return ended;
}

describe('crashes', () => {
  let site: Site;
  let own: InProcess;
  beforeAll(async () => {
    site = await openSite();
    own = inProcess(site.world, site.team.stores);
    await site.team.make('add linux node lin01 10.0.0.4');
    await site.team.make('add windows node win01 10.0.0.5');
  }, 120_000);
  afterAll(async () => {
    await own.close();
    await site.close();
  });

  /** A bot that dies right after it has moved a change, before whatever comes next. */
  const dieOnceMoved = (act: (desk: Desk) => Promise<unknown>) =>
    untilDead((die) => {
      const { changes } = site.team.stores;
      const dying = instead(changes, {
        update: async (...call) => {
          await changes.update(...call);
          return die();
        },
      });
      return act(own.desk({ changes: dying }));
    });

  const alice: Actor = { id: `TSANDBOX:${ALICE}`, via: 'slash' };
  const bob: Actor = { id: `TSANDBOX:${BOB}`, via: 'button' };
  const origin = { channel: CHANNEL, user: ALICE };
  const say = (text: string, by: Actor) => (desk: Desk) => desk.run(parseCommand(text), by, origin);

  test('a worker killed in the middle of an apply: another finishes, routes and card are right', async () => {
    const { team, host, world } = site;
    const [first] = world.workers;
    if (!first) throw new Error('no worker');
    const change = await team.ask('add linux node lin02 10.0.0.8');
    host('lin02').delay(2000);
    await team.click(change.id, 'Approve');
    await team.until(change.id, 'applying');
    const { redis, keys } = team.stores;
    while ((await redis.exists(keys.hostLease('lin02'))) === 0) await sleep(10);
    const fence = await redis.get(keys.hostFence('lin02'));
    host('lin02').delay(9000);
    // The other one is up by then: how long a program takes to start is not what is measured.
    const starts = () => readFileSync(world.logFile, 'utf8').split('worker started').length;
    const before = starts();
    world.startWorker();
    while (starts() === before) await sleep(20);
    await kill(first);
    const killedAt = Date.now();
    host('lin02').delay(0);
    // Taken in hand by another: from here on it is as any visit.
    while ((await redis.get(keys.hostFence('lin02'))) === fence) await sleep(20);
    expect(Date.now() - killedAt).toBeLessThan(PICKED_UP_WITHIN_MS);
    expect((await team.until(change.id)).state).toBe('applied');
    expect(podRoutes(host('lin02'))).toEqual(['192.168.0.0/24 via 10.0.0.4', '192.168.1.0/24 via 10.0.0.5']);
    expect(podRoutes(host('lin01'))).toContain('192.168.2.0/24 via 10.0.0.8');
    expect(podRoutes(host('win01'))).toContain('192.168.2.0/24 via 10.0.0.8');
    await team.untilCard(change.id, '3 of 3 hosts done');
  }, 120_000);

  test('the bot dead between claim and change, or right after a change ended: name, address and slice come free again', async () => {
    const { team } = site;
    const { leases, changes } = team.stores;
    // As it would have claimed a minute and a half ago.
    const ago = new Date(Date.now() - 90_000);
    const lost: string[] = [];
    await untilDead((die) =>
      say(
        'add linux node lost01 10.0.0.77',
        alice,
      )(
        own.desk({
          leases: instead(leases, {
            claim: async (claim) => {
              const made = await leases.claim({ ...claim, now: ago });
              lost.push(made.lease.node.name);
              return made;
            },
          }),
          changes: instead(changes, { create: die }),
        }),
      ),
    );
    const denied = await team.ask('add linux node lin03 10.0.0.9');
    const cancelled = await team.ask('add windows node win02 10.0.0.6');
    const claimed = async () =>
      (await leases.list(new Date())).filter(({ state }) => state === 'claimed').map(({ node }) => node.name);
    expect(lost).toEqual(['lost01']);
    expect(await claimed()).toEqual(expect.arrayContaining(['lin03', 'win02']));
    await dieOnceMoved(say(`deny ${denied.id} no`, bob));
    await dieOnceMoved(say(`cancel ${cancelled.id}`, alice));
    expect((await changes.get(denied.id)).state).toBe('denied');
    expect((await changes.get(cancelled.id)).state).toBe('cancelled');
    await eventually('all are given back', async () => (await claimed()).length === 0);
  }, 120_000);

  test('a worker told to end in the middle of a visit finishes it, and ends with 0; so does the bot', async () => {
    const fresh = await openSite();
    try {
      const { team, host, world } = fresh;
      const [worker] = world.workers;
      if (!worker) throw new Error('no worker');
      const change = await team.ask('add linux node lin01 10.0.0.4');
      const { redis, keys } = team.stores;
      host('lin01').delay(2000);
      await team.click(change.id, 'Approve');
      while ((await redis.exists(keys.hostLease('lin01'))) === 0) await sleep(10);
      expect((await team.stores.changes.results(change.id)).get('lin01')?.status).toBe('waiting');
      expect(await end(worker)).toEqual([0, null]);
      expect((await team.stores.changes.results(change.id)).get('lin01')?.status).toBe('done');
      expect(await redis.exists(keys.hostLease('lin01'))).toBe(0);
      expect(await end(world.bot)).toEqual([0, null]);
      // What is left of the change is any other worker's.
      host('lin01').delay(0);
      world.startWorker();
      expect((await team.until(change.id)).state).toBe('applied');
    } finally {
      await fresh.close();
    }
  }, 120_000);

  test('the bot killed between approval and apply, and restarted: the change goes on, open cards are live', async () => {
    const { team, host, world } = site;
    const open = await team.ask('add linux node lin03 10.0.0.9');
    const change = await team.ask('add windows node win02 10.0.0.6');
    await team.untilCard(open.id, 'Approve');
    await team.untilCard(change.id, 'Approve');
    await Promise.all(world.workers.map((worker) => worker.stop()));
    const answered = team.click(change.id, 'Approve').catch(() => undefined);
    await team.until(change.id, 'approved');
    await answered;
    await kill(world.bot);
    world.startWorker();
    await world.startBot();
    expect((await team.until(change.id)).state).toBe('applied');
    expect(podRoutes(host('lin01'))).toContain('192.168.4.0/24 via 10.0.0.6');
    await team.click(open.id, 'Approve', BOB);
    expect((await team.until(open.id)).state).toBe('applied');
    // Each was planned without the other being a member; the pair between them is routed all the same.
    expect(podRoutes(host('lin03'))).toContain('192.168.4.0/24 via 10.0.0.6');
    expect(podRoutes(host('win02'))).toContain('192.168.3.0/24 via 10.0.0.9');
  }, 120_000);

  test('the bot dead right after an approval was stored: the key is pinned, the approval on record, once, and the change goes on', async () => {
    const { team, host } = site;
    const change = await team.ask('add windows node win03 10.0.0.7');
    await dieOnceMoved((desk) => desk.decide(change.id, 'approve', null, undefined, bob));
    expect((await team.until(change.id)).state).toBe('applied');
    expect(await team.stores.hostKeys.pinned('win03')).toBe(host('win03').fingerprint);
    const approvals = (await auditEvents(team.stores.audit)).filter(
      (event) => event.changeId === change.id && event.what === 'approve',
    );
    expect(approvals).toMatchObject([{ actor: bob.id, planHash: change.planHash }]);
    expect(await team.stores.audit.verify()).toMatchObject({ broken: null });
    await team.make('remove node win03');
  }, 120_000);

  test('the bot dead between change and planner: it is planned all the same', async () => {
    const { team } = site;
    const { changes } = team.stores;
    const ago = new Date(Date.now() - 30_000).toISOString();
    await untilDead((die) => {
      const dying = instead(changes, {
        create: async (change, ...more) => {
          await changes.create({ ...change, requestedAt: ago }, ...more);
          return die();
        },
      });
      return say('add windows node win03 10.0.0.7', alice)(own.desk({ changes: dying }));
    });
    const [change] = await changes.latest(1);
    expect(change).toMatchObject({ state: 'planning', node: { name: 'win03' } });
    expect((await team.until(change?.id ?? '', 'pending')).planHash).toMatch(/^[0-9a-f]{12}$/);
    await team.untilCard(change?.id ?? '', 'Approve');
    await team.say(`cancel ${change?.id}`);
  }, 120_000);

  test('a worker dead while it begins a roll-back: every host is visited all the same', async () => {
    const { team, host, world } = site;
    const change = await team.make('add windows node win03 10.0.0.7');
    expect(change.state).toBe('applied');
    expect(podRoutes(host('lin01'))).toContain(`${change.node?.podCidr} via 10.0.0.7`);
    await Promise.all(world.workers.map((worker) => worker.stop()));
    await own.desk().run({ kind: 'rollback', id: change.id }, alice, origin);
    const turned = await team.stores.changes.get(change.id);
    const plan = await team.stores.changes.plan(change.id);
    if (plan === null) throw new Error('no plan');
    // What it did stays; the stroke that ends the beginning never comes.
    const dying = instead(team.stores.changes, { update: () => Promise.reject(new Error('died')) });
    await expect(startRun({ ...own.deps, changes: dying }, turned, plan)).rejects.toThrow('died');
    world.startWorker();
    expect((await team.agree(change.id)).state).toBe('rolled-back');
    for (const name of ['lin01', 'win01']) expect(podRoutes(host(name)).join()).not.toContain('10.0.0.7');
    expect(host('win03').state).toMatchObject({ networks: [] });
  }, 120_000);
});
