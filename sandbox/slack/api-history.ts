/** conversations.history and conversations.replies: reading back what was posted. */
import { type Answer, type Api, type Methods, no } from './answer.js';
import { type Message, type Obj, str } from './types.js';
import { wire } from './wire.js';
import { findMessage, isChannel } from './world.js';

const PAGE = 100;

export const HISTORY: Methods = {
  'conversations.history': (api, args) => {
    const channel = str(args['channel']);
    if (!isChannel(api.world, channel)) return no('channel_not_found', channel);
    return answer(
      api,
      args,
      api.world.messages.filter((each) => each.channel === channel && !each.threadTs).toReversed(),
    );
  },
  'conversations.replies': (api, args) => {
    const channel = str(args['channel']);
    const root = str(args['ts']);
    if (!isChannel(api.world, channel)) return no('channel_not_found', channel);
    if (!findMessage(api.world, channel, root)) return no('thread_not_found', root);
    return answer(
      api,
      args,
      api.world.messages.filter(
        (each) => each.channel === channel && [each.ts, each.threadTs].includes(root),
      ),
    );
  },
};

/** Neither deleted nor ephemeral messages are there, and metadata only for those who ask for it. */
function answer(api: Api, args: Obj, all: Message[]): Answer {
  const limit = Number(str(args['limit'])) || PAGE;
  const oldest = Number(str(args['oldest'])) || 0;
  const latest = Number(str(args['latest'])) || Number.POSITIVE_INFINITY;
  const inclusive = String(args['inclusive']) === 'true';
  const metadata = String(args['include_all_metadata']) === 'true';
  const fitting = all.filter((message) => {
    const ts = Number(message.ts);
    const within = inclusive ? ts >= oldest && ts <= latest : ts > oldest && ts < latest;
    return within && !message.deleted && !message.ephemeralTo;
  });
  const messages = fitting.slice(0, limit).map((message) => {
    const { metadata: carried, ...rest } = wire(api.world, message);
    return metadata && carried !== undefined ? { ...rest, metadata: carried } : rest;
  });
  return { ok: true, messages, has_more: fitting.length > limit };
}
