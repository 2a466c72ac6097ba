import { describe, expect, test } from '@jest/globals';
import { checkMessageBlocks, checkView } from '../../../sandbox/slack/limits.js';
import type { Obj } from '../../../sandbox/slack/types.js';
import { startSlack, WORKSPACE } from './setup.js';

const long = (length: number): string => 'x'.repeat(length);
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const plain = (text: string): Obj => ({ type: 'plain_text', text });
const mrkdwn = (text: string): Obj => ({ type: 'mrkdwn', text });
const section = (text: string): Obj => ({ type: 'section', text: mrkdwn(text) });
const button = (id: string, more: Obj = {}): Obj => ({
  type: 'button',
  action_id: id,
  text: plain('Go'),
  ...more,
});
const actions = (...elements: Obj[]): Obj => ({ type: 'actions', elements });
const cell = (text: string): Obj => ({ type: 'raw_text', text });
const table = (rows: number, cells: number, text = 'x'): Obj => ({
  type: 'table',
  rows: times(rows, () => times(cells, () => cell(text))),
});
const modal = (more: Obj): Obj => ({ type: 'modal', title: plain('T'), blocks: [section('x')], ...more });
const option = (text: string): Obj => ({ text: plain(text), value: 'v' });
const select = (count: number): Obj => ({
  type: 'static_select',
  action_id: 's',
  options: times(count, (index) => option(`${index}`)),
});

/** What is at the limit is taken; one more is refused, at that place. */
const CASES: readonly [string, Obj[], Obj[], string, string?][] = [
  ['50 blocks', times(50, () => section('x')), times(51, () => section('x')), '/blocks]'],
  ['section text 3000', [section(long(3000))], [section(long(3001))], '/blocks/0/text/text'],
  ['no empty text', [section('x')], [section('')], '/blocks/0/text/text'],
  [
    'header 150',
    [{ type: 'header', text: plain(long(150)) }],
    [{ type: 'header', text: plain(long(151)) }],
    '/blocks/0/text/text',
  ],
  [
    'header is plain text',
    [{ type: 'header', text: plain('x') }],
    [{ type: 'header', text: mrkdwn('x') }],
    '/blocks/0/text',
  ],
  [
    '10 fields',
    [{ type: 'section', fields: times(10, () => mrkdwn('x')) }],
    [{ type: 'section', fields: times(11, () => mrkdwn('x')) }],
    '/blocks/0/fields',
  ],
  [
    'field text 2000',
    [{ type: 'section', fields: [mrkdwn(long(2000))] }],
    [{ type: 'section', fields: [mrkdwn(long(2001))] }],
    '/blocks/0/fields/0/text',
  ],
  [
    '10 context elements',
    [{ type: 'context', elements: times(10, () => mrkdwn('x')) }],
    [{ type: 'context', elements: times(11, () => mrkdwn('x')) }],
    '/blocks/0/elements',
  ],
  [
    '25 actions',
    [actions(...times(25, (n) => button(`b${n}`)))],
    [actions(...times(26, (n) => button(`b${n}`)))],
    '/blocks/0/elements',
  ],
  [
    'one action_id a block',
    [actions(button('a'), button('b'))],
    [actions(button('a'), button('a'))],
    '/blocks/0/elements/1/action_id',
  ],
  [
    'button text 75',
    [actions(button('a', { text: plain(long(75)) }))],
    [actions(button('a', { text: plain(long(76)) }))],
    '/blocks/0/elements/0/text/text',
  ],
  [
    'button value 2000',
    [actions(button('a', { value: long(2000) }))],
    [actions(button('a', { value: long(2001) }))],
    '/blocks/0/elements/0/value',
  ],
  [
    'button style',
    [actions(button('a', { style: 'danger' }))],
    [actions(button('a', { style: 'red' }))],
    '/blocks/0/elements/0/style',
  ],
  [
    'action_id 255',
    [actions(button(long(255)))],
    [actions(button(long(256)))],
    '/blocks/0/elements/0/action_id',
  ],
  [
    'block_id 255',
    [{ ...section('x'), block_id: long(255) }],
    [{ ...section('x'), block_id: long(256) }],
    '/blocks/0/block_id',
  ],
  [
    'one block_id a message',
    [
      { ...section('x'), block_id: 'a' },
      { ...section('x'), block_id: 'b' },
    ],
    [
      { ...section('x'), block_id: 'a' },
      { ...section('x'), block_id: 'a' },
    ],
    '/blocks/1/block_id',
  ],
  [
    'confirm text 300',
    [actions(button('a', { confirm: { text: mrkdwn(long(300)) } }))],
    [actions(button('a', { confirm: { text: mrkdwn(long(301)) } }))],
    '/confirm/text',
  ],
  [
    'confirm button 30',
    [actions(button('a', { confirm: { text: mrkdwn('x'), confirm: plain(long(30)) } }))],
    [actions(button('a', { confirm: { text: mrkdwn('x'), confirm: plain(long(31)) } }))],
    '/confirm/confirm',
  ],
  ['100 options', [actions(select(100))], [actions(select(101))], '/blocks/0/elements/0/options'],
  ['100 table rows', [table(100, 1)], [table(101, 1)], '/blocks/0/rows'],
  ['20 table cells', [table(1, 20)], [table(1, 21)], '/blocks/0/rows/0'],
  ['no empty cell', [table(1, 1)], [table(1, 1, '')], '/blocks/0/rows/0/0/text'],
  [
    '10000 characters of tables',
    [table(10, 10, long(100))],
    [table(10, 10, long(100)), table(1, 1)],
    'table cells',
  ],
  [
    'markdown 12000',
    [{ type: 'markdown', text: long(12_000) }],
    [{ type: 'markdown', text: long(12_001) }],
    '/blocks/0/text',
  ],
  ['known types', [{ type: 'divider' }], [{ type: 'nope' }], '/blocks/0/type'],
  ['known elements', [actions(button('a'))], [actions({ type: 'nope' })], '/blocks/0/elements/0/type'],
  [
    'no empty rich text',
    [
      {
        type: 'rich_text',
        elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'x' }] }],
      },
    ],
    [
      {
        type: 'rich_text',
        elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: '' }] }],
      },
    ],
    '/elements/0/elements/0/text',
  ],
  [
    'task status',
    [{ type: 'task_card', task_id: '1', title: 'x', status: 'complete' }],
    [{ type: 'plan', title: 'x', tasks: [{ task_id: '1', title: 'x', status: 'completed' }] }],
    '/blocks/0/tasks/0/status',
  ],
  [
    '13,200 characters in all',
    times(10, () => section(long(1320))),
    times(11, () => section(long(1320))),
    'in all blocks',
    'msg_blocks_too_long',
  ],
];

