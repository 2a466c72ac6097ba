/** A notice with all that its card shows: its incidents as they stand, and how the rest of the cluster sees the host. */
import type { Stores } from '../stores.js';
import type { Incident } from '../watch/incident.js';
import type { Notice, Told } from '../watch/notice.js';
import { unseen, type Watched } from '../watch/watched.js';

/** One incident of a notice, null once it is over and forgotten. `isOver`: nothing is left to do about it. */
export interface ToldView {
  told: Told;
  host: Watched;
  incident: Incident | null;
  isOver: boolean;
  /** Members other than the host whose table was read, and those of them that have the host's route. */
  peers: number;
  peersWithRoute: number;
}

/** Of the incidents that are over, those that a card may still show as they ended. */
const PAST = 500;

export interface NoticeView {
  notice: Notice;
  told: ToldView[];
}

/** Reads a notice as it stands now; null when there is none with this id. */
export async function viewNotice(
  { watch, nodes }: Pick<Stores, 'watch' | 'nodes'>,
  id: string,
): Promise<NoticeView | null> {
  const notice = await watch.notice(id);
  if (notice === null) return null;
  const [watched, inventory] = await Promise.all([watch.all(), nodes.read()]);
  const byName = new Map(watched.map((host) => [host.host, host]));
  const open = new Map(watched.flatMap(({ incidents }) => incidents.map((each) => [each.id, each] as const)));
  const isAllOpen = notice.told.every(({ incident }) => open.has(incident));
  const past = new Map((isAllOpen ? [] : await watch.past(PAST)).map((each) => [each.id, each] as const));
  return {
    notice,
    told: notice.told.map((told): ToldView => {
      const host = byName.get(told.host) ?? unseen(told.host);
      const podCidr = inventory.nodes.find((node) => node.name === told.host)?.podCidr;
      const peers = watched.filter((peer) => peer.host !== told.host && peer.boot && !peer.silentSince);
      const lacking = peers.filter(({ lost }) => lost.routes.some((route) => route.destination === podCidr));
      return {
        told,
        host,
        incident: open.get(told.incident) ?? past.get(told.incident) ?? null,
        isOver: !open.has(told.incident),
        peers: peers.length,
        peersWithRoute: peers.length - lacking.length,
      };
    }),
  };
}
