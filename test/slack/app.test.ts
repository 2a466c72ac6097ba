/** The real Bolt in both of its modes, against the fake Slack. The desk is the test's own. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { App } from '@slack/bolt';
import type { FakeSlackOptions } from '../../sandbox/slack/types.js';
import type { Actor } from '../../src/change/change.js';
import { decide } from '../../src/change/transition.js';
import type { BotCommand } from '../../src/command/command.js';
import type { Desk } from '../../src/command/desk.js';
import type { Origin, Reply } from '../../src/command/reply.js';
import { createSlackApp, type SlackApp } from '../../src/slack/app.js';
import { createFiles } from '../../src/slack/files.js';
import { LISTENERS } from '../../src/slack/listeners.js';
import { createWebClient } from '../../src/slack/web.js';
import { type Bench, OPS, startBench, TOKENS, until } from './support/bench.js';
import { CLUSTER } from './support/views.js';

interface Ran {
  command: BotCommand;
  actor: Actor;
  origin: Origin;
}

let bench: Bench;
let app: SlackApp;
let ran: Ran[];
let desk: Desk;

async function start(mode: 'socket' | 'http', options: Partial<FakeSlackOptions> = {}): Promise<void> {
  await prepare(mode, TOKENS.botToken, options);
  await app.start();
  if (mode === 'http') bench.slack.setAppUrl(`http://127.0.0.1:${app.port()}/slack/events`);
}

const RULES = { required: 1, own: false };

async function prepare(
  mode: 'socket' | 'http',
  botToken = TOKENS.botToken,
  options: Partial<FakeSlackOptions> = {},
): Promise<void> {
  bench = await startBench({ eventRetryMs: [0, 50, 50], ...options });
  ran = [];
  desk = {
    run: async (command, actor, origin): Promise<Reply> => {
      ran.push({ command, actor, origin });
      if (command.kind !== 'add-node') return { kind: 'reading', hosts: 3 };
      await bench.given('pending', 'c1');
      await bench.jobs.card('c1');
      return { kind: 'change-card', id: 'c1' };
    },
    decide: async (id, verdict, hash, reason, actor) => {
      const now = new Date();
      await bench.changes.update(id, (each) => decide(each, actor, verdict, hash, RULES, now, reason), now);
      return { kind: 'decided', id, verdict, approved: 1, required: 1 };
    },
    tryDecide: async (id, verdict, hash, actor) => {
      decide(await bench.changes.get(id), actor, verdict, hash, RULES, new Date());
    },
    answer: async () => Promise.reject(new Error('nothing is asked')),
    view: (id) => bench.deps.view(id),
  };
  const { apiUrl } = bench.slack;
  const slack = createWebClient(TOKENS.botToken, { apiUrl, log: bench.deps.log });
  app = createSlackApp({
    config: {
      slack: { mode, ...TOKENS, botToken, apiUrl: bench.slack.apiUrl, channel: OPS },
      port: 0,
      access: {
        viewers: ['T9:U0GUEST'],
        operators: [],
        approvers: [],
        approvalsRequired: 1,
        approveOwn: false,
      },
    },
    redis: bench.redis,
    keys: bench.keys,
    desk,
    outbox: bench.outbox,
    jobs: bench.jobs,
    cards: bench.changes,
    slack,
    files: createFiles(slack, { token: TOKENS.botToken, apiUrl }),
    cluster: CLUSTER,
    log: bench.deps.log,
    now: () => new Date(),
  });
}

afterEach(async () => {
  await app.stop();
  await bench.stop();
});

/** What the person was told so far, in the ops channel. */
const told = (userId: string) =>
  bench.slack
    .messages(OPS)
    .filter((message) => message.ephemeralTo === userId)
    .map((message) => message.text);

async function card(): Promise<string> {
  const message = await bench.slack.waitFor((each) => each.metadata?.event_payload['id'] === 'c1', 5000);
  return message.ts;
}

