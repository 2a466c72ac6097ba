import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkMessageBlocks } from '../../sandbox/slack/limits.js';
import type { HostRoutes, ManifestCheck, NodeRow, OwedPart, Reply } from '../../src/command/reply.js';
import type { ClusterCheck } from '../../src/kube/check.js';
import { RULES } from '../../src/manifest/rule.js';
import { LIMIT, weigh } from '../../src/slack/blocks.js';
import { replyMessage } from '../../src/slack/reply.js';
import { controlPlaneSnippets } from '../../src/snippet/control-plane.js';
import { CONTROL_PLANE } from '../support/control-plane.js';
import { buttonsOf, readable } from './support/read.js';
import { CLUSTER, change, DEBT, NOW, VIEWS, WIN03 } from './support/views.js';

const row = (over: Partial<NodeRow> = {}): NodeRow => ({
  node: WIN03,
  state: 'member',
  owedBy: [],
  owes: [],
  ...over,
});
const owedPart = (host: string, changeId = 'c17'): OwedPart => ({ host, changeId, debt: DEBT });
const seen = { destination: '192.168.3.0/24', nextHop: '10.0.0.9', device: 'eth0', ours: true, metric: 0 };
const routes = (over: Partial<HostRoutes> = {}): HostRoutes => ({
  host: 'lin01',
  desired: [{ destination: '192.168.3.0/24', nextHop: '10.0.0.7' }],
  drift: { missing: [], wrong: [], stray: [], foreign: [] },
  ...over,
});
const drifted = routes({
  drift: {
    missing: [{ destination: '192.168.3.0/24', nextHop: '10.0.0.7' }],
    wrong: [seen],
    stray: [{ ...seen, destination: '192.168.8.0/24' }],
    foreign: [{ ...seen, ours: false }],
  },
});

/** As long as a node's name may be. */
const LONG_NAME = 'n'.repeat(63);

const checked: ManifestCheck = {
  cluster: 'prod',
  version: '1.5',
  pods: { windows: 2, linux: 1, unknown: 0 },
  findings: [
    { kind: 'Deployment', name: 'web', line: 12, rule: 'secret', severity: 'fails', what: 'login' },
    { kind: 'Deployment', name: 'web', line: 14, rule: 'dns-tcp', severity: 'differs', what: 'ClusterFirst' },
    {
      ...{ kind: 'DaemonSet', name: 'agent', line: 30, rule: 'image-build', severity: 'fails' },
      ...{ what: 'microsoft/iis:windowsservercore-1709', build: 16299 },
      nodes: [{ name: 'win01', os: 'windows', build: 14393 }],
    },
  ],
  unknownBuilds: ['win02'],
};

const CHECK: ClusterCheck = {
  server: 'https://10.0.0.1:6443',
  hasLogin: true,
  configured: '1.5',
  version: { said: 'v1.6.4' },
  health: { trouble: { kind: 'status', detail: '500 [-]etcd failed' } },
  nodes: {
    said: {
      here: 3,
      there: 3,
      differences: [
        { name: 'lin01', kind: 'not-there' },
        { name: 'lin09', kind: 'not-here', podCidr: null },
        { name: 'lin08', kind: 'not-here', podCidr: '192.168.1.0/24', holder: 'win01' },
        { name: 'win01', kind: 'pod-cidr', ours: '192.168.1.0/24', theirs: null, outside: false },
        { name: 'win02', kind: 'pod-cidr', ours: '192.168.2.0/24', theirs: '10.244.2.0/24', outside: true },
        { name: 'win01', kind: 'address', ours: '10.0.0.5', theirs: ['10.0.0.9'] },
        { name: 'win01', kind: 'os', ours: 'windows', theirs: null },
        { name: 'win02', kind: 'os', ours: 'windows', theirs: 'linux' },
      ],
    },
  },
};

