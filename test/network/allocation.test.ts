import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Cidr, cidrAround, contains, overlaps, toText } from '../../src/ip.js';
import {
  checkAddress,
  checkPodCidr,
  countFree,
  firstFree,
  type NetworkPolicy,
  neverGiven,
  podCidrs,
  sliceCount,
} from '../../src/network/allocation.js';

const guide: NetworkPolicy = {
  clusterCidr: '192.168.0.0/16',
  nodePrefixLength: 24,
  serviceCidr: '10.96.0.0/12',
  reserved: [],
};

describe('podCidrs', () => {
  test('a /16 has 256 slices of /24, lowest first', () => {
    const slices = [...podCidrs('192.168.0.0/16', 24)];
    expect(slices).toHaveLength(256);
    expect(sliceCount(guide)).toBe(256);
    expect([slices[0], slices[1], slices[255]]).toEqual([
      '192.168.0.0/24',
      '192.168.1.0/24',
      '192.168.255.0/24',
    ]);
  });

  test('reaches the end of the address space', () => {
    expect([...podCidrs('255.255.255.0/24', 26)].at(-1)).toBe('255.255.255.192/26');
  });
});

describe('firstFree', () => {
  test("the guide's example: lin01, win01 and win02 get .0, .1 and .2 (S18)", () => {
    const taken: Cidr[] = [];
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
      taken.push(firstFree(guide, taken, neverGiven(guide, [address])) ?? '');
    }
    expect(taken).toEqual(['192.168.0.0/24', '192.168.1.0/24', '192.168.2.0/24']);
  });

  test.each<[why: string, policy: Partial<NetworkPolicy>, addresses: string[], expected: string | null]>([
    ['a reserved range', { reserved: ['192.168.0.0/23'] }, [], '192.168.2.0/24'],
    ['a reserved address', { reserved: ['192.168.0.255/32'] }, [], '192.168.1.0/24'],
    ['the service CIDR', { serviceCidr: '192.168.0.0/22' }, [], '192.168.4.0/24'],
    ["a node's own address", {}, ['192.168.0.17'], '192.168.1.0/24'],
    ['everything', { reserved: ['192.0.0.0/8'] }, [], null],
  ])('passes over %s', (_why, policy, addresses, expected) => {
    const cluster = { ...guide, ...policy };
    expect(firstFree(cluster, [], neverGiven(cluster, addresses))).toBe(expected);
  });

  test('takes the lowest gap, also of slices of another size', () => {
    expect(firstFree(guide, ['192.168.0.0/24', '192.168.2.0/24'], [])).toBe('192.168.1.0/24');
    expect(firstFree(guide, ['192.168.0.64/26', '192.168.1.0/25'], [])).toBe('192.168.2.0/24');
  });

  test('whatever is taken, the answer is free, in the cluster, and the lowest such', () => {
    const cluster: NetworkPolicy = { ...guide, clusterCidr: '192.168.0.0/20', serviceCidr: '192.168.3.0/24' };
    const range = fc
      .tuple(fc.integer({ min: 0xc0a80000, max: 0xc0a80fff }), fc.integer({ min: 22, max: 32 }))
      .map(([value, length]) => cidrAround(toText(value), length));
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 20 }),
        fc.array(range, { maxLength: 5 }),
        (taken, reserved) => {
          const policy = { ...cluster, reserved };
          const excluded = neverGiven(policy, ['10.0.0.4', '192.168.5.9']);
          const found = firstFree(policy, taken, excluded);
          const isFree = (slice: Cidr) => ![...taken, ...excluded].some((other) => overlaps(other, slice));
          const free = [...podCidrs(policy.clusterCidr, 24)].filter(isFree);
          expect(found).toBe(free[0] ?? null);
          expect(countFree(policy, taken, excluded)).toBe(free.length);
          if (found !== null) expect(contains(policy.clusterCidr, found)).toBe(true);
        },
      ),
    );
  });
});

describe('checkPodCidr', () => {
  const win01 = { name: 'win01', address: '10.0.0.2' };
  const holders = [
    { podCidr: '192.168.1.0/24', holder: 'win01' },
    { podCidr: '192.168.9.0/24', holder: 'win09', changeId: 'c4' },
  ];
  const policy: NetworkPolicy = { ...guide, reserved: ['192.168.200.0/22'] };

  test.each<[podCidr: Cidr, code: string, facts: Record<string, unknown>]>([
    ['192.169.0.0/24', 'pod-cidr-outside', { clusterCidr: '192.168.0.0/16' }],
    ['192.168.0.0/15', 'pod-cidr-outside', {}],
    ['192.168.0.0/25', 'pod-cidr-size', { prefixLength: 24 }],
    ['192.168.0.0/16', 'pod-cidr-size', { prefixLength: 24 }],
    ['192.168.201.0/24', 'pod-cidr-overlaps', { overlap: 'reserved', with: '192.168.200.0/22' }],
    [
      '192.168.77.0/24',
      'pod-cidr-overlaps',
      { overlap: 'node-address', with: '192.168.77.7', owner: 'lin77' },
    ],
    ['192.168.1.0/24', 'pod-cidr-held', { holder: 'win01' }],
    ['192.168.9.0/24', 'pod-cidr-held', { holder: 'win09', changeId: 'c4' }],
  ])('%s is refused: %s', (podCidr, code, facts) => {
    const refusal = checkPodCidr(podCidr, policy, holders, [
      win01,
      { name: 'lin77', address: '192.168.77.7' },
    ]);
    expect(refusal).toMatchObject({ code, facts: { podCidr, ...facts } });
  });

  test('a slice in the service CIDR is refused', () => {
    const refusal = checkPodCidr('192.168.8.0/24', { ...guide, serviceCidr: '192.168.0.0/17' }, [], []);
    expect(refusal).toMatchObject({
      code: 'pod-cidr-overlaps',
      facts: { overlap: 'service-cidr', with: '192.168.0.0/17' },
    });
  });

  test('a free slice is not refused', () => {
    expect(checkPodCidr('192.168.42.0/24', policy, holders, [win01])).toBeNull();
  });
});

describe('checkAddress', () => {
  test.each(['0.0.0.7', '127.0.0.1', '169.254.1.1', '224.0.0.1', '255.255.255.255', '10.96.0.10'])(
    '%s is no address of a node',
    (address) => {
      expect(checkAddress(address, guide, [])).toMatchObject({
        code: 'address-unusable',
        facts: { address },
      });
    },
  );

  test("an address among a node's pods is refused with the node's name", () => {
    expect(checkAddress('192.168.1.7', guide, [{ name: 'win01', podCidr: '192.168.1.0/24' }])).toMatchObject({
      code: 'address-in-pod-cidr',
      facts: { holder: 'win01', podCidr: '192.168.1.0/24' },
    });
  });

  test('a plain address is taken, also one in the cluster CIDR', () => {
    expect(checkAddress('10.0.0.7', guide, [])).toBeNull();
    expect(checkAddress('192.168.5.7', guide, [{ name: 'win01', podCidr: '192.168.1.0/24' }])).toBeNull();
  });
});
