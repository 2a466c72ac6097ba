/** The user's side: what a person does in Slack's client, as payloads to the app. */
import { type Control, findControl, findInput } from './controls.js';
import type { Delivery } from './delivery.js';
import { checkView } from './limits.js';
import { answerUser, newResponseUrl } from './response-url.js';
import {
  isObj,
  type Message,
  type Obj,
  type Outcome,
  objects,
  type SlackUser,
  str,
  type View,
} from './types.js';
import { escapedCommandText, escapeText, messageText, smartPunctuation } from './typing.js';
import { replaceView, storeView, wire, wireView } from './web-api.js';
import { findMessage, maySee, newId, newTs, post, show, violate, type World } from './world.js';

/** Slack lets a trigger_id live for three seconds. */
const TRIGGER_MS = 3000;

export interface ClickOptions {
  /** Clicks a button that has vanished since, as somebody does whose screen is behind. */
  stale?: boolean;
}

export interface User {
  /** Types `/fairway <text>` in a channel. */
  slash(text: string, channel: string, command?: string): Promise<Outcome>;
  /** Types `@Fairway <text>` in a channel, or in the thread of message `thread`. The outcome's body is the message's ts. */
  mention(text: string, channel: string, thread?: string): Promise<Outcome>;
  /** Clicks the button (or picks the option) with that action_id or label, in any case. Throws when it is not there. */
  click(messageTs: string, control: string, channel: string, options?: ClickOptions): Promise<Outcome>;
  /** Fills a modal in, by action_id or block_id, and submits it. `error: 'validation'` and the body when the app finds faults. */
  submitView(view: View | string, values: Readonly<Record<string, string>>): Promise<Outcome>;
  /** Closes a modal without submitting; the app hears of it when it asked to. */
  closeView(view: View | string): Promise<Outcome | null>;
}

export interface Wiring {
  world: World;
  delivery: Delivery;
  /** `http://127.0.0.1:port`. */
  base: () => string;
}

/** Throws for an id that the workspace does not have. */
export function userSide(wiring: Wiring, userId: string): User {
  const { world, delivery } = wiring;
  const user = world.options.users.find((each) => each.id === userId);
  if (!user) throw new Error(`no user ${userId}`);
  const typed = (text: string): string => (world.options.smartPunctuation ? smartPunctuation(text) : text);
  const directory = { users: world.options.users, channels: world.options.channels, bot: world.bot };

  return {
    slash: async (text, channel, command = '/fairway') => {
      const payload = {
        token: 'legacy',
        team_id: world.options.teamId,
        team_domain: 'fake',
        channel_id: channel,
        channel_name: channelName(world, channel),
        user_id: user.id,
        user_name: user.name,
        command,
        text: world.options.shouldEscape
          ? escapedCommandText(typed(text), directory)
          : escapeText(typed(text)),
        api_app_id: world.bot.appId,
        is_enterprise_install: 'false',
        response_url: `${wiring.base()}/${newResponseUrl(world, { userId: user.id, channel })}`,
        trigger_id: newTrigger(world, user.id, channel),
      };
      const outcome = await delivery.send({ type: 'slash_commands', payload, acceptsResponse: true });
      if (isObj(outcome.body)) {
        const error = answerUser(world, 'ack', outcome.body, { userId: user.id, channel });
        if (error !== null) return { ...outcome, ok: false, error };
      }
      return outcome;
    },

    mention: async (text, channel, thread) => {
      channelName(world, channel);
      const said = messageText(`@${world.bot.name} ${typed(text)}`, directory);
      const message = post(world, { channel, user: user.id, threadTs: thread, text: said, blocks: [] });
      const payload = eventPayload(world, {
        type: 'app_mention',
        user: user.id,
        text: said,
        ts: message.ts,
        channel,
        event_ts: message.ts,
        team: world.options.teamId,
        ...(thread ? { thread_ts: thread } : {}),
      });
      const outcome = await delivery.send({ type: 'events_api', payload, acceptsResponse: false });
      return { ...outcome, body: message.ts };
    },

    click: async (messageTs, wanted, channel, options = {}) => {
      const message = findMessage(world, channel, messageTs);
      if (!message || !maySee(message, user.id)) throw new Error(`no message ${messageTs} to click in`);
      const control = findInMessage(message, wanted, options.stale === true);
      const responseUrl = newResponseUrl(world, {
        userId: user.id,
        channel,
        messageTs,
        ...(message.threadTs ? { threadTs: message.threadTs } : {}),
      });
      const payload = {
        ...interaction(world, user, 'block_actions'),
        container: {
          type: 'message',
          message_ts: messageTs,
          channel_id: channel,
          is_ephemeral: message.ephemeralTo !== undefined,
          ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
        },
        trigger_id: newTrigger(world, user.id, channel),
        channel: { id: channel, name: channelName(world, channel) },
        ...(message.ephemeralTo ? {} : { message: wire(world, message) }),
        state: { values: {} },
        response_url: `${wiring.base()}/${responseUrl}`,
        actions: [action(control)],
      };
      return delivery.send({ type: 'interactive', payload, acceptsResponse: false });
    },

    submitView: async (which, values) => {
      const view = openView(world, which, user.id);
      const state: { [blockId: string]: Obj } = {};
      for (const block of objects(view.view['blocks']).filter((each) => each['type'] === 'input')) {
        const input = findInput(block, values);
        if (input.missing) throw new Error(`the modal needs ${input.label}`);
        state[str(block['block_id']) || input.actionId] = { [input.actionId]: input.state };
      }
      const payload = {
        ...interaction(world, user, 'view_submission'),
        trigger_id: newTrigger(world, user.id, '', view.id),
        view: { ...wireView(world, view), state: { values: state } },
        response_urls: [],
      };
      const outcome = await delivery.send({ type: 'interactive', payload, acceptsResponse: true });
      return outcome.ok ? applyResponse(world, view, outcome) : outcome;
    },

    closeView: async (which) => {
      const view = openView(world, which, user.id);
      close(world, view);
      if (view.view['notify_on_close'] !== true) return null;
      const payload = {
        ...interaction(world, user, 'view_closed'),
        view: wireView(world, view),
        is_cleared: false,
      };
      return delivery.send({ type: 'interactive', payload, acceptsResponse: false });
    },
  };
}

