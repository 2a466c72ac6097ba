/** Messages and views as Slack sends them. Pure. */
import type { Message, Obj, View } from './types.js';
import type { World } from './world.js';

/** A view as Slack sends it. */
export function wireView(world: World, view: View): Obj {
  return {
    state: { values: {} },
    private_metadata: '',
    callback_id: '',
    ...view.view,
    id: view.id,
    hash: view.hash,
    team_id: world.options.teamId,
    app_id: world.bot.appId,
    bot_id: world.bot.botId,
    root_view_id: view.rootId,
    previous_view_id: view.previousId,
  };
}

/** A message as Slack sends it. */
export function wire(world: World, message: Message): Obj {
  return {
    type: 'message',
    ts: message.ts,
    user: message.user,
    text: message.text,
    team: world.options.teamId,
    ...(message.user === world.bot.userId ? { bot_id: world.bot.botId, app_id: world.bot.appId } : {}),
    ...(message.blocks.length > 0 ? { blocks: message.blocks } : {}),
    ...(message.metadata ? { metadata: message.metadata } : {}),
    ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
    ...(message.versions.length > 1 ? { edited: { user: message.user, ts: message.ts } } : {}),
  };
}
