/** An adoption in Slack: its card in every state, its form, its button, and what is wrong with a list. */
import { describe, expect, test } from '@jest/globals';
import { checkMessageBlocks, checkView } from '../../sandbox/slack/limits.js';
import type { AdoptChange, ChangeState } from '../../src/change/change.js';
import type { ChangeView } from '../../src/command/reply.js';
import type { Node } from '../../src/node/node.js';
import type { AdoptConflict } from '../../src/plan/adopt-conflict.js';
import type { AdoptPlan } from '../../src/plan/plan.js';
import { adoptForm, faultsOf, formInvitation, LIST_BLOCK } from '../../src/slack/adopt-form.js';
import { LIMIT, weigh } from '../../src/slack/blocks.js';
import { changeCard } from '../../src/slack/card.js';
import { entered, readForm } from '../../src/slack/payload.js';
import { fitsAnswer, replyMessage } from '../../src/slack/reply.js';
import { sayAdoptConflict } from '../../src/words/adopt-conflict.js';
import { planFileName, planText } from '../../src/words/details.js';
import { changeLine } from '../../src/words/reply.js';
import { plainVoice, slackVoice } from '../../src/words/voice.js';
import { formBody } from './support/payloads.js';
import { buttonsOf, readable } from './support/read.js';
import { CLUSTER, NOW, observed } from './support/views.js';

const NODES: Node[] = [
  { name: 'lin01', os: 'linux', address: '10.0.0.4', podCidr: '192.168.0.0/24' },
  {
    name: 'win01',
    os: 'windows',
    address: '10.0.0.5',
    podCidr: '192.168.1.0/24',
    containerNic: '00-15-5D-00-04-01',
  },
];

/** One of each kind: the compiler asks for a new one when a kind is added. */
const CONFLICTS: { [K in AdoptConflict['kind']]: Extract<AdoptConflict, { kind: K }> } = {
  'member-differs': {
    kind: 'member-differs',
    podCidr: '192.168.9.0/24',
    address: '10.0.0.9',
    differs: ['address', 'os'],
  },
  unreadable: { kind: 'unreadable', why: 'connect ETIMEDOUT <!channel> `x`' },
  'address-not-there': { kind: 'address-not-there' },
  'no-pod-cidr': { kind: 'no-pod-cidr', held: ['docker0 172.17.0.1/16'] },
  'several-pod-cidrs': { kind: 'several-pod-cidrs', found: ['192.168.3.0/24', '192.168.4.0/24'] },
  'other-pod-cidr': { kind: 'other-pod-cidr', asked: '192.168.3.0/24', found: ['192.168.4.0/24'], held: [] },
  'network-name': { kind: 'network-name', network: 'l2net', configured: 'transparent' },
  'nic-unknown': { kind: 'nic-unknown', mac: '00-15-5D-00-04-09', has: ['00-15-5D-00-04-01 (Ethernet 2)'] },
  outside: { kind: 'outside', podCidr: '172.16.0.0/24', clusterCidr: '192.168.0.0/16' },
  size: { kind: 'size', podCidr: '192.168.0.0/25', prefixLength: 24 },
  overlaps: {
    kind: 'overlaps',
    podCidr: '192.168.3.0/24',
    overlap: 'node-address',
    with: '192.168.3.4',
    owner: 'lin09',
  },
  'address-unusable': { kind: 'address-unusable', address: '127.0.0.1', because: 'it is a loopback address' },
  'address-in-pod-cidr': {
    kind: 'address-in-pod-cidr',
    address: '192.168.3.4',
    podCidr: '192.168.3.0/24',
    holder: 'lin09',
  },
  shared: { kind: 'shared', what: 'pod-cidr', value: '192.168.3.0/24', with: ['lin08', 'lin09'] },
  taken: { kind: 'taken', what: 'pod-cidr', value: '192.168.3.0/24', holder: 'lin09', changeId: 'c9' },
  routed: {
    kind: 'routed',
    host: 'lin01',
    destination: '192.168.3.0/24',
    nextHop: '10.0.0.99',
    otherMode: false,
  },
};

