import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type App, webApi } from '@slack/bolt';
import type { FakeSlack } from '../../../sandbox/slack/server.js';
import { type Running, startHttpApp, startSlack, startSocketApp, until, WORKSPACE } from './setup.js';

const CARD = [
  { type: 'section', block_id: 'what', text: { type: 'mrkdwn', text: '*Add* win03' } },
  {
    type: 'actions',
    block_id: 'decide',
    elements: [
      { type: 'button', action_id: 'approve', text: { type: 'plain_text', text: 'Approve' }, value: 'C-1' },
      { type: 'button', action_id: 'deny', text: { type: 'plain_text', text: 'Deny' }, value: 'C-1' },
    ],
  },
];

const MODAL: webApi.ViewsOpenArguments['view'] = {
  type: 'modal',
  callback_id: 'reason',
  title: { type: 'plain_text', text: 'Deny' },
  submit: { type: 'plain_text', text: 'Deny' },
  private_metadata: 'C-1',
  blocks: [
    {
      type: 'input',
      block_id: 'why',
      label: { type: 'plain_text', text: 'Reason' },
      element: { type: 'plain_text_input', action_id: 'text' },
    },
  ],
};

/** What the app got, in the order that it got it. */
let heard: string[] = [];

function listeners(app: App): void {
  app.command('/fairway', async ({ command, ack, client, respond }) => {
    heard.push(`slash ${command.user_id} ${command.text}`);
    if (command.text === 'silent') return;
    if (command.text === 'late') {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await ack('too late').catch(() => {});
      return;
    }
    if (command.text === 'help') {
      await ack('this is help');
      return;
    }
    await ack();
    if (command.text === 'respond') {
      for (let use = 1; use <= 6; use += 1)
        await respond({ text: `answer ${use}` }).catch((error: unknown) => heard.push(String(error)));
    }
    if (command.text === 'add')
      await client.chat.postMessage({
        channel: command.channel_id,
        text: 'card',
        blocks: CARD,
        metadata: { event_type: 'fairway_change', event_payload: { id: 'C-1', state: 'pending' } },
      });
  });
  app.action('approve', async ({ ack, body, action, respond, client }) => {
    await ack();
    heard.push(`approve ${body.user.id} ${'value' in action ? action.value : ''}`);
    if (body.type !== 'block_actions') return;
    await respond({ response_type: 'ephemeral', replace_original: false, text: 'noted' });
    const ts = body.message?.ts ?? '';
    await client.chat.update({ channel: body.channel?.id ?? '', ts, text: 'approved', blocks: [] });
  });
  app.action('deny', async ({ ack, body, client }) => {
    await ack();
    if (body.type === 'block_actions') await client.views.open({ trigger_id: body.trigger_id, view: MODAL });
  });
  app.view('reason', async ({ ack, body, view }) => {
    const text = view.state.values['why']?.['text']?.value ?? '';
    if (text === 'no') {
      await ack({ response_action: 'errors', errors: { why: 'say more' } });
      return;
    }
    await ack();
    heard.push(`reason ${body.user.id} ${view.private_metadata} ${text}`);
  });
  app.event('app_mention', async ({ event, body }) => {
    heard.push(`mention ${event.user} ${event.text} ${'thread_ts' in event ? event.thread_ts : ''}`);
    heard.push(`event_id ${body.event_id}`);
  });
  // Errors are the test's to see through the outcome.
  app.error(async () => {});
}

const DOORS: readonly [string, typeof startSocketApp][] = [
  ['Socket Mode', startSocketApp],
  ['HTTP', startHttpApp],
];