const REPLIES: readonly Reply[] = [
  { kind: 'change-card', id: 'c17' },
  { kind: 'already-running', id: 'c17' },
  { kind: 'decided', id: 'c17', verdict: 'approve', approved: 1, required: 2 },
  { kind: 'decided', id: 'c17', verdict: 'approve', approved: 2, required: 2 },
  { kind: 'decided', id: 'c17', verdict: 'deny', approved: 0, required: 1 },
  { kind: 'accepted', id: 'c17', what: 'withdraw' },
  { kind: 'accepted', id: 'c17', what: 'cancel' },
  { kind: 'accepted', id: 'c17', what: 'give-up' },
  { kind: 'accepted', id: 'c17', what: 'retry' },
  { kind: 'accepted', id: 'c17', what: 'rollback' },
  { kind: 'nodes', cluster: 'prod', rows: [], free: 256, resting: 0 },
  {
    kind: 'nodes',
    cluster: 'prod',
    rows: [row(), row({ state: 'joining', owedBy: [owedPart('lin09')], owes: [owedPart('win03')] })],
    free: 250,
    resting: 1,
  },
  {
    ...{ kind: 'map', cluster: 'prod', clusterCidr: '192.168.0.0/16', nodePrefixLength: 24 },
    parts: [
      { cidr: '192.168.0.0/24', use: { kind: 'member', node: 'lin01' } },
      { cidr: '192.168.1.0/24', use: { kind: 'claimed', node: 'win03', changeId: 'c17' } },
      { cidr: '192.168.2.0/24', use: { kind: 'held', node: 'win04', changeId: 'c18' } },
      { cidr: '192.168.3.0/24', use: { kind: 'resting', node: 'win05', owing: [] } },
      {
        cidr: '192.168.4.0/24',
        use: { kind: 'resting', node: 'win06', until: '2026-11-28T05:12:00.000Z', owing: ['lin01', 'win01'] },
      },
      { cidr: '192.168.5.0/24', use: { kind: 'free', count: 1 } },
      { cidr: '192.168.6.0/23', use: { kind: 'reserved' } },
      { cidr: '192.168.8.9/32', use: { kind: 'address', node: 'win01' } },
      { cidr: '192.168.9.0/24', use: { kind: 'free', count: 119 } },
      { cidr: '192.168.128.0/17', use: { kind: 'service' } },
    ],
  },
  { kind: 'node', row: row(), gateway: '192.168.3.1', hostKey: 'SHA256:abc', changes: [change('applied')] },
  { kind: 'node', row: row({ state: 'leaving' }), gateway: '192.168.3.1', hostKey: null, changes: [] },
  { kind: 'reading', hosts: 3 },
  { kind: 'routes', hosts: [routes()] },
  {
    kind: 'routes',
    hosts: [routes(), drifted, routes({ host: 'win09', drift: null, unreadable: 'timed out' })],
  },
  { kind: 'changes', open: [], others: [] },
  { kind: 'changes', open: [change('owing', { id: 'c2' }), change('pending')], others: [change('denied')] },
  { kind: 'changes', open: [change('pending')], others: [] },
  { kind: 'changes', open: [], others: [change('denied')] },
  { kind: 'kubectl', node: 'win03', snippets: [] },
  { kind: 'kubectl', node: 'win03', snippets: VIEWS.applied.snippets },
  { kind: 'help', text: 'add (linux|windows) node <name> <address>' },
  { kind: 'whoami', actor: 'T1:U0ALICE', roles: ['operator'], may: ['nodes', 'add'] },
  { kind: 'whoami', actor: 'T1:U0EVE', roles: [], may: [] },
  { kind: 'can-i', command: 'approve c17', yes: true, role: 'approver', who: ['U0BOB'] },
  { kind: 'can-i', command: 'approve c17', yes: false, role: 'approver', who: ['T1:U0BOB01', 'S0NETOPS'] },
  {
    kind: 'can-i',
    command: 'approve c17',
    yes: false,
    role: 'approver',
    who: ['UBOB', 'SOPS', 'console:ops'],
  },
  { kind: 'refused', text: 'There is no node `win99`.' },
  {
    kind: 'manifest',
    ...checked,
    pods: { windows: 0, linux: 0, unknown: 0 },
    findings: [],
    unknownBuilds: [],
  },
  { kind: 'manifest', ...checked, findings: [], unknownBuilds: [] },
  { kind: 'manifest', ...checked, file: 'web.yaml' },
  { kind: 'form', form: 'manifest' },
  { kind: 'checking-cluster' },
  { kind: 'cluster', check: CHECK },
  { kind: 'cluster', check: { ...CHECK, hasLogin: false, nodes: null } },
  {
    kind: 'control-plane',
    snippets: controlPlaneSnippets(
      CONTROL_PLANE,
      Array.from({ length: 256 }, () => WIN03),
    ),
  },
  {
    kind: 'history',
    ...{ cluster: 'prod', older: true },
    entries: [
      {
        event: { at: NOW.toISOString(), actor: 'fairway', what: 'host-settled', changeId: 'c17' },
        settled: [
          { host: 'lin01', status: 'done' },
          { host: 'win01', status: 'owed' },
        ],
      },
      {
        event: {
          at: NOW.toISOString(),
          actor: 'T1:U0BOB',
          what: 'approve',
          changeId: 'c17',
          planHash: 'a1b2',
        },
        settled: [],
      },
    ],
  },
  { kind: 'history', cluster: 'prod', node: 'win09', entries: [], older: false, looked: 50_000 },
  { kind: 'history', cluster: 'prod', node: 'win03', entries: [{ event: null, settled: [] }], older: true },
  { kind: 'history', cluster: 'prod', entries: [], older: false },
  { kind: 'verifying' },
  { kind: 'audit-check', check: { records: 0, from: '', to: '', broken: null, hash: '' } },
  { kind: 'audit-file' },
];

