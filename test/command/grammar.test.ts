import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CommandKind } from '../../src/command/command.js';
import { kindsOf, parseCommand, rules } from '../../src/command/grammar.js';
import { normalize } from '../../src/command/normalize.js';
import { isRefusal, type RefusalCode } from '../../src/errors.js';

/** What a refused command says: its code and facts. */
function refusal(text: string): { code: RefusalCode; facts: object } | undefined {
  try {
    parseCommand(text);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { code: error.code, facts: error.facts };
  }
  return undefined;
}

const win03 = { name: 'win03', os: 'windows', address: '10.0.0.7' };

describe('commands', () => {
  test.each<[text: string, command: object]>([
    ['add windows node win03 10.0.0.7', { kind: 'add-node', spec: win03 }],
    ['Add Windows NODE win03 10.0.0.7', { kind: 'add-node', spec: win03 }],
    [
      'add linux node lin-9 10.0.0.9',
      { kind: 'add-node', spec: { name: 'lin-9', os: 'linux', address: '10.0.0.9' } },
    ],
    [
      'add windows node win03 10.0.0.7 pod-cidr 192.168.9.0/24 ssh Admin@win03.corp.local:2222 container-nic 00:15:5d:00:04:0a',
      {
        kind: 'add-node',
        spec: { ...win03, ssh: 'Admin@win03.corp.local:2222', containerNic: '00-15-5D-00-04-0A' },
        podCidr: '192.168.9.0/24',
      },
    ],
    [
      'add windows node container-nic 0015.5d00.040a win03 --pod-cidr 192.168.9.0/24 10.0.0.7',
      { kind: 'add-node', spec: { ...win03, containerNic: '00-15-5D-00-04-0A' }, podCidr: '192.168.9.0/24' },
    ],
    ['remove node win03', { kind: 'remove-node', name: 'win03' }],
    ['nodes', { kind: 'nodes' }],
    ['map', { kind: 'map' }],
    ['node win03', { kind: 'node', name: 'win03' }],
    ['check node win03', { kind: 'check-node', name: 'win03' }],
    ['check windows host 10.0.0.7', { kind: 'check-host', os: 'windows', address: '10.0.0.7' }],
    [
      'Check linux host 10.0.0.8 ssh ops@lin02.corp.local:2222',
      { kind: 'check-host', os: 'linux', address: '10.0.0.8', ssh: 'ops@lin02.corp.local:2222' },
    ],
    ['routes', { kind: 'routes' }],
    ['routes win03', { kind: 'routes', name: 'win03' }],
    ['adopt', { kind: 'adopt' }],
    ['import', { kind: 'adopt' }],
    ['export', { kind: 'export' }],
    ['build kubelet 1.5.0', { kind: 'build', component: 'kubelet', version: 'v1.5.0' }],
    [
      'build kube-proxy v1.6.0-beta.1 from ssh://git@git.corp.local/k8s.git',
      {
        kind: 'build',
        component: 'kube-proxy',
        version: 'v1.6.0-beta.1',
        source: 'ssh://git@git.corp.local/k8s.git',
      },
    ],
    ['builds', { kind: 'builds' }],
    ['deliver kubelet v1.5.0', { kind: 'deliver', component: 'kubelet', version: 'v1.5.0' }],
    [
      'deliver kube-proxy 1.5.0 to win03, win04 win03',
      { kind: 'deliver', component: 'kube-proxy', version: 'v1.5.0', nodes: ['win03', 'win04'] },
    ],
    ['check cluster', { kind: 'check-cluster' }],
    ['kubectl control-plane', { kind: 'control-plane' }],
    ['kubectl win03', { kind: 'kubectl', name: 'win03' }],
    ['changes', { kind: 'changes' }],
    ['change c12', { kind: 'change', id: 'c12' }],
    ['approve #12', { kind: 'approve', id: 'c12' }],
    ['approve 12', { kind: 'approve', id: 'c12' }],
    ['deny C12', { kind: 'deny', id: 'c12' }],
    [
      'deny c12 not before "Friday"; see $(plan)',
      { kind: 'deny', id: 'c12', reason: 'not before "Friday"; see $(plan)' },
    ],
    ['cancel c12', { kind: 'cancel', id: 'c12' }],
    ['retry c12', { kind: 'retry', id: 'c12' }],
    ['rollback c12', { kind: 'rollback', id: 'c12' }],
    ['history', { kind: 'history' }],
    ['history win03', { kind: 'history', name: 'win03' }],
    ['audit verify', { kind: 'audit', action: 'verify' }],
    ['Audit Export', { kind: 'audit', action: 'export' }],
    ['', { kind: 'help' }],
    ['help', { kind: 'help' }],
    ['help add', { kind: 'help', topic: ['add-node'] }],
    ['help add linux', { kind: 'help', topic: ['add-node'] }],
    ['whoami', { kind: 'whoami' }],
    ['can-i approve', { kind: 'can-i', asked: 'approve', command: 'approve' }],
    [
      'can-i add windows node win03 10.0.0.7',
      { kind: 'can-i', asked: 'add-node', command: 'add windows node win03 10.0.0.7' },
    ],
  ])('%s', (text, command) => {
    expect(parseCommand(text)).toEqual(command);
  });

  test('every kind has its rule, and no two rules begin alike but for one, whose longer form comes first', () => {
    expect(rules.map(({ kind }) => kind)).toEqual(CommandKind.options);
    for (const { pattern, kind } of rules) {
      const head = pattern.head.map(([word]) => word).join(' ');
      expect(kindsOf(head)).toEqual(head.startsWith('kubectl') ? ['control-plane', 'kubectl'] : [kind]);
    }
  });
});

