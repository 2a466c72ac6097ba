/** The manifest that somebody shared as a file: with the words that ask for its check, or earlier in their thread. */
import { MOST_CHARACTERS } from '../manifest/read.js';
import type { ListenerDeps } from './guard.js';
import type { Call } from './payload.js';

/** In a thread there may be files of every kind, our own too; with the words comes what is meant. */
const MANIFEST_NAME = /\.(ya?ml|json)$/i;

/** Null when there is none. Throws the Refusals of `Files`. */
export async function sharedManifest(
  { actor, origin, files }: Call,
  deps: Pick<ListenerDeps, 'files'>,
): Promise<{ text: string; file: string } | null> {
  if (actor.via !== 'mention') return null;
  const [first] = files ?? [];
  const found =
    first ??
    (origin.thread === undefined
      ? null
      : await deps.files.newestIn(origin.channel, origin.thread, MANIFEST_NAME));
  if (!found) return null;
  return { text: await deps.files.text(found, MOST_CHARACTERS), file: found.name ?? found.id };
}