test('every reply reads as recorded, and Slack takes it', () => {
  for (const reply of REPLIES) {
    const message = replyMessage(reply, CLUSTER, NOW);
    expect(checkMessageBlocks(message.blocks)).toEqual([]);
    expect(`${reply.kind}: ${message.text}\n===\n${readable(message.blocks)}`).toMatchSnapshot();
  }
});

test('a change shown as an answer has no buttons: nobody could take them away later', () => {
  const message = replyMessage({ kind: 'change', view: VIEWS.pending }, CLUSTER, NOW);
  expect(buttonsOf(message.blocks)).toEqual([]);
  expect(readable(message.blocks)).toContain('waiting for approval');
});

describe('a host that could not be read', () => {
  test('is unknown, never fine', () => {
    const text = readable(
      replyMessage(
        { kind: 'routes', hosts: [routes({ drift: null, unreadable: 'timed out' })] },
        CLUSTER,
        NOW,
      ).blocks,
    );
    expect(text).toContain('unknown: timed out');
    expect(text).not.toContain('✅');
  });
});

describe('under routes that differ', () => {
  const foot = (...hosts: HostRoutes[]) =>
    readable(replyMessage({ kind: 'routes', hosts }, CLUSTER, NOW).blocks.slice(-1));
  test.each<[string, HostRoutes[], string]>([
    ['one host: its repair', [routes(), drifted], '`repair lin01`'],
    ['several: the repair of all', [drifted, { ...drifted, host: 'win01' }], '`repair`'],
    [
      'only what Fairway may not touch: no repair',
      [routes({ drift: { missing: [], wrong: [], stray: [], foreign: [seen] } })],
      'put it right on the host',
    ],
  ])('%s', (_what, hosts, words) => {
    expect(foot(...hosts)).toContain(words);
    expect(foot(...hosts).includes('repair')).toBe(words.includes('repair'));
  });
});

test('a repair stands among the changes by what it repairs', () => {
  const { node, ...rest } = change('applied');
  const all = { ...rest, kind: 'repair' as const };
  const { blocks } = replyMessage(
    { kind: 'changes', open: [], others: [all, { ...all, node }] },
    CLUSTER,
    NOW,
  );
  expect(readable(blocks)).toMatch(/repair all nodes[\s\S]*repair `win03`/);
});

