import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type {
  Actor,
  Change,
  ChangeState,
  HostResult,
  HostStatus,
  MembershipChange,
} from '../../src/change/change.js';
import {
  approvals,
  approveByPolicy,
  cancel,
  decide,
  outcome,
  retry,
  rollBack,
} from '../../src/change/transition.js';
import { isRefusal } from '../../src/errors.js';
import { PRINCIPAL } from '../../src/principal.js';

const now = new Date('2026-11-23T03:00:00Z');
const alice: Actor = { id: 'T1:UALICE', via: 'slash' };
const bob: Actor = { id: 'T1:UBOB', via: 'button' };
const carol: Actor = { id: 'T1:UCAROL', via: 'button' };

function change(over: Partial<MembershipChange> = {}): Change {
  return {
    id: 'c1',
    kind: 'add-node',
    version: 3,
    state: 'pending',
    node: { name: 'win03', os: 'windows', address: '10.0.0.7', podCidr: '192.168.3.0/24' },
    requester: alice.id,
    command: 'add windows node win03 10.0.0.7',
    channel: 'C1',
    requestedAt: '2026-11-23T02:55:00.000Z',
    expiresAt: '2026-11-23T03:25:00.000Z',
    planHash: 'abc123abc123',
    approvalsRequired: 1,
    decisions: [],
    cards: [],
    direction: 'do',
    ...over,
  };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isRefusal(error)) return error.code;
    throw error;
  }
  return 'no refusal';
}

const rules = { required: 1, own: false };
const states: ChangeState[] = [
  'planning',
  'refused',
  'pending',
  'denied',
  'expired',
  'stale',
  'approved',
  'applying',
  'proving',
  'applied',
  'owing',
  'failed',
  'cancelled',
  'rolling-back',
  'rolled-back',
];

describe('decide', () => {
  test('an approval by somebody else approves', () => {
    const approved = decide(change(), bob, 'approve', 'abc123abc123', rules, now);
    expect(approved).toMatchObject({
      state: 'approved',
      decisions: [{ actor: bob.id, verdict: 'approve', planHash: 'abc123abc123' }],
    });
  });

  test('a denial keeps its reason', () => {
    expect(decide(change(), bob, 'deny', null, rules, now, 'not tonight')).toMatchObject({
      state: 'denied',
      reason: 'not tonight',
    });
  });

  test.each<[string, () => unknown, string]>([
    ['the requester', () => decide(change(), alice, 'approve', null, rules, now), 'own-request'],
    ['an old card', () => decide(change(), bob, 'approve', 'ffffffffffff', rules, now), 'plan-outdated'],
    [
      'after its time',
      () => decide(change({ expiresAt: '2026-11-23T03:00:00.000Z' }), bob, 'approve', null, rules, now),
      'change-expired',
    ],
    [
      'twice by the same',
      () =>
        decide(
          decide(change(), bob, 'approve', null, { required: 2, own: false }, now),
          bob,
          'approve',
          null,
          { required: 2, own: false },
          now,
        ),
      'already-decided-by-you',
    ],
  ])('a click by %s has its own answer', (_who, run, code) => {
    expect(codeOf(run)).toBe(code);
  });

  test.each(states.filter((state) => state !== 'pending'))(
    'a click on a card that is %s has an answer',
    (state) => {
      const expected =
        state === 'planning'
          ? 'change-not-sealed'
          : state === 'expired'
            ? 'change-expired'
            : 'change-not-pending';
      expect(codeOf(() => decide(change({ state }), bob, 'approve', null, rules, now))).toBe(expected);
    },
  );

  test('who decided is told where the decision is what stands', () => {
    const facts = (state: ChangeState, verdict: 'approve' | 'deny') => {
      const decisions = [
        { actor: bob.id, verdict, at: '2026-11-23T02:00:00.000Z', planHash: 'abc123abc123' },
      ];
      const over = { state, decisions, finishedAt: '2026-11-23T02:30:00.000Z' };
      try {
        decide(change(over), carol, 'approve', null, rules, now);
      } catch (error) {
        if (isRefusal(error, 'change-not-pending')) return error.facts;
      }
      throw new Error('not refused');
    };
    expect(facts('approved', 'approve')).toMatchObject({ by: bob.id, at: '2026-11-23T02:00:00.000Z' });
    expect(facts('denied', 'deny')).toMatchObject({ by: bob.id });
    for (const state of ['stale', 'applied', 'failed', 'owing', 'cancelled'] as const) {
      expect(facts(state, 'approve')).toMatchObject({ by: '', at: '2026-11-23T02:30:00.000Z' });
    }
  });

  test('configuration may let the requester approve', () => {
    expect(decide(change(), alice, 'approve', null, { required: 1, own: true }, now).state).toBe('approved');
  });

  test('N of M: approved exactly when N different people other than the requester said so', () => {
    const clicks = fc.array(fc.constantFrom(alice, bob, carol, { id: 'T1:UDAVE', via: 'button' } as Actor), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(clicks, fc.integer({ min: 1, max: 3 }), (actors, required) => {
        let current = change({ approvalsRequired: required });
        for (const actor of actors) {
          try {
            current = decide(current, actor, 'approve', null, { required, own: false }, now);
          } catch (error) {
            expect(isRefusal(error)).toBe(true);
          }
        }
        const others = new Set(actors.filter((actor) => actor.id !== alice.id).map((actor) => actor.id));
        expect(current.state).toBe(others.size >= required ? 'approved' : 'pending');
        expect(approvals(current)).toBe(Math.min(others.size, required));
        expect(current.decisions.map((decision) => decision.actor)).not.toContain(alice.id);
      }),
    );
  });
});