describe('message blocks', () => {
  test.each(CASES)('%s', (_name, taken, refused, place, error = 'invalid_blocks') => {
    expect(checkMessageBlocks(taken)).toEqual([]);
    const [problem] = checkMessageBlocks(refused);
    expect(problem?.error).toBe(error);
    expect(problem?.detail).toContain(place);
  });
});

const VIEWS: readonly [string, Obj, Obj, string][] = [
  ['title 24', modal({ title: plain(long(24)) }), modal({ title: plain(long(25)) }), '/view/title'],
  ['submit 24', modal({ submit: plain(long(24)) }), modal({ submit: plain(long(25)) }), '/view/submit'],
  [
    'private_metadata 3000',
    modal({ private_metadata: long(3000) }),
    modal({ private_metadata: long(3001) }),
    '/view/private_metadata',
  ],
  [
    'callback_id 255',
    modal({ callback_id: long(255) }),
    modal({ callback_id: long(256) }),
    '/view/callback_id',
  ],
  [
    '100 blocks',
    modal({ blocks: times(100, () => section('x')) }),
    modal({ blocks: times(101, () => section('x')) }),
    '/blocks]',
  ],
  ['no table', modal({}), modal({ blocks: [table(1, 1)] }), 'not allowed on this surface'],
  [
    'inputs need a submit button',
    modal({
      submit: plain('Go'),
      blocks: [{ type: 'input', label: plain('L'), element: { type: 'plain_text_input' } }],
    }),
    modal({ blocks: [{ type: 'input', label: plain('L'), element: { type: 'plain_text_input' } }] }),
    '/view/submit',
  ],
];

describe('views', () => {
  test.each(VIEWS)('%s', (_name, taken, refused, place) => {
    expect(checkView(taken)).toEqual([]);
    expect(checkView(refused)[0]?.detail).toContain(place);
  });
});