function eventPayload(world: World, event: Obj): Obj {
  return {
    token: 'legacy',
    team_id: world.options.teamId,
    api_app_id: world.bot.appId,
    event,
    type: 'event_callback',
    event_id: newId('Ev'),
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: world.options.teamId,
        user_id: world.bot.userId,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
  };
}

function interaction(world: World, user: SlackUser, type: string): Obj {
  const teamId = world.options.teamId;
  return {
    type,
    user: { id: user.id, username: user.name, name: user.name, team_id: teamId },
    api_app_id: world.bot.appId,
    token: 'legacy',
    team: { id: teamId, domain: 'fake' },
    enterprise: null,
    is_enterprise_install: false,
  };
}

function newTrigger(world: World, userId: string, channel: string, viewId?: string): string {
  const id = `${Date.now()}.${newId('')}`;
  world.triggers.set(id, {
    userId,
    channel,
    until: Date.now() + TRIGGER_MS,
    used: 0,
    ...(viewId ? { viewId } : {}),
  });
  return id;
}

function findInMessage(message: Message, wanted: string, stale: boolean): Control {
  const versions = stale ? message.versions.toReversed() : message.versions.slice(-1);
  for (const version of versions) {
    const control = findControl(version.blocks, wanted);
    if (control) return control;
  }
  throw new Error(`no button "${wanted}" on message ${message.ts}`);
}

function action(control: Control): Obj {
  const { placeholder: _, confirm: _confirm, options: _options, ...element } = control.element;
  return {
    ...element,
    block_id: control.blockId,
    action_ts: newTs(),
    ...(control.option ? { selected_option: control.option } : {}),
  };
}

function openView(world: World, which: View | string, userId: string): View {
  const id = typeof which === 'string' ? which : which.id;
  const view = world.views.find((each) => each.id === id);
  if (!view?.open || view.userId !== userId) throw new Error(`no open modal ${id}`);
  return view;
}

/** What a view_submission's acknowledgement asks for: nothing closes the modal. */
function applyResponse(world: World, view: View, outcome: Outcome): Outcome {
  const body = isObj(outcome.body) ? outcome.body : {};
  const response = body['response_action'];
  if (response === 'errors') return { ...outcome, ok: false, error: 'validation' };
  if (response === 'clear') {
    for (const each of world.views) if (each.open && each.rootId === view.rootId) close(world, each);
    return outcome;
  }
  if (response !== 'update' && response !== 'push') {
    close(world, view);
    return outcome;
  }
  const [problem] = checkView(body['view']);
  if (problem) {
    violate(world, 'ack', problem.error, problem.detail);
    return { ...outcome, ok: false, error: problem.error };
  }
  if (response === 'update') replaceView(world, view, body['view'] as Obj);
  else storeView(world, view.userId, body['view'] as Obj, view);
  return outcome;
}

function close(world: World, view: View): void {
  view.open = false;
  show(world, { type: 'view', at: Date.now(), view });
}

function channelName(world: World, id: string): string {
  const channel = world.options.channels.find((each) => each.id === id);
  if (!channel) throw new Error(`no channel ${id}`);
  return channel.name;
}