describe.each(['socket', 'http'] as const)('in %s mode', (mode) => {
  beforeEach(() => start(mode));

  test('a command is acknowledged within a second, and answered', async () => {
    const outcome = await bench.slack.as('U0ALICE').slash('nodes', OPS);
    expect(outcome).toMatchObject({ ok: true, via: mode });
    expect(outcome.latencyMs).toBeLessThan(1000);
    await until('an answer', () => told('U0ALICE').length === 1);
    expect(ran).toMatchObject([{ command: { kind: 'nodes' }, actor: { id: 'T1:U0ALICE', via: 'slash' } }]);
    expect(bench.slack.violations).toEqual([]);
  });

  test('a change’s card is the whole answer', async () => {
    await bench.slack.as('U0ALICE').slash('add linux node lin02 10.0.0.8', OPS);
    await card();
    expect(told('U0ALICE')).toEqual([]);
    expect(bench.slack.violations).toEqual([]);
  });

  test('two people click at once: one decides, both are answered, the buttons are gone', async () => {
    await bench.slack.as('U0ALICE').slash('add linux node lin02 10.0.0.8', OPS);
    const ts = await card();
    const clicks = ['U0BOB', 'U0EVE'].map((id) => bench.slack.as(id).click(ts, 'approve', OPS));
    expect(await Promise.all(clicks)).toMatchObject([{ ok: true }, { ok: true }]);
    await until('both answers', () => told('U0BOB').length === 1 && told('U0EVE').length === 1);
    const [won, lost] = [...told('U0BOB'), ...told('U0EVE')].sort();
    expect(won).toMatch(/^Approved `c1`/);
    const [{ actor = '' } = {}] = (await bench.changes.get('c1')).decisions;
    expect(lost).toMatch(
      new RegExp(`^\`c1\` is approved by <@${actor.split(':')[1]}> since .* nothing left to decide`),
    );
    expect((await bench.changes.get('c1')).decisions).toHaveLength(1);
    const shown = bench.cards('c1')[0];
    expect(shown?.metadata?.event_payload['state']).toBe('approved');
    expect(JSON.stringify(shown?.blocks)).not.toContain('change:approve');
    expect(bench.slack.violations).toEqual([]);
  });

  test('the requester’s own click is refused, in words, and the buttons stay for others', async () => {
    await bench.slack.as('U0ALICE').slash('add linux node lin02 10.0.0.8', OPS);
    const ts = await card();
    await bench.slack.as('U0ALICE').click(ts, 'approve', OPS);
    await until('an answer', () => told('U0ALICE').length === 1);
    expect(JSON.stringify(bench.cards('c1')[0]?.blocks)).toContain('change:approve');
  });

  test('deny asks why, and the reason is on the card', async () => {
    await bench.slack.as('U0ALICE').slash('add linux node lin02 10.0.0.8', OPS);
    const ts = await card();
    await bench.slack.as('U0BOB').click(ts, 'deny', OPS);
    await until('the dialog', () => bench.slack.views('U0BOB').length === 1);
    const [view] = bench.slack.views('U0BOB');
    await bench.slack.as('U0BOB').submitView(view?.id ?? '', { reason: 'wrong <!channel> rack' });
    await until('an answer', () => told('U0BOB').length === 1);
    expect(JSON.stringify(bench.cards('c1')[0]?.blocks)).toContain('Denied by <@U0BOB>');
    expect(JSON.stringify(bench.cards('c1')[0]?.blocks)).toContain('wrong &lt;!channel&gt; rack');
    expect(bench.slack.violations).toEqual([]);
  });

  test('a click on a button that has vanished since is answered', async () => {
    await bench.slack.as('U0ALICE').slash('add linux node lin02 10.0.0.8', OPS);
    const ts = await card();
    await bench.slack.as('U0BOB').click(ts, 'approve', OPS);
    await until('the decision', () => told('U0BOB').length === 1);
    for (const [index, button] of ['approve', 'deny'].entries()) {
      await bench.slack.as('U0EVE').click(ts, button, OPS, { stale: true });
      await until('an answer', () => told('U0EVE').length === index + 1);
      expect(told('U0EVE')[index]).toMatch(/`c1` is approved by <@U0BOB> since .* nothing left to decide/);
    }
    expect(bench.slack.views('U0EVE')).toEqual([]);
  });

  test('the card of a change that is gone loses its buttons, whichever is clicked', async () => {
    await bench.slack.as('U0ALICE').slash('add linux node lin02 10.0.0.8', OPS);
    const ts = await card();
    await until('the card is on record', async () => (await bench.changes.get('c1')).cards.length === 1);
    await bench.redis.del(bench.keys.change('c1'));
    await bench.slack.as('U0BOB').click(ts, 'deny', OPS);
    await until('an answer', () => told('U0BOB').length === 1);
    expect(told('U0BOB')[0]).toContain('There is no change `c1`');
    expect(bench.slack.views('U0BOB')).toEqual([]);
    const [shown] = bench.slack.messages(OPS).filter((message) => message.ts === ts);
    expect(JSON.stringify(shown?.blocks)).not.toContain('change:approve');
  });

  test('five commands at once: each has a sign within 3 s (Q14), though cards come one a second', async () => {
    let made = 0;
    desk.run = async (): Promise<Reply> => {
      made += 1;
      const id = `c${made}`;
      await bench.given('pending', id);
      await bench.jobs.card(id);
      return { kind: 'change-card', id };
    };
    const began = Date.now();
    const ids = [1, 2, 3, 4, 5].map((number) => `c${number}`);
    await Promise.all(ids.map(() => bench.slack.as('U0ALICE').slash('add linux node a 10.0.0.8', OPS)));
    const sign = (id: string) =>
      bench.slack
        .messages(OPS)
        .find(
          (message) => message.metadata?.event_payload['id'] === id || message.text.includes(`\`${id}\``),
        );
    await until('every sign', () => ids.every((id) => sign(id) !== undefined));
    for (const id of ids) expect([id, (sign(id)?.versions[0]?.at ?? 0) - began < 3000]).toEqual([id, true]);
    await until('every card', () => ids.every((id) => bench.cards(id).length === 1));
    expect(told('U0ALICE')).toHaveLength(4);
    for (const text of told('U0ALICE')) expect(text).toContain('is on its way');
    expect(bench.slack.violations).toEqual([]);
  });

  test('a mention in a thread is answered there', async () => {
    const root = bench.slack.say('U0BOB', OPS, 'hello');
    await bench.slack.as('U0BOB').mention('nodes', OPS, root.ts);
    await bench.slack.waitFor(
      (each) => each.text.startsWith('Reading 3 hosts') && each.threadTs === root.ts,
      5000,
    );
    expect(ran).toMatchObject([{ actor: { id: 'T1:U0BOB', via: 'mention' }, origin: { thread: root.ts } }]);
    expect(bench.slack.violations).toEqual([]);
  });

  test('curly quotes, dashes and links are no matter', async () => {
    await bench.slack.as('U0ALICE').slash('\u00a0nodes\u200b', OPS);
    await until('an answer', () => told('U0ALICE').length === 1);
    expect(ran).toMatchObject([{ command: { kind: 'nodes' } }]);
  });

  test('health: alive and ready', async () => {
    for (const path of ['healthz', 'readyz']) {
      const response = await fetch(`http://127.0.0.1:${app.port()}/${path}`);
      expect([path, response.status]).toEqual([path, 200]);
    }
    bench.redis.disconnect();
    expect((await fetch(`http://127.0.0.1:${app.port()}/readyz`)).status).toBe(503);
    expect((await fetch(`http://127.0.0.1:${app.port()}/healthz`)).status).toBe(200);
    await bench.redis.connect();
  });
});

