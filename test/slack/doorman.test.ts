import { expect, test } from '@jest/globals';
import { createDoorman, type Home } from '../../src/slack/doorman.js';

const GRID: Home = { team: 'T1', enterprise: 'E1' };

/** The doorman, and the users that Slack was asked about. `teams`: what Slack says of the one; an error: it says nothing. */
function doorman(home: Home, enterpriseUser: { enterprise_id: string; teams: string[] } | Error | null) {
  const asked: string[] = [];
  const failed: string[] = [];
  const info = async ({ user }: { user: string }) => {
    asked.push(user);
    if (enterpriseUser instanceof Error) throw enterpriseUser;
    return { ok: true, user: enterpriseUser === null ? {} : { enterprise_user: enterpriseUser } };
  };
  const slack = { users: { info } } as unknown as Parameters<typeof createDoorman>[2];
  const admit = createDoorman(
    home,
    (actorId) => actorId === 'T9:U0GUEST',
    slack,
    (user) => failed.push(user),
  );
  return {
    asked,
    failed,
    admit: async (id: string) => (await admit({ id, via: 'button' }, id.split(':')[0] ?? ''))?.id ?? null,
  };
}

test('our own people and named guests are known without asking', async () => {
  const { admit, asked } = doorman(GRID, null);
  expect(await admit('T1:U0ANN')).toBe('T1:U0ANN');
  expect(await admit('T9:U0GUEST')).toBe('T9:U0GUEST');
  expect(asked).toEqual([]);
});

test.each([
  ['another workspace of theirs', 'T2'],
  ['the organization', 'E1'],
])('in a Grid, one of ours who comes with the id of %s is the same person', async (_what, team) => {
  const { admit, asked } = doorman(GRID, { enterprise_id: 'E1', teams: ['T2', 'T1'] });
  expect(await admit(`${team}:U0ANN`)).toBe('T1:U0ANN');
  expect(await admit(`${team}:U0ANN`)).toBe('T1:U0ANN');
  expect(asked).toEqual(['U0ANN']);
});

test.each([
  ['a colleague who is not in our workspace', GRID, 'T2', { enterprise_id: 'E1', teams: ['T2'] }],
  ['somebody of another organization', GRID, 'T9', { enterprise_id: 'E9', teams: ['T9', 'T1'] }],
  ['somebody of no organization', GRID, 'T9', null],
  ['a stranger with the id of one of ours', GRID, 'T9', { enterprise_id: 'E1', teams: ['T1', 'T2'] }],
  ['anybody, when Slack does not tell', GRID, 'T2', new Error('missing_scope')],
])('a stranger: %s', async (_who, home, team, enterpriseUser) => {
  const { admit, failed } = doorman(home, enterpriseUser);
  expect(await admit(`${team}:U0ANN`)).toBeNull();
  expect(failed).toEqual(enterpriseUser instanceof Error ? ['U0ANN'] : []);
});

test('outside of a Grid nobody is asked about', async () => {
  const { admit, asked } = doorman({ team: 'T1' }, { enterprise_id: 'E1', teams: ['T1', 'T9'] });
  expect(await admit('T9:U0ANN')).toBeNull();
  expect(asked).toEqual([]);
});
