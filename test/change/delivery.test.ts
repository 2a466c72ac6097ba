import { describe, expect, test } from '@jest/globals';
import type { Change, HostResult } from '../../src/change/change.js';
import { nextDelivery } from '../../src/change/delivery.js';
import type { Plan } from '../../src/plan/plan.js';

const plan = {
  kind: 'deliver',
  hosts: ['win01', 'win02', 'win03'].map((host) => ({ host })),
} as Partial<Plan> as Plan;

const yes = (...hosts: string[]) => ({
  answers: hosts.map((host) => ({ host, verdict: 'yes' })) as Change['answers'],
});

/** What comes next, in words. */
function next(statuses: Record<string, string>, change: object = {}, dispatched: string[] = []): string {
  const results = new Map(
    Object.entries(statuses).map(([host, status]) => [host, { host, status, at: '' } as HostResult]),
  );
  const of = { direction: 'do', ...change } as Change;
  const move = nextDelivery(plan, of, results, new Set(dispatched));
  return [move.kind, ...(move.kind === 'dispatch' ? move.hosts.map(({ host }) => host) : [])].join(' ');
}

describe('a delivery', () => {
  test('copies to all nodes at once, and waits for them and for an answer', () => {
    expect(next({})).toBe('dispatch win01 win02 win03');
    expect(next({ win01: 'asking' }, {}, ['win02', 'win03'])).toBe('wait');
    expect(next({ win01: 'asking', win02: 'asking', win03: 'failed' })).toBe('wait');
  });

  test('switches one node after the other, whatever is still copied', () => {
    const all = { win01: 'waiting', win02: 'waiting', win03: 'waiting' };
    expect(next(all, yes('win01', 'win02', 'win03'))).toBe('dispatch win01');
    expect(next(all, yes('win01', 'win02', 'win03'), ['win01'])).toBe('wait');
    expect(next(all, yes('win01', 'win02'), ['win01'])).toBe('dispatch win03');
    expect(next({ ...all, win01: 'done' }, yes('win01', 'win02', 'win03'))).toBe('dispatch win02');
  });

  test('a switch that failed keeps the others from it; a copy that failed does not', () => {
    const agreed = yes('win01', 'win02');
    expect(next({ win01: 'failed', win02: 'waiting', win03: 'done' }, agreed)).toBe('finish');
    expect(next({ win03: 'failed', win01: 'waiting', win02: 'waiting' }, agreed)).toBe('dispatch win01');
    expect(next({ win01: 'done', win02: 'unchanged', win03: 'failed' }, agreed)).toBe('finish');
  });

  test('is rolled back one node after the other, too', () => {
    expect(next({ win01: 'unchanged' }, { direction: 'undo' })).toBe('dispatch win02');
    expect(next({ win01: 'unchanged' }, { direction: 'undo' }, ['win02'])).toBe('wait');
  });
});
