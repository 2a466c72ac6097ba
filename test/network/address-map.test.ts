import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { baseOf, type Cidr, overlaps, sizeOf, toText } from '../../src/ip.js';
import { addressMap, type Part } from '../../src/network/address-map.js';
import { countFree, type NetworkPolicy } from '../../src/network/allocation.js';
import type { Lease } from '../../src/network/lease-store.js';
import { Node } from '../../src/node/node.js';

const guide: NetworkPolicy = {
  clusterCidr: '192.168.0.0/16',
  nodePrefixLength: 24,
  serviceCidr: '10.96.0.0/12',
  reserved: [],
};

function node(name: string, podCidr: Cidr, address = '10.0.0.4'): Node {
  return Node.parse({ name, os: 'linux', address, podCidr });
}

function lease(name: string, podCidr: Cidr, state: Lease['state'], over: Partial<Lease> = {}): Lease {
  const { podCidr: _podCidr, ...spec } = node(name, podCidr);
  const claimedAt = '2026-11-28T05:12:00.000Z';
  return { podCidr, node: spec, changeId: 'c7', state, claimedAt, owing: [], ...over };
}

/** One line a part, to read at a glance. */
function told(parts: readonly Part[]): string[] {
  return parts.map(({ cidr, use }) => {
    const whose = 'node' in use ? ` ${use.node}` : '';
    return `${cidr} ${use.kind}${whose}${use.kind === 'free' ? ` ${use.count}` : ''}`;
  });
}

describe('the map of a cluster’s addresses', () => {
  test('of an empty cluster is one part', () => {
    expect(told(addressMap(guide, [], []))).toEqual(['192.168.0.0/24 free 256']);
  });

  test('has members, what is on the way, what rests, and the gaps, in the order of the addresses', () => {
    const members = [node('win01', '192.168.1.0/24'), node('lin01', '192.168.0.0/24')];
    const until = { restsUntil: '2026-11-29T05:12:00.000Z', owing: ['lin01'] };
    const leases = [
      lease('lin01', '192.168.0.0/24', 'held'),
      lease('win02', '192.168.2.0/24', 'claimed'),
      lease('win03', '192.168.4.0/24', 'held'),
      lease('win04', '192.168.255.0/24', 'resting', until),
    ];
    const parts = addressMap(guide, members, leases);
    expect(told(parts)).toEqual([
      '192.168.0.0/24 member lin01',
      '192.168.1.0/24 member win01',
      '192.168.2.0/24 claimed win02',
      '192.168.3.0/24 free 1',
      '192.168.4.0/24 held win03',
      '192.168.5.0/24 free 250',
      '192.168.255.0/24 resting win04',
    ]);
    expect(parts.at(-1)?.use).toEqual({
      ...{ kind: 'resting', node: 'win04', until: until.restsUntil },
      owing: ['lin01'],
    });
  });

  test('shows what no node ever gets; a slice that is only partly kept is not free', () => {
    const policy: NetworkPolicy = {
      ...guide,
      serviceCidr: '192.168.128.0/17',
      reserved: ['192.168.2.0/23', '192.168.8.64/26'],
    };
    const inside = node('lin01', '192.168.0.0/24', '192.168.5.7');
    expect(told(addressMap(policy, [inside], []))).toEqual([
      '192.168.0.0/24 member lin01',
      '192.168.1.0/24 free 1',
      '192.168.2.0/23 reserved',
      '192.168.4.0/24 free 1',
      '192.168.5.7/32 address lin01',
      '192.168.6.0/24 free 2',
      '192.168.8.64/26 reserved',
      '192.168.9.0/24 free 119',
      '192.168.128.0/17 service',
    ]);
  });

  test('the address of a node on the way is kept free, too, and that of one that left is not', () => {
    const at = (address: string) => ({ node: { name: 'win03', os: 'windows' as const, address } });
    const leases = [
      lease('win03', '192.168.0.0/24', 'claimed', at('192.168.3.7')),
      lease('win04', '192.168.1.0/24', 'resting', at('192.168.4.7')),
    ];
    expect(told(addressMap(guide, [], leases)).slice(2)).toEqual([
      '192.168.2.0/24 free 1',
      '192.168.3.7/32 address win03',
      '192.168.4.0/24 free 252',
    ]);
  });

  test('another node’s lease of a member’s slice is not hidden behind it', () => {
    const parts = addressMap(
      guide,
      [node('lin01', '192.168.0.0/24')],
      [lease('lin02', '192.168.0.0/24', 'held')],
    );
    expect(told(parts).slice(0, 2)).toEqual(['192.168.0.0/24 member lin01', '192.168.0.0/24 held lin02']);
  });

  test('counts as free exactly what could be given, wherever what is taken lies', () => {
    const cidr = fc
      .tuple(fc.integer({ min: 17, max: 32 }), fc.nat({ max: 65_535 }))
      .map(([length, at]): Cidr => {
        const size = 2 ** (32 - length);
        return `${toText(baseOf('192.168.0.0/16') + Math.floor(at / size) * size)}/${length}`;
      });
    fc.assert(
      fc.property(fc.array(cidr, { maxLength: 12 }), (reserved) => {
        const parts = addressMap({ ...guide, reserved }, [], []);
        const free = parts.flatMap(({ cidr: first, use }) =>
          use.kind === 'free' ? [{ first, ...use }] : [],
        );
        expect(free.reduce((sum, { count }) => sum + count, 0)).toBe(countFree(guide, [], reserved));
        for (const { first, count } of free)
          for (let index = 0; index < count; index += 1) {
            const slice: Cidr = `${toText(baseOf(first) + index * sizeOf(first))}/24`;
            expect(reserved.some((range) => overlaps(range, slice))).toBe(false);
          }
      }),
    );
  });
});
