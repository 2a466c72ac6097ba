import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from '@slack/bolt';
import { type PromptOptions, runPrompt } from '../../../sandbox/prompt/run.js';
import type { FakeSlack } from '../../../sandbox/slack/server.js';
import { type Running, startSlack, startSocketApp } from '../slack/setup.js';

let slack: FakeSlack;
let running: Running;
let next = 1;

/** A bot with the manners of ours: cards with metadata, marked refusals, a form for the reason. */
function tinyBot(app: App): void {
  const card = (id: string, state: string, line: string) => ({
    text: `${id} ${state}`,
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: `*${id}* ${line}` } },
      ...(state === 'pending'
        ? [
            {
              type: 'actions',
              elements: ['Approve', 'Deny'].map((label) => ({
                type: 'button',
                action_id: label.toLowerCase(),
                value: id,
                text: { type: 'plain_text', text: label },
              })),
            },
          ]
        : []),
    ],
    metadata: { event_type: 'fairway_change', event_payload: { id, state } },
  });
  app.command('/fairway', async ({ command, ack, client, respond }) => {
    const refused = (text: string) => ({
      text,
      blocks: [{ type: 'section', block_id: 'refused', text: { type: 'mrkdwn', text } }],
    });
    const channel = command.channel_id;
    // Something else moves on a card meanwhile.
    const distract = async (): Promise<void> => {
      const old = slack.messages(channel).find((each) => each.metadata !== undefined);
      if (old?.metadata) {
        const { id, state } = old.metadata.event_payload as { id: string; state: string };
        await client.chat.update({ channel, ts: old.ts, ...card(id, state, `moves ${Math.random()}`) });
      }
      await new Promise((resolve) => setTimeout(resolve, 150));
    };
    if (command.text === 'nodes') await ack('lin01, win01');
    else if (command.text === 'export') {
      const text = '```\n# a < b &amp; c\n- lin01\n```';
      await ack({
        text,
        blocks: [{ type: 'section', text: { type: 'mrkdwn', text: text.replace('<', '&lt;') } }],
      });
    } else if (command.text.startsWith('check')) {
      const more = { response_type: 'ephemeral', replace_original: false } as const;
      const section = { type: 'section', block_id: 'follows', text: { type: 'mrkdwn', text: 'Looking…' } };
      await ack({ text: 'Looking…', blocks: [section] });
      await distract();
      if (command.text === 'check well') await respond({ text: 'All is well.', ...more });
      if (command.text === 'check badly') await respond({ ...refused('There is no such host.'), ...more });
    } else if (command.text === 'ponder') {
      await ack();
      await distract();
      await respond({
        ...refused('On reflection, no.'),
        response_type: 'ephemeral',
        replace_original: false,
      });
    } else if (!command.text.startsWith('add'))
      await ack(refused(`There is no \`${command.text}\`. Try help.`));
    else {
      await ack();
      if (command.text.includes('late')) {
        await distract();
        if (command.text.includes('announced')) {
          const text = 'Its card comes.';
          const section = { type: 'section', block_id: `change-C-${next}`, text: { type: 'mrkdwn', text } };
          await respond({ text, blocks: [section], response_type: 'ephemeral', replace_original: false });
          await distract();
        }
      }
      const id = `C-${next++}`;
      const { ts = '' } = await client.chat.postMessage({
        channel,
        ...card(id, 'planning', 'reading 3 hosts'),
      });
      const [end = 'pending'] = /stale|refused/.exec(command.text) ?? [];
      if (end === 'refused') await distract();
      await client.chat.update({
        channel,
        ts,
        ...card(id, end, `is ${end}; a plan of ${'many words '.repeat(12)}`),
      });
    }
  });
  app.action('approve', async ({ ack, body, action, client, respond }) => {
    await ack();
    if (body.type !== 'block_actions' || action.type !== 'button') return;
    if (body.user.id === 'U0ALICE') {
      await respond({
        text: ':no_entry: Another person approves.',
        response_type: 'ephemeral',
        replace_original: false,
      });
      return;
    }
    const [channel, ts, id] = [body.channel?.id ?? '', body.message?.ts ?? '', action.value ?? ''];
    await respond({ text: 'Approved.', response_type: 'ephemeral', replace_original: false });
    for (const [state, line] of [
      ['applying', '1 of 3 hosts'],
      ['applying', '1 of 3 hosts'],
      ['applying', '3 of 3 hosts'],
      ['applied', 'is done'],
    ] as const)
      await client.chat.update({ channel, ts, ...card(id, state, line) });
  });
  app.action('deny', async ({ ack, body, client }) => {
    await ack();
    if (body.type !== 'block_actions') return;
    await client.views.open({
      trigger_id: body.trigger_id,
      view: {
        type: 'modal',
        callback_id: 'reason',
        private_metadata: JSON.stringify([body.channel?.id, body.message?.ts, body.response_url]),
        title: { type: 'plain_text', text: 'Deny' },
        submit: { type: 'plain_text', text: 'Deny' },
        blocks: [
          {
            type: 'input',
            block_id: 'why',
            label: { type: 'plain_text', text: 'Reason' },
            element: { type: 'plain_text_input', action_id: 'text' },
          },
        ],
      },
    });
  });
  app.view('reason', async ({ ack, view, client }) => {
    const text = view.state.values['why']?.['text']?.value ?? '';
    if (text.length < 3) {
      await ack({ response_action: 'errors', errors: { why: 'Say more.' } });
      return;
    }
    await ack();
    const [channel = '', ts = '', url = ''] = JSON.parse(view.private_metadata) as string[];
    const id = slack.messages(channel).find((each) => each.ts === ts)?.metadata?.event_payload['id'];
    await client.chat.update({ channel, ts, ...card(String(id), 'denied', `denied: ${text}`) });
    const answer = { text: 'Denied.', response_type: 'ephemeral', replace_original: false };
    await fetch(url, { method: 'POST', body: JSON.stringify(answer) });
  });
}

