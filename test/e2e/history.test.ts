/** Who did what, as people in Slack read it, check it and take it home. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, BOB, CHANNEL } from '../../sandbox/world.js';
import { keys as keysOf } from '../../src/redis.js';
import { openSite, type Site } from '../support/site.js';

const CAROL = 'UCAROL';

describe('the record of what was done', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({ env: { VIEWERS: CAROL } });
    const { team } = site;
    await team.make('add linux node lin01 10.0.0.4');
    await team.make('add windows node win01 10.0.0.5');
    await team.say('mute win01 kubelet for 1h');
  }, 90_000);
  afterAll(() => site.close());

  /** The lines of the answer, without its notification. */
  const asked = async (text: string) => (await site.team.say(text, CAROL)).split('\n').slice(1);
  /** Which of them come in this order. */
  const inOrder = (lines: readonly string[], ...texts: string[]) => {
    const found = texts.map((text) => lines.findIndex((line) => line.includes(text)));
    expect([found, found.includes(-1)]).toEqual([[...found].sort((a, b) => a - b), false]);
  };

  test('is read by viewers, the newest first, each line with who and which change', async () => {
    const lines = await asked('history');
    expect(lines[0]).toBe('*sandbox*: what was done, the newest first');
    inOrder(
      lines,
      `<@${ALICE}> · muted kubelet on \`win01\` until <!date^`,
      'Fairway · ✅ applied · `c2`',
      'Fairway · done: `win01` and `lin01` · `c2`',
      `<@${BOB}> · approved the plan `,
      `, whose approval accepts the host key \`${site.host('win01').fingerprint}\` of \`win01\` · \`c2\``,
      `<@${ALICE}> · asked for \`add windows node win01 10.0.0.5\` · \`c2\``,
      `<@${ALICE}> · asked for \`add linux node lin01 10.0.0.4\` · \`c1\``,
    );
    expect(lines[1]).toMatch(/^<!date\^\d+\^\{date_short_pretty\} \{time\}\|/);
  });

  test('of one node has what concerns it, also when it has left', async () => {
    const lin01 = await asked('history lin01');
    inOrder(lin01, 'done: `lin01` · `c2`', 'asked for `add linux node lin01 10.0.0.4` · `c1`');
    expect(lin01.join()).not.toContain('muted');
    expect((await site.team.make('remove node win01')).state).toBe('applied');
    expect(await site.team.say('node win01', CAROL)).toContain('There is no node `win01`');
    inOrder(
      await asked('history win01'),
      '✅ applied · `c3`',
      'asked for `remove node win01` · `c3`',
      'muted kubelet on `win01`',
      'asked for `add windows node win01 10.0.0.5` · `c2`',
    );
    expect(await site.team.say('history lin02', CAROL)).toContain(
      'There is no node `lin02`. Did you mean `lin01`?',
    );
  }, 60_000);

  test('is checked for approvers, and comes as a file that anybody can check', async () => {
    const { team, world } = site;
    for (const text of ['audit verify', 'audit export'])
      expect(await team.say(text, ALICE)).toMatch(/^Only an approver may check and export the audit log/);
    expect(await team.say('audit verify', BOB)).toContain('the outcome follows');
    const said = await team.hears('The audit log holds', BOB);
    const [, hash = 'none'] = /The newest has the hash `([0-9a-f]{16})`/.exec(said) ?? [];
    const mention = await world.slack.as(BOB).mention('audit export', CHANNEL);
    const { files, threadTs } = await world.slack.waitFor((message) => message.files.length > 0, 10_000);
    expect(threadTs).toBe(mention.body);
    const lines = (files[0]?.content ?? '').trimEnd().split('\n');
    expect(files[0]?.name).toBe(`audit-1-${lines.length}.jsonl`);
    expect(said).toContain(`holds: ${lines.length} records`);
    let previous = '';
    for (const line of lines) {
      const text = line.slice(line.indexOf('"event":') + 8, -1);
      previous = createHash('sha256').update(previous).update(text).digest('hex');
      expect(JSON.parse(line).hash).toBe(previous);
    }
    expect(previous.slice(0, 16)).toBe(hash);
    expect(JSON.parse(lines.at(-1) ?? '').event).toMatchObject({ what: 'host-settled', changeId: 'c3' });
  }, 30_000);

  test('that somebody changed in Redis is said, with where and what to do', async () => {
    const { team, world } = site;
    const { redis } = team.stores;
    const { audit } = keysOf(world.env['REDIS_PREFIX'] ?? '');
    const record = (await redis.lindex(audit, 2)) ?? '';
    expect(record).toContain(`TSANDBOX:${BOB}`);
    await redis.lset(audit, 2, record.replace(BOB, ALICE));
    await team.say('audit verify', BOB);
    const said = await team.hears('The audit log is broken', BOB);
    expect(said).toMatch(/record 3 of \d+ does not follow.*Up to record 2 it holds.*Keep `audit export` now/);
  }, 30_000);

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});
