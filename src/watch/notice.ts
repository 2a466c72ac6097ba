/** Notices: the cards that tell of incidents; one each, or one for all of a storm. Pure. */
import type { Card } from '../change/change.js';
import type { Component } from '../node/component.js';
import { SKEWED_S } from '../time.js';
import type { Incident, Reason } from './incident.js';
import type { Watched } from './watched.js';

/** An incident as a notice names it: enough to say what it was once it is over. */
export interface Told {
  host: string;
  incident: string;
  reason: Reason;
  component?: Component;
}

/** Once a day: what differs from the inventory and is not worth waking anybody. */
export interface Digest {
  hosts: { host: string; stray: string[]; foreign: string[]; skew: number }[];
}

export interface Notice {
  /** `n1`, `n2`, … */
  id: string;
  /** Grows with every write. */
  version: number;
  channel: string;
  /** ISO instant. */
  at: string;
  told: Told[];
  digest?: Digest;
  cards: Card[];
}

/** More than this within a minute become one card: a channel that scrolls is not read. */
const ALONE = 3;
const STORM_BEGINS_MS = 60_000;
/** What happens within this after a storm's beginning goes on its card. */
const STORM_LASTS_MS = 3 * 60_000;

/** The incidents that somebody has yet to be told of. */
export function untold(watched: readonly Watched[]): Told[] {
  return watched.flatMap(({ host, incidents }) =>
    incidents.filter((each) => !each.notice && !each.hushed).map((each) => toldOf(host, each)),
  );
}

export interface Assigned {
  /** Goes on the card of a storm that is on, or that begins with it. */
  joins: { notice: Notice; told: Told[] } | null;
  /** Each is a new card. */
  fresh: Told[][];
}

/** Which card tells of what: one each while they are few; what comes after one too many makes a storm of that one. `recent` are the notices of the last minutes, newest first. */
export function assign(news: readonly Told[], recent: readonly Notice[], now: string): Assigned {
  const age = (notice: Notice): number => Date.parse(now) - Date.parse(notice.at);
  const storm = recent.find((notice) => notice.told.length > 1 && age(notice) < STORM_LASTS_MS);
  if (storm) return { joins: { notice: storm, told: [...news] }, fresh: [] };
  const lately = recent.filter((notice) => !notice.digest && age(notice) < STORM_BEGINS_MS);
  if (news.length + lately.length <= ALONE) return { joins: null, fresh: news.map((each) => [each]) };
  // They come one by one, as when nodes are restarted in turn. The first one too many still has a card of its own: an edit rings nobody.
  const [newest] = lately;
  if (news.length === 1 && newest && lately.length > ALONE)
    return { joins: { notice: newest, told: [...news] }, fresh: [] };
  return { joins: null, fresh: [[...news]] };
}

/** An incident as a notice names it. */
export function toldOf(host: string, { id, reason, component }: Incident): Told {
  return { host, incident: id, reason, ...(component ? { component } : {}) };
}

/** What the daily digest lists; null when there is nothing to list. */
export function digestOf(watched: readonly Watched[]): Digest | null {
  const hosts = watched
    .filter((host) => host.silentSince === undefined)
    .map(({ host, stray, foreign, skew }) => ({ host, stray, foreign, skew }))
    .filter(({ stray, foreign, skew }) => stray.length + foreign.length > 0 || Math.abs(skew) > SKEWED_S);
  return hosts.length === 0 ? null : { hosts };
}
