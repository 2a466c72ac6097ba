/** files.*: the three steps of an upload, and what was shared. */
import { channelId, isMember, type Methods, no, refused } from './answer.js';
import { uploadedAt, wireFile } from './files.js';
import { checkMessageBlocks } from './limits.js';
import { objects, str } from './types.js';
import { newId, post } from './world.js';

export const FILES: Methods = {
  'files.getUploadURLExternal': ({ world, base }, args) => {
    const size = Number(str(args['length']));
    const name = str(args['filename']);
    if (name === '' || !(size > 0))
      return no('invalid_arguments', 'filename and length (at least 1) are needed');
    const id = newId('F');
    world.uploads.set(id, { name, size, content: null });
    return { ok: true, file_id: id, upload_url: `${base()}/upload/v1/${id}` };
  },
  'files.completeUploadExternal': ({ world }, args) => {
    const files = [];
    for (const file of objects(args['files'])) {
      const id = str(file['id']);
      const upload = world.uploads.get(id);
      if (!upload?.content) return no('file_not_found', `${id} was not uploaded`);
      files.push({
        id,
        name: upload.name,
        title: str(file['title']) || upload.name,
        size: upload.size,
        content: upload.content.toString('utf8'),
      });
    }
    if (files.length === 0) return no('invalid_arguments', 'no files');
    const channel = str(args['channel_id']);
    if (channel !== '') {
      if (channelId(world, channel) === undefined) return no('channel_not_found', channel);
      if (!isMember(world, channel)) return no('not_in_channel', channel);
      const blocks = objects(args['blocks']);
      const problem = checkMessageBlocks(blocks)[0];
      if (problem) return refused(problem);
      const threadTs = str(args['thread_ts']) || undefined;
      const text = str(args['initial_comment']);
      post(world, { channel, user: world.bot.userId, threadTs, text, blocks, files });
    }
    for (const { id } of files) world.uploads.delete(id);
    return { ok: true, files: files.map(({ content: _, ...file }) => file) };
  },
  /** The newest first. Where in a channel a file was shared only `files.info` says. */
  'files.list': ({ world, base }, args) => {
    const channel = str(args['channel']);
    if (channel !== '' && channelId(world, channel) === undefined) return no('channel_not_found', channel);
    const from = Number(str(args['ts_from']) || 0);
    const found = [...world.files.values()].filter(
      ({ message }) =>
        !message.deleted && (channel === '' || message.channel === channel) && uploadedAt(message) >= from,
    );
    const files = found.reverse().slice(0, Number(args['count'] ?? 100));
    return { ok: true, files: files.map((shared) => wireFile(world, base(), shared)) };
  },
  'files.info': ({ world, base }, args) => {
    const shared = world.files.get(str(args['file']));
    if (!shared) return no('file_not_found', str(args['file']));
    return { ok: true, file: wireFile(world, base(), shared, true), comments: [] };
  },
};
