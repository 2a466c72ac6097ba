/** A change's card as the outbox keeps it in Slack. Pure. */
import type { ChangeView } from '../command/reply.js';
import { sayNoEntry } from '../words/trouble.js';
import { context } from './blocks.js';
import type { CardMessage } from './card-message.js';
import type { ClusterFacts } from './cluster.js';
import { type Ring, type RingFacts, ringOf } from './ring.js';
import { type Shown, showChange } from './shown.js';

export interface Current extends Shown {
  /** How far it has to be shown; this much was read before what it shows. */
  due: number;
  /** Whom it rings once it shows this; null: nobody. */
  ring: Ring | null;
}

/** The card as it is to be shown now. */
export function currentChange(view: ChangeView, cluster: ClusterFacts, facts: RingFacts, now: Date): Current {
  const { cards, channel, version } = view.change;
  const ring = ringOf(view.change, facts, now);
  const current = { ...showChange(view, cluster, now), due: version, ring };
  const isApart = cards.length > 0 && cards.every((card) => card.channel !== channel);
  return isApart ? apart(current) : current;
}

/** As it reads where nobody but the requester sees it: that must not be taken for the channel. */
export function apart<T extends Shown>(shown: T): T {
  const of = (message: CardMessage) =>
    noted(message, sayNoEntry(shown.channel, shown.id, message.metadata.event_payload.state));
  return { ...shown, message: of(shown.message), compact: () => of(shown.compact()) };
}

/** With a line on top. */
export function noted(message: CardMessage, note: string): CardMessage {
  return { ...message, blocks: [context(note), ...message.blocks].slice(0, 50) };
}
