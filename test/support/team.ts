/** People at work in a sandbox world: they type and click through the fake Slack, and look at what comes of it. */

import { findControl } from '../../sandbox/slack/controls.js';
import type { Message } from '../../sandbox/slack/types.js';
import { ALICE, BOB, CHANNEL, type World } from '../../sandbox/world.js';
import type { Change, ChangeState } from '../../src/change/change.js';
import { asking } from '../../src/change/transition.js';
import { createLog } from '../../src/log.js';
import { connectRedis, keys } from '../../src/redis.js';
import { openStores, type Stores } from '../../src/stores.js';

/** States that no job moves on. */
export const REST: readonly ChangeState[] = [
  'refused',
  'denied',
  'expired',
  'stale',
  'applied',
  'owing',
  'failed',
  'cancelled',
  'rolled-back',
];

const WITHIN_MS = 30_000;
/** A Windows node's processes are watched for a while before they count as running. */
const MADE_WITHIN_MS = 120_000;
/** A host that falls silent is given time, twice. */
const NOTICED_WITHIN_MS = 90_000;

export interface Team {
  stores: Stores;
  /** Asks for a change and gives it as it is stored first. */
  begin(text: string, user?: string): Promise<Change>;
  /** Asks for a change and waits until it is planned (or refused). */
  ask(text: string, user?: string): Promise<Change>;
  /** Types a command and gives the words of the private answer. */
  say(text: string, user?: string): Promise<string>;
  /** Fills a list of nodes into the form of `adopt`, and waits until the change is planned (or refused). */
  adopt(list: string, user?: string): Promise<Change>;
  /** Fills it in and gives what the form says of it. */
  tryList(list: string, user?: string): Promise<string>;
  /** Clicks on the newest card of a change and gives the words of the private answer. */
  click(id: string, label: string, user?: string, options?: { stale?: boolean }): Promise<string>;
  /** Denies through the dialog, with a reason, and gives the private answer. */
  deny(id: string, reason: string, user?: string): Promise<string>;
  /** Waits until a change is in one of the states (any state of rest when none is named). */
  until(id: string, ...states: ChangeState[]): Promise<Change>;
  /** Asks, approves as bob, says yes as bob to whatever it asks, and waits for the end. */
  make(text: string): Promise<Change>;
  /** Waits for the end, and says yes as bob to whatever the change asks meanwhile. */
  agree(id: string): Promise<Change>;
  /** Waits until a change asks something; the host that it asks of. */
  untilAsks(id: string): Promise<string>;
  /** The card as it is now, as one text. */
  cardText(id: string): string;
  /** Waits until the card shows a text. */
  untilCard(id: string, text: string): Promise<string>;
  /** The cards of incidents, oldest first, each as one text. */
  notices(): { ts: string; text: string }[];
  /** Waits for a card of incidents whose text has all of these in it. */
  untilNotice(...texts: string[]): Promise<{ ts: string; text: string }>;
  /** Waits until the person was told something with this text in private. */
  hears(text: string, user: string): Promise<string>;
  /** Clicks on a card of incidents and gives the words of the first private answer. */
  press(ts: string, label: string, user?: string): Promise<string>;
  /** Clicks on Repair plan, approves what comes of it as bob, and waits for its end. */
  mend(ts: string): Promise<Change>;
  close(): void;
}

