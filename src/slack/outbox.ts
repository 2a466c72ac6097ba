/** The outbox: everything that Fairway says in Slack beyond a listener's acknowledgement goes through here. */
import { createHash } from 'node:crypto';
import type { Origin } from '../command/reply.js';
import type { NotifyJob } from '../job/job.js';
import { redact } from '../log.js';
import { planFileComment, planFileName, planFileTitle, planText } from '../words/details.js';
import { auditFileName, auditWords } from '../words/history.js';
import { sayNoExport, sayNoFile } from '../words/trouble.js';
import type { Block, Message } from './blocks.js';
import { createCardWriter } from './card-writer.js';
import { uploadText } from './file-upload.js';
import type { Again, CardDeps } from './outbox-deps.js';
import { limitGate, POST_EVERY_MS, postGate } from './pace.js';
import { isSlackAway, NO_ENTRY, retryAfterMs, slackError } from './web.js';

/** A message as a job carries it: blocks rendered already. */
export type Rendered = { text: string; blocks: readonly (Block | Record<string, unknown>)[] };

export interface Outbox {
  /** Does one job of the queue. Returns the milliseconds to come back after, 0 when it is done. Throws our own trouble. */
  deliver(job: NotifyJob): Promise<Again>;
  /**
   * Brings the cards of a change or a notice up to date at once, for the moment after a decision. False: something is left for the
   * queue (another writer, a rate limit, Slack away).
   */
  renderNow(id: string): Promise<boolean>;
  /** Says something to one person: by response_url, in the thread, or ephemerally. `quiet`: only to them, in a thread too. */
  answer(origin: Origin, message: Message, options?: { quiet?: boolean }): Promise<Again>;
}

/** Slack takes five answers at one response_url, for thirty minutes. */
const URL_USES = 5;
const URL_LIFE_S = 1800;
const USED_UP = 1000;
/** Of the audit log in one file, about 17 000 records of hosts: it is held in memory until Slack has it. The console gives all. */
const AUDIT_FILE_BYTES = 16 << 20;
/** When an answer is tried again that Slack was away for. */
const SOON_MS = 1000;

export function createOutbox(deps: CardDeps): Outbox {
  const writer = createCardWriter(deps);

  async function renderNow(id: string): Promise<boolean> {
    try {
      for (let attempt = 0; attempt < 4; attempt += 1) {
        const again = await writer.write(id);
        if (again === 0) return true;
        if (again > 500) return false;
        await new Promise((resolve) => setTimeout(resolve, again));
      }
    } catch (error) {
      deps.log.warn({ card: id, err: error }, 'the card could not be brought up to date at once');
    }
    return false;
  }

  return {
    renderNow,
    answer: async (origin, message, options = {}) => {
      try {
        return await reply(deps, origin, message, options.quiet ?? false);
      } catch (error) {
        // What was asked for is done, and only the word of it is missing: the queue tries again.
        if (!isSlackAway(error)) throw error;
        deps.log.warn({ err: error }, 'an answer did not get through at once');
        return SOON_MS;
      }
    },
    deliver: (job) => {
      switch (job.name) {
        case 'card':
          return writer.write(job.changeId);
        case 'notice':
          return writer.write(job.noticeId);
        case 'reply':
          return reply(deps, job.origin, job.message, job.quiet ?? false);
        case 'file':
          return file(deps, job.changeId, job.origin);
        case 'upload':
          return upload(deps, job);
        case 'audit':
          return auditFile(deps, job.origin);
      }
    },
  };
}

async function reply(deps: CardDeps, origin: Origin, message: Rendered, quiet: boolean): Promise<Again> {
  if (origin.responseUrl !== undefined) {
    const again = await byResponseUrl(deps, origin.responseUrl, origin, message);
    if (again !== null) return again;
  }
  const inThread = origin.thread !== undefined && !quiet;
  const method = inThread ? 'chat.postMessage' : 'chat.postEphemeral';
  const limited = await deps.pace.wait(limitGate(method));
  if (limited > 0) return limited;
  const turn = inThread ? await deps.pace.take(postGate(origin.channel), POST_EVERY_MS) : 0;
  if (turn > 0) return turn;
  const content = { text: message.text, blocks: [...message.blocks] as Block[] };
  const where = { channel: origin.channel, ...(origin.thread ? { thread_ts: origin.thread } : {}) };
  try {
    if (inThread) await deps.slack.chat.postMessage({ ...where, ...content });
    else await deps.slack.chat.postEphemeral({ ...where, user: origin.user, ...content });
  } catch (error) {
    const wait = retryAfterMs(error);
    if (wait !== null) {
      await deps.pace.hold(limitGate(method), wait);
      return wait;
    }
    const code = slackError(error);
    if (code === null) throw error;
    if (NO_ENTRY.includes(code)) await direct(deps, origin.user, content, code);
    else deps.log.error({ code, channel: origin.channel, text: message.text }, 'Slack refused an answer');
  }
  return 0;
}

