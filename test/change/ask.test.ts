import { describe, expect, test } from '@jest/globals';
import { type Ask, answerTo, askOf } from '../../src/change/ask.js';
import type { Actor, Change, HostResult } from '../../src/change/change.js';
import { nextMove } from '../../src/change/phase.js';
import { answerAsks, answered, asking, outcome, retry } from '../../src/change/transition.js';
import { isRefusal } from '../../src/errors.js';
import type { MembershipPlan, Step } from '../../src/plan/plan.js';
import { freshHost } from '../support/model-host.js';

const now = new Date('2026-11-23T03:00:00Z');
const alice: Actor = { id: 'T1:UALICE', via: 'slash' };
const bob: Actor = { id: 'T1:UBOB', via: 'button' };
const REBOOT: Ask = { kind: 'reboot', boot: 'b1' };
const NETWORK: Ask = { kind: 'delete-network', network: 'transparent' };

const running: Change = {
  id: 'c1',
  kind: 'add-node',
  version: 3,
  state: 'applying',
  node: { name: 'win03', os: 'windows', address: '10.0.0.7', podCidr: '192.168.3.0/24' },
  requester: alice.id,
  command: 'add windows node win03 10.0.0.7',
  channel: 'C1',
  requestedAt: '2026-11-23T02:55:00.000Z',
  approvalsRequired: 1,
  decisions: [],
  cards: [],
  direction: 'do',
};
const asks = (ask: Ask): HostResult => ({ host: 'win03', status: 'asking', ask, visited: true, at: 'then' });
const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isRefusal(error)) return error.code;
    throw error;
  }
  return 'none';
};

describe('a change asks', () => {
  const observed = freshHost({ os: 'windows', address: '10.0.0.7' });
  const network = { network: 'transparent', podCidr: '192.168.3.0/24', containerNic: '' };

  test.each<[string, Step, Ask | null]>([
    ['before a restart, of that boot', { kind: 'reboot', action: 'ensure' }, REBOOT],
    ['before a network is deleted', { kind: 'pod-network', action: 'remove', ...network }, NETWORK],
    ['not before one is made', { kind: 'pod-network', action: 'ensure', ...network }, null],
    ['not before anything else', { kind: 'routing-service', action: 'remove' }, null],
  ])('%s', (_when, step, ask) => {
    expect(askOf(step, observed)).toEqual(ask);
  });

  test('and waits for the answer, without a visit', () => {
    const hosts: MembershipPlan['hosts'] = ['win03', 'lin01'].map((host) => ({
      host,
      os: 'windows',
      podCidr: '192.168.3.0/24',
      role: host === 'win03' ? 'node' : 'peer',
      steps: [],
      undo: [],
      commands: [],
      undoCommands: [],
      observed,
      hostKey: null,
    }));
    const plan = { kind: 'add-node', hosts } as unknown as MembershipPlan;
    const move = (result: HostResult) => nextMove(plan, running, new Map([['win03', result]]), new Set());
    expect(move(asks(REBOOT))).toEqual({ kind: 'wait', phase: 0 });
    expect(move({ ...asks(REBOOT), status: 'waiting' })).toMatchObject({ kind: 'dispatch', phase: 0 });
  });
});

describe('an answer', () => {
  const asked = asking([asks(REBOOT)]);
  const answer = (actor: Actor, verdict: 'yes' | 'no', own = false) =>
    answerAsks(running, actor, verdict, asked, { own }, now);

  test('is on record, and is the last word', () => {
    const { answers = [] } = answer(bob, 'yes');
    expect(answers).toEqual([
      { host: 'win03', ask: REBOOT, verdict: 'yes', actor: bob.id, at: now.toISOString() },
    ]);
    expect(answerTo(REBOOT, answers)).toBe('yes');
    // Of another boot, or of another thing, it says nothing.
    expect(answerTo({ kind: 'reboot', boot: 'b2' }, answers)).toBeNull();
    expect(answerTo(NETWORK, answers)).toBeNull();
    const later = answerAsks({ ...running, answers }, bob, 'no', asked, { own: false }, now);
    expect(answerTo(REBOOT, later.answers ?? [])).toBe('no');
  });

  test('with yes is not the requester’s to give, where own requests are not theirs to approve; with no it is', () => {
    expect(code(() => answer(alice, 'yes'))).toBe('own-request');
    expect(code(() => answer(alice, 'yes', true))).toBe('none');
    expect(code(() => answer(alice, 'no'))).toBe('none');
  });

  test('to nothing, or to what is being cancelled, is refused', () => {
    expect(code(() => answerAsks(running, bob, 'yes', [], { own: false }, now))).toBe('nothing-asked');
    const cancelled = { ...running, cancelRequestedBy: bob.id };
    expect(code(() => answerAsks(cancelled, bob, 'yes', asked, { own: false }, now))).toBe('nothing-asked');
  });

  test.each<[Ask, 'yes' | 'no', object]>([
    [REBOOT, 'yes', { status: 'waiting' }],
    [REBOOT, 'no', { status: 'failed', error: 'why' }],
    [NETWORK, 'yes', { status: 'waiting' }],
    [NETWORK, 'no', { status: 'waiting' }],
  ])('to %j with %s lets the host go on, or ends it', (ask, verdict, wanted) => {
    const [host, ...others] = answered(
      [asks(ask), { host: 'lin01', status: 'done', at: 'then' }],
      verdict,
      'why',
      now,
    );
    expect(others).toEqual([]);
    expect(host).toEqual({ host: 'win03', visited: true, at: now.toISOString(), ...wanted });
  });

  test('is forgotten by a retry, which asks anew; a host that nobody answered is no success', () => {
    const failed: Change = { ...answer(bob, 'no'), state: 'failed' };
    expect(retry(failed).answers).toBeUndefined();
    expect(outcome({ ...running, cancelRequestedBy: bob.id }, [asks(REBOOT)])).toBe('cancelled');
  });
});
