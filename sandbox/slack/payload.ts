/** The payloads that a person's acts make, in Slack's form. */
import type { Control } from './controls.js';
import type { Obj, SlackUser } from './types.js';
import { newId, newTs, type Ticket, type World } from './world.js';

/** Slack lets a trigger_id live for three seconds. */
const TRIGGER_MS = 3000;

/** An Events API envelope around an event. */
export function eventPayload(world: World, event: Obj): Obj {
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

/** What every interactive payload starts with. */
export function interaction(world: World, user: SlackUser, type: string): Obj {
  const teamId = world.options.teamId;
  return {
    type,
    user: { id: user.id, username: user.name, name: user.name, team_id: user.teamId ?? teamId },
    api_app_id: world.bot.appId,
    token: 'legacy',
    team: { id: teamId, domain: 'fake' },
    enterprise: null,
    is_enterprise_install: false,
  };
}

/** A new one-time trigger_id, for an act in a channel or (`viewId`) in a modal. */
export function newTrigger(
  world: World,
  of: Pick<Ticket, 'userId' | 'channel' | 'viewId'> & { act?: string | undefined },
): string {
  const id = `${Date.now()}.${newId('')}`;
  world.triggers.set(id, {
    userId: of.userId,
    channel: of.channel,
    until: Date.now() + TRIGGER_MS,
    used: 0,
    ...(of.viewId ? { viewId: of.viewId } : {}),
    ...(of.act ? { act: of.act } : {}),
  });
  return id;
}

/** One entry of a block_actions payload's `actions`. */
export function action(control: Control): Obj {
  const { placeholder: _, confirm: _confirm, options: _options, ...element } = control.element;
  return {
    ...element,
    block_id: control.blockId,
    action_ts: newTs(),
    ...(control.option ? { selected_option: control.option } : {}),
  };
}
