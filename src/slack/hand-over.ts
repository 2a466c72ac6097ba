/** What no answer can hold: a form to fill in, a long text. */
import type { Reply } from '../command/reply.js';
import { exportWords } from '../words/adopt.js';
import { adoptForm, formInvitation } from './adopt-form.js';
import { answer, type ListenerDeps } from './guard.js';
import type { Call } from './payload.js';
import { say } from './reply.js';
import { slackError } from './web.js';

/** A mention brings no trigger_id, and one that is older than 3 s opens nothing: the button of the answer brings another. */
export async function openForm(call: Call, deps: ListenerDeps): Promise<void> {
  if (call.triggerId === '') return answer(deps, call, formInvitation());
  try {
    await deps.slack.views.open({ trigger_id: call.triggerId, view: adoptForm(deps.cluster, call) });
  } catch (error) {
    const why = slackError(error);
    if (why === null) throw error;
    deps.log.warn({ why }, 'the form could not be opened');
    await answer(deps, call, formInvitation());
  }
}

/** A list that is too long for an answer comes as a file. */
export async function sendFile(
  call: Call,
  deps: ListenerDeps,
  reply: Extract<Reply, { kind: 'export' }>,
): Promise<void> {
  const { cluster, nodes, text } = reply;
  await deps.jobs.upload({
    name: 'upload',
    origin: call.answerTo,
    fileName: `${cluster}-nodes.yaml`,
    title: exportWords.fileTitle(cluster, nodes),
    comment: exportWords.fileComment(call.origin.user),
    content: text,
  });
  await answer(deps, call, say(exportWords.follows(nodes)));
}
