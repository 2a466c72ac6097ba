import { expect, test } from '@jest/globals';
import { readClick, readMention, readModal, readSlash } from '../../src/slack/payload.js';
import { clickBody, mentionBody, modalBody, slashBody } from './support/payloads.js';

test('an actor is a team and a user id, never a name', () => {
  expect(readSlash(slashBody()).actor).toEqual({ id: 'T1:U0ALICE', via: 'slash' });
  expect(readClick(clickBody('{}')).actor).toEqual({ id: 'T1:U0ALICE', via: 'button' });
  expect(readModal(modalBody()).actor).toEqual({ id: 'T1:U0ALICE', via: 'modal' });
  expect(readMention(mentionBody('x'), 'U0BOT')?.actor).toEqual({ id: 'T1:U0ALICE', via: 'mention' });
});

test('somebody of another workspace keeps the own team', () => {
  const mention = mentionBody('nodes');
  mention.event['user_team'] = 'T9';
  expect(readMention(mention, 'U0BOT')?.actor.id).toBe('T9:U0ALICE');
  const click = clickBody('{}');
  click.user.team_id = 'T9';
  expect(readClick(click)).toMatchObject({ team: 'T9', actor: { id: 'T9:U0ALICE' } });
});

test('an app that is installed for a whole organization is told no workspace with a click', () => {
  const click = { ...clickBody('{}'), team: null };
  expect(readClick(click)).toMatchObject({ team: 'T1', actor: { id: 'T1:U0ALICE' } });
});

test.each([
  ['<@U0BOT> add linux node lin02 10.0.0.8', 'add linux node lin02 10.0.0.8'],
  ['hey <@U0BOT|fairway> nodes', 'nodes'],
  ['nodes <@U0BOT>', 'nodes'],
  ['<@U0BOT>', ''],
])('the words said to the bot in %j are %j', (text, words) => {
  expect(readMention(mentionBody(text), 'U0BOT')?.text).toBe(words);
});

test('a mention is answered in its thread; the card goes there only when the person was in one', () => {
  expect(readMention(mentionBody('x'), 'U0BOT')).toMatchObject({
    answerTo: { channel: 'C0OPS', thread: '1.2' },
    origin: { channel: 'C0OPS', user: 'U0ALICE' },
  });
  expect(readMention(mentionBody('x'), 'U0BOT')?.origin).not.toHaveProperty('thread');
  const inThread = mentionBody('x');
  inThread.event['thread_ts'] = '1.1';
  expect(readMention(inThread, 'U0BOT')).toMatchObject({
    answerTo: { thread: '1.1' },
    origin: { thread: '1.1' },
  });
});

test('another bot is not listened to', () => {
  const mention = mentionBody('nodes');
  mention.event['bot_id'] = 'B1';
  expect(readMention(mention, 'U0BOT')).toBeNull();
});

test('an ephemeral message is no card', () => {
  const click = clickBody('{}');
  expect(readClick(click).clicked).toMatchObject({ card: { channel: 'C0OPS', ts: '5.5' } });
  click.container.is_ephemeral = true;
  expect(readClick(click).clicked).toBeUndefined();
});
