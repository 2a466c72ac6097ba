/** The members of Slack user groups (`usergroups.users.list` allows 20 calls a minute). */
import type { Members } from './access.js';
import { createLookup } from './lookup.js';

export interface UserGroups {
  /** The members of each group; `unknown` for one that can't be read. */
  members(groups: readonly string[]): Promise<ReadonlyMap<string, Members>>;
}

/** `fetchMembers` asks Slack for the user ids of a group; it may fail (paid plans only). `onError` hears of it, for the log. */
export function createUserGroups(
  fetchMembers: (group: string) => Promise<readonly string[]>,
  onError: (group: string, error: unknown) => void,
  now: () => number = Date.now,
): UserGroups {
  const look = createLookup(fetchMembers, onError, now);
  return {
    async members(groups) {
      return new Map(await Promise.all(groups.map(async (group) => [group, await look(group)] as const)));
    },
  };
}
