/** The Web API methods that a bot calls, with Slack's answers and refusals. */
import { checkMessageBlocks, checkView, LIMIT, type Problem } from './limits.js';
import type { Sockets } from './socket.js';
import { isObj, type Message, type Metadata, type Obj, objects, str, type View } from './types.js';
import { edit, findMessage, newId, post, remove, show, violate, type World } from './world.js';

export interface Api {
  world: World;
  sockets: Sockets;
  /** `http://127.0.0.1:port`. */
  base: () => string;
}

/** Answers a call: `ok: true` with its result, or `ok: false` with Slack's error code. */
export type Answer = { ok: true; [key: string]: unknown } | { ok: false; error: string; detail?: string };

type Method = (api: Api, args: Obj) => Answer;

/** Three stacked views at most. */
const MOST_VIEWS = 3;

const METHODS: Readonly<Record<string, Method>> = {
  'auth.test': ({ world }) => ({
    ok: true,
    url: 'https://fake.slack.com/',
    team: 'Fake',
    team_id: world.options.teamId,
    user: world.bot.name,
    user_id: world.bot.userId,
    bot_id: world.bot.botId,
    is_enterprise_install: false,
  }),
  'apps.connections.open': ({ sockets, base }) => ({
    ok: true,
    url: `${base().replace('http', 'ws')}/${sockets.ticket()}`,
  }),
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
  'views.open': (api, args) => openView(api, args, false),
  'views.push': (api, args) => openView(api, args, true),
  'views.update': ({ world }, args) => {
    const id = str(args['view_id']);
    const external = str(args['external_id']);
    const view = world.views.find(
      (each) => each.id === id || (external !== '' && each.view['external_id'] === external),
    );
    if (!view?.open) return no('not_found', id || external);
    const hash = str(args['hash']);
    if (hash !== '' && hash !== view.hash) return no('hash_conflict', id);
    const problem = checkView(args['view'])[0];
    if (problem) return refused(problem);
    replaceView(world, view, args['view'] as Obj);
    return { ok: true, view: wireView(world, view) };
  },
  'views.publish': ({ world }, args) => {
    const user = str(args['user_id']);
    if (!world.options.users.some((each) => each.id === user)) return no('user_not_found', user);
    const problem = checkView(args['view'])[0];
    if (problem) return refused(problem);
    const view = storeView(world, user, args['view'] as Obj, null);
    return { ok: true, view: wireView(world, view) };
  },
  'usergroups.list': ({ world }, args) => ({
    ok: true,
    usergroups: groupsOf(world).map((id) => ({
      id,
      team_id: world.options.teamId,
      is_usergroup: true,
      handle: id.toLowerCase(),
      name: id,
      date_delete: 0,
      ...(str(args['include_users']) === 'true' || args['include_users'] === true
        ? { users: membersOf(world, id) }
        : {}),
    })),
  }),
  'usergroups.users.list': ({ world }, args) => {
    const id = str(args['usergroup']);
    if (!groupsOf(world).includes(id)) return no('no_such_subteam', id);
    return { ok: true, users: membersOf(world, id) };
  },
  'users.info': ({ world }, args) => {
    const user = world.options.users.find((each) => each.id === args['user']);
    if (!user) return no('user_not_found', str(args['user']));
    return {
      ok: true,
      user: {
        id: user.id,
        team_id: world.options.teamId,
        name: user.name,
        real_name: user.name,
        deleted: false,
        is_bot: false,
        profile: { display_name: user.name, real_name: user.name },
      },
    };
  },
  'conversations.info': ({ world }, args) => {
    const channel = world.options.channels.find((each) => each.id === args['channel']);
    if (!channel) return no('channel_not_found', str(args['channel']));
    return { ok: true, channel: { ...channel, is_channel: true, is_member: true, is_archived: false } };
  },
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
};

/** Runs one method. Every refusal is on record as a violation. */
export function call(api: Api, method: string, args: Obj, token: string): Answer {
  const answer = METHODS[method]
    ? (authError(api.world, method, token) ?? METHODS[method](api, args))
    : no('unknown_method', method);
  if (!answer.ok) violate(api.world, method, answer.error, answer.detail ?? '');
  return answer;
}

function authError(world: World, method: string, token: string): Answer | null {
  const { appToken, botToken } = world.options;
  const [wanted, other] = method === 'apps.connections.open' ? [appToken, botToken] : [botToken, appToken];
  if (token === wanted) return null;
  if (token === '') return no('not_authed', 'no token');
  return no(token === other ? 'not_allowed_token_type' : 'invalid_auth', 'wrong token');
}

