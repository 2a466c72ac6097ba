import { describe, expect, test } from '@jest/globals';
import type { Lease } from '../../src/network/lease-store.js';
import { type Claimant, fateOf } from '../../src/network/orphan.js';

const now = new Date('2026-11-23T12:00:00Z');
const lease = (state: Lease['state'], ageS = 3600): Lease => ({
  podCidr: '192.168.3.0/24',
  node: { name: 'win03', os: 'windows', address: '10.0.0.7' },
  changeId: 'c77',
  state,
  claimedAt: new Date(now.getTime() - ageS * 1000).toISOString(),
  owing: [],
});
const nobody: Claimant = { change: 'absent', admitted: false, member: false, moving: false };

describe('a slice that was claimed', () => {
  test.each<[string, Partial<Claimant>, string]>([
    ['for a change that was never stored', {}, 'free'],
    ['for one that is over', { change: 'over' }, 'free'],
    ['for one that is open', { change: 'open', moving: true }, 'keep'],
  ])('%s: %j → %s', (_what, over, fate) => {
    expect(fateOf(lease('claimed'), { ...nobody, ...over }, now)).toBe(fate);
  });

  test('a moment ago may still be on its way', () => {
    expect(fateOf(lease('claimed', 30), nobody, now)).toBe('keep');
    expect(fateOf(lease('claimed', 61), nobody, now)).toBe('free');
    expect(fateOf(lease('claimed', 1), { ...nobody, change: 'over' }, now)).toBe('free');
  });
});

describe('a slice that was confirmed', () => {
  test.each<[string, Partial<Claimant>, string]>([
    ['of a member', { change: 'over', admitted: true, member: true }, 'keep'],
    ['of a member whose change nobody knows', { member: true }, 'keep'],
    ['of a node that joins or leaves', { change: 'over', admitted: true, moving: true }, 'keep'],
    ['for a change that is at its gate', { change: 'open' }, 'keep'],
    ['for a change that then never touched a host', { change: 'over' }, 'free'],
    ['of a node that is out, and may be routed', { change: 'over', admitted: true }, 'rest'],
    ['of a node that is out, for a change that nobody knows', {}, 'rest'],
  ])('%s: %j → %s', (_what, over, fate) => {
    expect(fateOf(lease('held'), { ...nobody, ...over }, now)).toBe(fate);
  });
});

test('a slice that rests is left to rest', () => {
  expect(fateOf(lease('resting'), nobody, now)).toBe('keep');
});
