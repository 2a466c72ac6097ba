/** The form that takes a manifest, the button that opens it, and whether what was entered can be read. Pure. */
import { readObjects } from '../manifest/read.js';
import { manifestFormWords } from '../words/manifest.js';
import type { Message } from './blocks.js';
import type { Call } from './payload.js';
import { faultsIn, invitation, MOST_ENTERED, textForm } from './text-form.js';

export const MANIFEST_FORM = 'manifest-text';
export const OPEN_MANIFEST_FORM = 'manifest:form';

export const MANIFEST_BLOCK = 'manifest';

export function manifestInvitation(): Message {
  return invitation(manifestFormWords, OPEN_MANIFEST_FORM, 'manifest');
}

export function manifestForm(call: Pick<Call, 'answerTo'>) {
  return textForm(
    MANIFEST_FORM,
    MANIFEST_BLOCK,
    manifestFormWords,
    manifestFormWords.explain(MOST_ENTERED),
    call,
  );
}

export function manifestFaults(body: unknown): Record<string, string> | null {
  return faultsIn(body, MANIFEST_BLOCK, readObjects);
}
