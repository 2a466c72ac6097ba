/** Who and what there is: the app itself, users, groups, channels. */
import { type Methods, no } from './answer.js';
import { str } from './types.js';
import type { World } from './world.js';

export const DIRECTORY: Methods = {
  'auth.test': ({ world }) => ({
    ok: true,
    url: 'https://fake.slack.com/',
    team: 'Fake',
    team_id: world.options.teamId,
    user: world.bot.name,
    user_id: world.bot.userId,
    bot_id: world.bot.botId,
    is_enterprise_install: false,
    ...(world.options.enterpriseId ? { enterprise_id: world.options.enterpriseId } : {}),
  }),
  'apps.connections.open': ({ sockets, base }) => ({
    ok: true,
    url: `${base().replace('http', 'ws')}/${sockets.ticket()}`,
  }),
  'usergroups.list': ({ world }, args) => ({
    ok: true,
    usergroups: groupsOf(world).map((id) => ({
      id,
      team_id: world.options.teamId,
      is_usergroup: true,
      handle: id.toLowerCase(),
      name: id,
      date_delete: 0,
      ...(str(args['include_users']) === 'true' || args['include_users'] === true
        ? { users: membersOf(world, id) }
        : {}),
    })),
  }),
  'usergroups.users.list': ({ world }, args) => {
    const id = str(args['usergroup']);
    if (!groupsOf(world).includes(id)) return no('no_such_subteam', id);
    return { ok: true, users: membersOf(world, id) };
  },
  'users.info': ({ world }, args) => {
    const user = world.options.users.find((each) => each.id === args['user']);
    if (!user) return no('user_not_found', str(args['user']));
    return {
      ok: true,
      user: {
        id: user.id,
        team_id: world.options.teamId,
        name: user.name,
        real_name: user.name,
        deleted: false,
        is_bot: false,
        profile: { display_name: user.name, real_name: user.name },
        ...(user.teams
          ? {
              enterprise_user: {
                id: user.id,
                enterprise_id: world.options.enterpriseId,
                teams: user.teams,
              },
            }
          : {}),
      },
    };
  },
  'conversations.info': ({ world }, args) => {
    const channel = world.options.channels.find((each) => each.id === args['channel']);
    if (!channel) return no('channel_not_found', str(args['channel']));
    return { ok: true, channel: { ...channel, is_channel: true, is_member: true, is_archived: false } };
  },
};

function groupsOf(world: World): string[] {
  return [...new Set(world.options.users.flatMap((user) => user.groups ?? []))];
}

function membersOf(world: World, group: string): string[] {
  return world.options.users.filter((user) => user.groups?.includes(group)).map((user) => user.id);
}
