import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkMessageBlocks } from '../../sandbox/slack/limits.js';
import { type Ask, askDigest } from '../../src/change/ask.js';
import type { ChangeState, HostResult, HostStatus, MembershipChange } from '../../src/change/change.js';
import type { ChangeView } from '../../src/command/reply.js';
import type { MembershipPlan } from '../../src/plan/plan.js';
import { LIMIT, weigh } from '../../src/slack/blocks.js';
import { cardButtons, parseButtonValue } from '../../src/slack/buttons.js';
import { changeCard } from '../../src/slack/card.js';
import { planText } from '../../src/words/details.js';
import { buttonsOf, readable } from './support/read.js';
import {
  ASKING,
  CLUSTER,
  change,
  host,
  NOW,
  observed,
  plan,
  REPAIRS,
  VIEWS,
  WIN03,
} from './support/views.js';

const STATES = Object.keys(VIEWS) as ChangeState[];

describe('the card of each state', () => {
  test.each(STATES)('%s', (state) => {
    const card = changeCard(VIEWS[state], CLUSTER, NOW);
    expect(`${card.text}\n===\n${readable(card.blocks)}`).toMatchSnapshot();
    expect(card.metadata.event_payload).toEqual({ id: 'c17', state });
    expect(checkMessageBlocks(card.blocks)).toEqual([]);
  });

  test('names the cluster in its title', () => {
    for (const state of STATES) {
      expect(readable(changeCard(VIEWS[state], CLUSTER, NOW).blocks)).toMatch(
        /^# prod: add windows node win03\n/,
      );
    }
  });
});

describe('the card of a change that asks', () => {
  test.each(Object.keys(ASKING))('%s', (name) => {
    const card = changeCard(ASKING[name] as ChangeView, CLUSTER, NOW);
    expect(`${card.text}\n===\n${readable(card.blocks)}`).toMatchSnapshot();
    expect(checkMessageBlocks(card.blocks)).toEqual([]);
  });
});

describe('the card of a repair', () => {
  test.each(Object.keys(REPAIRS))('%s', (name) => {
    const view = REPAIRS[name] as ChangeView;
    const card = changeCard(view, CLUSTER, NOW);
    expect(`${card.text}\n===\n${readable(card.blocks)}`).toMatchSnapshot();
    expect(checkMessageBlocks(card.blocks)).toEqual([]);
  });

  test('has a file that names what was read, what was not, and what stays', () => {
    expect(planText(REPAIRS['applied for all'] as ChangeView, CLUSTER, NOW)).toMatchSnapshot();
  });
});

describe('buttons', () => {
  const buttons = (view: ChangeView) => buttonsOf(changeCard(view, CLUSTER, NOW).blocks);

  test('stand only where they work', () => {
    expect(Object.fromEntries(STATES.map((state) => [state, buttons(VIEWS[state])]))).toEqual({
      planning: [],
      refused: [],
      pending: ['change:approve', 'change:deny', 'change:details'],
      denied: ['change:details'],
      expired: ['change:details'],
      stale: ['change:details'],
      approved: ['change:cancel', 'change:details'],
      applying: ['change:cancel', 'change:details'],
      proving: ['change:details'],
      applied: ['change:rollback', 'change:details'],
      owing: ['change:retry', 'change:rollback', 'change:details'],
      failed: ['change:retry', 'change:rollback', 'change:details'],
      cancelled: ['change:retry', 'change:rollback', 'change:details'],
      'rolling-back': ['change:cancel', 'change:details'],
      'rolled-back': ['change:details'],
    });
  });

  test('are gone from a pending card that is past its time', () => {
    const late = new Date('2026-11-23T15:30:00.001Z');
    const card = changeCard(VIEWS.pending, CLUSTER, late);
    expect(buttonsOf(card.blocks)).toEqual(['change:details']);
    expect(readable(card.blocks)).toContain('Nobody decided in time');
  });

  test('to cancel is gone once it was clicked', () => {
    expect(
      buttons({ ...VIEWS.applying, change: change('applying', { cancelRequestedBy: 'T1:U0BOB' }) }),
    ).toEqual(['change:details']);
  });

  test('of a failed roll-back offer no roll-back', () => {
    expect(buttons({ ...VIEWS.failed, change: change('failed', { direction: 'undo' }) })).toEqual([
      'change:retry',
      'change:details',
    ]);
  });

  test('a failed change without a reason of its own says what its buttons are for', () => {
    const text = (over: Partial<MembershipChange>) =>
      readable(
        changeCard({ ...VIEWS.failed, change: change('failed', over) }, CLUSTER, NOW).blocks.slice(0, 2),
      );
    expect(text({})).toContain('Put right what the hosts say, then Retry; or Roll back.');
    expect(text({ direction: 'undo' })).toContain('then Retry.');
    expect(text({ reason: 'Why.' })).not.toContain('Retry');
  });

  test('of a change that was withdrawn before its approval offer nothing to run', () => {
    const withdrawn = { ...VIEWS.pending, change: change('cancelled', { cancelRequestedBy: 'T1:U0ALICE' }) };
    expect(buttons(withdrawn)).toEqual(['change:details']);
    const text = readable(changeCard(withdrawn, CLUSTER, NOW).blocks);
    expect(text).toContain('By <@U0ALICE>.\nWithdrawn. Nothing was run.');
    expect(text).not.toMatch(/hosts done|not run:/);
  });

  test('carry the plan that the person sees', () => {
    expect(readable(changeCard(VIEWS.pending, CLUSTER, NOW).blocks)).toContain(
      '[Approve] change:approve {"id":"c17","hash":"a1b2c3d4e5f6"}',
    );
  });
});

