/** The form that takes a list of nodes, the button that opens it, and what is wrong with what was entered. Pure. */
import { listHead, readNodeList } from '../command/node-list.js';
import { formWords } from '../words/adopt.js';
import { codeBlock } from '../words/mrkdwn.js';
import type { Message } from './blocks.js';
import type { ClusterFacts } from './cluster.js';
import type { Call } from './payload.js';
import { faultsIn, invitation, MOST_ENTERED, textForm } from './text-form.js';

export const ADOPT_FORM = 'adopt-list';
export const OPEN_FORM = 'adopt:form';

export const LIST_BLOCK = 'list';

export function formInvitation(): Message {
  return invitation(formWords, OPEN_FORM, 'adopt');
}

/** With the lines on top filled in: a list says which cluster it is of. */
export function adoptForm(cluster: ClusterFacts, call: Pick<Call, 'answerTo' | 'origin'>) {
  const explained = `${formWords.explain(MOST_ENTERED)}\n${codeBlock(formWords.example)}`;
  return textForm(ADOPT_FORM, LIST_BLOCK, formWords, explained, call, listHead(cluster).replace(' []', ''));
}

export function faultsOf(body: unknown, cluster: ClusterFacts): Record<string, string> | null {
  return faultsIn(body, LIST_BLOCK, (list) => readNodeList(list, cluster));
}
