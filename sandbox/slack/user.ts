/** The user's side: what a person does in Slack's client, as payloads to the app. */
import { type Control, findControl, findInput } from './controls.js';
import type { Delivery } from './delivery.js';
import { wireFiles } from './files.js';
import { applyResponse, close, openView } from './modal.js';
import { action, eventPayload, interaction, newTrigger } from './payload.js';
import { answerUser, newResponseUrl, responsePath } from './response-url.js';
import {
  isObj,
  type Message,
  type Obj,
  type Outcome,
  objects,
  type SlackFile,
  str,
  type View,
} from './types.js';
import { escapedCommandText, escapeText, messageText, smartPunctuation } from './typing.js';
import { wire, wireView } from './wire.js';
import { findMessage, isChannel, maySee, newId, post, type World } from './world.js';

interface ClickOptions {
  /** Clicks a button that has vanished since, as somebody does whose screen is behind. */
  stale?: boolean;
}

export interface Attachment {
  name: string;
  content: string;
}

export interface User {
  /** Types `/fairway <text>` in a channel. */
  slash(text: string, channel: string, command?: string): Promise<Outcome>;
  /** Types `@Fairway <text>` in a channel, or in the thread of message `thread`, with files. The outcome's body is the message's ts. */
  mention(text: string, channel: string, thread?: string, files?: readonly Attachment[]): Promise<Outcome>;
  /** Shares files in a channel, or in a thread, which the app is not told of. */
  share(files: readonly Attachment[], channel: string, thread?: string): Message;
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
      const act = newResponseUrl(world, { userId: user.id, channel });
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
        response_url: `${wiring.base()}/${responsePath(act)}`,
        trigger_id: newTrigger(world, { userId: user.id, channel, act }),
      };
      const sent = await delivery.send({ type: 'slash_commands', payload, acceptsResponse: true });
      const outcome = { ...sent, act };
      if (isObj(outcome.body)) {
        const error = answerUser(world, 'ack', outcome.body, { userId: user.id, channel, answers: act });
        if (error !== null) return { ...outcome, ok: false, error };
      }
      return outcome;
    },

    share: (files, channel, thread) => {
      channelName(world, channel);
      return post(world, {
        channel,
        user: user.id,
        threadTs: thread,
        text: '',
        blocks: [],
        files: attached(files),
      });
    },

    mention: async (text, channel, thread, files = []) => {
      channelName(world, channel);
      const said = messageText(`@${world.bot.name} ${typed(text)}`, directory);
      const message = post(world, {
        ...{ channel, user: user.id, threadTs: thread, text: said, blocks: [] },
        files: attached(files),
      });
      const payload = eventPayload(world, {
        type: 'app_mention',
        user: user.id,
        text: said,
        ts: message.ts,
        channel,
        event_ts: message.ts,
        team: user.teamId ?? world.options.teamId,
        ...(thread ? { thread_ts: thread } : {}),
        ...(files.length > 0 ? { files: wireFiles(world, wiring.base(), message), upload: false } : {}),
      });
      const outcome = await delivery.send({ type: 'events_api', payload, acceptsResponse: false });
      return { ...outcome, body: message.ts };
    },

    click: async (messageTs, wanted, channel, options = {}) => {
      const message = findMessage(world, channel, messageTs);
      if (!message || !maySee(world, message, user.id))
        throw new Error(`no message ${messageTs} to click in`);
      const control = findInMessage(message, wanted, options.stale === true);
      const act = newResponseUrl(world, {
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
        trigger_id: newTrigger(world, { userId: user.id, channel, act }),
        channel: { id: channel, name: channelName(world, channel) },
        ...(message.ephemeralTo ? {} : { message: wire(world, message) }),
        state: { values: {} },
        response_url: `${wiring.base()}/${responsePath(act)}`,
        actions: [action(control)],
      };
      return { ...(await delivery.send({ type: 'interactive', payload, acceptsResponse: false })), act };
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
        trigger_id: newTrigger(world, { userId: user.id, channel: '', viewId: view.id, act: view.answers }),
        view: { ...wireView(world, view), state: { values: state } },
        response_urls: [],
      };
      const sent = await delivery.send({ type: 'interactive', payload, acceptsResponse: true });
      // A modal has no response_url: it is answered by that of the click which opened it.
      const outcome = { ...sent, ...(view.answers ? { act: view.answers } : {}) };
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

function findInMessage(message: Message, wanted: string, stale: boolean): Control {
  const versions = stale ? message.versions.toReversed() : message.versions.slice(-1);
  for (const version of versions) {
    const control = findControl(version.blocks, wanted);
    if (control) return control;
  }
  throw new Error(`no button "${wanted}" on message ${message.ts}`);
}

function channelName(world: World, id: string): string {
  const channel = world.options.channels.find((each) => each.id === id);
  if (!channel && isChannel(world, id)) return 'directmessage';
  if (!channel) throw new Error(`no channel ${id}`);
  return channel.name;
}

function attached(files: readonly Attachment[]): SlackFile[] {
  return files.map(({ name, content }) => {
    const id = newId('F');
    return { id, name, title: name, size: Buffer.byteLength(content), content };
  });
}