describe('a wrong argument is refused by its name', () => {
  const hostile = [
    'a"b',
    "a'b",
    'a;b',
    'a$(id)',
    '`id`',
    'a|b',
    'a&b',
    'a\nb',
    'a\0b',
    '../a',
    '-a',
    'a'.repeat(64),
    'wіn03',
    '<name>',
    '%COMSPEC%',
  ];

  test('a name says what is wrong with its ends', () => {
    for (const name of ['-lin02', 'lin02-', '-']) {
      expect(refusal(`add linux node ${name} 10.0.0.8`)).toMatchObject({
        facts: {
          argument: 'name',
          got: name,
          takes: expect.stringContaining('letter or digit at both ends'),
        },
      });
    }
  });

  test.each(hostile)('name %j', (name) => {
    expect(refusal(`add windows node ${name} 10.0.0.7`)).toMatchObject({
      code: 'bad-argument',
      facts: { argument: 'name', got: name },
    });
    expect(refusal(`remove node ${name}`)).toMatchObject({
      code: 'bad-argument',
      facts: { argument: 'name', got: name },
    });
    expect(refusal(`kubectl ${name}`)).toMatchObject({
      code: 'bad-argument',
      facts: { argument: 'node', got: name },
    });
  });

  test.each([
    ...hostile,
    '10.7',
    '0x0a000007',
    '10.0.0.07',
    '167772167',
    '10.0.0.256',
    '１０.0.0.7',
    '10.0.0.٧',
    '10.0.0.7/24',
    '::ffff:10.0.0.7',
    '10.0.0.7\n',
  ])('address %j', (address) => {
    expect(refusal(`add windows node win03 ${address}`)).toMatchObject({
      code: 'bad-argument',
      facts: { argument: 'address', got: address },
    });
  });

  test.each([
    ...hostile,
    '192.168.9.0',
    '192.168.9.1/24',
    '192.168.9.0/33',
    '192.168.9.0/024',
    '192.168.9/24',
    '192.168.9.0/２４',
  ])('cidr %j', (cidr) => {
    expect(refusal(`add windows node win03 10.0.0.7 pod-cidr ${cidr}`)).toMatchObject({
      code: 'bad-argument',
      facts: { argument: 'cidr', got: cidr },
    });
  });

  test.each([
    ...hostile,
    'win03',
    'a@-oProxyCommand=id',
    'a@-b',
    'a@b:0',
    'a@b:65536',
    'a b@c',
    'a@b;id',
    '-l@b',
    'a@b@c',
    'a@$(id)',
  ])('ssh %j', (ssh) => {
    const found = refusal(`add windows node win03 10.0.0.7 ssh ${ssh}`);
    expect(found).toMatchObject({ code: 'bad-argument', facts: { argument: 'user@host:port' } });
  });

  test.each([
    ...hostile,
    '00-15-5D-00-04',
    '00-15:5D-00-04-01',
    '00-15-5D-00-04-0G',
    '00-15-5D-00-04-01-02',
    '0155D000401',
  ])('mac %j', (mac) => {
    expect(refusal(`add windows node win03 10.0.0.7 container-nic ${mac}`)).toMatchObject({
      code: 'bad-argument',
      facts: { argument: 'mac', got: mac },
    });
  });

  test.each(['c', 'c0', 'c-1', 'c1;id', 'c١', 'cc1', '1e3', 'c1234567890'])('id %j', (id) => {
    expect(refusal(`approve ${id}`)).toMatchObject({
      code: 'bad-argument',
      facts: { argument: 'id', got: id },
    });
  });

  test('whatever is typed, what is accepted holds nothing that a shell would read', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'add',
        'windows',
        'linux',
        'node',
        'win03',
        '10.0.0.7',
        'pod-cidr',
        'ssh',
        'container-nic',
        'a@b',
        '192.168.9.0/24',
      ),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.constantFrom(...hostile),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const text = normalize(['add windows node', ...pieces].join(' '));
        if (refusal(text) !== undefined) return;
        const command = parseCommand(text);
        expect(Object.values('spec' in command ? command.spec : {}).join(' ')).toMatch(
          /^[A-Za-z0-9 ._@:-]*$/,
        );
      }),
      { numRuns: 500 },
    );
  });

  test('a missing one is named too, with the usage', () => {
    expect(refusal('add windows node win03')).toMatchObject({
      code: 'bad-argument',
      facts: { argument: 'address', got: '', usage: expect.stringContaining('add (linux|windows) node') },
    });
    expect(refusal('add windows node win03 10.0.0.7 pod-cidr')).toMatchObject({
      facts: { argument: 'cidr', got: '' },
    });
    expect(refusal('approve')).toMatchObject({ facts: { argument: 'id', got: '' } });
    expect(refusal('can-i')).toMatchObject({ facts: { argument: 'command', got: '' } });
  });

  test('a container NIC on Linux is refused, with the command that works', () => {
    const typed = 'add linux node lin02 10.0.0.8 pod-cidr 192.168.9.0/24 container-nic 00-15-5D-00-04-01';
    const found = refusal(`${typed} ssh a@b`);
    const instead = 'add linux node lin02 10.0.0.8 pod-cidr 192.168.9.0/24 ssh a@b';
    expect(found).toMatchObject({ code: 'windows-only', facts: { option: 'container-nic', instead } });
    parseCommand(instead);
  });

  test('a name in capitals comes with the name as it should be', () => {
    expect(refusal('remove node Win03')).toMatchObject({ facts: { got: 'Win03', example: 'win03' } });
  });

  test('one word too many, an option twice, an over-long text', () => {
    expect(refusal('nodes now')).toMatchObject({ code: 'extra-word', facts: { word: 'now' } });
    expect(refusal('approve c1 c2')).toMatchObject({ code: 'extra-word', facts: { word: 'c2' } });
    expect(refusal('mute win03 kubelet for 2h 3h')).toMatchObject({
      code: 'extra-word',
      facts: { word: '3h' },
    });
    expect(refusal('add windows node a 10.0.0.7 ssh a@b ssh a@c')).toMatchObject({
      code: 'extra-word',
      facts: { word: 'ssh' },
    });
    expect(refusal(`deny c1 ${'x'.repeat(501)}`)).toMatchObject({
      code: 'bad-argument',
      facts: { argument: 'reason' },
    });
    expect(refusal('x'.repeat(1001))).toMatchObject({ code: 'bad-argument', facts: { argument: 'command' } });
  });
});

