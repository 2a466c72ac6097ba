/** A form for one text of many lines, the button that opens it, and what is wrong with what was entered. Pure. */
import { isRefusal } from '../errors.js';
import { sayRefusal } from '../words/refusal.js';
import { plainVoice } from '../words/voice.js';
import { actions, type Message, plainText, section } from './blocks.js';
import { type Call, entered, memoryOf } from './payload.js';

/** The most that Slack lets anybody enter. */
export const MOST_ENTERED = 3000;
/** Slack documents no limit for what stands under an input; more than this nobody reads there. */
const MOST_SAID = 600;

export interface FormWords {
  title: string;
  yes: string;
  no: string;
  button: string;
  label: string;
  ask: string;
}

/** For whoever has no trigger_id, as in a mention: the button, `actionId`, brings one. */
export function invitation(words: FormWords, actionId: string, value: string): Message {
  return {
    text: words.ask,
    blocks: [
      section(words.ask),
      ...actions([{ type: 'button', action_id: actionId, text: plainText(words.button), value }]),
    ],
  };
}

/** A modal by that callback id, whose input is called `block`, that remembers where it was opened. */
export function textForm(
  callbackId: string,
  block: string,
  words: FormWords,
  explained: string,
  { answerTo }: Pick<Call, 'answerTo'>,
  initial?: string,
) {
  return {
    type: 'modal' as const,
    callback_id: callbackId,
    private_metadata: JSON.stringify(memoryOf(answerTo)),
    title: plainText(words.title),
    submit: plainText(words.yes),
    close: plainText(words.no),
    blocks: [
      section(explained),
      {
        type: 'input' as const,
        block_id: block,
        label: plainText(words.label),
        element: {
          type: 'plain_text_input' as const,
          action_id: block,
          multiline: true,
          max_length: MOST_ENTERED,
          ...(initial === undefined ? {} : { initial_value: initial }),
        },
      },
    ],
  };
}

/** What `read` refuses, to stand under the input: so what was typed is not lost. Null: nothing. */
export function faultsIn(
  body: unknown,
  block: string,
  read: (text: string) => unknown,
): Record<string, string> | null {
  const text = entered(body, block);
  try {
    if (text !== null) read(text);
    return null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const said = sayRefusal(error, plainVoice);
    return { [block]: said.length <= MOST_SAID ? said : `${said.slice(0, MOST_SAID - 1)}…` };
  }
}
