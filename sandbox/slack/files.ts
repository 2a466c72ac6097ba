/** Shared files: as Slack describes them, and what it serves under `url_private`. */
import type { Message, Obj } from './types.js';
import type { World } from './world.js';

type Shared = World['files'] extends Map<string, infer Held> ? Held : never;

/** The path under which files are served. */
export const FILES_PATH = 'files-pri';

/** A file as payloads and lists have it; with `shares` as `files.info` has it. */
export function wireFile(
  world: World,
  base: string,
  { user, message, file }: Shared,
  withShares = false,
): Obj {
  const { id, name, title, size } = file;
  const url = `${base}/${FILES_PATH}/${world.options.teamId}-${id}/${encodeURIComponent(name)}`;
  const share = { ts: message.ts, ...(message.threadTs ? { thread_ts: message.threadTs } : {}) };
  return {
    ...{ id, name, title, size, user, mimetype: 'text/plain', mode: 'snippet' },
    timestamp: uploadedAt(message),
    channels: [message.channel],
    url_private: url,
    url_private_download: url.replace(`/${id}/`, `/${id}/download/`),
    ...(withShares ? { shares: { public: { [message.channel]: [share] } } } : {}),
  };
}

/** Seconds: a file is there before its message is. */
export function uploadedAt({ ts }: Pick<Message, 'ts'>): number {
  return Math.floor(Number(ts)) - 2;
}

/** The files of a message as an event has them. */
export function wireFiles(world: World, base: string, message: { files: readonly { id: string }[] }): Obj[] {
  return message.files.flatMap(({ id }) => {
    const shared = world.files.get(id);
    return shared ? [wireFile(world, base, shared)] : [];
  });
}

/** What somebody gets who asks for a file: without the bot's token the way to the sign-in page, as Slack does it. */
export function serveFile(
  world: World,
  path: string,
  token: string,
): { status: number; type: string; body: string; location?: string } {
  const id = /^T?[^/]*-(F[A-Z0-9]+)\//.exec(path)?.[1] ?? '';
  if (token !== world.options.botToken || world.options.refuse?.['files.read'] !== undefined)
    return { status: 302, type: 'text/html', body: '', location: '/?redir=%2Ffiles-pri' };
  const shared = world.files.get(id);
  if (!shared) return { status: 404, type: 'text/html', body: 'not found' };
  return { status: 200, type: 'text/plain', body: shared.file.content };
}
