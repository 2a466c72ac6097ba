/** A text as a file in a channel or thread. */
import type { Again, CardDeps } from './outbox-deps.js';
import { limitGate, POST_EVERY_MS, postGate } from './pace.js';
import { retryAfterMs, slackError } from './web.js';

export interface TextFile {
  channel: string;
  thread?: string | undefined;
  name: string;
  title: string;
  /** What is said with it. */
  comment: string;
  content: string;
}

const METHOD = 'files.completeUploadExternal';

/** Uploads, or says after how many ms to come back; what Slack refuses is given back as its code. */
export async function uploadText(
  deps: Pick<CardDeps, 'slack' | 'pace' | 'log'>,
  { channel, thread, name, title, comment, content }: TextFile,
): Promise<{ again: Again; refused?: string }> {
  const wait =
    (await deps.pace.wait(limitGate(METHOD))) || (await deps.pace.take(postGate(channel), POST_EVERY_MS));
  if (wait > 0) return { again: wait };
  const upload = { channel_id: channel, filename: name, title, content, initial_comment: comment };
  try {
    await deps.slack.filesUploadV2(thread ? { ...upload, thread_ts: thread } : upload);
  } catch (error) {
    const later = retryAfterMs(error);
    if (later !== null) {
      await deps.pace.hold(limitGate(METHOD), later);
      return { again: later };
    }
    const code = slackError(error);
    if (code === null) throw error;
    deps.log.error({ file: name, channel, code }, 'Slack refused the file');
    return { again: 0, refused: code };
  }
  return { again: 0 };
}
