import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { isObj, type Obj, type Sight } from '../../../sandbox/slack/types.js';
import { escapedCommandText, messageText, smartPunctuation } from '../../../sandbox/slack/typing.js';
import { startSlack, startSocketApp, until, WORKSPACE } from './setup.js';

const MODAL = {
  type: 'modal' as const,
  title: { type: 'plain_text' as const, text: 'T' },
  blocks: [{ type: 'divider' as const }],
};

const directory = {
  users: WORKSPACE.users,
  channels: WORKSPACE.channels,
  bot: { userId: 'U0FAIRWAY', name: 'fairway' },
};

test.each([
  ['add node win03 10.0.0.7', 'add node win03 10.0.0.7'],
  ['@Fairway see win03.corp.local', '<@U0FAIRWAY> see <http://win03.corp.local|win03.corp.local>'],
  ['https://x.org/?a=1&b=2', '<https://x.org/?a=1&amp;b=2>'],
  ['root@web1.corp', '<mailto:root@web1.corp|root@web1.corp>'],
  ['@bob in #ads: a<b', '<@U0BOB> in #ads: a&lt;b'],
  ['#ads', '<#C0ADS|>'],
])('Slack writes %j as %j', (typed, sent) => {
  expect(messageText(typed, directory)).toBe(sent);
});

test('should_escape names users and channels; phones curl quotes and dashes', () => {
  expect(escapedCommandText('mute @bob #ads', directory)).toBe('mute <@U0BOB|bob> <#C0ADS|ads>');
  expect(smartPunctuation(`say "it's" --now`)).toBe('say “it’s” —now');
});

test('a trigger_id works once, and for three seconds', async () => {
  const slack = await startSlack();
  const errors: string[] = [];
  const running = await startSocketApp(slack, (app) => {
    app.command('/fairway', async ({ ack, client, command }) => {
      await ack();
      const open = () =>
        client.views
          .open({ trigger_id: command.trigger_id, view: MODAL })
          .catch((error: { data: { error: string } }) => {
            errors.push(error.data.error);
          });
      if (command.text === 'late') await new Promise((resolve) => setTimeout(resolve, 3050));
      else await open();
      await open();
    });
  });
  await slack.as('U0ALICE').slash('twice', 'C0NET');
  await slack.as('U0ALICE').slash('late', 'C0NET');
  await until(() => errors.length === 2);
  expect(errors).toEqual(['exchanged_trigger_id', 'expired_trigger_id']);
  expect(slack.views('U0ALICE')).toHaveLength(1);
  await running.stop();
  await slack.close();
});

test('a button on an ephemeral answer replaces it through its response_url; nobody else may click it', async () => {
  const slack = await startSlack();
  const running = await startSocketApp(slack, (app) => {
    app.command('/fairway', ({ ack }) =>
      ack({
        text: 'did you mean nodes?',
        blocks: [
          {
            type: 'actions',
            elements: [
              {
                type: 'button',
                action_id: 'run',
                text: { type: 'plain_text', text: 'Run it' },
                value: 'nodes',
              },
            ],
          },
        ],
      }),
    );
    app.action('run', async ({ ack, respond }) => {
      await ack();
      await respond({ replace_original: true, text: 'lin01' });
    });
  });
  await slack.as('U0ALICE').slash('nods', 'C0NET');
  const [answer] = slack.messages('C0NET');
  await expect(slack.as('U0BOB').click(answer?.ts ?? '', 'run it', 'C0NET')).rejects.toThrow('no message');
  await slack.as('U0ALICE').click(answer?.ts ?? '', 'run it', 'C0NET');
  await until(() => slack.messages('C0NET')[0]?.text === 'lin01');
  expect(slack.messages('C0NET')).toHaveLength(1);
  expect(slack.violations).toEqual([]);
  await running.stop();
  await slack.close();
});