/** Milliseconds to come back after, 0 when said; null when the URL is used up and another way must be taken. */
async function byResponseUrl(
  deps: CardDeps,
  url: string,
  origin: Origin,
  message: Rendered,
): Promise<Again | null> {
  const key = deps.keys.slackAnswers(createHash('sha256').update(url).digest('hex').slice(0, 32));
  const used = await deps.redis.incr(key);
  await deps.redis.expire(key, URL_LIFE_S);
  if (used > URL_USES) return null;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({
      response_type: 'ephemeral',
      replace_original: false,
      ...(origin.thread ? { thread_ts: origin.thread } : {}),
      text: message.text,
      blocks: message.blocks,
    }),
    signal: AbortSignal.timeout(8000),
  });
  if (response.ok) return 0;
  if (response.status === 429) return Number(response.headers.get('retry-after') ?? 1) * 1000;
  const why = (await response.text()).slice(0, 200);
  deps.log.warn({ status: response.status, why }, 'a response_url no longer answers');
  await deps.redis.set(key, USED_UP, 'EX', URL_LIFE_S);
  return null;
}

async function direct(
  deps: CardDeps,
  user: string,
  content: { text: string; blocks: Block[] },
  code: string,
): Promise<void> {
  deps.log.warn({ user, code }, 'no entry; the answer goes to the person directly');
  try {
    await deps.slack.chat.postMessage({ channel: user, ...content });
  } catch (error) {
    if (slackError(error) === null) throw error;
    deps.log.error({ user, code: slackError(error), text: content.text }, 'an answer reached nobody');
  }
}

/** The whole plan as a file in the thread of the change's card. */
async function file(deps: CardDeps, changeId: string, origin: Origin): Promise<Again> {
  const view = await deps.view(changeId);
  if (view === null) return 0;
  const { cards } = view.change;
  const card = cards.find((copy) => copy.channel === origin.channel) ?? cards[0];
  const { again, refused } = await uploadText(deps, {
    channel: card?.channel ?? origin.channel,
    thread: card?.ts ?? origin.thread,
    name: planFileName(view),
    title: planFileTitle(view),
    content: planText(view, deps.cluster, deps.now(), redact(await deps.buildLog(changeId))),
    comment: planFileComment(origin.user, view.change.id),
  });
  return refused === undefined ? again : told(deps, origin, sayNoFile(refused, changeId));
}

/** A file for whoever asked, where they asked. */
async function upload(deps: CardDeps, job: Extract<NotifyJob, { name: 'upload' }>): Promise<Again> {
  const { channel, thread } = job.origin;
  const { fileName: name, title, comment, content } = job;
  const { again, refused } = await uploadText(deps, { channel, thread, name, title, comment, content });
  return refused === undefined ? again : told(deps, job.origin, sayNoExport(refused, 'nodes'));
}

/** The audit log, or its newest part, for whoever asked, where they asked. It was redacted when it was written. */
async function auditFile(deps: CardDeps, origin: Origin): Promise<Again> {
  const { channel, thread, user } = origin;
  const { text, from, records } = await deps.newestAudit(AUDIT_FILE_BYTES);
  if (text === '') return told(deps, origin, auditWords.empty);
  const name = auditFileName(from, records);
  const [title, comment] = [auditWords.fileTitle(from, records), auditWords.fileComment(user, from, records)];
  const { again, refused } = await uploadText(deps, { channel, thread, name, title, comment, content: text });
  return refused === undefined ? again : told(deps, origin, sayNoExport(refused, 'audit'));
}

function told(deps: CardDeps, origin: Origin, text: string): Promise<Again> {
  return reply(deps, origin, { text, blocks: [] }, true);
}
