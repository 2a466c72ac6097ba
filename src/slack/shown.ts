/** A message that is kept up to date in Slack: what the outbox needs to know of it, whatever it shows. Pure. */
import type { Card, Change } from '../change/change.js';
import type { ChangeView } from '../command/reply.js';
import type { Message } from './blocks.js';
import { changeCard } from './card.js';
import type { CardMessage } from './card-message.js';
import type { ClusterFacts } from './cluster.js';

export interface Shown {
  /** `c…` of a change, `n…` of a notice. */
  id: string;
  /** Grows; an older one never overwrites a newer. */
  version: number;
  cards: readonly Card[];
  channel: string;
  thread?: string;
  /** The Slack user who is told when the bot may not write in the channel. */
  person?: string;
  /** What a person acts on. While it stays, an edit is progress and may wait. */
  shape: string;
  /** Somebody waits for it: it is posted before those that nobody waits for. */
  urgent: boolean;
  message: CardMessage;
  /** The same with less in it, for when Slack finds it too long after all. */
  compact(): CardMessage;
}

/** The card of a change. */
export function showChange(view: ChangeView, cluster: ClusterFacts, now: Date): Shown {
  const { change } = view;
  const message = changeCard(view, cluster, now);
  return {
    id: change.id,
    version: change.version,
    cards: change.cards,
    channel: change.channel,
    ...(change.thread ? { thread: change.thread } : {}),
    ...person(change),
    shape: [change.state, change.decisions.length, ...pressable(message)].join(' '),
    urgent: true,
    message,
    compact: () => changeCard(view, cluster, now, { compact: true }),
  };
}

function person({ requester }: Change): { person?: string } {
  const [, user = ''] = requester.split(':');
  return /^[UW][A-Z0-9]+$/.test(user) ? { person: user } : {};
}

/** Which buttons there are. Their labels count hosts, which is progress. */
export function pressable(message: Message): string[] {
  return message.blocks.flatMap((block) =>
    block.type === 'actions' ? block.elements.map((button) => button.action_id) : [],
  );
}