describe.each(DOORS)('a Bolt app over %s', (door, start) => {
  let slack: FakeSlack;
  let running: Running;

  beforeEach(async () => {
    heard = [];
    slack = await startSlack({ ackTimeoutMs: 300, eventRetryMs: [] });
    running = await start(slack, listeners);
  });
  afterEach(async () => {
    await running.stop();
    await slack.close();
  });

  test('answers a slash command with the body of its acknowledgement, for that user only', async () => {
    const outcome = await slack.as('U0ALICE').slash('help', 'C0NET');
    expect(outcome).toMatchObject({
      ok: true,
      via: door === 'HTTP' ? 'http' : 'socket',
      body: { text: 'this is help' },
    });
    expect(slack.messages('C0NET')).toMatchObject([{ text: 'this is help', ephemeralTo: 'U0ALICE' }]);
    expect(slack.violations).toEqual([]);
  });

  test.each(['late', 'silent'])('a %s acknowledgement is an operation_timeout', async (text) => {
    const outcome = await slack.as('U0ALICE').slash(text, 'C0NET');
    expect(outcome).toMatchObject({ ok: false, error: 'operation_timeout' });
    expect(outcome.latencyMs).toBeGreaterThan(280);
    expect(slack.messages('C0NET')).toEqual([]);
    expect(slack.violations.map((each) => each.error)).toContain('operation_timeout');
    if (door === 'Socket Mode' && text === 'late')
      await until(() => slack.violations.some((each) => each.error === 'late_ack'));
  });

  test('posts a card; its button travels with value and response_url; the update takes the blocks away', async () => {
    await slack.as('U0ALICE').slash('add', 'C0NET');
    const card = await slack.waitFor((message) => message.metadata?.event_payload['id'] === 'C-1', 2000);
    expect(card.blocks).toEqual(CARD);
    const outcome = await slack.as('U0BOB').click(card.ts, 'APPROVE', 'C0NET');
    expect(outcome).toMatchObject({ ok: true });
    await slack.waitFor((message) => message.ts === card.ts && message.text === 'approved', 2000);
    expect(heard).toEqual(['slash U0ALICE add', 'approve U0BOB C-1']);
    expect(slack.messages('C0NET').find((each) => each.text === 'noted')?.ephemeralTo).toBe('U0BOB');
    expect(slack.history(card.ts).map((version) => [version.how, version.blocks.length])).toEqual([
      ['post', 2],
      ['edit', 0],
    ]);
    // The update named no metadata, so the old one stays.
    expect(card.metadata?.event_payload['state']).toBe('pending');
    await expect(slack.as('U0BOB').click(card.ts, 'Approve', 'C0NET')).rejects.toThrow('no button "Approve"');
    expect(await slack.as('U0ALICE').click(card.ts, 'Approve', 'C0NET', { stale: true })).toMatchObject({
      ok: true,
    });
    await until(() => heard.includes('approve U0ALICE C-1'));
    expect(slack.violations).toEqual([]);
  });

  test('opens a modal; faults keep it open, a good answer closes it', async () => {
    await slack.as('U0ALICE').slash('add', 'C0NET');
    const card = await slack.waitFor((message) => message.text === 'card', 2000);
    const bob = slack.as('U0BOB');
    await bob.click(card.ts, 'deny', 'C0NET');
    await until(() => slack.views('U0BOB').length === 1);
    const [view] = slack.views('U0BOB');
    await expect(bob.submitView(view?.id ?? '', {})).rejects.toThrow('the modal needs Reason');
    expect(await bob.submitView(view?.id ?? '', { text: 'no' })).toMatchObject({
      ok: false,
      error: 'validation',
      body: { errors: { why: 'say more' } },
    });
    expect(slack.views('U0BOB')).toHaveLength(1);
    expect(await bob.submitView(view?.id ?? '', { why: 'wrong address' })).toMatchObject({ ok: true });
    expect(slack.views('U0BOB')).toEqual([]);
    expect(heard.at(-1)).toBe('reason U0BOB C-1 wrong address');
    expect(slack.violations).toEqual([]);
  });

  test('hears a mention as Slack writes it, in a thread too', async () => {
    const root = slack.say('U0BOB', 'C0NET', 'root');
    await slack
      .as('U0ALICE')
      .mention('add windows node win03 win03.corp.local & <x> 10.0.0.7', 'C0NET', root.ts);
    await until(() => heard.length === 2);
    expect(heard[0]).toBe(
      `mention U0ALICE <@U0FAIRWAY> add windows node win03 <http://win03.corp.local|win03.corp.local> &amp; &lt;x&gt; 10.0.0.7 ${root.ts}`,
    );
    expect(heard[1]).toMatch(/^event_id Ev/);
    expect(slack.violations).toEqual([]);
  });

  test('a response_url works five times', async () => {
    await slack.as('U0ALICE').slash('respond', 'C0NET');
    await until(() => heard.length === 2);
    expect(heard[1]).toContain('404');
    expect(slack.messages('C0NET').map((each) => each.text)).toEqual(
      [1, 2, 3, 4, 5].map((n) => `answer ${n}`),
    );
    expect(slack.violations).toMatchObject([{ method: 'response_url', error: 'used_url' }]);
  });
});

