/** The dialog that asks why a plan is denied (Q6). Pure. */
import { denyWords } from '../words/button.js';
import { plainText } from './blocks.js';
import type { ButtonValue } from './buttons.js';
import { type Call, type ModalMemory, memoryOf } from './payload.js';

export const DENY_MODAL = 'deny-reason';

/** The reason is optional. */
export function denyModal(value: ButtonValue, call: Pick<Call, 'answerTo'>) {
  const memory: ModalMemory = { ...value, ...memoryOf(call.answerTo) };
  return {
    type: 'modal' as const,
    callback_id: DENY_MODAL,
    private_metadata: JSON.stringify(memory),
    title: plainText(denyWords.title(value.id).slice(0, 24)),
    submit: plainText(denyWords.yes),
    close: plainText(denyWords.no),
    blocks: [
      {
        type: 'input' as const,
        block_id: 'reason',
        optional: true,
        label: plainText(denyWords.question),
        element: {
          type: 'plain_text_input' as const,
          action_id: 'reason',
          multiline: true,
          max_length: 500,
        },
      },
    ],
  };
}
