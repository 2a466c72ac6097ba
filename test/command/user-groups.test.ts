import { expect, test } from '@jest/globals';
import { createUserGroups } from '../../src/command/user-groups.js';

const MINUTE = 60_000;

function slack(answers: (readonly string[] | Error)[]) {
  const asked: string[] = [];
  const failed: string[] = [];
  const clock = { now: 0 };
  const groups = createUserGroups(
    async (group) => {
      asked.push(group);
      const answer = answers.shift() ?? [];
      if (answer instanceof Error) throw answer;
      return answer;
    },
    (group) => failed.push(group),
    () => clock.now,
  );
  const members = async () => (await groups.members(['S01'])).get('S01');
  return { asked, failed, clock, groups, members };
}

test('members are asked for once in ten minutes', async () => {
  const { asked, clock, members } = slack([['U01'], ['U02']]);
  expect(await members()).toEqual(['U01']);
  clock.now = 10 * MINUTE - 1;
  expect(await members()).toEqual(['U01']);
  expect(asked).toHaveLength(1);
  clock.now = 10 * MINUTE;
  expect(await members()).toEqual(['U02']);
  expect(asked).toHaveLength(2);
});

test('many at once ask once, and each group by itself', async () => {
  const { asked, groups } = slack([['U01'], ['U02']]);
  const both = await Promise.all([groups.members(['S01', 'S02']), groups.members(['S02', 'S01'])]);
  expect(asked).toEqual(['S01', 'S02']);
  expect(both[0]).toEqual(both[1]);
});

test('what can’t be read is unknown, also when it was known before, and is tried again soon', async () => {
  const { asked, failed, clock, members } = slack([['U01'], new Error('plan_upgrade_required'), ['U01']]);
  await members();
  clock.now = 11 * MINUTE;
  expect(await members()).toBe('unknown');
  expect(await members()).toBe('unknown');
  expect(failed).toEqual(['S01']);
  clock.now += MINUTE;
  expect(await members()).toEqual(['U01']);
  expect(asked).toHaveLength(3);
});