test('two approvals needed: the card counts', () => {
  const approvals = change('pending', {
    approvalsRequired: 2,
    decisions: [
      { actor: 'T1:U0BOB', verdict: 'approve', at: '2026-11-23T15:05:00Z', planHash: 'a1b2c3d4e5f6' },
    ],
  });
  const text = readable(changeCard({ ...VIEWS.pending, change: approvals }, CLUSTER, NOW).blocks);
  expect(text).toContain('1 of 2 approvals');
  expect(text).toContain('Approved by <@U0BOB>');
});

describe('a plan that does not fit', () => {
  const big = bigView('pending', 250, 'x'.repeat(300));

  test('says what is left out, where it is, and how big the inverse is', () => {
    const text = readable(changeCard(big, CLUSTER, NOW).blocks);
    expect(text).toMatch(/\d+ more parts in \*Details\*: the full plan, as a file in the thread\./);
    expect(text).toContain('Roll back would run 250 commands on 250 hosts');
    expect(text).toContain('[Approve]');
  });

  test('is whole in the file', () => {
    const text = planText(big, CLUSTER, NOW);
    for (let i = 0; i < 250; i += 1) expect(text).toContain(`== host${i}, Linux, peer ==`);
    expect(text.match(/# roll back would run/g)).toHaveLength(250);
  });

  test('is left out whole when Slack finds the card too long after all', () => {
    const compact = changeCard(VIEWS.pending, CLUSTER, NOW, { compact: true });
    expect(readable(compact.blocks)).not.toContain('```');
    expect(buttonsOf(compact.blocks)).toHaveLength(3);
  });
});

test('the file names every command, its inverse and every result', () => {
  expect(planText(VIEWS.failed, CLUSTER, NOW)).toMatchSnapshot();
});

test('no view, however big or hostile, makes a card that Slack refuses', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.constantFrom(
      '<!channel>',
      '```\n<@U1>',
      '&'.repeat(400),
      '"\\'.repeat(300),
      '\u202e`*_~',
      '\n'.repeat(300),
    ),
  );
  const states = fc.constantFrom(...STATES);
  const sizes = fc.constantFrom(0, 1, 3, 13, 250);
  fc.assert(
    fc.property(
      states,
      sizes,
      hostile,
      hostile,
      fc.boolean(),
      fc.boolean(),
      (state, size, one, two, undo, repairs) => {
        const big = bigView(state, size, one, two);
        const view = repairs ? asRepair(big, one) : big;
        view.change.direction = undo ? 'undo' : 'do';
        const card = changeCard(view, CLUSTER, NOW);
        expect(checkMessageBlocks(card.blocks)).toEqual([]);
        expect(weigh(card.blocks)).toBeLessThanOrEqual(LIMIT.message);
        expect(card.text.length).toBeLessThanOrEqual(500);
        const text = readable(card.blocks);
        expect(text).not.toMatch(/<!(?:channel|here|everyone)|<@U1>/);
        expect(planText(view, CLUSTER, NOW).length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 150 },
  );
});

test('a button that answers names what each host asks, within what Slack takes, however many ask', () => {
  const asksOf = (hosts: readonly HostResult[]) => {
    const { cancelRequestedBy: _not, ...running } = change('applying');
    const view = { ...bigView('applying', 1, ''), change: running };
    const [confirm, decline] = cardButtons({ ...view, hosts: [...hosts] }, hosts, NOW);
    expect(decline?.value).toBe(confirm?.value);
    expect((confirm?.value ?? '').length).toBeLessThanOrEqual(2000);
    return parseButtonValue(confirm?.value)?.asks;
  };
  const asks = (host: string, boot = 'b1'): HostResult => ({
    ...{ host, status: 'asking', ask: { kind: 'reboot', boot }, at: '2026-11-23T15:05:00Z' },
  });
  const two = asksOf([asks('win01'), asks('win02')]);
  expect(two).toBe(askDigest('win01', asks('').ask as Ask) + askDigest('win02', asks('').ask as Ask));
  expect(asksOf([asks('win01'), asks('win02', 'b2')])).not.toBe(two);
  expect(asksOf(Array.from({ length: 1000 }, (_, n) => asks(`win${n}`)))).toHaveLength(280 * 6);
});

/** `size` hosts, each with text of somebody's in every place that takes some. */
function bigView(state: ChangeState, size: number, text: string, other = text): ChangeView {
  const statuses: HostStatus[] = ['failed', 'asking', 'owed', 'waiting', 'cancelled', 'done'];
  const names = Array.from({ length: size }, (_, i) => `host${i}`);
  const route = { destination: '192.168.3.0/24', nextHop: '10.0.0.7' };
  return {
    change: change(state, {
      command: text,
      reason: other,
      detail: Array.from({ length: size }, () => text),
      decisions: names.slice(0, 20).map((name) => ({
        actor: `T1:${name}${text}`,
        verdict: 'approve',
        at: '2026-11-23T15:05:00Z',
        planHash: 'a1b2c3d4e5f6',
        reason: other,
      })),
      approvalsRequired: 2,
      cancelRequestedBy: text,
      rolledBackBy: text,
      proof: names.map((name) => ({ from: 'win03', to: name, gateway: '192.168.0.1', answer: 'none' })),
    }),
    plan: {
      ...plan(),
      together: names,
      foreign: names
        .slice(0, 30)
        .map((host) => ({ host, route: { ...route, device: text, ours: false, metric: 0 } })),
      hosts: names.map((name, i) => ({
        host: name,
        os: 'linux',
        podCidr: '192.168.9.0/24',
        role: 'peer',
        steps: [{ kind: 'route', action: 'ensure', peer: WIN03.name, route }],
        undo: [],
        commands: [text, other],
        undoCommands: [text],
        observed: i % 3 === 0 ? null : observed([{ ...route, device: text, ours: true, metric: 0 }]),
        unreadable: other,
        hostKey: { fingerprint: text, firstContact: true },
      })),
    },
    hosts: names.map((name, i) => host(name, statuses[i % statuses.length] ?? 'done', text)),
    snippets: Array.from({ length: 4 }, () => ({ title: text, code: other, language: 'shell' })),
  };
}

/** The same hosts, repaired; as many could not be read. */
function asRepair(view: ChangeView, text: string): ChangeView {
  const { node: _node, ...change } = view.change as MembershipChange;
  const { node: _of, made: _made, ...plan } = view.plan as MembershipPlan;
  const unread = plan.hosts.map(({ host: name }) => ({ host: name, why: text }));
  return {
    ...view,
    change: { ...change, kind: 'repair', why: text },
    plan: { ...plan, kind: 'repair', read: plan.hosts.length, unread },
  };
}