test('an event that fails over HTTP comes again, numbered, with the same event_id', async () => {
  const got: { headers: IncomingHttpHeaders; body: Obj }[] = [];
  const app = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      got.push({ headers: request.headers, body: isObj(body) ? body : {} });
      response.writeHead(got.length < 3 ? 500 : 200).end();
    });
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const appUrl = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
  const slack = await startSlack({ appUrl, eventRetryMs: [0, 20, 20] });
  expect(await slack.as('U0ALICE').mention('hello', 'C0NET')).toMatchObject({
    ok: false,
    error: 'dispatch_failed',
    status: 500,
  });
  await until(() => got.length === 3);
  expect(got.map(({ headers }) => [headers['x-slack-retry-num'], headers['x-slack-retry-reason']])).toEqual([
    [undefined, undefined],
    ['1', 'http_error'],
    ['2', 'http_error'],
  ]);
  expect(new Set(got.map(({ body }) => body['event_id'])).size).toBe(1);
  await slack.close();
  app.closeAllConnections();
  await new Promise((resolve) => app.close(resolve));
});

test('nobody connected: a command is refused by Slack itself', async () => {
  const slack = await startSlack();
  expect(await slack.as('U0ALICE').slash('help', 'C0NET')).toMatchObject({
    ok: false,
    error: 'dispatch_failed',
    via: 'none',
  });
  await expect(slack.waitFor((message) => message.text === 'x', 20)).rejects.toThrow(
    'no such message within 20 ms',
  );
  expect(() => slack.as('U0NOBODY')).toThrow('no user U0NOBODY');
  await slack.close();
});

test('a socket needs a fresh ticket, and an app may hold ten', async () => {
  const slack = await startSlack();
  const open = async (): Promise<string> => {
    const response = await fetch(`${slack.apiUrl}apps.connections.open`, {
      method: 'POST',
      headers: { authorization: `Bearer ${WORKSPACE.appToken}` },
    });
    return ((await response.json()) as { url: string }).url;
  };
  const firstFrame = (url: string): Promise<{ frame: unknown; socket: WebSocket }> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.once('message', (data) => resolve({ frame: JSON.parse(String(data)), socket }));
      socket.once('error', reject);
    });
  const url = await open();
  const sockets = [await firstFrame(url)];
  expect(sockets[0]?.frame).toMatchObject({ type: 'hello', num_connections: 1 });
  await expect(firstFrame(url)).rejects.toThrow('401');
  while (sockets.length < 11) sockets.push(await firstFrame(await open()));
  expect(sockets[10]?.frame).toEqual({ type: 'disconnect', reason: 'too_many_websockets' });
  expect(slack.connections()).toBe(10);
  for (const { socket } of sockets) socket.terminate();
  await slack.close();
});

