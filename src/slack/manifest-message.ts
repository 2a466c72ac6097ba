/** What was found in a manifest, as a message. Pure. */
import type { ManifestCheck } from '../command/reply.js';
import { findingLine, manifestWords, ofWhat } from '../words/manifest.js';
import { context, type Message } from './blocks.js';
import { isCut, list } from './list-message.js';

/** Grouped by what they were found in; what does not fit is in the file. */
export function manifestMessage(check: ManifestCheck): Message {
  const message = list(manifestWords.head(check), linesOf(check), manifestWords.rest, '');
  if (check.unknownBuilds.length === 0) return message;
  return {
    ...message,
    blocks: [...message.blocks, context(manifestWords.unknownBuilds(check.unknownBuilds))],
  };
}

/** Whether all of it is in the message. */
export function fitsManifest(check: ManifestCheck): boolean {
  return !isCut(manifestWords.head(check), linesOf(check));
}

function linesOf({ findings, version }: ManifestCheck): string[] {
  let last = '';
  return findings.flatMap((finding) => {
    const of = ofWhat(finding);
    const head = of === last ? [] : [of];
    last = of;
    return [...head, findingLine(finding, version)];
  });
}