beforeAll(async () => {
  slack = await startSlack({ rateLimits: { post: false, perMinute: false } });
  running = await startSocketApp(slack, tinyBot);
});
afterAll(async () => {
  await running.stop();
  await slack.close();
});

/** Runs lines; answers the exit code and everything printed. */
async function prompt(
  lines: string[],
  more: Partial<PromptOptions> = {},
): Promise<{ code: number; printed: string }> {
  const input = new PassThrough();
  const output = new PassThrough();
  const chunks: Buffer[] = [];
  output.on('data', (chunk: Buffer) => chunks.push(chunk));
  input.end(lines.map((line) => `${line}\n`).join(''));
  const code = await runPrompt({
    slackUrl: slack.url,
    identities: { alice: 'U0ALICE', bob: 'U0BOB' },
    channel: 'netops',
    input,
    output,
    script: true,
    patienceMs: 1000,
    ...more,
  });
  return { code, printed: Buffer.concat(chunks).toString() };
}

describe('a script', () => {
  test('adds, is refused, approves as somebody else, waits and expects', async () => {
    next = 1;
    const { code, printed } = await prompt([
      '# the newcomer',
      'nodes',
      'expect lin01, win01',
      'add windows node win03 10.0.0.7',
      'wait $id until pending for 5',
      '! click approve',
      'expect Another person approves.',
      'as bob',
      'click approve c-1',
      'wait C-1 for 5',
      'expect C-1 is done',
    ]);
    expect(printed).toBe(`alice> # the newcomer
alice> nodes
┌ Fairway · only alice sees this
│ lin01, win01
└
alice> expect lin01, win01
alice> add windows node win03 10.0.0.7
┌ Fairway · C-1 planning
│ C-1 reading 3 hosts
└
alice> wait $id until pending for 5
┌ Fairway · C-1 pending
│ C-1 is pending; a plan of many words many words many words many words many words many words many
│ words many words many words many words many words many words
│
│ [ Approve ]  [ Deny ]   type: click approve
└
alice> ! click approve
┌ Fairway · only alice sees this
│ ⛔ Another person approves.
└
alice> expect Another person approves.
alice> as bob
bob> click approve c-1
┌ Fairway · only bob sees this
│ Approved.
└
bob> wait C-1 for 5
· C-1 applying: C-1 1 of 3 hosts
· C-1 applying: C-1 3 of 3 hosts
┌ Fairway · C-1 applied
│ C-1 is done
└
bob> expect C-1 is done
`);
    expect(code).toBe(0);
  });

  test('denies with a reason', async () => {
    const { code, printed } = await prompt([
      'add x',
      'wait $id until pending',
      'click deny',
      '! reason x',
      'reason the address is wrong',
      'wait $id',
      'expect denied: the address is wrong',
    ]);
    expect(printed).toContain('form for alice · type: reason <text>, paste, or close');
    expect(printed).toContain('The form says: Say more.');
    expect(code).toBe(0);
  });

  test('pastes a file into a form, or what an answer gave to copy, as it was before Slack escaped it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fairway-paste-'));
    await writeFile(join(folder, 'why.txt'), 'two\nlines');
    try {
      const form = ['add x', 'wait $id until pending', 'click deny'];
      expect(await prompt([...form, `paste ${join(folder, 'why.txt')}`, 'wait $id'])).toMatchObject({
        code: 0,
      });
      expect(
        (await prompt(['export', ...form, 'paste', 'wait $id', 'expect denied: # a < b & c - lin01'])).code,
      ).toBe(0);
      expect(await prompt([...form, `paste ${join(folder, 'none.txt')}`])).toMatchObject({
        code: 1,
        printed: expect.stringContaining('ENOENT'),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.each([
    [['frobnicate'], 'Line 1: this was refused.'],
    [['nodes', '! nodes'], 'Line 2: this was expected to be refused, and was not.'],
    [['nodes', 'expect lin09'], 'Line 2: the last answer does not contain "lin09".'],
    [['nodes', 'click reboot'], 'Line 2: no card has the button "reboot"'],
    [['add x', 'wait $id for 1'], 'is still pending after 1 s.'],
    [['add stale', 'wait $id for 5'], 'ended stale.'],
    [['as carol'], 'Line 1: nobody is called carol; there are alice, bob.'],
    [['#nowhere'], 'Line 1: no channel #nowhere.'],
    [['show C-99'], 'Line 1: no card of a change C-99.'],
  ])('%j ends with 1', async (lines, says) => {
    const { code, printed } = await prompt([...lines, 'nodes']);
    expect(printed).toContain(says);
    expect(printed.endsWith('.\n')).toBe(true);
    expect(code).toBe(1);
  });

  test('what answers an earlier line, or none, is not taken for the answer', async () => {
    const refused = await prompt(['add x', 'ponder']);
    expect(refused.printed).toContain('On reflection, no.');
    expect(refused.printed).toContain('Line 2: this was refused.');
    expect(refused.code).toBe(1);
    expect(await prompt(['add x', '! ponder', 'nodes'])).toMatchObject({ code: 0 });
  });

  test.each(['add late', 'add late announced'])('$id is the change that “%s” started', async (line) => {
    const id = `C-${next + 1}`;
    const { code, printed } = await prompt(['add x', line, 'wait $id until pending for 5', `show ${id}`]);
    expect(code).toBe(0);
    expect(printed.split('wait $id')[1]).toContain(id);
  });

  test('a change that is refused while it is planned: whatever the timing, the same comes of it', async () => {
    const added = await prompt(['add refused', 'nodes']);
    expect(added.printed).toContain('Line 2: the line before was refused.');
    expect(await prompt(['add refused'])).toMatchObject({ code: 1 });
    expect(await prompt(['add refused', 'wait $id until refused for 5', 'nodes'])).toMatchObject({ code: 0 });
    expect(await prompt(['add refused', 'wait $id for 5'])).toMatchObject({ code: 1 });
    expect(await prompt(['! add refused', 'nodes'])).toMatchObject({ code: 0 });
    const wrong = await prompt(['! add x']);
    expect(wrong.printed).toContain('Line 1: this was expected to be refused, and was not.');
  });

  test('what is said to follow is waited for: before the next line, and at the end', async () => {
    const last = await prompt(['nodes', 'check well']);
    expect(last).toEqual({ code: 0, printed: expect.stringMatching(/Looking….*All is well/s) });
    expect(await prompt(['check well', 'expect All is well.', 'nodes'])).toMatchObject({ code: 0 });
    const refused = await prompt(['check badly', 'nodes']);
    expect(refused).toEqual({
      code: 1,
      printed: expect.stringContaining('Line 2: the line before was refused.'),
    });
    const never = await prompt(['check'], { patienceMs: 300 });
    expect(never).toEqual({
      code: 1,
      printed: expect.stringContaining('the rest of the answer did not come'),
    });
  });

  test('quit ends it with 0', async () => {
    expect(await prompt(['quit', 'frobnicate'])).toEqual({ code: 0, printed: 'alice> quit\n' });
  });
});

test('a person may be refused and goes on; colours are as asked', async () => {
  const { code, printed } = await prompt(
    ['frobnicate', 'click nothing', '#ads', 'as bob', 'show C-1', 'quit'],
    {
      script: false,
      colour: true,
    },
  );
  expect(printed).toContain('You are alice in #netops');
  expect(printed).toContain('no card has the button "nothing"');
  expect(printed).toContain('\u001b[1mC-1\u001b[0m');
  expect(code).toBe(0);
});