describe('over the wire', () => {
  const call = async (apiUrl: string, method: string, args: Obj, json = false): Promise<unknown> => {
    const fields = Object.entries(args).map(([key, value]): [string, string] => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
    const response = await fetch(apiUrl + method, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${WORKSPACE.botToken}`,
        'content-type': json ? 'application/json; charset=utf-8' : 'application/x-www-form-urlencoded',
      },
      body: json ? JSON.stringify(args) : new URLSearchParams(fields).toString(),
    });
    return { status: response.status, ...((await response.json()) as object) };
  };

  const REFUSED: readonly [string, Obj, string][] = [
    ['chat.postMessage', { channel: 'C0NOPE', text: 'x' }, 'channel_not_found'],
    ['chat.postMessage', { channel: 'C0NET' }, 'no_text'],
    ['chat.postMessage', { channel: 'C0NET', text: 'x', thread_ts: '1.000000' }, 'thread_not_found'],
    ['chat.postMessage', { channel: 'C0NET', text: 'x', blocks: [{ type: 'nope' }] }, 'invalid_blocks'],
    ['chat.postMessage', { channel: 'C0NET', text: 'x', metadata: { a: 1 } }, 'invalid_metadata_format'],
    ['chat.postEphemeral', { channel: 'C0NET', user: 'U0NOBODY', text: 'x' }, 'user_not_in_channel'],
    ['chat.update', { channel: 'C0NET', ts: '1.000000', text: 'x' }, 'message_not_found'],
    ['chat.delete', { channel: 'C0NET', ts: '1.000000' }, 'message_not_found'],
    ['views.open', { trigger_id: 'made.up', view: modal({}) }, 'invalid_trigger_id'],
    ['views.update', { view_id: 'V0', view: modal({}) }, 'not_found'],
    ['users.info', { user: 'U0NOBODY' }, 'user_not_found'],
    ['usergroups.users.list', { usergroup: 'S0NONE' }, 'no_such_subteam'],
    ['files.completeUploadExternal', { files: [{ id: 'F0' }], channel_id: 'C0NET' }, 'file_not_found'],
    ['chat.nope', {}, 'unknown_method'],
  ];

  test.each(REFUSED)('%s %j is %s, by form and by JSON, and on record', async (method, args, error) => {
    const slack = await startSlack();
    expect(await call(slack.apiUrl, method, args)).toMatchObject({ status: 200, ok: false, error });
    expect(await call(slack.apiUrl, method, args, true)).toMatchObject({ status: 200, ok: false, error });
    expect(slack.violations.map((each) => [each.method, each.error])).toEqual([
      [method, error],
      [method, error],
    ]);
    await slack.close();
  });

  test('only the own message may be edited; text alone takes the blocks away', async () => {
    const slack = await startSlack();
    const other = slack.say('U0BOB', 'C0NET', 'mine');
    expect(
      await call(slack.apiUrl, 'chat.update', { channel: 'C0NET', ts: other.ts, text: 'x' }),
    ).toMatchObject({
      error: 'cant_update_message',
    });
    const { ts } = (await call(slack.apiUrl, 'chat.postMessage', {
      channel: '#netops',
      text: 'a',
      blocks: [section('a')],
    })) as { ts: string };
    await call(slack.apiUrl, 'chat.update', { channel: 'C0NET', ts, text: 'b' }, true);
    expect(slack.messages('C0NET').at(-1)).toMatchObject({ text: 'b', blocks: [] });
    await slack.close();
  });

  test('text over 40,000 characters is cut', async () => {
    const slack = await startSlack();
    await call(slack.apiUrl, 'chat.postMessage', { channel: 'C0NET', text: long(40_001) });
    expect(slack.messages('C0NET')[0]?.text).toHaveLength(40_000);
    expect(slack.violations).toMatchObject([{ error: 'message_truncated' }]);
    await slack.close();
  });

  test('chat.update has a budget a minute, which a bench may switch off', async () => {
    const tight = await startSlack({ rateLimits: { perMinute: { 'chat.update': 3 } } });
    const free = await startSlack({ rateLimits: { perMinute: false, post: false } });
    const statuses: unknown[] = [];
    for (const slack of [tight, free]) {
      const { ts } = (await call(slack.apiUrl, 'chat.postMessage', { channel: 'C0NET', text: 'a' })) as {
        ts: string;
      };
      for (let edit = 0; edit < 4; edit += 1) {
        const { status } = (await call(slack.apiUrl, 'chat.update', {
          channel: 'C0NET',
          ts,
          text: `${edit}`,
        })) as {
          status: number;
        };
        statuses.push(status);
      }
      await slack.close();
    }
    expect(statuses).toEqual([200, 200, 200, 429, 200, 200, 200, 200]);
  });
});
