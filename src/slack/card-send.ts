/** Sending a card within limits that Slack does not document. */
import type { CardMessage } from './card-message.js';
import type { CardDeps } from './outbox-deps.js';
import type { Shown } from './shown.js';
import { BAD_MESSAGE, slackError } from './web.js';

/** Sends the card; once more with less in it when Slack finds it wrong, for its limit on the whole is not documented. */
export async function orCompact<T>(
  deps: Pick<CardDeps, 'log'>,
  shown: Pick<Shown, 'id' | 'compact'>,
  message: CardMessage,
  send: (content: CardMessage) => Promise<T>,
): Promise<T> {
  try {
    return await send(message);
  } catch (error) {
    const code = slackError(error);
    if (code === null || !BAD_MESSAGE.includes(code)) throw error;
    deps.log.error({ card: shown.id, code, blocks: message.blocks }, 'Slack refused a card');
    return send(shown.compact());
  }
}
