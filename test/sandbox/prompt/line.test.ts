import { expect, test } from '@jest/globals';
import { parseLine } from '../../../sandbox/prompt/line.js';

const isChange = (word: string): boolean => word === 'C-1';

test.each([
  ['', { kind: 'nothing' }],
  ['# a comment', { kind: 'nothing' }],
  ['#ads', { kind: 'channel', name: 'ads' }],
  ['as bob', { kind: 'as', who: 'bob' }],
  ['click roll back', { kind: 'click', control: 'roll back' }],
  ['click Roll back C-1', { kind: 'click', control: 'Roll back', id: 'C-1' }],
  ['wait C-1', { kind: 'wait', id: 'C-1', seconds: 120 }],
  ['wait C-1 for 5', { kind: 'wait', id: 'C-1', seconds: 5 }],
  ['wait $id until pending for 5s', { kind: 'wait', id: 'C-9', state: 'pending', seconds: 5 }],
  ['paste', { kind: 'paste', file: '' }],
  ['paste My nodes.yaml', { kind: 'paste', file: 'My nodes.yaml' }],
  ['@fairway nodes', { kind: 'mention', text: 'nodes' }],
  ['/fairway nodes', { kind: 'slash', text: 'nodes' }],
  ['change $id', { kind: 'slash', text: 'change C-9' }],
  ['add windows node win03 10.0.0.7', { kind: 'slash', text: 'add windows node win03 10.0.0.7' }],
])('%j', (typed, line) => {
  expect(parseLine(typed, isChange, 'C-9')).toEqual({ line, refused: false });
  if (!typed.startsWith('#') && typed !== '')
    expect(parseLine(`! ${typed}`, isChange, 'C-9')).toEqual({ line, refused: true });
});

test('verbs that act on the world outside of Slack are words only where there are such', () => {
  const cut = { kind: 'hand', verb: 'cut', argument: 'win01' };
  expect(parseLine('Cut  win01', isChange, undefined, ['cut']).line).toEqual(cut);
  expect(parseLine('cut win01', isChange, undefined).line).toEqual({
    kind: 'slash',
    text: 'cut win01',
  });
});
