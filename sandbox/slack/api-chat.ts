/** chat.*: posting, editing, deleting. */
import { channelId, contentOf, type Methods, no, type Refusal } from './answer.js';
import { type Message, type Obj, str } from './types.js';
import { wire } from './wire.js';
import { edit, findMessage, isChannel, post, remove, type World } from './world.js';

export const CHAT: Methods = {
  'chat.postMessage': (api, args) => {
    const { world } = api;
    const channel = channelId(world, args['channel']);
    if (channel === undefined) return no('channel_not_found', str(args['channel']));
    const content = contentOf(world, 'chat.postMessage', args);
    if (!content.ok) return content;
    const threadTs = str(args['thread_ts']) || undefined;
    if (threadTs !== undefined && !findMessage(world, channel, threadTs))
      return no('thread_not_found', threadTs);
    const message = post(world, { channel, user: world.bot.userId, threadTs, ...content });
    return { ok: true, channel, ts: message.ts, message: wire(world, message) };
  },
  'chat.postEphemeral': (api, args) => {
    const { world } = api;
    const channel = channelId(world, args['channel']);
    if (channel === undefined) return no('channel_not_found', str(args['channel']));
    const user = str(args['user']);
    if (!world.options.users.some((each) => each.id === user)) return no('user_not_in_channel', user);
    const content = contentOf(world, 'chat.postEphemeral', args);
    if (!content.ok) return content;
    const threadTs = str(args['thread_ts']) || undefined;
    const message = post(world, {
      channel,
      user: world.bot.userId,
      ephemeralTo: user,
      threadTs,
      ...content,
    });
    return { ok: true, message_ts: message.ts };
  },
  'chat.update': (api, args) => {
    const { world } = api;
    const message = ownMessage(world, args);
    if ('error' in message) return message;
    const content = contentOf(world, 'chat.update', args);
    if (!content.ok) return content;
    // Text without blocks takes the old blocks away: `content.blocks` is empty then.
    edit(world, message, content);
    return {
      ok: true,
      channel: message.channel,
      ts: message.ts,
      text: message.text,
      message: wire(world, message),
    };
  },
  'chat.delete': ({ world }, args) => {
    const message = ownMessage(world, args);
    if ('error' in message) return message;
    remove(world, message);
    return { ok: true, channel: message.channel, ts: message.ts };
  },
  'chat.getPermalink': ({ world }, args) => {
    const ts = str(args['message_ts']);
    const channel = str(args['channel']);
    if (!findMessage(world, channel, ts)) return no('message_not_found', ts);
    return {
      ok: true,
      channel,
      permalink: `https://fake.slack.com/archives/${channel}/p${ts.replace('.', '')}`,
    };
  },
};

function ownMessage(world: World, args: Obj): Message | Refusal {
  const channel = str(args['channel']);
  if (!isChannel(world, channel)) return no('channel_not_found', channel);
  const message = findMessage(world, channel, str(args['ts']));
  // Ephemeral messages have no ts that chat.update or chat.delete would know.
  if (!message || message.deleted || message.ephemeralTo) return no('message_not_found', str(args['ts']));
  return message.user === world.bot.userId ? message : no('cant_update_message', 'another author');
}