test('the control port streams what its users see, and says no in words', async () => {
  const slack = await startSlack();
  const running = await startSocketApp(slack, (app) => {
    app.command('/fairway', ({ ack, command }) => ack(`hello ${command.user_name}`));
  });
  const sights: Sight[] = [];
  const stream = new WebSocket(
    `${slack.url.replace('http', 'ws')}/sandbox/stream?user=U0ALICE&channel=C0NET`,
  );
  stream.on('message', (data) => sights.push(JSON.parse(String(data)) as Sight));
  await new Promise((resolve) => stream.once('open', resolve));
  const ask = async (path: string, body: Obj): Promise<unknown> => {
    const response = await fetch(`${slack.url}/sandbox/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return { status: response.status, ...((await response.json()) as object) };
  };
  expect(await ask('slash', { user: 'U0BOB', channel: 'C0NET', text: 'x' })).toMatchObject({ ok: true });
  expect(await ask('slash', { user: 'U0ALICE', channel: 'C0ADS', text: 'x' })).toMatchObject({ ok: true });
  expect(await ask('slash', { user: 'U0ALICE', channel: 'C0NET', text: 'x' })).toMatchObject({
    ok: true,
    via: 'socket',
    body: { text: 'hello alice' },
  });
  slack.say('U0BOB', 'C0NET', 'for all');
  await until(() => sights.length === 2);
  expect(sights.map((sight) => (sight.type === 'view' ? '' : sight.message.text))).toEqual([
    'hello alice',
    'for all',
  ]);
  expect(await ask('click', { user: 'U0ALICE', channel: 'C0NET', ts: '1', control: 'x' })).toMatchObject({
    status: 400,
    error: 'no message 1 to click in',
  });
  stream.terminate();
  await running.stop();
  await slack.close();
});

test('history and replies hold what was posted, without ephemerals, and metadata on demand', async () => {
  const slack = await startSlack({ refuse: {} });
  const running = await startSocketApp(slack, () => {});
  const { client } = running.app;
  const metadata = { event_type: 'fairway_change', event_payload: { id: 'C-1' } };
  const { ts: first = '' } = await client.chat.postMessage({ channel: 'C0NET', text: 'one', metadata });
  await client.chat.postMessage({ channel: 'C0NET', text: 'reply', thread_ts: first });
  await client.chat.postEphemeral({ channel: 'C0NET', user: 'U0BOB', text: 'secret' });
  await client.chat.postMessage({ channel: 'C0NET', text: 'two' });
  const texts = (answer: { messages?: { text?: string }[] }) => answer.messages?.map((each) => each.text);
  expect(texts(await client.conversations.history({ channel: 'C0NET' }))).toEqual(['two', 'one']);
  expect(texts(await client.conversations.history({ channel: 'C0NET', oldest: first }))).toEqual(['two']);
  expect(texts(await client.conversations.replies({ channel: 'C0NET', ts: first }))).toEqual([
    'one',
    'reply',
  ]);
  const bare = await client.conversations.history({ channel: 'C0NET' });
  const full = await client.conversations.history({ channel: 'C0NET', include_all_metadata: true });
  expect([bare.messages?.[1]?.metadata, full.messages?.[1]?.metadata]).toEqual([undefined, metadata]);
  expect(slack.violations).toEqual([]);
  await running.stop();
  await slack.close();
});

test('a post to a user is a direct message, which only they see, and may be edited', async () => {
  const slack = await startSlack();
  const running = await startSocketApp(slack, () => {});
  const { client } = running.app;
  const { channel = '', ts = '' } = await client.chat.postMessage({ channel: 'U0BOB', text: 'for you' });
  await client.chat.update({ channel, ts, text: 'for you, edited' });
  const seen = async (user: string): Promise<unknown> =>
    (await fetch(`${slack.url}/sandbox/messages?user=${user}&channel=${channel}`)).json();
  expect(await seen('U0BOB')).toMatchObject([{ text: 'for you, edited' }]);
  expect(await seen('U0ALICE')).toEqual([]);
  expect(slack.violations).toEqual([]);
  await running.stop();
  await slack.close();
});

test('methods refuse as the workspace is set up; history is out of scope unless said otherwise', async () => {
  const ask = async (apiUrl: string, method: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${WORKSPACE.botToken}` };
    return (await fetch(apiUrl + method, { method: 'POST', headers })).json();
  };
  const usual = await startSlack();
  const free = await startSlack({ refuse: { 'usergroups.list': 'plan_upgrade_required' } });
  expect(await ask(usual.apiUrl, 'conversations.history')).toMatchObject({ error: 'missing_scope' });
  expect(await ask(usual.apiUrl, 'usergroups.list')).toMatchObject({ ok: true });
  expect(await ask(free.apiUrl, 'usergroups.list')).toMatchObject({ error: 'plan_upgrade_required' });
  expect(await ask(free.apiUrl, 'conversations.history')).toMatchObject({ error: 'channel_not_found' });
  await usual.close();
  await free.close();
});

test('close ends every connection, upgraded or idle', async () => {
  const slack = await startSlack();
  const stream = new WebSocket(`${slack.url.replace('http', 'ws')}/sandbox/stream?user=U0ALICE`);
  await new Promise((resolve) => stream.once('open', resolve));
  await (await fetch(`${slack.url}/sandbox/`)).text();
  const ended = new Promise((resolve) => stream.once('close', resolve));
  await slack.close();
  await ended;
  await expect(fetch(`${slack.url}/sandbox/`)).rejects.toThrow('fetch failed');
});
