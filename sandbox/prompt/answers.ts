/** Which of the things seen answer a line, and what they say of it. Pure. */
import { type Message, type Outcome, objects, type Sight, str } from '../slack/types.js';
import { changeOf, isRefusal } from './board.js';

export interface Answer {
  refused: boolean;
  /** The change that the line started. */
  started?: string;
  /** What it found out comes as another answer. */
  follows: boolean;
}

/** What a line did: its outcome, who typed it, and which changes were known before. */
export interface Act {
  outcome: Outcome;
  user: string;
  botUser: string;
  known: ReadonlySet<string>;
}

/** The answers so far. What answers another line, late, is none. */
export function answersIn(sights: readonly Sight[], act: Act): Answer[] {
  return sights.flatMap((sight) => answerOf(sight, act) ?? []);
}

function answerOf(sight: Sight, act: Act): Answer | undefined {
  if (sight.type === 'view')
    return answers(sight.view, act) && sight.view.open ? { refused: false, follows: false } : undefined;
  const { message } = sight;
  if (message.user !== act.botUser) return undefined;
  if (answers(message, act) || answersMention(message, act)) {
    const mark = str(objects(message.blocks)[0]?.['block_id']);
    // The announcement of a card that comes later.
    const started = /^change-(.+)$/.exec(mark)?.[1];
    return { refused: isRefusal(message), follows: mark === 'follows', ...(started ? { started } : {}) };
  }
  // Nothing ties a new card to the words that asked for it; but nobody else asks meanwhile.
  const change = sight.type === 'message' ? changeOf(message) : null;
  return change && !act.known.has(change.id)
    ? { refused: false, follows: false, started: change.id }
    : undefined;
}

function answers({ answers: act }: { answers?: string }, { outcome }: Act): boolean {
  return act !== undefined && act === outcome.act;
}

/** Mentions have no response_url: they are answered in their thread, or in private. */
function answersMention(message: Message, { outcome, user }: Act): boolean {
  if (outcome.act !== undefined || message.answers !== undefined) return false;
  return message.ephemeralTo === user || message.threadTs === outcome.body;
}