test('signatures: forged and old requests get 401, the right one 200', async () => {
  const slack = await startSlack();
  const running = await startHttpApp(slack, listeners);
  const body = new URLSearchParams({
    command: '/fairway',
    text: 'help',
    user_id: 'U0ALICE',
    team_id: 'T0FAKE',
  });
  const request = { body: body.toString() };
  const now = Math.floor(Date.now() / 1000);
  expect(await slack.sendRaw(request)).toEqual({ status: 200, body: 'this is help' });
  expect(await slack.sendRaw({ ...request, secret: 'another' })).toMatchObject({ status: 401 });
  expect(await slack.sendRaw({ ...request, timestamp: now - 301 })).toMatchObject({ status: 401 });
  expect(await slack.sendRaw({ ...request, headers: { 'x-slack-signature': null } })).toMatchObject({
    status: 401,
  });
  await running.stop();
  await slack.close();
});

test('two connections share the payloads, each arriving once', async () => {
  heard = [];
  const slack = await startSlack();
  const running = [await startSocketApp(slack, listeners), await startSocketApp(slack, listeners)];
  expect(slack.connections()).toBe(2);
  const texts = Array.from({ length: 10 }, (_, index) => `n${index}`);
  await Promise.all(texts.map((text) => slack.as('U0ALICE').slash(text, 'C0NET')));
  expect(heard.toSorted()).toEqual(texts.map((text) => `slash U0ALICE ${text}`));
  await Promise.all(running.map((each) => each.stop()));
  await slack.close();
});

test('after a disconnect Bolt comes back in five seconds; meanwhile commands fail, events are kept', async () => {
  heard = [];
  const slack = await startSlack({ eventRetryMs: [6500] });
  const running = await startSocketApp(slack, listeners);
  slack.disconnect('refresh');
  await until(() => slack.connections() === 0);
  expect(await slack.as('U0ALICE').slash('help', 'C0NET')).toMatchObject({
    ok: false,
    error: 'dispatch_failed',
  });
  await slack.as('U0ALICE').mention('hello', 'C0NET');
  await until(() => slack.connections() === 1, 8000);
  await until(() => heard.some((each) => each.startsWith('mention')), 4000);
  expect(await slack.as('U0ALICE').slash('help', 'C0NET')).toMatchObject({ ok: true });
  await running.stop();
  await slack.close();
});

test('files arrive by the three steps of uploadV2', async () => {
  const slack = await startSlack();
  const running = await startSocketApp(slack, () => {});
  const root = slack.say('U0BOB', 'C0NET', 'root');
  await running.app.client.files.uploadV2({
    channel_id: 'C0NET',
    thread_ts: root.ts,
    filename: 'plan.txt',
    content: 'ip route add …\n',
    initial_comment: 'The whole plan',
  });
  expect(slack.messages('C0NET').at(-1)).toMatchObject({
    threadTs: root.ts,
    text: 'The whole plan',
    files: [{ name: 'plan.txt', size: 17, content: 'ip route add …\n' }],
  });
  expect(slack.violations).toEqual([]);
  await running.stop();
  await slack.close();
});

test('more than a post a second per channel is 429, and the client waits as told', async () => {
  const slack = await startSlack();
  const running = await startSocketApp(slack, () => {});
  const waits: number[] = [];
  running.app.client.on(webApi.WebClientEvent.RATE_LIMITED, (seconds: number) => waits.push(seconds));
  const started = Date.now();
  for (let index = 0; index < 5; index += 1)
    await running.app.client.chat.postMessage({ channel: 'C0NET', text: `n${index}` });
  expect(waits).toEqual([1]);
  expect(Date.now() - started).toBeGreaterThan(950);
  expect(slack.messages('C0NET').map((each) => each.text)).toEqual(['n0', 'n1', 'n2', 'n3', 'n4']);
  // Another channel has a budget of its own.
  await running.app.client.chat.postMessage({ channel: 'C0ADS', text: 'x' });
  expect(slack.violations.map((each) => each.error)).toEqual(['ratelimited']);
  await running.stop();
  await slack.close();
});

test('wrong tokens are refused', async () => {
  const slack = await startSlack();
  const ask = async (token: string): Promise<unknown> =>
    (
      await fetch(`${slack.apiUrl}auth.test`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      })
    ).json();
  expect(await ask(WORKSPACE.botToken)).toMatchObject({ ok: true, team_id: 'T0FAKE', bot_id: 'B0FAIRWAY' });
  expect(await ask('xoxb-other')).toMatchObject({ ok: false, error: 'invalid_auth' });
  expect(await ask(WORKSPACE.appToken)).toMatchObject({ ok: false, error: 'not_allowed_token_type' });
  await slack.close();
});
