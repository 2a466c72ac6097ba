/** What no answer can hold: a form to fill in, a long text. */
import type { Reply } from '../command/reply.js';
import { exportWords } from '../words/adopt.js';
import { manifestText, manifestWords } from '../words/manifest.js';
import { adoptForm, formInvitation } from './adopt-form.js';
import { answer, type ListenerDeps } from './guard.js';
import { manifestForm, manifestInvitation } from './manifest-form.js';
import type { Call } from './payload.js';
import { say } from './reply.js';
import { isSlackAway, slackError } from './web.js';

type Form = Extract<Reply, { kind: 'form' }>['form'];

/** A mention brings no trigger_id, and one that is older than 3 s opens nothing: the button of the answer brings another. */
export async function openForm(form: Form, call: Call, deps: ListenerDeps): Promise<void> {
  const invite = () => answer(deps, call, form === 'adopt' ? formInvitation() : manifestInvitation());
  if (call.triggerId === '') return invite();
  const view = form === 'adopt' ? adoptForm(deps.cluster, call) : manifestForm(call);
  try {
    await deps.slack.views.open({ trigger_id: call.triggerId, view });
  } catch (error) {
    if (slackError(error) === null && !isSlackAway(error)) throw error;
    deps.log.warn({ err: error }, 'the form could not be opened');
    await invite();
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

/** All findings, when the answer has room for some only. */
export function sendFindings(
  call: Call,
  deps: ListenerDeps,
  check: Extract<Reply, { kind: 'manifest' }>,
): Promise<void> {
  return deps.jobs.upload({
    name: 'upload',
    origin: call.answerTo,
    fileName: 'manifest-findings.txt',
    title: manifestWords.fileTitle(check.findings.length),
    comment: manifestWords.fileComment(call.origin.user),
    content: manifestText(check),
  });
}
