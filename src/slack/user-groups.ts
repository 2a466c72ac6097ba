/** User groups as Slack has them. */
import type { webApi } from '@slack/bolt';
import { createUserGroups, type UserGroups } from '../command/user-groups.js';
import type { Logger } from '../log.js';

export function openUserGroups(slack: Pick<webApi.WebClient, 'usergroups'>, log: Logger): UserGroups {
  return createUserGroups(
    async (usergroup) => (await slack.usergroups.users.list({ usergroup })).users ?? [],
    (group, error) =>
      log.warn({ group, err: error }, 'a user group could not be read: its members may do nothing'),
  );
}