export function teamOf(world: World): Team {
  const redis = connectRedis(world.redis.url);
  const stores = openStores(redis, keys(world.env['REDIS_PREFIX'] ?? ''), {
    clusterCidr: world.env['CLUSTER_CIDR'] ?? '',
    nodePrefixLength: 24,
    serviceCidr: world.env['SERVICE_CIDR'] ?? '',
    reserved: [],
  });
  const { slack } = world;
  const log = createLog('silent');

  function cards(id: string): Message[] {
    return world.channels
      .flatMap((channel) => slack.messages(channel))
      .filter((message) => idOf(message) === id && !message.deleted);
  }

  async function poll<T>(
    what: () => Promise<T | null | undefined> | T | null | undefined,
    why: () => string,
    ms = WITHIN_MS,
  ): Promise<T> {
    const until = Date.now() + ms;
    for (;;) {
      const found = await what();
      if (found !== null && found !== undefined) return found;
      if (Date.now() > until) throw new Error(`waited in vain: ${why()}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** The first thing that the person is told in private after `before` such messages. */
  async function told(user: string, before: number): Promise<string> {
    const message = await poll(
      () => answers(user)[before],
      () => `no answer for ${user}`,
    );
    return textOf(message);
  }

  /** What a person was told in private. That a card is on its way may come at any moment, or not at all. */
  const answers = (user: string) =>
    slack
      .messages(CHANNEL)
      .filter((message) => message.ephemeralTo === user && !message.text.includes('is on its way'));
  const count = (user: string) => answers(user).length;

  async function until(id: string, ...states: ChangeState[]): Promise<Change> {
    const wanted = states.length > 0 ? states : REST;
    let last: Change | null = null;
    return poll(
      async () => {
        last = await stores.changes.load(id);
        return last && wanted.includes(last.state) ? last : null;
      },
      () => `${id} is ${last?.state} (${last?.reason ?? ''}), not ${wanted.join(' or ')}`,
    );
  }

  /** The change that comes of something. */
  async function begun(what: string, act: () => Promise<unknown>): Promise<Change> {
    const [newest] = await stores.changes.latest(1);
    await act();
    return poll(
      async () => {
        const [latest] = await stores.changes.latest(1);
        return latest && latest.id !== newest?.id ? latest : null;
      },
      () =>
        `no change came of "${what}"; last was said: ${slack.messages(CHANNEL).slice(-3).map(textOf).join(' | ')}`,
    );
  }

  /** The same once it is planned. */
  async function planned(what: string, act: () => Promise<unknown>): Promise<Change> {
    const made = await begun(what, act);
    const change = await poll(
      async () => {
        const found = await stores.changes.load(made.id);
        return found && found.state !== 'planning' ? found : null;
      },
      () => `${made.id} stays in planning`,
    );
    log.debug({ change: change.id }, what);
    return change;
  }

  /** The form of `adopt`, as it opens for somebody who types that. */
  async function openForm(user: string) {
    const before = new Set(slack.views(user).map((view) => view.id));
    await world.slack.as(user).slash('adopt', CHANNEL);
    return poll(
      () => slack.views(user).find((view) => !before.has(view.id)),
      () => 'no form opened',
    );
  }

  /** The newest copy of a card once it has the button; any copy when an older one is to be clicked. */
  const cardWith = (id: string, label: string, stale = false) =>
    poll(
      () => cards(id).findLast((message) => stale || findControl(message.blocks, label) !== undefined),
      () => `no card of ${id} has ${label}: ${team.cardText(id)}`,
    );

  const team: Team = {
    stores,
    until,
    begin: (text, user = ALICE) => begun(text, () => world.slack.as(user).slash(text, CHANNEL)),
    ask: (text, user = ALICE) => planned(text, () => world.slack.as(user).slash(text, CHANNEL)),
    async adopt(list, user = ALICE) {
      const form = await openForm(user);
      return planned('adopt', () => world.slack.as(user).submitView(form, { list }));
    },
    async tryList(list, user = ALICE) {
      const { error, body } = await world.slack.as(user).submitView(await openForm(user), { list });
      if (error !== 'validation') throw new Error(`the form took it: ${error}`);
      return (body as { errors: Record<string, string> }).errors['list'] ?? '';
    },
    async say(text, user = ALICE) {
      const before = count(user);
      await world.slack.as(user).slash(text, CHANNEL);
      return told(user, before);
    },
    async click(id, label, user = BOB, options = {}) {
      const card = await cardWith(id, label, options.stale);
      const before = count(user);
      await world.slack.as(user).click(card.ts, label, card.channel, options);
      return told(user, before);
    },
    async deny(id, reason, user = BOB) {
      const card = await cardWith(id, 'Deny');
      const before = count(user);
      await world.slack.as(user).click(card.ts, 'Deny', card.channel);
      const dialog = await poll(
        () => slack.views(user).at(-1),
        () => 'no dialog opened',
      );
      await world.slack.as(user).submitView(dialog, { reason });
      return told(user, before);
    },
    async make(text) {
      const change = await team.ask(text);
      if (change.state !== 'pending') throw new Error(`${text}: ${change.state} ${change.reason ?? ''}`);
      await team.click(change.id, 'Approve');
      return team.agree(change.id);
    },
    agree: (id) =>
      poll(
        async () => {
          const change = await stores.changes.load(id);
          if (change && REST.includes(change.state)) return change;
          const [asked] = asking((await stores.changes.results(id)).values());
          if (asked) await team.say(`confirm ${id}`, BOB);
          return null;
        },
        () => `${id} comes to no end: ${team.cardText(id)}`,
        MADE_WITHIN_MS,
      ),
    untilAsks: (id) =>
      poll(
        async () => asking((await stores.changes.results(id)).values())[0]?.host,
        () => `${id} asks nothing: ${team.cardText(id)}`,
      ),
    cardText: (id) => cards(id).map(textOf).join('\n'),
    untilCard: (id, text) =>
      poll(
        () => {
          const shown = team.cardText(id);
          return shown.includes(text) ? shown : null;
        },
        () => `the card of ${id} does not show "${text}": ${team.cardText(id)}`,
      ),
    notices: () =>
      slack
        .messages(CHANNEL)
        .filter((message) => message.metadata?.event_type === 'fairway_notice' && !message.deleted)
        .map((message) => ({ ts: message.ts, text: textOf(message) })),
    untilNotice: (...texts) =>
      poll(
        () => team.notices().findLast(({ text }) => texts.every((each) => text.includes(each))),
        () =>
          `no notice has "${texts.join('" and "')}":\n${team
            .notices()
            .map(({ text }) => text)
            .join('\n---\n')}`,
        NOTICED_WITHIN_MS,
      ),
    hears: (text, user) =>
      poll(
        () =>
          slack
            .messages(CHANNEL)
            .filter((message) => message.ephemeralTo === user)
            .map(textOf)
            .find((said) => said.includes(text)),
        () => `${user} never heard "${text}"`,
      ),
    async press(ts, label, user = BOB) {
      const before = count(user);
      await world.slack.as(user).click(ts, label, CHANNEL);
      return told(user, before);
    },
    async mend(ts) {
      await world.slack.as(ALICE).click(ts, 'Repair plan', CHANNEL);
      const planned = await poll(
        async () => {
          const [newest] = await stores.changes.latest(1);
          return newest?.kind === 'repair' && newest.state === 'pending' ? newest : null;
        },
        () => 'no repair waits for approval',
      );
      await team.click(planned.id, 'Approve');
      return until(planned.id);
    },
    close: () => redis.disconnect(),
  };
  return team;
}

function idOf(message: Message): string | undefined {
  const id = message.metadata?.event_payload['id'];
  return typeof id === 'string' ? id : undefined;
}

/** All text of a message, blocks included. */
export function textOf(message: Message): string {
  const texts: string[] = [message.text];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (value !== null && typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) {
        if (key === 'text' && typeof inner === 'string') texts.push(inner);
        else walk(inner);
      }
    }
  };
  walk(message.blocks);
  return texts.join('\n');
}