test('a list pasted behind its command is told where it goes, however long it is', () => {
  const list = `cluster: prod\nnodes:\n${'- {name: a}\n'.repeat(200)}`;
  for (const verb of ['adopt', 'import', 'Adopt '])
    expect(refusal(`${verb}\n${list}`)).toEqual({ code: 'list-missing', facts: {} });
  expect(refusal(`nodes\n${list}`)?.code).toBe('bad-argument');
});

describe('did you mean', () => {
  test.each<[typed: string, meant: string]>([
    ['ad windows node win03 10.0.0.7', 'add windows node win03 10.0.0.7'],
    ['add windwos node win03 10.0.0.7', 'add windows node win03 10.0.0.7'],
    ['add win node win03 10.0.0.7', 'add windows node win03 10.0.0.7'],
    ['add node windows win03 10.0.0.7', 'add windows node win03 10.0.0.7'],
    ['add windows win03 10.0.0.7', 'add windows node win03 10.0.0.7'],
    ['add windows nod win03 10.0.0.7 ssh a@b', 'add windows node win03 10.0.0.7 ssh a@b'],
    [
      'add windows node win03 10.0.0.7 pod-cdir 192.168.9.0/24',
      'add windows node win03 10.0.0.7 pod-cidr 192.168.9.0/24',
    ],
    ['remvoe node win03', 'remove node win03'],
    ['remove win03', 'remove node win03'],
    ['delete node win03', 'remove node win03'],
    ['rm win03', 'remove node win03'],
    ['aprove c12', 'approve c12'],
    ['reject c12 not now', 'deny c12 not now'],
    ['undo c12', 'rollback c12'],
    ['ndoes', 'nodes'],
    ['list', 'nodes'],
    ['list nodes', 'nodes'],
    ['get changes', 'changes'],
    ['describe node win03', 'node win03'],
    ['show c12', 'change c12'],
    ['chnages', 'changes'],
    ['adpot', 'adopt'],
    ['exprot', 'export'],
    ['backup', 'export'],
    ['load', 'import'],
    ['routse win03', 'routes win03'],
    ['halp', 'help'],
    ['histroy win03', 'history win03'],
    ['log win03', 'history win03'],
    ['show history', 'history'],
    ['audit verfy', 'audit verify'],
    ['audti export', 'audit export'],
    ['verify audit', 'audit verify'],
    ['who-am-i', 'whoami'],
    ['can-i aprove', 'can-i approve'],
    ['help aprove', 'help approve'],
    ['can-i ad windows node', 'can-i add windows node'],
    // An option's word left out before what only it takes.
    ['mute win03 2h', 'mute win03 for 2h'],
    ['mute win03 kubelet 2h', 'mute win03 kubelet for 2h'],
    [
      'add windows node win03 10.0.0.7 192.168.3.0/24',
      'add windows node win03 10.0.0.7 pod-cidr 192.168.3.0/24',
    ],
    [
      'build kubelet v1.5.0 https://git.corp.local/k8s.git',
      'build kubelet v1.5.0 from https://git.corp.local/k8s.git',
    ],
    ['deliver kubelet v1.5.0 win03 win04', 'deliver kubelet v1.5.0 to win03 win04'],
  ])('%s → %s', (said, suggestion) => {
    expect(refusal(said)).toMatchObject({ code: 'unknown-command', facts: { suggestion } });
    // What is suggested works.
    parseCommand(suggestion);
  });

  test.each(['make me a sandwich', 'x', 'win03', '10.0.0.7', '; rm -rf /'])('%s is like nothing', (said) => {
    expect(refusal(said)).toEqual({ code: 'unknown-command', facts: { said } });
  });

  test('what begins like a command gets its usage', () => {
    expect(refusal('add win03 10.0.0.7')).toMatchObject({
      code: 'unknown-command',
      facts: { usage: expect.stringMatching(/^add \(linux\|windows\) node/) },
    });
  });

  test('is quick for whatever is typed', () => {
    const started = process.cpuUsage();
    for (let i = 0; i < 100; i += 1) refusal('add nod windoes '.repeat(60));
    expect(process.cpuUsage(started).user / 100).toBeLessThan(20_000);
  });
});
