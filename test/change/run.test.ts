import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Change, HostResult, HostStatus } from '../../src/change/change.js';
import { resultsFor, stillStands } from '../../src/change/run.js';
import type { Node } from '../../src/node/node.js';
import type { Plan } from '../../src/plan/plan.js';

const at = '2026-11-23T03:00:00.000Z';
const statuses: HostStatus[] = ['waiting', 'done', 'unchanged', 'owed', 'failed', 'cancelled'];
const results = fc
  .array(fc.record({ status: fc.constantFrom(...statuses), visited: fc.boolean() }), { maxLength: 8 })
  .map((all) =>
    all.map(
      ({ status, visited }, index): HostResult => ({
        host: `h${index}`,
        status,
        at,
        ...(visited ? { visited } : {}),
      }),
    ),
  );
const runs = fc.constantFrom('retry' as const, 'undo' as const);

describe('the results that a run begins with', () => {
  test('are the same however often the beginning is repeated', () => {
    fc.assert(
      fc.property(runs, results, (run, before) => {
        const once = resultsFor(run, before, at);
        expect(resultsFor(run, once, at)).toEqual(once);
      }),
    );
  });

  test('retry leaves out nobody but those that are done', () => {
    fc.assert(
      fc.property(results, (before) => {
        const after = resultsFor('retry', before, at);
        before.forEach(({ status }, index) => {
          const isDone = status === 'done' || status === 'unchanged';
          expect(after[index]?.status).toBe(isDone ? status : 'waiting');
        });
      }),
    );
  });

  test('roll back visits every host that was ever given work, whatever runs and cancellations came between', () => {
    // What comes to the hosts after each Retry.
    const stories = fc.array(fc.constantFrom('nothing', 'visits', 'a cancellation'), { maxLength: 5 });
    fc.assert(
      fc.property(results, stories, (before, story) => {
        const touched = before.map(
          ({ status, visited }) => visited === true || ['done', 'failed', 'owed'].includes(status),
        );
        let now = before;
        for (const happens of story) {
          now = resultsFor('retry', now, at).map((result, index): HostResult => {
            if (result.status !== 'waiting' || happens === 'nothing') return result;
            if (happens === 'a cancellation') return { ...result, status: 'cancelled' };
            touched[index] = true;
            return { host: result.host, status: 'failed', visited: true, at };
          });
        }
        const undo = resultsFor('undo', now, at).map(({ status }) => status === 'waiting');
        expect(undo).toEqual(touched);
      }),
    );
  });
});

describe('the node that a change added', () => {
  const node: Node = { name: 'win03', os: 'windows', address: '10.0.0.7', podCidr: '192.168.3.0/24' };
  const change = { id: 'c5' } as Change;
  const plan = (kind: Plan['kind']) => ({ kind, node }) as Plan;
  const stands = (kind: Plan['kind'], members: Node[], by: string) =>
    stillStands(change, plan(kind), { revision: 1, nodes: members }, new Map([['win03', by]]));

  test('stands while it is the very member that it made', () => {
    expect(stands('add-node', [node], 'c5')).toBe(true);
    expect(stands('add-node', [], 'c5')).toBe(false);
    expect(stands('add-node', [node], 'c9')).toBe(false);
    expect(stands('add-node', [{ ...node, podCidr: '192.168.4.0/24' }], 'c5')).toBe(false);
  });

  test('is no question of a removal or a repair', () => {
    expect(stands('remove-node', [], 'c5')).toBe(true);
    expect(stands('repair', [], 'c5')).toBe(true);
  });
});
