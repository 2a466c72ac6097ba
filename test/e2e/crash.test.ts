import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Program } from '../../sandbox/program.js';
import { BOB } from '../../sandbox/world.js';
import { openSite, podRoutes, type Site } from '../support/site.js';

/** BullMQ's lock (10 s), one look for stalled jobs (5 s), and the visit itself. */
const RECOVERED_WITHIN_MS = 20_000;

async function kill({ child }: Program): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

describe('crashes', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
    await site.team.make('add linux node lin01 10.0.0.4');
    await site.team.make('add windows node win01 10.0.0.5');
  }, 60_000);
  afterAll(() => site.close());

  test('a worker killed in the middle of an apply: another finishes, routes and card are right', async () => {
    const { team, host, world } = site;
    const [first] = world.workers;
    if (!first) throw new Error('no worker');
    const change = await team.ask('add linux node lin02 10.0.0.8');
    host('lin02').delay(2000);
    await team.click(change.id, 'Approve');
    await team.until(change.id, 'applying');
    const lease = team.stores.keys.hostLease('lin02');
    while ((await team.stores.redis.exists(lease)) === 0)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await kill(first);
    const killedAt = Date.now();
    host('lin02').delay(0);
    world.startWorker();
    expect((await team.until(change.id)).state).toBe('applied');
    expect(Date.now() - killedAt).toBeLessThan(RECOVERED_WITHIN_MS);
    expect(podRoutes(host('lin02'))).toEqual(['192.168.0.0/24 via 10.0.0.4', '192.168.1.0/24 via 10.0.0.5']);
    expect(podRoutes(host('lin01'))).toContain('192.168.2.0/24 via 10.0.0.8');
    expect(podRoutes(host('win01'))).toContain('192.168.2.0/24 via 10.0.0.8');
    await team.untilCard(change.id, '3 of 3 hosts done');
  }, 60_000);

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
  }, 60_000);
});
