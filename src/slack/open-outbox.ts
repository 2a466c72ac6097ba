/** The outbox as each program opens it: the bot for answers at once, the workers for the queue. */
import type { Change } from '../change/change.js';
import { accessOf, groupsOf, rolesOf } from '../command/access.js';
import { viewNotice } from '../command/notice-view.js';
import { viewChange } from '../command/view.js';
import type { Config } from '../config.js';
import type { Logger } from '../log.js';
import type { Stores } from '../stores.js';
import { clusterFacts } from './cluster.js';
import { currentChange } from './current.js';
import { showNotice } from './notice-card.js';
import { createOutbox, type Outbox } from './outbox.js';
import type { CardDeps, Cards } from './outbox-deps.js';
import { createPace } from './pace.js';
import type { RingFacts } from './ring.js';
import { openUserGroups } from './user-groups.js';
import { createWebClient } from './web.js';

export function openOutbox(deps: Stores & { config: Config; log: Logger }): Outbox {
  const { config, log, redis, keys } = deps;
  const cluster = clusterFacts(config);
  const view: CardDeps['view'] = (id) => viewChange(deps, config.cluster, id);
  const slack = createWebClient(config.slack.botToken, { apiUrl: config.slack.apiUrl, log });
  const groups = openUserGroups(slack, log);
  const { approvers, approveOwn, approvalsRequired } = config.access;
  const ringFacts = async ({ state, requester }: Change): Promise<RingFacts> => {
    // Slack is asked for the members of groups only where it matters who they are.
    if (state !== 'pending' || !approveOwn || approvalsRequired > 1) return { approvers, isAlone: false };
    const access = accessOf(config.access, await groups.members(groupsOf(config.access)));
    return { approvers, isAlone: rolesOf({ id: requester }, access).includes('approver') };
  };
  return createOutbox({
    slack,
    redis,
    keys,
    pace: createPace(redis, keys),
    cluster,
    log,
    view,
    buildLog: (id) => deps.builds.log(id),
    newestAudit: (mostBytes) => deps.audit.newestLines(mostBytes),
    shown: async (id) => {
      if (isNotice(id)) {
        const due = await deps.watch.dueUpTo(id);
        const [notice, { nodes }] = await Promise.all([viewNotice(deps, id), deps.nodes.read()]);
        const osOf = (host: string) => nodes.find((node) => node.name === host)?.os;
        return notice && { ...showNotice(notice, cluster, osOf), due, ring: null };
      }
      const found = await view(id);
      return found && currentChange(found, cluster, await ringFacts(found.change), new Date());
    },
    cards: cardsOf(deps),
    now: () => new Date(),
  });
}

/** Where the messages of both kinds of cards are on record. */
function cardsOf({ changes, watch }: Pick<Stores, 'changes' | 'watch'>): Cards {
  return {
    addCard: (id, card) =>
      isNotice(id) ? watch.setCards(id, (cards) => [...cards, card]) : changes.addCard(id, card),
    forgetCard: (id, card) =>
      isNotice(id)
        ? watch.setCards(id, (cards) =>
            cards.filter((each) => each.ts !== card.ts || each.channel !== card.channel),
          )
        : changes.forgetCard(id, card),
    cardShown: (id, due) => (isNotice(id) ? watch.noticeShown(id, due) : changes.cardShown(id, due)),
  };
}

function isNotice(id: string): boolean {
  return id.startsWith('n');
}
