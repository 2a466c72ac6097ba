import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { readNodeList, writeNodeList } from '../../src/command/node-list.js';
import { isRefusal, Refusal } from '../../src/errors.js';
import { cidrAround, toText } from '../../src/ip.js';
import type { NodeEntry } from '../../src/node/node.js';
import { sayRefusal } from '../../src/words/refusal.js';
import { plainVoice } from '../../src/words/voice.js';

const cluster = { name: 'prod', cidr: '192.168.0.0/16' };
const head = 'cluster: prod\nclusterCidr: 192.168.0.0/16\nnodes:\n';
const LIST = `${head}  - name: lin01
    os: linux
    address: 10.0.0.4
    podCidr: 192.168.0.0/24
  - { name: win01, os: windows, address: 10.0.0.5, ssh: admin@win01.corp.local:2222, containerNic: 0015.5d00.0401 }
`;

function refusalOf(text: string): Refusal {
  try {
    readNodeList(text, cluster);
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
  throw new Error('this was read');
}
const said = (text: string) => sayRefusal(refusalOf(text), plainVoice);

test('a list as people write it, in either style', () => {
  expect(readNodeList(LIST, cluster)).toEqual([
    { name: 'lin01', os: 'linux', address: '10.0.0.4', podCidr: '192.168.0.0/24' },
    {
      name: 'win01',
      os: 'windows',
      address: '10.0.0.5',
      ssh: 'admin@win01.corp.local:2222',
      containerNic: '00-15-5D-00-04-01',
    },
  ]);
});

test('what keyboards and pages make of it is undone', () => {
  const typed = LIST.replaceAll('\n', '\r\n')
    .replaceAll('    ', '\u00a0\u00a0  ')
    .replace('name: lin01', 'name: \u201clin01\u201d');
  expect(readNodeList(typed, cluster)).toEqual(readNodeList(LIST, cluster));
  expect(readNodeList(`---\n${LIST}`, cluster)).toHaveLength(2);
  const line =
    '{cluster: prod, clusterCidr: 192.168.0.0/16, nodes: [{name: a, os: linux, address: 10.0.0.4}]}';
  expect(readNodeList(line, cluster)).toHaveLength(1);
});

test('words that YAML takes for something else are names all the same', () => {
  for (const name of ['no', 'null', '0123', '1e3', 'true', '0x10', '2026-11-23'.replaceAll('-', '')]) {
    const text = writeNodeList([{ name, os: 'linux', address: '10.0.0.4' }], cluster);
    expect(readNodeList(text, cluster)).toMatchObject([{ name }]);
    // Other programs read it so, too.
    expect(parse(text)).toMatchObject({ nodes: [{ name }] });
    expect(readNodeList(`${head}  - { name: ${name}, os: linux, address: 10.0.0.4 }`, cluster)).toMatchObject(
      [{ name }],
    );
  }
});

const entries = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/), fc.nat(255)), {
    selector: ([name]) => name,
    maxLength: 40,
    minLength: 1,
  })
  .chain((names) =>
    fc.tuple(
      fc.constant(names),
      fc.array(
        fc.record({
          os: fc.constantFrom('linux' as const, 'windows' as const),
          withCidr: fc.boolean(),
          ssh: fc.option(fc.constantFrom('admin@win.corp.local', 'root@10.0.0.1:2222'), { nil: undefined }),
          nic: fc.option(fc.constant('00-15-5D-00-04-01'), { nil: undefined }),
        }),
        { minLength: names.length, maxLength: names.length },
      ),
    ),
  )
  .map(([names, more]) =>
    names.map(([name], index): NodeEntry => {
      const { os, withCidr, ssh, nic } = more[index] ?? { os: 'linux', withCidr: false };
      return {
        name,
        os,
        address: toText(0x0a000000 + index),
        ...(withCidr ? { podCidr: cidrAround(toText(0xc0a80000 + index * 256), 24) } : {}),
        ...(ssh ? { ssh } : {}),
        ...(nic ? { containerNic: nic } : {}),
      };
    }),
  );

