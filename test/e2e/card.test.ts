import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import type { World } from '../../sandbox/world.js';
import type { Change } from '../../src/change/change.js';
import { type NotifyJob, QUEUE } from '../../src/job/job.js';
import { connectRedis } from '../../src/redis.js';
import { openSite, type Site } from '../support/site.js';

/** Ids of the changes whose cards are asked for, with nobody there to do it. */
async function waitingCards({ redis, env }: World): Promise<string[]> {
  const connection = connectRedis(redis.url);
  const queue = new Queue<NotifyJob>(QUEUE.notify, { connection, prefix: env['REDIS_PREFIX'] ?? '' });
  try {
    const jobs = await queue.getJobs(['prioritized', 'waiting']);
    return jobs.flatMap(({ data }) => (data.name === 'card' ? [data.changeId] : []));
  } finally {
    await queue.close();
    connection.disconnect();
  }
}

describe('a card', () => {
  let site: Site;
  let owing: Change;
  beforeAll(async () => {
    site = await openSite();
    const { team, host } = site;
    await team.make('add linux node lin01 10.0.0.4');
    await host('lin01').down();
    owing = await team.make('add linux node lin02 10.0.0.8');
    await team.untilCard(owing.id, 'hosts owed');
  }, 60_000);
  afterAll(() => site.close());

  test('shows how its change ended, though whoever wrote that died before asking for the card', async () => {
    const { team } = site;
    // All that a worker does before it asks for the card, and nothing after.
    await team.stores.changes.update(
      owing.id,
      (change) => ({ ...change, state: 'applied', finishedAt: new Date().toISOString() }),
      new Date(),
    );
    expect(team.cardText(owing.id)).toContain('hosts owed');
    await team.untilCard(owing.id, '✅ applied');
    const { changes } = team.stores;
    while ((await changes.dueCards()).length > 0) await sleep(50);
  }, 90_000);

  test('is asked for by a bot that starts, too', async () => {
    const { team, world } = site;
    await Promise.all(world.workers.map((worker) => worker.stop()));
    await team.stores.changes.update(owing.id, (change) => ({ ...change, state: 'failed' }), new Date());
    await world.bot.stop();
    await world.startBot();
    while (!(await waitingCards(world)).includes(owing.id)) await sleep(100);
    world.startWorker();
    await team.untilCard(owing.id, '❌ failed');
  }, 90_000);

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});
