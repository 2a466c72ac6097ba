import { expect, test } from '@jest/globals';
import { findControl, findInput } from '../../../sandbox/slack/controls.js';
import type { Obj } from '../../../sandbox/slack/types.js';

const text = (value: string): Obj => ({ type: 'plain_text', text: value });
const BLOCKS: Obj[] = [
  { type: 'section', block_id: 's', accessory: { type: 'button', action_id: 'more', text: text('More') } },
  {
    type: 'actions',
    block_id: 'a',
    elements: [
      { type: 'button', action_id: 'change:retry', text: text('Retry failed (2)') },
      { type: 'button', action_id: 'change:rollback', text: text(':leftwards_arrow_with_hook: Roll back') },
      {
        type: 'static_select',
        action_id: 'who',
        options: [
          { text: text('Alice'), value: 'a' },
          { text: text('Bob'), value: 'b' },
        ],
      },
    ],
  },
];

test.each([
  ['change:retry', 'change:retry', undefined],
  ['retry', 'change:retry', undefined],
  ['RETRY FAILED', 'change:retry', undefined],
  ['roll back', 'change:rollback', undefined],
  ['more', 'more', undefined],
  ['bob', 'who', 'b'],
])('%j is found', (wanted, actionId, value) => {
  const control = findControl(BLOCKS, wanted);
  expect([control?.element['action_id'], control?.option?.['value']]).toEqual([actionId, value]);
});

test.each(['ret', '', 'approve'])('%j is not', (wanted) => {
  expect(findControl(BLOCKS, wanted)).toBeUndefined();
});

test('inputs: text, choice, what is missing and what may be', () => {
  const label = text('Who');
  const input = (element: Obj, more: Obj = {}): Obj => ({
    type: 'input',
    block_id: 'b',
    label,
    element,
    ...more,
  });
  const plain = { type: 'plain_text_input', action_id: 'x' };
  const choice = { type: 'checkboxes', action_id: 'x', options: [{ text: text('A'), value: 'a' }] };
  expect(findInput(input(plain), { x: 'hi' })).toMatchObject({ missing: false, state: { value: 'hi' } });
  expect(findInput(input(plain), { b: 'hi' })).toMatchObject({ missing: false, state: { value: 'hi' } });
  expect(findInput(input(plain), {})).toMatchObject({ missing: true, label: 'Who', state: { value: null } });
  expect(findInput(input(plain, { optional: true }), {}).missing).toBe(false);
  expect(findInput(input(choice), { x: 'a' }).state['selected_options']).toHaveLength(1);
  expect(findInput(input(choice), { x: 'z' }).missing).toBe(true);
});