describe('what hangs in Bolt', () => {
  /** Middleware (`use`) is Bolt's own; architecture.test.ts sees to it that there is no other. */
  const DOORS = [
    'command',
    'event',
    'action',
    'view',
    'message',
    'shortcut',
    'options',
    'function',
    'assistant',
  ] as const;

  test('is LISTENERS and nothing else (Q2)', async () => {
    const hung: string[] = [];
    const spies = DOORS.map((door) => {
      const real = App.prototype[door] as (...args: unknown[]) => unknown;
      return jest.spyOn(App.prototype, door).mockImplementation(function (this: App, ...args: unknown[]) {
        hung.push(`${door} ${String(args[0])}`);
        return real.apply(this, args) as never;
      });
    });
    try {
      await start('socket');
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    expect(hung.sort()).toEqual(LISTENERS.map(({ kind, id }) => `${kind} ${id}`).sort());
  });
});

describe('in an Enterprise Grid', () => {
  const person = (id: string, teamId: string, teams: string[]) => ({ id, name: id, teamId, teams });

  beforeEach(() =>
    start('socket', {
      enterpriseId: 'E1',
      users: [
        { id: 'U0ALICE', name: 'alice' },
        person('U0BOB', 'T2', ['T2', 'T1']),
        person('U0EVE', 'T3', ['T3']),
      ],
    }),
  );

  test('one of ours may click with another workspace’s id; a colleague from elsewhere may not', async () => {
    await bench.slack.as('U0ALICE').slash('add linux node lin02 10.0.0.8', OPS);
    const ts = await card();
    await bench.slack.as('U0EVE').click(ts, 'approve', OPS);
    await until('an answer', () => told('U0EVE').length === 1);
    expect(told('U0EVE')[0]).toContain('another Slack workspace');
    await bench.slack.as('U0BOB').click(ts, 'approve', OPS);
    await until('an answer', () => told('U0BOB').length === 1);
    expect(told('U0BOB')[0]).toContain('Approved `c1`');
    expect((await bench.changes.get('c1')).decisions).toMatchObject([{ actor: 'T1:U0BOB' }]);
  });
});

describe('what only HTTP has', () => {
  beforeEach(() => start('http'));
  const body = new URLSearchParams({
    command: '/fairway',
    text: 'nodes',
    team_id: 'T1',
    user_id: 'U0ALICE',
  }).toString();

  test.each([
    ['a wrong secret', { secret: 'somebody-elses-secret' }],
    ['an old timestamp', { timestamp: Math.floor(Date.now() / 1000) - 301 }],
    ['no signature', { headers: { 'x-slack-signature': null } }],
    ['no timestamp', { headers: { 'x-slack-request-timestamp': null } }],
  ])('%s gets 401 and a log line', async (_name, forged) => {
    expect(await bench.slack.sendRaw({ body, ...forged })).toEqual({ status: 401, body: '' });
    expect(
      bench.logged.filter((line) => line.includes('Failed to parse and verify the request data')),
    ).toHaveLength(1);
    expect(ran).toEqual([]);
  });

  test.each([
    ['a stranger', 'U0EVE', 0],
    ['a guest who is named in the configuration', 'U0GUEST', 1],
  ])('of another workspace, %s runs %s %i commands', async (_name, user, commands) => {
    const event = {
      type: 'event_callback',
      team_id: 'T1',
      event_id: `Ev-${user}`,
      event: {
        type: 'app_mention',
        user,
        user_team: 'T9',
        text: '<@U0FAIRWAY> nodes',
        ts: '1.1',
        channel: OPS,
      },
    };
    await bench.slack.sendRaw({ body: JSON.stringify(event), contentType: 'application/json' });
    await until(
      'it was handled',
      () => ran.length + told(user).length > 0 || bench.slack.violations.length > 0,
    );
    expect(ran).toHaveLength(commands);
  });

  test('a stop waits for the command in hand', async () => {
    const run = desk.run;
    desk.run = async (...what) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return run(...what);
    };
    await bench.slack.as('U0ALICE').slash('nodes', OPS);
    expect(told('U0ALICE')).toEqual([]);
    await app.stop();
    expect(told('U0ALICE')).toHaveLength(1);
  });

  test('an event that Slack sends again runs once', async () => {
    const event = {
      type: 'event_callback',
      team_id: 'T1',
      event_id: 'Ev1',
      event: { type: 'app_mention', user: 'U0BOB', text: '<@U0FAIRWAY> nodes', ts: '1.1', channel: OPS },
    };
    const again = {
      body: JSON.stringify(event),
      contentType: 'application/json',
      headers: { 'x-slack-retry-num': '1' },
    };
    const statuses = [await bench.slack.sendRaw(again), await bench.slack.sendRaw(again)].map(
      ({ status }) => status,
    );
    expect(statuses).toEqual([200, 200]);
    await until('it ran', () => ran.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(ran).toHaveLength(1);
  });
});

describe('what only Socket Mode has', () => {
  beforeEach(() => start('socket'));

  test('a line that Slack asks to renew comes back by itself', async () => {
    bench.slack.disconnect('refresh');
    await until('the line is gone', () => bench.slack.connections() === 0);
    expect((await fetch(`http://127.0.0.1:${app.port()}/readyz`)).status).toBe(503);
    await until('the line is back', () => bench.slack.connections() === 1, 20_000);
    await bench.slack.as('U0ALICE').slash('nodes', OPS);
    await until('an answer', () => told('U0ALICE').length === 1);
    expect((await fetch(`http://127.0.0.1:${app.port()}/readyz`)).status).toBe(200);
  });
});

describe('a wrong bot token', () => {
  test.each(['socket', 'http'] as const)(
    'stops the start in %s mode, with Slack’s own word for it',
    async (mode) => {
      await prepare(mode, 'xoxb-wrong');
      await expect(app.start()).rejects.toThrow('invalid_auth');
      // For the clean-up after each test.
      app = { ...app, stop: async () => {} };
    },
  );
});
