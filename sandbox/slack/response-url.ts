/** response_url: five answers within thirty minutes. */

import { contentOf } from './answer.js';
import { checkMessageBlocks } from './limits.js';
import { isObj, type Obj, str } from './types.js';
import { edit, newId, post, remove, type Ticket, violate, type World } from './world.js';

const USES = 5;
const LIFE_MS = 30 * 60_000;

/** The path of a response_url. Its id names the act that it was made for. */
export const responsePath = (id: string): string => `response/${id}`;

/** The id of a new response_url for a user's command or click. */
export function newResponseUrl(
  world: World,
  ticket: Pick<Ticket, 'userId' | 'channel' | 'messageTs' | 'threadTs'>,
): string {
  const id = newId('');
  world.responseUrls.set(id, { ...ticket, until: Date.now() + LIFE_MS, used: 0 });
  return id;
}

/** Handles a POST to a response_url. */
export function respond(world: World, id: string, body: unknown): { status: number; answer: Obj } {
  const ticket = world.responseUrls.get(id);
  if (!ticket) return refuse(world, 404, 'invalid_url', id);
  if (ticket.used >= USES) return refuse(world, 404, 'used_url', `a response_url works ${USES} times`);
  if (Date.now() > ticket.until) return refuse(world, 404, 'expired_url', 'older than 30 minutes');
  ticket.used += 1;
  if (!isObj(body)) return refuse(world, 400, 'invalid_payload', 'not a JSON object');
  const original = world.messages.find((each) => each.ts === ticket.messageTs);
  if (body['delete_original'] === true) {
    if (original) remove(world, original);
    return { status: 200, answer: { ok: true } };
  }
  const result = answerUser(world, 'response_url', body, {
    userId: ticket.userId,
    channel: ticket.channel,
    threadTs: str(body['thread_ts']) || ticket.threadTs,
    answers: id,
    original: body['replace_original'] === true ? original : undefined,
  });
  return result === null
    ? { status: 200, answer: { ok: true } }
    : { status: 400, answer: { ok: false, error: result } };
}

/** Shows an app's answer (an acknowledgement's body, or one to a response_url): ephemeral unless `in_channel`. Slack's error code, or null. */
export function answerUser(
  world: World,
  method: string,
  body: Obj,
  where: {
    userId: string;
    channel: string;
    threadTs?: string | undefined;
    /** The act that is answered. */
    answers: string;
    original?: World['messages'][number] | undefined;
  },
): string | null {
  const problem = body['blocks'] === undefined ? undefined : checkMessageBlocks(body['blocks'])[0];
  const content = problem ? null : contentOf(world, method, body);
  if (!content?.ok) {
    const error = problem ?? content;
    violate(world, method, error?.error ?? '', error?.detail ?? '');
    return error?.error ?? '';
  }
  if (where.original) {
    where.original.answers = where.answers;
    edit(world, where.original, content);
    return null;
  }
  post(world, {
    channel: where.channel,
    user: world.bot.userId,
    threadTs: where.threadTs,
    answers: where.answers,
    ...(body['response_type'] === 'in_channel' ? {} : { ephemeralTo: where.userId }),
    ...content,
  });
  return null;
}

function refuse(
  world: World,
  status: number,
  error: string,
  detail: string,
): { status: number; answer: Obj } {
  violate(world, 'response_url', error, detail);
  return { status, answer: { ok: false, error } };
}
