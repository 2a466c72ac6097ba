/** Sending a card within limits that Slack does not document. */
import type { ChangeView } from '../command/reply.js';
import { type CardMessage, changeCard } from './card.js';
import type { CardDeps } from './outbox-deps.js';
import { BAD_MESSAGE, slackError } from './web.js';

/** Sends the card; once more without the plan when Slack finds it wrong, for its limit on the whole is not documented. */
export async function orCompact<T>(
  deps: Pick<CardDeps, 'cluster' | 'now' | 'log'>,
  view: ChangeView,
  message: CardMessage,
  send: (content: CardMessage) => Promise<T>,
): Promise<T> {
  try {
    return await send(message);
  } catch (error) {
    const code = slackError(error);
    if (code === null || !BAD_MESSAGE.includes(code)) throw error;
    deps.log.error({ change: view.change.id, code, blocks: message.blocks }, 'Slack refused a card');
    return send(changeCard(view, deps.cluster, deps.now(), { compact: true }));
  }
}