test('whatever is exported is imported as it was, and exported again it is the same text', () => {
  fc.assert(
    fc.property(entries, (nodes) => {
      const text = writeNodeList(nodes, cluster);
      const read = readNodeList(text, cluster);
      expect(read).toEqual(nodes);
      expect(writeNodeList(read, cluster)).toBe(text);
    }),
  );
});

test('an export is read by hand: one line a node, and how it comes back', () => {
  expect(writeNodeList(readNodeList(LIST, cluster), cluster)).toMatchInlineSnapshot(`
"# Fairway's nodes. To bring them back: /fairway adopt, and paste this; or in a shell
#   npm run console -- adopt < this-file
# A pod CIDR that is left out is read from the host.
cluster: prod
clusterCidr: 192.168.0.0/16
nodes:
  - { name: lin01, os: linux, address: 10.0.0.4, podCidr: 192.168.0.0/24 }
  - { name: win01, os: windows, address: 10.0.0.5, ssh: admin@win01.corp.local:2222, containerNic: 00-15-5D-00-04-01 }
"
`);
});

describe('what is wrong is named, with its line and key', () => {
  test.each<[what: string, text: string, line: string | RegExp]>([
    [
      'an unknown key',
      LIST.replace('address', 'adress'),
      /^Line 6, `adress`: there is no such key. There are name, os, address,/m,
    ],
    ['a missing one', LIST.replace('    os: linux\n', ''), /^Line 4, `os`: it is missing, so add it\.$/],
    ['an empty one', LIST.replace('os: linux', 'os:'), /^Line 5, `os`: it is missing, so add it\.$/],
    [
      'a value of another form',
      LIST.replace('10.0.0.5', '10.0.5'),
      "Line 8, `address` can't be `10.0.5`: it takes an IPv4 address",
    ],
    [
      'another OS',
      LIST.replace('windows', 'Windows'),
      "Line 8, `os` can't be `Windows`: it takes linux or windows.",
    ],
    ['host bits', LIST.replace('0.0/24', '0.7/24'), "Line 7, `podCidr` can't be `192.168.0.7/24`"],
    ['a map for a text', LIST.replace('10.0.0.4', '{ a: b }'), /^Line 6, `address`: it has another form/],
    [
      'a key twice',
      LIST.replace('    os: linux', '    name: other\n    os: linux'),
      'Line 5, `name`: it stands on line 4 already.',
    ],
    ['a name twice', LIST.replace('win01', 'lin01'), 'Line 8, `name`: `lin01` is on line 4 too.'],
    [
      'an address twice',
      LIST.replace('10.0.0.5', '10.0.0.4'),
      'Line 8, `address`: `10.0.0.4` is on line 6 too.',
    ],
    [
      'a pod CIDR twice',
      LIST.replace('ssh:', 'podCidr: 192.168.0.0/24, ssh:'),
      'Line 8, `podCidr`: `192.168.0.0/24` is on line 7 too.',
    ],
    [
      'another cluster',
      LIST.replace('prod', 'staging'),
      'Line 1, `cluster`: this is a list of `staging`, and I run `prod`.',
    ],
    [
      'another range',
      LIST.replace('0.0/16', '0.0/17'),
      'Line 2, `clusterCidr`: this is a list of `192.168.0.0/17`',
    ],
    ['no cluster', LIST.replace('cluster: prod\n', ''), 'Line 1, `cluster`: it is missing, so add it.'],
    ['no node', head, /^Line 3, `nodes`: it is missing, so add it\.$/],
    ['an empty list', head.replace('nodes:', 'nodes: []'), 'Line 3, `nodes`: it is missing, so add it.'],
    [
      'an unknown key on top',
      `extra: 1\n${LIST}`,
      'Line 1, `extra`: there is no such key. There are cluster, clusterCidr and nodes.',
    ],
    ['a prototype', LIST.replace('ssh', '__proto__'), 'Line 8, `__proto__`: there is no such key.'],
    ['a word alone', 'nodes', /^Line 1/],
  ])('%s', (_what, text, wanted) => {
    if (typeof wanted === 'string') expect(said(text)).toContain(wanted);
    else expect(said(text)).toMatch(wanted);
  });

  test('several at once, in the order of their lines; many are counted', () => {
    const bad = (n: number) => `  - { name: n${n}, os: linux, adress: 10.0.0.${n} }\n`;
    const text = said(head + [1, 2, 3, 4].map(bad).join(''));
    expect(text.match(/^Line \d+/gm)).toEqual(['Line 4', 'Line 4', 'Line 5', 'Line 5', 'Line 6']);
    expect(text).toContain('3 more problems');
  });

  test('no YAML at all', () => {
    expect(said(LIST.replace('name: lin01', 'name: [lin01'))).toMatch(
      /^Line [4-6] is no YAML that I can read: /,
    );
    expect(said(`${LIST}\n\t- x`)).toMatch(/^Line \d+/);
    expect(said('')).toContain('goes into a form');
    expect(said(' \n ')).toContain('goes into a form');
  });
});