function plan(over: Partial<AdoptPlan> = {}): AdoptPlan {
  return {
    kind: 'adopt',
    nodes: NODES,
    unchanged: ['lin07'],
    leftOut: [
      { name: 'win02', address: '10.0.0.6', conflict: CONFLICTS.unreadable },
      { name: 'lin02', address: '10.0.0.8', conflict: CONFLICTS.routed },
    ],
    routes: [
      { host: 'lin01', wanted: 2, held: 2, notOurs: 1, own: [] },
      {
        host: 'win01',
        wanted: 2,
        held: 1,
        notOurs: 0,
        own: [{ destination: '192.168.0.0/24', nextHop: '10.0.0.4' }],
      },
      { host: 'lin07', wanted: 2, held: 0, notOurs: 0, own: [] },
    ],
    toNobody: [{ destination: '192.168.50.0/24', nextHop: '10.0.0.50', ours: true, hosts: ['lin01'] }],
    unread: [{ host: 'win07', why: 'connect ETIMEDOUT' }],
    basedOn: 7,
    together: [],
    hosts: NODES.map(({ name, os, podCidr }) => ({
      host: name,
      os,
      podCidr,
      role: 'node',
      steps: [],
      undo: [],
      commands: [],
      undoCommands: [],
      observed: observed(),
      hostKey: { fingerprint: `SHA256:${name}`, firstContact: true },
    })),
    foreign: [],
    ...over,
  };
}

function view(
  state: ChangeState,
  over: Partial<AdoptChange> = {},
  of: AdoptPlan | null = plan(),
): ChangeView {
  const change: AdoptChange = {
    id: 'c17',
    kind: 'adopt',
    asked: [
      ...NODES.map(({ name, os, address }) => ({ name, os, address })),
      { name: 'win02', os: 'windows', address: '10.0.0.6' },
    ],
    ...(of ? { moves: of.nodes.map((node) => node.podCidr) } : {}),
    version: 4,
    state,
    requester: 'T1:U0ALICE',
    command: 'adopt',
    channel: 'C0OPS',
    requestedAt: '2026-11-23T15:00:00Z',
    expiresAt: '2026-11-23T15:30:00.000Z',
    planHash: 'a1b2c3d4e5f6',
    approvalsRequired: 1,
    decisions: [],
    cards: [],
    direction: 'do',
    ...over,
  };
  return { change, plan: of, hosts: [], snippets: [] };
}

const APPROVED = {
  decisions: [
    { actor: 'T1:U0BOB', verdict: 'approve' as const, at: '2026-11-23T15:05:00Z', planHash: 'a1b2c3d4e5f6' },
  ],
  finishedAt: '2026-11-23T15:05:01Z',
};
const VIEWS = {
  planning: view('planning', {}, null),
  refused: view(
    'refused',
    {
      reason: 'Nothing that I can adopt: 1 node was left out.',
      detail: ['win02 10.0.0.6: it can’t be read'],
    },
    null,
  ),
  pending: view('pending'),
  stale: view('stale', {
    ...APPROVED,
    reason: 'Hosts, or the inventory, changed.',
    detail: ['lin01: - route'],
  }),
  applied: view('applied', APPROVED),
  cancelled: view('cancelled', { ...APPROVED, cancelRequestedBy: 'T1:U0ALICE' }),
  'rolled-back': view('rolled-back', { ...APPROVED, direction: 'undo', rolledBackBy: 'T1:U0BOB' }),
} satisfies Partial<Record<ChangeState, ChangeView>>;