describe('cancel, retry, roll back', () => {
  const admittedAt = now.toISOString();
  const allowed = (run: (state: Change) => Change, over: Partial<MembershipChange> = {}) =>
    states.filter((state) => codeOf(() => run(change({ state, ...over }))) === 'no refusal');

  test('what may be cancelled', () => {
    expect(allowed((state) => cancel(state, alice, now))).toEqual([
      'planning',
      'pending',
      'approved',
      'applying',
      'owing',
      'rolling-back',
    ]);
    expect(cancel(change(), alice, now).state).toBe('cancelled');
    expect(cancel(change({ state: 'applying' }), alice, now)).toMatchObject({
      state: 'applying',
      cancelRequestedBy: alice.id,
    });
  });

  test('what may be retried: what ran, and did not get all the way', () => {
    expect(allowed(retry)).toEqual(['owing', 'failed']);
    expect(allowed(retry, { admittedAt })).toEqual(['owing', 'failed', 'cancelled']);
    expect(retry(change({ state: 'failed', direction: 'undo' }))).toMatchObject({
      state: 'rolling-back',
      starts: 'retry',
    });
  });

  test('what may be rolled back: what ran and is not rolling back already', () => {
    expect(allowed((state) => rollBack(state, alice))).toEqual(['applied', 'owing', 'failed']);
    expect(allowed((state) => rollBack(state, alice), { admittedAt })).toEqual([
      'applied',
      'owing',
      'failed',
      'cancelled',
    ]);
    expect(allowed((state) => rollBack(state, alice), { direction: 'undo', admittedAt })).toEqual([]);
  });

  test('what was approved, and withdrawn at the gate, has nothing to run again or to undo: its slice is others’ by now', () => {
    const decisions = [
      { actor: bob.id, verdict: 'approve' as const, at: now.toISOString(), planHash: 'abc' },
    ];
    const withdrawn = change({ state: 'cancelled', decisions, cancelRequestedBy: alice.id });
    expect(codeOf(() => retry(withdrawn))).toBe('not-retryable');
    expect(codeOf(() => rollBack(withdrawn, alice))).toBe('not-rollbackable');
  });

  test('while what is owed is being given up, nobody undoes that by a click', () => {
    const asked = cancel(change({ state: 'owing', admittedAt }), alice, now);
    expect(codeOf(() => retry(asked))).toBe('not-retryable');
    expect(codeOf(() => rollBack(asked, alice))).toBe('not-rollbackable');
  });

  test('no change comes to a state that nothing leads out of, whatever is done with it in which order', () => {
    type Move = (of: Change) => Change;
    /** What workers do with a change that is under way. */
    const worked =
      (status: HostStatus): Move =>
      (of) => {
        const { starts: _begun, ...rest } = of;
        const isAsked = of.cancelRequestedBy !== undefined;
        if (of.state === 'approved')
          return isAsked ? { ...rest, state: 'cancelled' } : { ...rest, state: 'applying', admittedAt };
        if (!['applying', 'rolling-back', 'owing'].includes(of.state)) return of;
        const given = isAsked && status === 'owed' ? 'cancelled' : status;
        return { ...rest, state: outcome(rest as Change, [{ host: 'h', status: given, at: admittedAt }]) };
      };
    const moves: Move[] = [
      ...(['done', 'owed', 'failed', 'cancelled'] as const).map(worked),
      (of) => cancel(of, alice, now),
      (of) => retry(of),
      (of) => rollBack(of, bob),
    ];
    const over: ChangeState[] = ['applied', 'failed', 'cancelled', 'rolled-back'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...moves), { maxLength: 25 }), (story) => {
        let current = change({ state: 'approved' });
        for (const move of story) {
          try {
            current = move(current);
          } catch (error) {
            expect(isRefusal(error)).toBe(true);
          }
        }
        // Left to the workers, and with hosts that answer, it comes to rest; and from there a person gets it further.
        for (let i = 0; i < 3; i += 1) current = worked('done')(current);
        expect(over).toContain(current.state);
        expect(current.starts).toBeUndefined();
        // Unless it was withdrawn before it touched anything.
        if (current.admittedAt === undefined) return;
        if (current.state === 'failed' || current.state === 'cancelled') {
          const again = worked('done')(retry(current));
          expect(again.state).toBe(current.direction === 'undo' ? 'rolled-back' : 'applied');
        }
        if (current.direction === 'do')
          expect(worked('done')(rollBack(current, bob)).state).toBe('rolled-back');
      }),
    );
  });
});

