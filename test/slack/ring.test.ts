/** Whom a change rings, and when. */
import { describe, expect, test } from '@jest/globals';
import type { Change, ChangeState } from '../../src/change/change.js';
import { ringOf } from '../../src/slack/ring.js';
import { change } from './support/views.js';

const SEALED = '2026-11-23T15:00:10.000Z';
const NOW = new Date('2026-11-23T15:01:00.000Z');
const FACTS = { approvers: ['U0BOB', 'S0NETOPS'], isAlone: false };
const waits = (over: Partial<Change> = {}): Change =>
  change('pending', { sealedAt: SEALED, ...over } as Parameters<typeof change>[1]);
const ended = (state: ChangeState, over: Partial<Change> = {}): Change =>
  change(state, { finishedAt: SEALED, ...over } as Parameters<typeof change>[1]);
const said = (of: Change, facts = FACTS) => ringOf(of, facts, NOW)?.message.text ?? null;

describe('a plan that waits', () => {
  test('names who may approve, what, and until when; a moment after it was offered', () => {
    expect(said(waits())).toMatch(
      /^🔔 <@U0BOB> or <!subteam\^S0NETOPS>: `c17` waits for an approval until <!date.*`add windows node win03 10\.0\.0\.7`.*`approve c17`\.$/,
    );
    expect(ringOf(waits(), FACTS, NOW)?.from).toBe(Date.parse(SEALED) + 5000);
  });

  test('names a few, none of them the one who asked, who has decided already, or whom Slack does not know', () => {
    const approvers = ['T1:U0ALICE', 'console:root', 'U0BOB', 'U0CAT', 'U0DAN', 'U0EVE', 'U0FAY'];
    const decisions = [
      { actor: 'T1:U0CAT', verdict: 'approve' as const, at: SEALED, planHash: 'a1b2c3d4e5f6' },
    ];
    const text = said(waits({ decisions }), { ...FACTS, approvers });
    expect(text).toContain('<@U0BOB>, <@U0DAN>, <@U0EVE> or another approver');
    expect(text).not.toMatch(/U0ALICE|U0CAT|root/);
  });

  test.each([
    ['the requester needs nobody', waits(), { ...FACTS, isAlone: true }],
    ['nobody of Slack may approve', waits(), { ...FACTS, approvers: ['console:root'] }],
    ['nobody but the requester may', waits(), { ...FACTS, approvers: ['U0ALICE'] }],
    ['it was asked for at the console', waits({ requester: 'console:root' }), FACTS],
    ['it is old', waits({ sealedAt: '2026-11-22T15:00:00.000Z' }), FACTS],
  ])('rings nobody: %s', (_why, of, facts) => {
    expect(said(of, facts)).toBeNull();
  });

  test('rings for another plan again, and for the same one no more', () => {
    const key = (of: Change) => ringOf(of, FACTS, NOW)?.key;
    expect(key(waits({ version: 9 }))).toBe(key(waits()));
    expect(key(waits({ planHash: 'bbbbbbbbbbbb' }))).not.toBe(key(waits()));
  });
});

describe('an end', () => {
  test.each([
    ['denied', { reason: 'wrong rack' }, /^<@U0ALICE>: `c17` was denied: wrong rack\. Nothing was run/],
    ['expired', {}, /^<@U0ALICE>: nobody decided on `c17` in time\..*`add windows node win03 10\.0\.0\.7`/],
    ['stale', { reason: 'Hosts changed. Ask again.' }, /^<@U0ALICE>: `c17` is stale\. Hosts changed\. Ask/],
    ['failed', {}, /^<@U0ALICE>: `c17` failed\. Its card/],
    ['owing', {}, /^<@U0ALICE>: `c17` is done, but for hosts.*`change c17`/],
  ] as const)('%s is told to whoever asked', (state, over, text) => {
    expect(said(ended(state, over))).toMatch(text);
  });

  test('hoped for, or by the own hand, rings nobody; nor at the console', () => {
    const own = [{ actor: 'T1:U0ALICE', verdict: 'deny' as const, at: SEALED, planHash: '' }];
    for (const of of [
      ...(['applied', 'cancelled', 'rolled-back', 'refused', 'applying'] as const).map((each) => ended(each)),
      ended('denied', { decisions: own }),
      ended('failed', { requester: 'console:root' }),
    ])
      expect(said(of)).toBeNull();
  });

  test('of a roll back is told to whoever turned it around; of what Fairway asked for, to those who approved', () => {
    expect(said(ended('failed', { rolledBackBy: 'T1:U0EVE' }))).toMatch(/^<@U0EVE>: /);
    const decisions = ['T1:U0BOB', 'policy:DRIFT=repair'].map((actor) => {
      return { actor, verdict: 'approve' as const, at: SEALED, planHash: '' };
    });
    expect(said(ended('failed', { requester: 'fairway', decisions }))).toMatch(/^<@U0BOB>: /);
    expect(said(ended('expired', { requester: 'fairway' }))).toBeNull();
  });
});