function openView(api: Api, args: Obj, push: boolean): Answer {
  const { world } = api;
  const trigger = world.triggers.get(str(args['trigger_id']));
  if (!trigger) return no('invalid_trigger_id', str(args['trigger_id']));
  if (trigger.used > 0) return no('exchanged_trigger_id', 'a trigger_id works once');
  if (Date.now() > trigger.until) return no('expired_trigger_id', 'a trigger_id lives 3 seconds');
  const problem = checkView(args['view'])[0];
  if (problem) return refused(problem);
  const below = push ? world.views.find((each) => each.id === trigger.viewId && each.open) : undefined;
  if (push && !below) return no('not_found', 'views.push needs a trigger_id from within a modal');
  const depth = world.views.filter((each) => each.open && each.rootId === below?.rootId).length;
  if (push && depth >= MOST_VIEWS) return no('push_limit_reached', `${MOST_VIEWS} views at most`);
  trigger.used += 1;
  const view = storeView(world, trigger.userId, args['view'] as Obj, below ?? null);
  return { ok: true, view: wireView(world, view) };
}

export function storeView(world: World, userId: string, sent: Obj, below: View | null): View {
  const id = newId('V');
  const view: View = {
    id,
    hash: newId(''),
    userId,
    rootId: below?.rootId ?? id,
    previousId: below?.id ?? null,
    view: sent,
    open: true,
  };
  world.views.push(view);
  show(world, { type: 'view', at: Date.now(), view });
  return view;
}

export function replaceView(world: World, view: View, sent: Obj): void {
  view.view = sent;
  view.hash = newId('');
  show(world, { type: 'view', at: Date.now(), view });
}

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

interface Checked {
  ok: true;
  text: string;
  blocks: Obj[];
  metadata?: Metadata | undefined;
}

/** Checks what a message may hold. `method` names it in the violations. */
export function contentOf(world: World, method: string, args: Obj): Checked | Extract<Answer, { ok: false }> {
  const blocks = args['blocks'];
  const text = str(args['text']);
  if (blocks !== undefined) {
    const problem = checkMessageBlocks(blocks)[0];
    if (problem) return refused(problem);
  }
  if (text === '' && objects(blocks).length === 0) return no('no_text', 'neither text nor blocks');
  const metadata = args['metadata'];
  if (metadata !== undefined && !isMetadata(metadata))
    return no('invalid_metadata_format', 'event_type and event_payload are needed');
  if (text.length > LIMIT.messageText)
    violate(world, method, 'message_truncated', `text of ${text.length} characters, cut at 40,000`);
  else if (text.length > LIMIT.messageTextAdvised)
    violate(world, method, 'text_over_4000', `text of ${text.length} characters; 4,000 are advised`);
  return {
    ok: true,
    text: text.slice(0, LIMIT.messageText),
    blocks: objects(blocks),
    ...(metadata === undefined ? {} : { metadata: metadata as unknown as Metadata }),
  };
}

function isMetadata(value: unknown): boolean {
  if (!isObj(value)) return false;
  return (
    Object.keys(value).length === 0 || (str(value['event_type']) !== '' && isObj(value['event_payload']))
  );
}

function ownMessage(world: World, args: Obj): Message | Extract<Answer, { ok: false }> {
  const channel = str(args['channel']);
  if (!world.options.channels.some((each) => each.id === channel)) return no('channel_not_found', channel);
  const message = findMessage(world, channel, str(args['ts']));
  // Ephemeral messages have no ts that chat.update or chat.delete would know.
  if (!message || message.deleted || message.ephemeralTo) return no('message_not_found', str(args['ts']));
  return message.user === world.bot.userId ? message : no('cant_update_message', 'another author');
}

function channelId(world: World, value: unknown): string | undefined {
  const name = str(value).replace(/^#/, '');
  return world.options.channels.find((each) => each.id === name || each.name === name)?.id;
}

function groupsOf(world: World): string[] {
  return [...new Set(world.options.users.flatMap((user) => user.groups ?? []))];
}

function membersOf(world: World, group: string): string[] {
  return world.options.users.filter((user) => user.groups?.includes(group)).map((user) => user.id);
}

function no(error: string, detail: string): Extract<Answer, { ok: false }> {
  return { ok: false, error, detail };
}

function refused(problem: Problem): Extract<Answer, { ok: false }> {
  return no(problem.error, problem.detail);
}
