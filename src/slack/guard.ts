/** The one way in: acknowledge, know who it is, do it once, and answer whatever comes of it. */
import { randomUUID } from 'node:crypto';
import type { webApi } from '@slack/bolt';
import type { Card } from '../change/change.js';
import type { Desk } from '../command/desk.js';
import { isRefusal } from '../errors.js';
import type { Jobs } from '../job/queue.js';
import type { Logger } from '../log.js';
import { sayRefusal } from '../words/refusal.js';
import { sayBroken, sayStranger } from '../words/trouble.js';
import { slackVoice } from '../words/voice.js';
import type { Message } from './blocks.js';
import type { ClusterFacts } from './cluster.js';
import type { Doorman } from './doorman.js';
import type { Files } from './files.js';
import type { Listener } from './listeners.js';
import type { Outbox } from './outbox.js';
import type { Call } from './payload.js';
import { marked, say } from './reply.js';

export interface ListenerDeps {
  desk: Desk;
  outbox: Pick<Outbox, 'answer' | 'renderNow'>;
  jobs: Pick<Jobs, 'card' | 'reply' | 'file' | 'upload' | 'auditFile' | 'notice'>;
  cards: { addCard(changeId: string, card: Card): Promise<void> };
  /** For dialogs, for cards that belong to no change, and for who is whose. */
  slack: Pick<webApi.WebClient, 'views' | 'chat' | 'users'>;
  files: Files;
  cluster: ClusterFacts;
  log: Logger;
  now(): Date;
  /** True the first time that it hears of an id. */
  firstTime(id: string): Promise<boolean>;
  admit: Doorman;
}

/** What Bolt hands to a listener, as far as we use it. */
export interface SlackArgs {
  body: unknown;
  /** Events are acknowledged by Bolt itself. */
  ack?: (() => Promise<void>) | undefined;
  /** Of forms: acknowledges, and keeps it open with what is wrong under its inputs, by block id. */
  keepOpen?: ((errors: Readonly<Record<string, string>>) => Promise<void>) | undefined;
  context: { botUserId?: string | undefined };
  respond?:
    | ((message: { text: string; response_type: 'ephemeral'; replace_original: false }) => Promise<unknown>)
    | undefined;
}

/** Wraps a listener. The promise never rejects. */
export function guard(listener: Listener, deps: ListenerDeps): (args: SlackArgs) => Promise<void> {
  return async (args) => {
    let call: Call | null = null;
    try {
      // Before the acknowledgement nothing is waited for: a form's own check only reads what was entered.
      const faults = listener.check?.(args.body, deps) ?? null;
      if (faults !== null) return await args.keepOpen?.(faults);
      await args.ack?.();
      call = listener.read(args.body, args.context.botUserId ?? '');
      if (call === null || !(await deps.firstTime(call.once))) return;
      const actor = await deps.admit(call.actor, call.team);
      if (actor === null) await answer(deps, call, say(sayStranger(call.actor.id)), true);
      else await listener.handle({ ...call, actor }, deps);
    } catch (error) {
      await failed(listener, deps, args, call, error);
    }
  };
}

/** Answers a call; through the queue when its turn is not now. `quiet`: only the person sees it, in a thread too. */
export async function answer(deps: ListenerDeps, call: Call, message: Message, quiet = false): Promise<void> {
  const origin = quiet ? call.origin : call.answerTo;
  const again = await deps.outbox.answer(origin, message, { quiet });
  if (again > 0) await deps.jobs.reply({ name: 'reply', origin, message, quiet });
}

/** A refusal is told with its remedy; anything else is our trouble, told with a reference that is in the log. */
async function failed(
  listener: Listener,
  deps: ListenerDeps,
  args: SlackArgs,
  call: Call | null,
  error: unknown,
): Promise<void> {
  let message: Message;
  if (isRefusal(error)) {
    deps.log.info({ actor: call?.actor.id, entry: listener.id, code: error.code }, 'refused');
    message = marked(say(sayRefusal(error, slackVoice)), 'refused');
  } else {
    const ref = randomUUID().slice(0, 8);
    deps.log.error(
      { ref, actor: call?.actor.id, entry: listener.id, err: error },
      'an entry from Slack failed',
    );
    message = say(sayBroken(ref));
  }
  try {
    if (call !== null) return await answer(deps, call, message, true);
  } catch (again) {
    deps.log.error({ entry: listener.id, err: again }, 'the outbox could not take an answer');
  }
  // Without Redis the outbox is mute; Bolt's own way needs nothing but Slack.
  await args
    .respond?.({ text: message.text, response_type: 'ephemeral', replace_original: false })
    .catch((last: unknown) => deps.log.error({ entry: listener.id, err: last }, 'an answer reached nobody'));
}