describe('the card', () => {
  test.each(Object.entries(VIEWS))('%s', (_state, of) => {
    const card = changeCard(of, CLUSTER, NOW);
    expect(`${card.text}\n===\n${readable(card.blocks)}`).toMatchSnapshot();
    expect(checkMessageBlocks(card.blocks)).toEqual([]);
  });

  test('buttons stand only where they work; its list can be had again whatever became of it', () => {
    expect(
      Object.entries(VIEWS).map(([state, of]) => [state, buttonsOf(changeCard(of, CLUSTER, NOW).blocks)]),
    ).toEqual([
      ['planning', []],
      ['refused', ['change:details']],
      ['pending', ['change:approve', 'change:deny', 'change:details']],
      ['stale', ['change:details']],
      ['applied', ['change:rollback', 'change:details']],
      ['cancelled', ['change:details']],
      ['rolled-back', ['change:details']],
    ]);
    expect(JSON.stringify(changeCard(VIEWS.applied, CLUSTER, NOW).blocks)).toContain('No host is touched');
  });

  test('250 nodes, most of them left out, with every route on record: within Slack’s limits', () => {
    const nodes = Array.from(
      { length: 250 },
      (_, i): Node =>
        ({
          ...NODES[i % 2],
          name: `node-with-a-long-name-${i}`,
          address: `10.0.0.${i}`,
          podCidr: `192.168.${i}.0/24`,
        }) as Node,
    );
    const conflicts = Object.values(CONFLICTS);
    const big = plan({
      nodes,
      leftOut: nodes.map(({ name, address }, i) => ({
        name,
        address,
        conflict: conflicts[i % conflicts.length] as AdoptConflict,
      })),
      routes: nodes.map(({ name }) => ({
        host: name,
        wanted: 249,
        held: 249,
        notOurs: 0,
        own: nodes.map(({ podCidr: destination, address: nextHop }) => ({ destination, nextHop })),
      })),
      toNobody: nodes.map(({ podCidr: destination, address: nextHop }) => ({
        destination,
        nextHop,
        ours: false,
        hosts: nodes.map(({ name }) => name),
      })),
      unread: nodes.map(({ name: host }) => ({ host, why: 'x'.repeat(500) })),
      hosts: nodes.map(({ name, os }) => ({
        ...(plan().hosts[0] as AdoptPlan['hosts'][number]),
        host: name,
        os,
      })),
    });
    for (const state of ['pending', 'applied', 'stale'] as const) {
      const { blocks } = changeCard(view(state, {}, big), CLUSTER, NOW);
      expect(checkMessageBlocks(blocks)).toEqual([]);
      expect(weigh(blocks)).toBeLessThanOrEqual(LIMIT.message);
    }
  });

  test('the file has everything, and the list to ask again', () => {
    const text = planText(VIEWS.pending, CLUSTER, NOW);
    expect(text).toMatchSnapshot();
    expect(planFileName(VIEWS.pending)).toBe('c17-nodes-pending.txt');
    expect(changeLine(VIEWS.pending.change)).toContain('adopt 2 nodes');
  });
});

test.each(Object.values(CONFLICTS))('what is said of $kind is whole and harmless', (conflict) => {
  for (const voice of [slackVoice, plainVoice]) {
    const said = sayAdoptConflict(conflict, voice);
    expect(said).toMatch(/[.]$/);
    expect(said).not.toMatch(/undefined|null|\[object/);
    if (voice === slackVoice) expect(said).not.toContain('<!channel>');
  }
});

describe('the form', () => {
  const call = {
    answerTo: { channel: 'C0OPS', user: 'U0ALICE', thread: '1.2', responseUrl: 'https://x' },
    origin: { channel: 'C0OPS', user: 'U0ALICE' },
  };

  test('is one that Slack takes, and remembers where it was opened', () => {
    const form = adoptForm(CLUSTER, call);
    expect(checkView(form)).toEqual([]);
    expect(checkMessageBlocks(formInvitation().blocks)).toEqual([]);
    expect(form).toMatchSnapshot();
    const submitted = {
      ...formBody(),
      view: { ...formBody().view, private_metadata: form.private_metadata },
    };
    expect(readForm(submitted, LIST_BLOCK)).toMatchObject({
      actor: { id: 'T1:U0ALICE', via: 'modal' },
      origin: { channel: 'C0OPS', thread: '1.2', responseUrl: 'https://x' },
      text: expect.stringContaining('name: lin01'),
    });
  });

  test('what is wrong with a list stands under it; what is not is let through', () => {
    expect(faultsOf(formBody(), CLUSTER)).toBeNull();
    expect(faultsOf(formBody('nodes: 1'), CLUSTER)).toMatchObject({
      list: expect.stringContaining('Line 1, `cluster`'),
    });
    expect(faultsOf(formBody(null), CLUSTER)).toMatchObject({
      list: expect.stringContaining('goes into a form'),
    });
    // Somebody else's form, or none: that is for whoever reads it.
    expect(faultsOf({ view: 1 }, CLUSTER)).toBeNull();
    expect(entered({}, LIST_BLOCK)).toBeNull();
    const worst = `cluster: prod\nclusterCidr: 192.168.0.0/16\nnodes:\n${'  - { a: b }\n'.repeat(40)}`;
    expect(faultsOf(formBody(worst), CLUSTER)?.['list']?.length).toBeLessThanOrEqual(600);
  });
});

test('an export is an answer while it fits', () => {
  const text = 'x'.repeat(80).concat('\n').repeat(30);
  expect(fitsAnswer(text)).toBe(true);
  expect(fitsAnswer(text.repeat(2))).toBe(false);
  const message = replyMessage({ kind: 'export', cluster: 'prod', nodes: 30, text }, CLUSTER, NOW);
  expect(checkMessageBlocks(message.blocks)).toEqual([]);
  expect(readable(message.blocks)).toContain(text.trimEnd());
});
