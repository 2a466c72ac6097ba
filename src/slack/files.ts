/** Files that people shared in Slack: which there are in a thread, and what stands in one. */
import type { webApi } from '@slack/bolt';
import { readAtMost } from '../at-most.js';
import { isRefusal, Refusal } from '../errors.js';
import { SharedFile } from './shared-file.js';
import { slackError } from './web.js';

export interface Files {
  /** The newest file of a thread whose name fits; null when there is none. Throws the Refusal `file-unreadable`. */
  newestIn(channel: string, thread: string, fits: RegExp): Promise<SharedFile | null>;
  /** Its text. Throws the Refusals `file-unreadable` and `file-too-big`. */
  text(file: SharedFile, mostBytes: number): Promise<string>;
}

/** Where Slack keeps files. The bot's token goes nowhere else. */
const FILES_ORIGIN = 'https://files.slack.com';
/** A person waits for the answer. */
const FETCH_MS = 8000;
/** Of the channel's files since the thread began, so many of the newest are listed, and so many that fit are asked about. */
const LISTED = 100;
const ASKED_ABOUT = 20;
/** A file is uploaded before the message that it comes with is sent. */
const UPLOADED_BEFORE_S = 3600;

/** `apiUrl`: another Slack's, which keeps files by itself. */
export function createFiles(
  slack: Pick<webApi.WebClient, 'files'>,
  { token, apiUrl }: { token: string; apiUrl?: string | undefined },
): Files {
  const origin = apiUrl === undefined ? FILES_ORIGIN : new URL(apiUrl).origin;
  return {
    newestIn: async (channel, thread, fits) => {
      try {
        const ts_from = String(Math.floor(Number(thread)) - UPLOADED_BEFORE_S);
        const { files = [] } = await slack.files.list({ channel, ts_from, count: LISTED });
        const fitting = files.filter((file) => fits.test(file.name ?? '')).slice(0, ASKED_ABOUT);
        for (const { id, name } of fitting) {
          // The list does not say in which thread a file was shared.
          const { file } = await slack.files.info({ file: id ?? '' });
          const shares = { ...file?.shares?.public, ...file?.shares?.private }[channel] ?? [];
          if (shares.some(({ ts, thread_ts }) => ts === thread || thread_ts === thread))
            return SharedFile.parse({ ...file, name });
        }
        return null;
      } catch (error) {
        const why = slackError(error);
        if (why === null) throw error;
        throw new Refusal('file-unreadable', { name: '', why });
      }
    },
    text: async (file, mostBytes) => {
      const name = file.name ?? file.id;
      if ((file.size ?? 0) > mostBytes) throw new Refusal('file-too-big', { name, most: mostBytes });
      const url = file.url_private ?? '';
      if (!URL.canParse(url) || new URL(url).origin !== origin)
        throw new Refusal('file-unreadable', { name, why: 'not_in_slack' });
      const bytes = await download(url, token, name, mostBytes).catch((error: unknown) => {
        throw isRefusal(error) ? error : new Refusal('file-unreadable', { name, why: String(error) });
      });
      // What PowerShell's `>` writes.
      const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
      return new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8').decode(bytes);
    },
  };
}

/** Without the scope `files:read` Slack answers with a page to sign in, or sends there. */
async function download(url: string, token: string, name: string, mostBytes: number): Promise<Buffer> {
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'manual',
    signal: AbortSignal.timeout(FETCH_MS),
  });
  const isPage = response.headers.get('content-type')?.startsWith('text/html') ?? false;
  if (!response.ok || isPage || response.body === null)
    throw new Refusal('file-unreadable', { name, why: isPage ? 'missing_scope' : `HTTP ${response.status}` });
  const bytes = await readAtMost(response.body, mostBytes);
  if (bytes === null) throw new Refusal('file-too-big', { name, most: mostBytes });
  return bytes;
}
