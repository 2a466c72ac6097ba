import { describe, expect, test } from '@jest/globals';
import type { Change, HostResult, HostStatus } from '../../src/change/change.js';
import { type Answers, pairsOf, rowsOf } from '../../src/change/proof.js';
import type { Node } from '../../src/node/node.js';
import { ensureRoute } from '../../src/plan/pair.js';
import type { HostPlan, RepairPlan, Step } from '../../src/plan/plan.js';

const nodeOf = (name: string, index: number): Node => ({
  name,
  os: name.startsWith('lin') ? 'linux' : 'windows',
  address: `10.0.0.${index + 4}`,
  podCidr: `192.168.${index}.0/24`,
});
const [lin01, win01, win02, lin02] = ['lin01', 'win01', 'win02', 'lin02'].map(nodeOf) as [
  Node,
  Node,
  Node,
  Node,
];
const members = [lin01, win01, win02, lin02];
const forwarding: Step = { kind: 'forwarding', action: 'ensure' };

function hostPlan({ name, os, podCidr }: Node, role: HostPlan['role'], ...steps: Step[]): HostPlan {
  const rest = { undo: [], commands: [], undoCommands: [], observed: null, hostKey: null };
  return { host: name, os, podCidr, role, steps, ...rest };
}

function plan(hosts: HostPlan[], over: Partial<RepairPlan> = {}): RepairPlan {
  return { kind: 'repair', basedOn: 1, together: [], read: 4, unread: [], hosts, foreign: [], ...over };
}

const results = (statuses: Record<string, HostStatus> = {}) =>
  new Map(
    Object.entries(statuses).map(([host, status]): [string, HostResult] => [host, { host, status, at: '' }]),
  );
const of = (over: object): Change => ({ kind: 'repair', ...over }) as Change;
const names = (pairs: ReturnType<typeof pairsOf>) =>
  pairs.map(({ a, b, askable }) => `${a.name} ${b.name}${askable ? '' : ' ?'}`);

describe('the pairs that prove', () => {
  test('a node: with every peer that the plan knew; those that did not answer can’t be asked', () => {
    const added = { kind: 'add-node', node: lin02 } as Change;
    const known = results({ lin02: 'done', lin01: 'owed', win01: 'unchanged' });
    expect(names(pairsOf(added, plan([]), known, members))).toEqual(['lin02 win01', 'lin02 lin01 ?']);
  });

  test('the repair of one: with every peer, but for those unread and those that somebody’s route keeps apart', () => {
    const route = {
      destination: win02.podCidr,
      nextHop: '10.0.0.99',
      device: 'eth0',
      ours: false,
      metric: 0,
    };
    const made = plan([hostPlan(lin01, 'node', ensureRoute(lin01, win01, 'node-address'))], {
      node: lin01,
      unread: [{ host: 'lin02', why: 'no answer' }],
      foreign: [{ host: 'lin01', route }],
    });
    expect(names(pairsOf(of({ node: lin01 }), made, results(), members))).toEqual([
      'lin01 win01',
      'lin01 lin02 ?',
    ]);
    expect(names(pairsOf(of({ node: lin01 }), made, results(), [win01]))).toEqual([]);
  });

  test('the repair of all: whose route was repaired, each once; where only the pods were cut off, one host of each OS shows it', () => {
    const made = plan([
      hostPlan(lin01, 'peer', ensureRoute(lin01, win01, 'node-address')),
      hostPlan(win01, 'peer', ensureRoute(win01, lin01, 'node-address')),
      hostPlan(lin02, 'peer', forwarding),
    ]);
    expect(names(pairsOf(of({}), made, results({ lin02: 'done' }), members))).toEqual([
      'win01 lin01',
      'lin02 lin01',
      'lin02 win01',
    ]);
    expect(names(pairsOf(of({}), made, results({ lin02: 'owed' }), members))).toEqual([
      'win01 lin01',
      'lin02 lin01 ?',
      'lin02 win01 ?',
    ]);
  });
});

describe('the answers', () => {
  const made = plan([hostPlan(lin01, 'node', forwarding)], { node: lin01 });
  const pairs = pairsOf(of({ node: lin01 }), made, results(), [lin01, win01, win02]);
  const answers = (over: [string, Record<string, 'icmp' | 'none'> | null][]): Answers =>
    new Map([
      ['lin01', { '192.168.1.1': 'icmp', '192.168.2.1': 'none' }],
      ['win01', { '192.168.0.1': 'icmp' }],
      ['win02', { '192.168.0.1': 'none' }],
      ...over,
    ]);
  const said = (of_: Answers) =>
    rowsOf(pairs, made, of_).map(({ from, to, answer }) => `${from} ${to} ${answer}`);

  test('are one row each way', () => {
    expect(said(answers([]))).toEqual([
      'lin01 win01 icmp',
      'win01 lin01 icmp',
      'lin01 win02 none',
      'win02 lin01 none',
    ]);
  });

  test('of a host that is gone altogether, and had no part in the repair, say nothing against it', () => {
    expect(said(answers([['win02', null]]))).toEqual([
      'lin01 win01 icmp',
      'win01 lin01 icmp',
      'lin01 win02 unknown',
      'win02 lin01 unknown',
    ]);
    // The node itself has to answer.
    expect(
      said(
        new Map([
          ['lin01', null],
          ['win02', { '192.168.0.1': 'none' as const }],
        ]),
      ),
    ).toContain('win02 lin01 none');
  });
});