describe('a policy', () => {
  const { node: _node, ...rest } = change({ requester: 'fairway', approvalsRequired: 3 }) as MembershipChange;
  const repair: Change = { ...rest, kind: 'repair' };
  test('approves what Fairway itself asked to be repaired, for as many as are needed', () => {
    const approved = approveByPolicy(repair, 'DRIFT=repair', now);
    expect(approved).toMatchObject({
      state: 'approved',
      decisions: [{ actor: 'policy:DRIFT=repair', verdict: 'approve', planHash: 'abc123abc123' }],
    });
    expect(approvals(approved)).toBe(3);
    expect(codeOf(() => retry({ ...approved, state: 'cancelled', admittedAt: now.toISOString() }))).toBe(
      'no refusal',
    );
  });
  test.each<[string, Change]>([
    ['what a person asked for', { ...repair, requester: alice.id }],
    ['another kind', change({ requester: 'fairway' })],
    ['what was decided', { ...repair, state: 'denied' }],
  ])('does not approve %s', (_what, other) => {
    expect(approveByPolicy(other, 'DRIFT=repair', now)).toBe(other);
  });
  test('is nobody that could be configured', () => {
    expect(PRINCIPAL.test('policy:DRIFT=repair')).toBe(false);
    expect(PRINCIPAL.test('fairway')).toBe(false);
  });
});

test('a repair is cancelled, retried and rolled back in the same states as any change', () => {
  const decisions = [
    { actor: bob.id, verdict: 'approve' as const, at: now.toISOString(), planHash: 'abc123abc123' },
  ];
  const moves = [retry, (of: Change) => cancel(of, alice, now), (of: Change) => rollBack(of, alice)];
  for (const state of states) {
    for (const direction of ['do', 'undo'] as const) {
      const { node: _node, ...rest } = change({ state, direction, decisions }) as MembershipChange;
      const repair: Change = { ...rest, kind: 'repair' };
      for (const move of moves) {
        expect(codeOf(() => move(repair))).toBe(codeOf(() => move(change({ state, direction, decisions }))));
      }
    }
  }
});

describe('outcome', () => {
  const host = (status: HostStatus): HostResult => ({ host: status, status, at: now.toISOString() });
  test('what was given up on one host waits for what others are still owed, and is a failure in the end', () => {
    const givenUp: HostResult = {
      ...host('failed'),
      debt: { since: now.toISOString(), until: now.toISOString() },
    };
    const of = (...hosts: HostResult[]) => outcome(change({ state: 'owing' }), hosts);
    expect(of(givenUp, host('owed'), host('done'))).toBe('owing');
    expect(of(givenUp, host('done'))).toBe('failed');
    expect(of(givenUp, host('failed'), host('owed'))).toBe('failed');
    const cancelled = change({ state: 'owing', cancelRequestedBy: alice.id });
    expect(outcome(cancelled, [givenUp, host('cancelled')])).toBe('cancelled');
  });
  test.each<[HostStatus[], Partial<MembershipChange>, ChangeState]>([
    [['done', 'unchanged'], {}, 'applied'],
    [['done', 'owed'], {}, 'owing'],
    [['done', 'owed', 'failed'], {}, 'failed'],
    [['failed', 'waiting'], {}, 'failed'],
    [['done', 'cancelled'], { cancelRequestedBy: alice.id }, 'cancelled'],
    [['done'], { direction: 'undo' }, 'rolled-back'],
    [['done', 'owed'], { direction: 'undo' }, 'owing'],
  ])('%j %j → %s', (statuses, over, state) => {
    expect(outcome(change({ state: 'applying', ...over }), statuses.map(host))).toBe(state);
  });
});
