import { expect, test } from '@jest/globals';
import { createScreen } from '../../../sandbox/prompt/screen.js';
import type { Message, Obj } from '../../../sandbox/slack/types.js';

const WORKSPACE = { teamId: 'T1', users: [], channels: [], bot: { userId: 'U0BOT', name: 'fairway' } };
const LOOK = { colour: false, userName: () => undefined };

const section = (text: string): Obj => ({ type: 'section', text: { type: 'mrkdwn', text } });
const button = (label: string): Obj => ({ type: 'button', text: { type: 'plain_text', text: label } });

function card(state: string, texts: readonly string[], labels: readonly string[] = []): Message {
  return {
    ts: '1.1',
    channel: 'C1',
    user: 'U0BOT',
    text: state,
    blocks: [
      ...texts.map(section),
      ...(labels.length > 0 ? [{ type: 'actions', elements: labels.map(button) }] : []),
    ],
    metadata: { event_type: 'fairway_change', event_payload: { id: 'c4', state } },
    files: [],
    deleted: false,
    versions: [],
  };
}

/** What is printed for each of the states that a card has, one after the other. */
function shown(...cards: Message[]): string[] {
  const screen = createScreen(WORKSPACE, 80, LOOK);
  return cards.map((message, index) =>
    screen.draw({ type: index === 0 ? 'message' : 'edit', at: 0, message }),
  );
}

test('progress is one line of what is new: no button, no doubled dot', () => {
  const [, approved, applying, moved] = shown(
    card('pending', ['*waiting*', 'Node win03'], ['Approve', 'Deny']),
    card('approved', ['*approved*', 'Node win03', 'Waiting for its turn.'], ['Cancel', 'Details']),
    card(
      'applying',
      ['*applying*', 'Node win03', '0 of 4 hosts done', '· waiting: `lin01`, `win01`'],
      ['Cancel'],
    ),
    card('applying', ['*applying*', 'Node win03', '0 of 4 hosts done', '· waiting: `lin01`, `win01`'], []),
  );
  expect(approved).toBe('· c4 approved: Waiting for its turn.');
  expect(applying).toBe('· c4 applying: 0 of 4 hosts done · waiting: `lin01`, `win01`');
  expect(moved).toBe('');
});

test('what does not fit is cut at a word, and said to be', () => {
  const [, progress = ''] = shown(
    card('approved', ['Node win03']),
    card('applying', [
      'Node win03',
      `· waiting: ${Array.from({ length: 30 }, (_, i) => `lin${i}`).join(', ')}`,
    ]),
  );
  expect(progress).toMatch(/^· c4 applying: waiting: lin0, .*lin\d+ …$/);
  expect(progress.length).toBeLessThanOrEqual(80);
});

test('a card that came to rest is drawn whole', () => {
  const [, end] = shown(card('applying', ['0 of 4']), card('applied', ['4 of 4'], ['Roll back']));
  expect(end).toBe('┌ Fairway · c4 applied\n│ 4 of 4\n│ [ Roll back ]   type: click roll back\n└');
});
