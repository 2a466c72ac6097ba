/** Who may talk to us at all: the people of our own workspace, and those of others who are configured by their whole id. */
import type { webApi } from '@slack/bolt';
import type { Actor } from '../change/change.js';
import { createLookup } from '../command/lookup.js';
import { personOf } from '../principal.js';

/** The actor as we know them; null: a stranger, of another workspace in a shared channel. */
export type Doorman = (actor: Actor, team: string) => Promise<Actor | null>;

/** Our workspace's id, and the organization's where it is part of an Enterprise Grid. */
export interface Home {
  team: string;
  enterprise?: string | undefined;
}

/**
 * In a Grid a person of several workspaces clicks and speaks with the id of any one of them, or of the organization (bolt-js#1875), so
 * Slack is asked where they belong. The reported workspace has to be among those too: ids of people are unique within an
 * organization, not over all of Slack.
 */
export function createDoorman(
  home: Home,
  isNamed: (actorId: string) => boolean,
  slack: Pick<webApi.WebClient, 'users'>,
  onError: (user: string, error: unknown) => void,
): Doorman {
  const enterpriseUser = createLookup(
    async (user) => (await slack.users.info({ user })).user?.enterprise_user ?? null,
    onError,
  );

  async function isOurs(user: string, team: string): Promise<boolean> {
    if (home.enterprise === undefined) return false;
    const known = await enterpriseUser(user);
    if (known === 'unknown' || known?.enterprise_id !== home.enterprise) return false;
    const teams = known.teams ?? [];
    return teams.includes(home.team) && (team === home.enterprise || teams.includes(team));
  }

  return async (actor, team) => {
    if (team === home.team || isNamed(actor.id)) return actor;
    const user = personOf(actor.id);
    // One person, one id, whichever way they came.
    return (await isOurs(user, team)) ? { ...actor, id: `${home.team}:${user}` } : null;
  };
}
