import { describe, expect, test } from '@jest/globals';
import type { ClusterCheck } from '../../src/kube/check.js';
import type { TroubleKind } from '../../src/kube/trouble.js';
import { apiUnread, checkLines } from '../../src/words/cluster.js';

const KINDS: readonly TroubleKind[] = [
  'unreachable',
  'certificate',
  'silent',
  'unknown-login',
  'forbidden',
  'status',
  'garbage',
  'too-long',
  'no-login',
];
const check = (kind: TroubleKind, hasLogin: boolean): ClusterCheck => {
  const trouble = { kind, detail: 'its `own` <words>' };
  return {
    server: 'https://10.0.0.1:6443',
    hasLogin,
    configured: '1.5',
    version: { trouble },
    health: { trouble },
    nodes: hasLogin ? { trouble } : null,
  };
};

describe('an API server that can’t be asked', () => {
  test.each(KINDS)('%s: what is unknown, why, and what to do, is said', (kind) => {
    for (const hasLogin of [true, false]) {
      const lines = checkLines(check(kind, hasLogin));
      for (const line of [...lines, apiUnread({ kind, detail: 'd' })]) {
        expect(line).toMatch(/^(🔴|❔|⚠️) .*[.]/u);
        expect(line).not.toMatch(/undefined|\[object|<words>|`own`|\.\./);
        expect(line.length).toBeLessThan(400);
      }
      expect(lines.join()).toMatch(/Check|Set|Allow|Renew|names|Put/);
      expect(lines.join()).not.toContain('✅');
    }
  });

  test('is told once where all questions have the same answer, and in parts where they have not', () => {
    expect(checkLines(check('unreachable', true))).toHaveLength(1);
    expect(checkLines({ ...check('unreachable', true), version: { said: 'v1.5.0' } })).toHaveLength(3);
    expect(checkLines(check('forbidden', true))).toHaveLength(3);
  });
});
