import { describe, expect, test } from '@jest/globals';
import { Refusal, type RefusalFacts } from '../../src/errors.js';
import { type ApiNode, readNodes } from '../../src/kube/answers.js';
import { compareNodes, type Difference } from '../../src/kube/compare.js';
import { checkSlice, slicesFor } from '../../src/kube/slices.js';
import { isAtLeast, isSameMinor, minorOf } from '../../src/kube/version.js';
import type { Node } from '../../src/node/node.js';

const CLUSTER = '192.168.0.0/16';
const win01: Node = { name: 'win01', os: 'windows', address: '10.0.0.5', podCidr: '192.168.1.0/24' };
const there = (over: Partial<ApiNode> = {}): ApiNode => ({
  name: 'win01',
  podCidr: '192.168.1.0/24',
  addresses: ['10.0.0.5'],
  os: 'windows',
  ...over,
});

describe('our nodes and theirs', () => {
  const name = 'win01';
  test.each<[string, ApiNode[], Difference[]]>([
    ['agree', [there()], []],
    ['agree, with one more address there', [there({ addresses: ['10.9.0.5', '10.0.0.5'] })], []],
    ['one is not registered', [], [{ name, kind: 'not-there' }]],
    [
      'one is no node here',
      [there(), there({ name: 'x', podCidr: '192.168.8.0/24' })],
      [{ name: 'x', kind: 'not-here', podCidr: '192.168.8.0/24' }],
    ],
    [
      'one that is no node here has a slice of ours',
      [there(), there({ name: 'x' })],
      [{ name: 'x', kind: 'not-here', podCidr: '192.168.1.0/24', holder: name }],
    ],
    [
      'one that is no node here lies around a slice of ours',
      [there(), there({ name: 'x', podCidr: '192.168.0.0/20' })],
      [{ name: 'x', kind: 'not-here', podCidr: '192.168.0.0/20', holder: name }],
    ],
    [
      'another pod CIDR',
      [there({ podCidr: '192.168.7.0/24' })],
      [{ name, kind: 'pod-cidr', ours: '192.168.1.0/24', theirs: '192.168.7.0/24', outside: false }],
    ],
    [
      'a pod CIDR of another cluster CIDR',
      [there({ podCidr: '10.244.1.0/24' })],
      [{ name, kind: 'pod-cidr', ours: '192.168.1.0/24', theirs: '10.244.1.0/24', outside: true }],
    ],
    [
      'no IPv4 range at all',
      [there({ podCidr: 'fd00::/64' })],
      [{ name, kind: 'pod-cidr', ours: '192.168.1.0/24', theirs: 'fd00::/64', outside: true }],
    ],
    [
      'no pod CIDR yet',
      [there({ podCidr: null })],
      [{ name, kind: 'pod-cidr', ours: '192.168.1.0/24', theirs: null, outside: false }],
    ],
    [
      'another address',
      [there({ addresses: ['10.0.0.6'] })],
      [{ name, kind: 'address', ours: '10.0.0.5', theirs: ['10.0.0.6'] }],
    ],
    ['another OS', [there({ os: 'linux' })], [{ name, kind: 'os', ours: 'windows', theirs: 'linux' }]],
    ['no label', [there({ os: null })], [{ name, kind: 'os', ours: 'windows', theirs: null }]],
  ])('%s', (_what, theirs, differences) => {
    expect(compareNodes([win01], theirs, CLUSTER)).toEqual(differences);
  });
});

describe('the nodes of an answer', () => {
  const read = (node: object) => readNodes(JSON.stringify({ items: [node] })).nodes[0];
  test('are read in the form of 1.5 and of today', () => {
    expect(
      read({
        metadata: { name: 'win01', labels: { 'beta.kubernetes.io/os': 'windows' } },
        spec: { podCIDR: '192.168.1.0/24', externalID: 'win01' },
        status: {
          addresses: [
            { type: 'LegacyHostIP', address: '10.0.0.5' },
            { type: 'InternalIP', address: '10.0.0.5' },
          ],
        },
      }),
    ).toEqual(there());
    expect(
      read({
        metadata: {
          name: 'win01',
          labels: { 'beta.kubernetes.io/os': 'linux', 'kubernetes.io/os': 'windows' },
        },
        spec: { podCIDR: 'fd00::/64', podCIDRs: ['fd00::/64', '192.168.1.0/24'] },
        status: { addresses: [{ type: 'InternalIP', address: '10.0.0.5' }] },
      }),
    ).toEqual(there());
    expect(read({ metadata: { name: 'win01' }, spec: {} })).toEqual(
      there({ podCidr: null, addresses: [], os: null }),
    );
  });

  test('are none of ours when they are wrong: that is unknown, not empty', () => {
    for (const text of ['', 'null', '{}', '{"items":[{}]}', '{"items":[{"metadata":{"name":"$(id)"}}]}'])
      expect(() => readNodes(text)).toThrow(/garbage/);
  });
});

describe('a slice for a node that joins', () => {
  const others = [there(), there({ name: 'old', podCidr: null })];
  /** What is refused, or what the node gets. */
  function taken(own: string | null | undefined, asked?: string): unknown {
    const nodes = own === undefined ? others : [...others, there({ name: 'win03', podCidr: own })];
    try {
      const slices = slicesFor('win03', nodes, CLUSTER);
      checkSlice('win03', asked, slices);
      return slices;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [error.code, error.facts];
    }
  }
  const held: RefusalFacts['pod-cidr-held'] = { podCidr: '192.168.1.0/24', holder: 'win01', there: true };
  const rest = { others: [{ name: 'win01', podCidr: '192.168.1.0/24' }] };
  test.each<[string, unknown, unknown]>([
    ['not registered: any', taken(undefined), { own: null, ...rest }],
    ['without one there: any', taken(null), { own: null, ...rest }],
    ['with one there: that one', taken('192.168.9.0/24'), { own: '192.168.9.0/24', ...rest }],
    [
      'with one there, and asked for it',
      taken('192.168.9.0/24', '192.168.9.0/24'),
      { own: '192.168.9.0/24', ...rest },
    ],
    [
      'with one there, and asked for another',
      taken('192.168.9.0/24', '192.168.3.0/24'),
      ['pod-cidr-differs', { name: 'win03', podCidr: '192.168.3.0/24', there: '192.168.9.0/24' }],
    ],
    ['asked for what another has there', taken(undefined, '192.168.1.0/24'), ['pod-cidr-held', held]],
    [
      'with what another has there, too',
      taken('192.168.1.0/24'),
      ['pod-cidr-held', { ...held, apiNode: 'win03' }],
    ],
    [
      'with what is no IPv4 range',
      taken('fd00::/64'),
      ['pod-cidr-outside', { podCidr: 'fd00::/64', clusterCidr: CLUSTER, apiNode: 'win03' }],
    ],
  ])('%s', (_what, found, expected) => {
    expect(found).toEqual(expected);
  });
});

test('versions are compared by their minor', () => {
  expect(isSameMinor('v1.5.2', '1.5')).toBe(true);
  expect(isSameMinor('v1.15.2', '1.5')).toBe(false);
  expect(minorOf('v1.31.2-gke.1')).toBe('1.31');
  expect([isAtLeast('1.5', 8), isAtLeast('1.24', 24), isAtLeast('1.124', 25), isAtLeast('2.0', 9)]).toEqual([
    false,
    true,
    true,
    true,
  ]);
});