/** Milliseconds of processor time: how busy the machine is otherwise does not count. */
function costOf(act: () => unknown): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('hostile texts end within a second', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${[...'bcdefgh']
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`)
    .join('\n')}\nnodes: *h`;
  const long = 65_000;
  const repeat = (text: string) => text.repeat(Math.floor(long / text.length));
  test.each<[what: string, text: string]>([
    ['a bomb of aliases', bomb],
    ['1 MB of garbage', 'x\u0000{[:,&*!|>%@`"\'\n- '.repeat(60_000)],
    ['brackets', repeat('[')],
    ['maps in maps', repeat('a: {')],
    ['dashes', repeat('- ')],
    ['question marks', repeat('? ')],
    ['colons', repeat(': ')],
    ['commas', `[${repeat(',')}`],
    ['commas apart', `[${repeat(', ')}`],
    ['keys without values', `{${repeat('a,')}`],
    [
      'keys',
      Array.from({ length: 9000 }, (_, i) => `k${i}: `)
        .join('\n')
        .slice(0, long),
    ],
    ['one key again and again', repeat('a: 1\n')],
    ['anchors', repeat('&a ')],
    ['tags', repeat('!!x ')],
    ['documents', repeat('---\n')],
    ['comments', repeat('#\n')],
    ['empty lines', repeat('\n')],
    ['a block of text', `>\n${repeat(' a\n\n')}`],
    ['steps', Array.from({ length: 350 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['flows in steps', Array.from({ length: 350 }, (_, i) => `${' '.repeat(i)}a: {b: c}`).join('\n')],
    ['open flows', repeat('a: {b: c\n')],
    ['quotes', repeat(`'`)],
    ['an open quote', `"${repeat('\\x41')}`],
    ['nodes', `${head}${repeat('  - {}\n')}`],
    ['nodes that are no maps', `${head}${repeat('  - a\n')}`],
    ['a merge', `${head}  - { <<: *x, name: a }`],
    ['a directive', `%YAML 1.1\n---\n${LIST}`],
    ['a tag that makes something', `${head}  - !!js/function 'x'`],
    ['a second document', `${LIST}---\n${LIST}`],
  ])('%s', (_what, text) => {
    let refusal = new Refusal('list-missing', {}) as Refusal;
    const cost = costOf(() => {
      refusal = refusalOf(text);
    });
    expect(refusal.code).toMatch(/^list-/);
    expect(sayRefusal(refusal, plainVoice).length).toBeLessThan(1500);
    expect(cost).toBeLessThan(1000);
  });

  test('800 nodes are no hostile text', () => {
    const nodes = Array.from(
      { length: 800 },
      (_, i): NodeEntry => ({
        name: `node-${i}`,
        os: 'linux',
        address: toText(0x0a000000 + i),
        podCidr: `192.168.${i % 256}.0/24`,
      }),
    ).map(({ podCidr, ...node }, i) => (i < 256 ? { ...node, podCidr } : node));
    const cost = costOf(() => expect(readNodeList(writeNodeList(nodes, cluster), cluster)).toEqual(nodes));
    expect(cost).toBeLessThan(2000);
  });
});
