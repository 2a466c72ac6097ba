/** Reading shared files, from the fake Slack that serves them as Slack does. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type FakeSlack, startFakeSlack } from '../../sandbox/slack/server.js';
import { isRefusal } from '../../src/errors.js';
import { createLog } from '../../src/log.js';
import { createFiles, type Files } from '../../src/slack/files.js';
import type { SharedFile } from '../../src/slack/shared-file.js';
import { createWebClient } from '../../src/slack/web.js';
import { OPS, TOKENS } from './support/bench.js';

let slack: FakeSlack;
const YAML = /\.yaml$/;

beforeAll(async () => {
  slack = await startFakeSlack({
    ...TOKENS,
    teamId: 'T1',
    users: [{ id: 'U0ALICE', name: 'alice' }],
    channels: [{ id: OPS, name: 'ops' }],
  });
});
afterAll(() => slack.close());

function filesFor(token = TOKENS.botToken, apiUrl: string | undefined = slack.apiUrl): Files {
  const client = createWebClient(token, { apiUrl: slack.apiUrl, log: createLog('silent') });
  return createFiles(client, { token, apiUrl });
}

async function share(content: string): Promise<SharedFile> {
  const { ts } = slack.as('U0ALICE').share([{ name: 'a.yaml', content }], OPS);
  const file = await filesFor().newestIn(OPS, ts, YAML);
  if (!file) throw new Error('it was not found');
  return file;
}

async function refusal(act: Promise<unknown>): Promise<unknown> {
  return act.then(
    () => 'none',
    (error: unknown) => (isRefusal(error) ? [error.code, error.facts] : error),
  );
}

test('its text, as it was written', async () => {
  expect(await filesFor().text(await share('kind: Pod # ü\n'), 100)).toBe('kind: Pod # ü\n');
  expect(await filesFor().text(await share('\ufeffkind: Pod'), 100)).toBe('kind: Pod');
});

test('what PowerShell writes into a file is UTF-16', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).end(Buffer.from('\ufeffkind: Pod', 'utf16le'));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = { id: 'F1', url_private: `${url}/files-pri/T1-F1/a.yaml` };
  expect(await filesFor(TOKENS.botToken, `${url}/api/`).text(file, 100)).toBe('kind: Pod');
  server.close();
});

test('the bot’s token goes to the place where Slack keeps files, and nowhere else', async () => {
  const file = await share('x');
  const elsewhere = [
    'http://127.0.0.1:1/files-pri/x',
    'https://files.slack.com.evil.test/x',
    'file:///etc/passwd',
    '',
  ];
  for (const url of elsewhere)
    expect(await refusal(filesFor().text({ ...file, url_private: url }, 100))).toEqual([
      'file-unreadable',
      { name: 'a.yaml', why: 'not_in_slack' },
    ]);
  // Slack's own place is the only one unless another Slack is configured.
  expect(await refusal(createFiles({} as never, { token: 'x' }).text(file, 100))).toMatchObject([
    'file-unreadable',
    { why: 'not_in_slack' },
  ]);
});

test('without the right to read files', async () => {
  const file = await share('x');
  expect(await refusal(filesFor('xoxb-other').text(file, 100))).toEqual([
    'file-unreadable',
    { name: 'a.yaml', why: 'missing_scope' },
  ]);
  expect(await refusal(filesFor('xoxb-other').newestIn(OPS, '1.1', YAML))).toEqual([
    'file-unreadable',
    { name: '', why: 'invalid_auth' },
  ]);
});

test('no more than asked for, whatever size is announced', async () => {
  const file = await share('x'.repeat(5000));
  for (const size of [5000, 1, null])
    expect(await refusal(filesFor().text({ ...file, size }, 4000))).toEqual([
      'file-too-big',
      { name: 'a.yaml', most: 4000 },
    ]);
});