test('without a node no routes are promised', () => {
  const replies: Reply[] = [
    { kind: 'reading', hosts: 0 },
    { kind: 'routes', hosts: [] },
  ];
  for (const reply of replies) {
    expect(replyMessage(reply, CLUSTER, NOW).text).toBe(
      'No node yet. `add linux node &lt;name&gt; &lt;address&gt;` adds the first.',
    );
  }
});

test('a channel that takes no notices is said above nodes and incidents, with what to do', () => {
  const closed = { channel: 'C0OPS', why: 'not_in_channel' };
  const replies: Reply[] = [
    { kind: 'nodes', cluster: 'prod', rows: [], free: 1, resting: 0, closed },
    { kind: 'incidents', cluster: 'prod', open: [], past: [], silences: [], closed },
  ];
  for (const reply of replies) {
    const [first] = replyMessage(reply, CLUSTER, NOW).blocks;
    expect(JSON.stringify(first)).toMatch(
      /could not write in <#C0OPS> \(not_in_channel\).*\/invite @Fairway/,
    );
  }
});

test('whoever has no role is told whom to ask, though asking for help is allowed', () => {
  const reply: Reply = { kind: 'whoami', actor: 'T1:U0EVE', roles: [], may: ['ask for help'] };
  expect(replyMessage(reply, CLUSTER, NOW).text).toMatch(/Ask an administrator to add you\.$/);
});

test('no list, however long or hostile, makes a reply that Slack refuses', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom('<!channel>', '```', '&'.repeat(300)),
  );
  fc.assert(
    fc.property(hostile, fc.constantFrom(0, 1, 30, 250), (text, size) => {
      const many = <T>(item: T): T[] => Array.from({ length: size }, () => item);
      const replies: Reply[] = [
        {
          kind: 'nodes',
          cluster: text,
          rows: many(
            row({ owedBy: many(owedPart(text)).slice(0, 20), owes: many(owedPart('x', text)).slice(0, 20) }),
          ),
          free: 1,
          resting: 1,
        },
        {
          ...{ kind: 'map', cluster: text, clusterCidr: text, nodePrefixLength: 24 },
          parts: many({ cidr: text, use: { kind: 'resting', node: text, owing: many(text) } }),
        },
        {
          kind: 'node',
          row: row({ owedBy: many(owedPart(text)) }),
          gateway: text,
          hostKey: text,
          changes: many(change('failed', { reason: text })),
        },
        { kind: 'routes', hosts: many(drifted) },
        { kind: 'routes', hosts: many(routes({ host: text, drift: null, unreadable: text })) },
        { kind: 'changes', open: many(change('pending', { requester: text })), others: [] },
        {
          kind: 'cluster',
          check: {
            ...CHECK,
            health: { trouble: { kind: 'status', detail: text } },
            nodes: {
              said: {
                here: 1,
                there: 1,
                differences: many({ name: text, kind: 'not-here', podCidr: text, holder: text }),
              },
            },
          },
        },
        { kind: 'kubectl', node: 'win03', snippets: many({ title: text, code: text, language: 'yaml' }) },
        { kind: 'help', text: text.repeat(20) },
        { kind: 'whoami', actor: text, roles: many(text).slice(0, 3), may: many(text) },
        { kind: 'can-i', command: text, yes: false, role: 'approver', who: many(text) },
        {
          kind: 'manifest',
          ...{ cluster: text, version: text, file: text, pods: checked.pods, unknownBuilds: many(LONG_NAME) },
          findings: many(RULES).flatMap((rules) =>
            rules.map((rule, line) => ({
              ...{ line, rule, severity: 'fails' as const, kind: text, name: text, what: text },
              nodes: many({ name: LONG_NAME, os: 'windows' as const, build: 17763 }),
            })),
          ),
        },
        { kind: 'refused', text: 'x'.repeat(1 + size * 40) },
      ];
      for (const reply of replies) {
        const message = replyMessage(reply, CLUSTER, NOW);
        expect(checkMessageBlocks(message.blocks)).toEqual([]);
        expect(weigh(message.blocks)).toBeLessThanOrEqual(LIMIT.message);
        expect(readable(message.blocks)).not.toContain('<!channel>');
      }
    }),
    { numRuns: 30 },
  );
});
