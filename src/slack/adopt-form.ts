/** The form that takes a list of nodes, the button that opens it, and what is wrong with what was entered. Pure. */
import { z } from 'zod';
import { listHead, readNodeList } from '../command/node-list.js';
import { isRefusal } from '../errors.js';
import { formWords } from '../words/adopt.js';
import { codeBlock } from '../words/mrkdwn.js';
import { sayRefusal } from '../words/refusal.js';
import { plainVoice } from '../words/voice.js';
import { actions, type Message, plainText, section } from './blocks.js';
import type { ClusterFacts } from './cluster.js';
import { type Call, memoryOf } from './payload.js';

export const ADOPT_FORM = 'adopt-list';
export const OPEN_FORM = 'adopt:form';

/** The most that Slack lets anybody enter. */
const MOST = 3000;
/** Slack documents no limit for what stands under an input; more than this nobody reads there. */
const MOST_SAID = 600;

/** For whoever has no trigger_id, as in a mention: the button brings one. */
export function formInvitation(): Message {
  return {
    text: formWords.ask,
    blocks: [
      section(formWords.ask),
      ...actions([
        { type: 'button', action_id: OPEN_FORM, text: plainText(formWords.button), value: 'adopt' },
      ]),
    ],
  };
}

/** With the lines on top filled in: a list says which cluster it is of. */
export function adoptForm(cluster: ClusterFacts, call: Pick<Call, 'answerTo' | 'origin'>) {
  return {
    type: 'modal' as const,
    callback_id: ADOPT_FORM,
    private_metadata: JSON.stringify(memoryOf(call.answerTo)),
    title: plainText(formWords.title),
    submit: plainText(formWords.yes),
    close: plainText(formWords.no),
    blocks: [
      section(`${formWords.explain(MOST)}\n${codeBlock(formWords.example)}`),
      {
        type: 'input' as const,
        block_id: 'list',
        label: plainText(formWords.label),
        element: {
          type: 'plain_text_input' as const,
          action_id: 'list',
          multiline: true,
          max_length: MOST,
          initial_value: listHead(cluster).replace(' []', ''),
        },
      },
    ],
  };
}

const Submitted = z.object({
  view: z.object({
    state: z.object({
      values: z.object({ list: z.object({ list: z.object({ value: z.string().nullish() }) }) }),
    }),
  }),
});

/** What was entered; null for another body than this form's. */
export function enteredList(body: unknown): string | null {
  const form = Submitted.safeParse(body);
  return form.success ? (form.data.view.state.values.list.list.value ?? '') : null;
}

/** What is wrong with the list, to stand under the input: so what was typed is not lost. Null: nothing. */
export function faultsOf(body: unknown, cluster: ClusterFacts): Record<string, string> | null {
  const list = enteredList(body);
  try {
    if (list !== null) readNodeList(list, cluster);
    return null;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const said = sayRefusal(error, plainVoice);
    return { list: said.length <= MOST_SAID ? said : `${said.slice(0, MOST_SAID - 1)}…` };
  }
}
