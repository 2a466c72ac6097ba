/** The members of Slack user groups, asked for at most every ten minutes (`usergroups.users.list` allows 20 calls a minute, Q22). */
import type { Members } from './access.js';

const KEEP_MS = 10 * 60_000;
/** A failed look-up is not repeated for every command either. */
const RETRY_MS = 15_000;

export interface UserGroups {
  /** The members of each group; `unknown` for one that can't be read, whatever it was before: nobody is let in on old news. */
  members(groups: readonly string[]): Promise<ReadonlyMap<string, Members>>;
}

/** `fetchMembers` asks Slack for the user ids of a group; it may fail (paid plans only). `onError` hears of it, for the log. */
export function createUserGroups(
  fetchMembers: (group: string) => Promise<readonly string[]>,
  onError: (group: string, error: unknown) => void,
  now: () => number = Date.now,
): UserGroups {
  const cache = new Map<string, { until: number; members: Promise<Members> }>();

  function look(group: string): Promise<Members> {
    const kept = cache.get(group);
    if (kept !== undefined && now() < kept.until) return kept.members;
    const entry = { until: now() + KEEP_MS, members: ask(group) };
    cache.set(group, entry);
    void entry.members.then((members) => {
      if (members === 'unknown') entry.until = now() + RETRY_MS;
    });
    return entry.members;
  }

  async function ask(group: string): Promise<Members> {
    try {
      return await fetchMembers(group);
    } catch (error) {
      onError(group, error);
      return 'unknown';
    }
  }

  return {
    async members(groups) {
      return new Map(await Promise.all(groups.map(async (group) => [group, await look(group)] as const)));
    },
  };
}
