/** The outbox through the real queue, against a fake Slack that keeps Slack's limits. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { webApi } from '@slack/bolt';
import { AuditLog } from '../../src/change/audit-log.js';
import type { CardMessage } from '../../src/slack/card-message.js';
import { orCompact } from '../../src/slack/card-send.js';
import { createOutbox } from '../../src/slack/outbox.js';
import { say } from '../../src/slack/reply.js';
import { showChange } from '../../src/slack/shown.js';
import { createWebClient } from '../../src/slack/web.js';
import { type Bench, OPS, startBench, TOKENS, until } from './support/bench.js';
import { between } from './support/between.js';
import { CLUSTER, host } from './support/views.js';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(async () => {
  await bench.stop();
});

const states = (id = 'c17') => bench.cards(id).map((card) => card.metadata?.event_payload['state']);
const only = (id: string) => {
  const [card, ...more] = bench.cards(id);
  if (card === undefined || more.length > 0) throw new Error(`${bench.cards(id).length} cards of ${id}`);
  return card;
};
const edits = (ts: string) => bench.slack.history(ts).filter((version) => version.how === 'edit');
const settled = async (id: string, state: string) =>
  until(`${id} shows ${state}`, () => states(id).includes(state));

describe('a card', () => {
  test('is posted once, found again, and edited in place', async () => {
    await bench.given('planning');
    await bench.jobs.card('c17');
    await settled('c17', 'planning');
    await until('the card is on record', async () => (await bench.changes.get('c17')).cards.length === 1);
    await bench.moved('c17', 'pending');
    await bench.jobs.card('c17');
    await settled('c17', 'pending');
    expect(bench.cards('c17')).toHaveLength(1);
    expect(bench.slack.violations).toEqual([]);
  });

  test('is posted once, though two processes want to at the same time', async () => {
    await bench.given('pending');
    const other = createOutbox(bench.deps);
    await Promise.all([bench.outbox, other, bench.outbox, other].map((each) => each.renderNow('c17')));
    expect(bench.cards('c17')).toHaveLength(1);
  });

  test('shows the newest state, though an older render is still on its slow way', async () => {
    await bench.given('pending');
    await bench.outbox.renderNow('c17');
    const slow = await between(bench.slack, () => 600);
    try {
      const slack = createWebClient(TOKENS.botToken, { apiUrl: slow.apiUrl, log: bench.deps.log });
      await bench.moved('c17', 'approved');
      const older = createOutbox({ ...bench.deps, slack }).renderNow('c17');
      await new Promise((resolve) => setTimeout(resolve, 150));
      await bench.moved('c17', 'applying');
      await bench.jobs.card('c17');
      await older;
      await settled('c17', 'applying');
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(states()).toEqual(['applying']);
    } finally {
      slow.close();
    }
  });

  test('goes into the thread that the command came from', async () => {
    const root = bench.slack.say('U0ALICE', OPS, 'hello');
    await bench.given('pending');
    await bench.changes.update('c17', (each) => ({ ...each, thread: root.ts }), new Date());
    await bench.outbox.renderNow('c17');
    expect(only('c17').threadTs).toBe(root.ts);
  });

  test('is not sent again when nothing changed', async () => {
    await bench.given('pending');
    await bench.outbox.renderNow('c17');
    await bench.outbox.renderNow('c17');
    const card = only('c17');
    expect(bench.slack.history(card.ts)).toHaveLength(1);
  });

  test('that somebody deleted is posted anew and the old one forgotten', async () => {
    await bench.given('pending');
    await bench.outbox.renderNow('c17');
    const old = only('c17');
    await bench.deps.slack.chat.delete({ channel: OPS, ts: old.ts });
    await bench.moved('c17', 'approved');
    await bench.jobs.card('c17');
    await settled('c17', 'approved');
    await until('the new card alone is on record', async () => {
      const { cards } = await bench.changes.get('c17');
      return cards.length === 1 && cards[0]?.ts === only('c17').ts;
    });
    expect(bench.slack.violations.map(({ error }) => error)).toEqual(['message_not_found']);
  });

  test('is brought up to date in every copy', async () => {
    await bench.given('pending');
    await bench.outbox.renderNow('c17');
    const { ts = '' } = await bench.deps.slack.chat.postMessage({ channel: OPS, text: 'a second copy' });
    await bench.changes.addCard('c17', { channel: OPS, ts });
    await bench.moved('c17', 'denied');
    await bench.outbox.renderNow('c17');
    expect(states()).toEqual(['denied', 'denied']);
  });

  test('posted just before a crash is not doubled silently', async () => {
    await bench.given('pending');
    // Posted, but the process died before it could write the ts down.
    await bench.redis.hset(bench.keys.slackCard('c17'), 'intent', String(Date.now()));
    await bench.jobs.card('c17');
    await until('a card is on record', async () => (await bench.changes.get('c17')).cards.length === 1);
    await until(
      'the intent is gone',
      async () => (await bench.redis.hget(bench.keys.slackCard('c17'), 'intent')) === null,
    );
    // The fake, as a Slack that gave no history scope, can't be searched: the card says so itself.
    const card = only('c17');
    expect(JSON.stringify(bench.slack.history(card.ts)[0]?.blocks)).toContain(
      'Posted again after an interruption',
    );
    expect(bench.slack.violations.map(({ method }) => method)).toEqual(['conversations.history']);
  });

  test.each([false, true])(
    'posted just before a crash is found where Slack lets us search (thread: %s)',
    async (inThread) => {
      const line = await between(bench.slack);
      try {
        const slack = createWebClient(TOKENS.botToken, { apiUrl: line.apiUrl, log: bench.deps.log });
        const outbox = createOutbox({ ...bench.deps, slack });
        await bench.given('pending', 'c16');
        await bench.given('pending');
        if (inThread) {
          const thread = bench.slack.say('U0ALICE', OPS, 'hello').ts;
          await bench.changes.update('c17', (each) => ({ ...each, thread }), new Date());
        }
        const since = String(Date.now());
        await outbox.renderNow('c16');
        await until(
          'the card',
          async () => (await outbox.renderNow('c17')) && bench.cards('c17').length === 1,
        );
        // As if the process had died before it wrote the ts down.
        await bench.changes.update('c17', (each) => ({ ...each, cards: [] }), new Date());
        await bench.redis.del(bench.keys.slackCard('c17'));
        await bench.redis.hset(bench.keys.slackCard('c17'), 'intent', since);
        await outbox.renderNow('c17');
        expect((await bench.changes.get('c17')).cards).toEqual([{ channel: OPS, ts: only('c17').ts }]);
      } finally {
        line.close();
      }
    },
  );

  test('that may not be posted into its channel goes to the requester, and says so for as long as that is so', async () => {
    await bench.stop();
    bench = await startBench({ channels: [{ id: 'C0CLOSED', name: 'closed', botIsOut: 'private' }] });
    await bench.given('pending');
    await bench.changes.update('c17', (each) => ({ ...each, channel: 'C0CLOSED' }), new Date());
    expect(await bench.outbox.renderNow('c17')).toBe(true);
    const [message] = bench.slack.messages('D0ALICE');
    const said = () => JSON.stringify(message?.blocks[0]);
    expect(said()).toContain("I can't write in <#C0CLOSED>");
    expect(said()).toContain('`/invite @Fairway` there');
    expect(said()).toContain('`approve c17`');
    expect((await bench.changes.get('c17')).cards).toEqual([{ channel: 'D0ALICE', ts: message?.ts }]);
    // Nothing changed, so nothing was edited.
    expect(bench.slack.history(message?.ts ?? '')).toHaveLength(1);
    await bench.moved('c17', 'approved');
    expect(await bench.outbox.renderNow('c17')).toBe(true);
    expect(bench.slack.history(message?.ts ?? '')).toHaveLength(2);
    expect(said()).toContain("I can't write in <#C0CLOSED>");
    expect(said()).not.toContain('`approve c17`');
  });

  test('that belongs to nobody leaves word of a channel that takes none, until one gets through', async () => {
    await bench.given('pending');
    await bench.changes.update(
      'c17',
      (each) => ({ ...each, requester: 'fairway', channel: 'C0CLOSED' }),
      new Date(),
    );
    const closed = () => bench.redis.hgetall(bench.keys.slackClosed);
    expect(await bench.outbox.renderNow('c17')).toBe(true);
    expect(await closed()).toEqual({ C0CLOSED: 'channel_not_found' });
    await bench.redis.hset(bench.keys.slackClosed, OPS, 'not_in_channel');
    await bench.changes.update('c17', (each) => ({ ...each, channel: OPS }), new Date());
    await bench.outbox.renderNow('c17');
    expect(await closed()).toEqual({ C0CLOSED: 'channel_not_found' });
  });

  test('that Slack finds too long is sent without the plan', async () => {
    await bench.given('pending');
    const view = await bench.deps.view('c17');
    if (view === null) throw new Error('no view');
    const sent: number[] = [];
    const refusing = async (content: CardMessage): Promise<void> => {
      sent.push(content.blocks.length);
      if (sent.length === 1)
        throw new webApi.WebAPIPlatformError({ ok: false, error: 'msg_blocks_too_long' });
    };
    const shown = showChange(view, CLUSTER, new Date());
    await orCompact(bench.deps, shown, shown.message, refusing);
    expect(sent[1]).toBeLessThan(sent[0] ?? 0);
  });

  test('of a change whose id nobody knows is nobody’s trouble', async () => {
    expect(await bench.outbox.deliver({ name: 'card', changeId: 'c99' })).toBe(0);
  });
});

describe('a card’s thread', () => {
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
  const replies = () => bench.slack.messages(OPS).filter(({ threadTs }) => threadTs !== undefined);
  const due = async () => (await bench.changes.dueCards()).includes('c17');
  const offered = (sealedAt: string) =>
    bench.changes.update('c17', (each) => ({ ...each, sealedAt }), new Date());
  const shown = async () => {
    await bench.jobs.card('c17');
    await until('all is shown', async () => !(await due()));
  };

  test('rings once for a plan that waits, whoever shows the card', async () => {
    await bench.given('pending');
    await offered(ago(6000));
    await shown();
    expect(replies()).toMatchObject([{ threadTs: only('c17').ts }]);
    expect(replies()[0]?.text).toContain('<@U0BOB>: `c17` waits for an approval');
    await bench.changes.update('c17', (each) => ({ ...each }), new Date());
    const other = createOutbox(bench.deps);
    await Promise.all([bench.outbox, other].map((each) => each.renderNow('c17')));
    await shown();
    expect(replies()).toHaveLength(1);
    expect(bench.slack.violations).toEqual([]);
  });

  test('waits a moment, in which the card stays due; what is decided by then rings nobody', async () => {
    await bench.given('pending');
    await offered(ago(0));
    await until('the card', async () => (await bench.outbox.renderNow('c17')) && states()[0] === 'pending');
    expect(await due()).toBe(true);
    await bench.moved('c17', 'approved');
    await shown();
    expect(replies()).toEqual([]);
    expect(only('c17').metadata?.event_payload['state']).toBe('approved');
  });

  test('tells an end to whoever asked, in the thread of the command where there is one', async () => {
    const root = bench.slack.say('U0ALICE', OPS, 'hello');
    await bench.given('pending');
    await bench.changes.update('c17', (each) => ({ ...each, thread: root.ts }), new Date());
    await bench.outbox.renderNow('c17');
    await bench.changes.update(
      'c17',
      (each) => ({ ...each, state: 'expired', finishedAt: ago(0) }),
      new Date(),
    );
    await shown();
    const last = replies().at(-1);
    expect(last).toMatchObject({ threadTs: root.ts });
    expect(last?.text).toContain('<@U0ALICE>: nobody decided on `c17` in time');
  });

  test('rings approvers nowhere where they can’t see it', async () => {
    await bench.stop();
    bench = await startBench({ channels: [{ id: 'C0CLOSED', name: 'closed', botIsOut: 'private' }] });
    await bench.given('pending');
    await bench.changes.update(
      'c17',
      (each) => ({ ...each, channel: 'C0CLOSED', sealedAt: ago(6000) }),
      new Date(),
    );
    await shown();
    expect(bench.slack.messages('D0ALICE')).toHaveLength(1);
  });

  test('is not rung in twice when a 429 comes between, nor lost', async () => {
    await bench.stop();
    bench = await startBench({ rateLimits: { post: { perSecond: 0.5, burst: 1 } } });
    await bench.given('pending');
    await offered(ago(6000));
    await bench.jobs.card('c17');
    await until('Slack is asked too soon', () => bench.slack.violations.length > 0);
    expect(replies()).toEqual([]);
    await until('its gate opens', async () => {
      await bench.jobs.card('c17');
      return replies().length === 1;
    });
    await shown();
    expect(replies()).toHaveLength(1);
  });
});

describe('pace', () => {
  test('an approval that somebody waits for overtakes the news that wait already', async () => {
    for (let number = 1; number <= 8; number += 1) await bench.jobs.notice(`n${number}`);
    await until('the news begins', () => bench.slack.messages(OPS).length > 0);
    await bench.given('pending');
    await bench.jobs.card('c17');
    await settled('c17', 'pending');
    const ids = bench.slack.messages(OPS).map((message) => message.metadata?.event_payload['id']);
    expect(ids.indexOf('c17')).toBeLessThanOrEqual(2);
    await until('all is told', () => bench.slack.messages(OPS).length === 9, 20_000);
    expect(bench.slack.violations).toEqual([]);
  });

  test('a hundred progress jobs make at most one edit in 3 s; the state change does not wait', async () => {
    await bench.given('applying');
    await bench.outbox.renderNow('c17');
    const card = only('c17');
    const { ts } = card;
    const began = Date.now();
    for (let i = 0; i < 100; i += 1) {
      await bench.changes.setResults('c17', [{ ...host('win03', 'waiting'), doing: `step ${i}` }]);
      await bench.jobs.card('c17');
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    const progress = edits(ts);
    expect(progress.length).toBeGreaterThanOrEqual(1);
    expect(progress.length).toBeLessThanOrEqual(Math.ceil((Date.now() - began) / 3000));
    for (let i = 1; i < progress.length; i += 1) {
      expect((progress[i]?.at ?? 0) - (progress[i - 1]?.at ?? 0)).toBeGreaterThan(2900);
    }
    const moved = Date.now();
    await bench.moved('c17', 'applied');
    await bench.jobs.card('c17');
    await settled('c17', 'applied');
    expect(Date.now() - moved).toBeLessThan(2500);
    expect(JSON.stringify(card.blocks)).not.toContain('change:cancel');
    expect(bench.slack.violations).toEqual([]);
  });

  test('many cards in one channel go out one a second, and each once', async () => {
    const ids = Array.from({ length: 5 }, (_, i) => `c${100 + i}`);
    for (const id of ids) await bench.given('pending', id);
    await Promise.all(ids.map((id) => bench.jobs.card(id)));
    await until('all five cards', () => ids.every((id) => bench.cards(id).length === 1), 15_000);
    const posted = ids.map((id) => bench.slack.history(only(id).ts)[0]?.at ?? 0).sort((a, b) => a - b);
    for (let i = 1; i < posted.length; i += 1) {
      expect((posted[i] ?? 0) - (posted[i - 1] ?? 0)).toBeGreaterThan(900);
    }
    expect(bench.slack.violations).toEqual([]);
  });
});

describe('a 429', () => {
  test('is waited out, by everybody', async () => {
    await bench.stop();
    bench = await startBench({ rateLimits: { perMinute: { 'chat.update': 1 } } });
    await bench.given('pending');
    await bench.outbox.renderNow('c17');
    await bench.moved('c17', 'approved');
    expect(await bench.outbox.renderNow('c17')).toBe(true);
    await bench.moved('c17', 'applying');
    const wait = await bench.outbox.deliver({ name: 'card', changeId: 'c17' });
    expect(wait).toBeGreaterThan(50_000);
    // The second try asks Slack nothing: the gate is shut.
    expect(await bench.outbox.deliver({ name: 'card', changeId: 'c17' })).toBeGreaterThan(50_000);
    expect(bench.slack.violations.map(({ error }) => error)).toEqual(['ratelimited']);
  });
});

describe('an answer', () => {
  const origin = { channel: OPS, user: 'U0BOB' };

  test('without a response_url is for the person’s eyes only', async () => {
    expect(await bench.outbox.answer(origin, say('hello'))).toBe(0);
    expect(bench.slack.messages(OPS)).toMatchObject([{ ephemeralTo: 'U0BOB', text: 'hello' }]);
  });

  test('that Slack is in no state to take is not lost: the queue tries again', async () => {
    const refuse: Record<string, string> = { 'chat.postEphemeral': 'internal_error' };
    await bench.stop();
    bench = await startBench({ refuse });
    expect(await bench.outbox.answer(origin, say('hello'))).toBeGreaterThan(0);
    await bench.jobs.reply({ name: 'reply', origin, message: say('hello') });
    await until('the queue tries', () => bench.slack.violations.length > 1);
    delete refuse['chat.postEphemeral'];
    const said = await bench.slack.waitFor(({ ephemeralTo }) => ephemeralTo === 'U0BOB', 10_000);
    expect(said.text).toBe('hello');
  });

  test('to a mention stands in the thread; a quiet one does not', async () => {
    const root = bench.slack.say('U0BOB', OPS, 'hi');
    await bench.outbox.answer({ ...origin, thread: root.ts }, say('loud'));
    await bench.outbox.answer({ ...origin, thread: root.ts }, say('quiet'), { quiet: true });
    expect(bench.slack.messages(OPS).slice(1)).toMatchObject([
      { threadTs: root.ts, text: 'loud' },
      { ephemeralTo: 'U0BOB', text: 'quiet' },
    ]);
    expect(bench.slack.messages(OPS)[1]).not.toHaveProperty('ephemeralTo');
  });

  test('by a response_url that Slack does not know goes another way', async () => {
    await bench.outbox.answer({ ...origin, responseUrl: `${bench.slack.url}/response/gone` }, say('hello'));
    await bench.outbox.answer({ ...origin, responseUrl: `${bench.slack.url}/response/gone` }, say('again'));
    expect(bench.slack.messages(OPS)).toMatchObject([
      { ephemeralTo: 'U0BOB', text: 'hello' },
      { ephemeralTo: 'U0BOB', text: 'again' },
    ]);
    // The second one did not even try.
    expect(bench.slack.violations.map(({ error }) => error)).toEqual(['invalid_url']);
  });
});

test('details are one file in the card’s thread, with every command', async () => {
  await bench.given('pending');
  await bench.outbox.renderNow('c17');
  await bench.jobs.file('c17', { channel: OPS, user: 'U0BOB' });
  const message = await bench.slack.waitFor((each) => each.files.length > 0, 10_000);
  expect(message.threadTs).toBe(only('c17').ts);
  expect(message.files[0]).toMatchObject({ name: 'c17-win03-pending.txt' });
  expect(message.files[0]?.content).toContain('ip -4 route add 192.168.3.0/24 via 10.0.0.7 proto 155');
  expect(bench.slack.violations).toEqual([]);
});

describe('the audit log as a file', () => {
  const origin = { channel: OPS, user: 'U0BOB' };

  test('holds every record, where it was asked for; an empty one is said to be so', async () => {
    await bench.jobs.auditFile(origin);
    const none = await bench.slack.waitFor((each) => each.ephemeralTo === 'U0BOB', 10_000);
    expect(none.text).toContain('The audit log is empty');
    const audit = new AuditLog(bench.redis, bench.keys);
    for (const host of ['win01', 'win02'])
      await audit.append({ at: '2026-11-28T05:12:00.000Z', actor: 'T1:U0BOB', what: 'unmute', host });
    await bench.jobs.auditFile(origin);
    const sent = await bench.slack.waitFor((each) => each.files.length > 0, 10_000);
    expect(sent.text).toBe('<@U0BOB> asked for the audit log: 2 records, all of it.');
    expect(sent.files[0]?.name).toBe('audit-1-2.jsonl');
    const lines = (sent.files[0]?.content ?? '').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { record: 1, event: { host: 'win01' } },
      { record: 2, event: { host: 'win02' } },
    ]);
    expect(bench.slack.violations).toEqual([]);
  });

  test('that is too long holds its newest part, and says how to get the rest', async () => {
    const asked: number[] = [];
    const newestAudit = async (mostBytes: number) => {
      asked.push(mostBytes);
      return { text: '{"record":5}\n', from: 5, records: 5 };
    };
    const outbox = createOutbox({ ...bench.deps, newestAudit });
    expect(await outbox.deliver({ name: 'audit', origin })).toBe(0);
    expect(asked).toEqual([16 << 20]);
    const sent = await bench.slack.waitFor((each) => each.files.length > 0, 10_000);
    expect(sent.text).toMatch(/newest part, records 5 to 5\..*`npm -s run console -- audit export &gt;/);
  });
});

test('details where the bot is no member: how to have them', async () => {
  await bench.stop();
  bench = await startBench({ channels: [{ id: OPS, name: 'ops', botIsOut: 'public' }] });
  await bench.given('pending');
  await bench.outbox.renderNow('c17');
  expect(bench.cards('c17')).toHaveLength(1);
  await bench.jobs.file('c17', { channel: OPS, user: 'U0BOB' });
  const said = await bench.slack.waitFor((each) => each.ephemeralTo === 'U0BOB', 10_000);
  expect(said.text).toContain('`/invite @Fairway`, then press *Details* again');
  expect(said.text).toContain('`change c17`');
  expect(bench.slack.violations.map(({ error }) => error)).toEqual(['not_in_channel']);
});

describe('a text as a file', () => {
  const job = {
    name: 'upload' as const,
    fileName: 'prod-nodes.yaml',
    title: 'prod',
    comment: 'asked for',
    content: 'nodes: []\n',
  };

  test('stands in the thread, or the channel, where it was asked for', async () => {
    await bench.given('pending');
    await bench.outbox.renderNow('c17');
    const { ts } = only('c17');
    await bench.jobs.upload({ ...job, origin: { channel: OPS, user: 'U0BOB', thread: ts } });
    const inThread = await bench.slack.waitFor((each) => each.files.length > 0, 10_000);
    expect(inThread).toMatchObject({
      threadTs: ts,
      files: [{ name: 'prod-nodes.yaml', content: 'nodes: []\n' }],
    });
    await bench.jobs.upload({ ...job, origin: { channel: OPS, user: 'U0BOB' } });
    await bench.slack.waitFor((each) => each.files.length > 0 && each.threadTs === undefined, 10_000);
    expect(bench.slack.violations).toEqual([]);
  });

  test('that Slack does not take is said to whoever asked, with another way', async () => {
    await bench.jobs.upload({ ...job, fileName: '', origin: { channel: OPS, user: 'U0BOB' } });
    const said = await bench.slack.waitFor((each) => each.ephemeralTo === 'U0BOB', 10_000);
    expect(said.text).toMatch(
      /Slack refused the file \(invalid_arguments\)\. Ask again.*npm -s run console -- export/,
    );
  });
});
