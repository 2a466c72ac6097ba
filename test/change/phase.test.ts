import { describe, expect, test } from '@jest/globals';
import type { Change, HostResult, HostStatus } from '../../src/change/change.js';
import { nextMove, phases } from '../../src/change/phase.js';
import { type Work, wantedSteps as wantedBy } from '../../src/change/work.js';
import type { Inventory, Node } from '../../src/node/node.js';
import { ensureRoute, inverse } from '../../src/plan/pair.js';
import type { HostPlan, MembershipPlan, RepairPlan } from '../../src/plan/plan.js';
import { freshHost } from '../support/model-host.js';

function host(name: string, role: HostPlan['role'], readable = true): HostPlan {
  const os = name.startsWith('lin') ? 'linux' : 'windows';
  return {
    host: name,
    os,
    podCidr: '192.168.9.0/24',
    role,
    steps: [],
    undo: [],
    commands: [],
    undoCommands: [],
    observed: readable ? freshHost({ os, address: '10.0.0.9' }) : null,
    hostKey: null,
  };
}

const node: Node = { name: 'win03', os: 'windows', address: '10.0.0.7', podCidr: '192.168.3.0/24' };
const plan = (kind: MembershipPlan['kind']): MembershipPlan => ({
  kind,
  node,
  made: { bridge: false, podNetwork: true, forwarding: true },
  basedOn: 3,
  together: [],
  hosts: [
    host('win03', 'node'),
    host('lin01', 'peer', false),
    host('lin02', 'peer'),
    host('lin03', 'peer'),
    host('win01', 'peer'),
    host('win02', 'peer'),
  ],
  foreign: [],
});
const names = (groups: HostPlan[][]) => groups.map((group) => group.map((each) => each.host));

describe('phases', () => {
  const forth = [['win03'], ['lin02', 'win01'], ['lin01', 'lin03', 'win02']];
  const back = [['lin02', 'win01'], ['lin01', 'lin03', 'win02'], ['win03']];
  test('adding: the node, a readable canary of each OS, the rest', () => {
    expect(names(phases(plan('add-node'), 'do'))).toEqual(forth);
    expect(names(phases(plan('remove-node'), 'undo'))).toEqual(forth);
  });
  test('removing, and rolling an addition back: the node last', () => {
    expect(names(phases(plan('remove-node'), 'do'))).toEqual(back);
    expect(names(phases(plan('add-node'), 'undo'))).toEqual(back);
  });

  const repair = (hosts: HostPlan[]): RepairPlan => ({
    kind: 'repair',
    basedOn: 3,
    together: [],
    read: 6,
    unread: [],
    hosts,
    foreign: [],
  });
  test('repairing one: as adding it; rolled back as removing it', () => {
    const one = repair(plan('add-node').hosts);
    expect(names(phases(one, 'do'))).toEqual(forth);
    expect(names(phases(one, 'undo'))).toEqual(back);
  });
  test('repairing all: a canary of each OS, the rest', () => {
    const all = repair([host('lin01', 'peer'), host('lin02', 'peer'), host('win01', 'peer')]);
    expect(names(phases(all, 'do'))).toEqual([['lin01', 'win01'], ['lin02']]);
    expect(names(phases(all, 'undo'))).toEqual([['lin01', 'win01'], ['lin02']]);
  });
});

const results = (statuses: Record<string, HostStatus>) =>
  new Map(
    Object.entries(statuses).map(([name, status]): [string, HostResult] => [
      name,
      { host: name, status, at: '' },
    ]),
  );

describe('the next move', () => {
  const change = { direction: 'do' } as Change;
  const move = (statuses: Record<string, HostStatus>, dispatched: string[] = []) => {
    const next = nextMove(plan('add-node'), change, results(statuses), new Set(dispatched));
    return next.kind === 'dispatch' ? next.hosts.map((each) => each.host) : next.kind;
  };

  test.each<[string, Record<string, HostStatus>, string[], string | string[]]>([
    ['begins with the node', {}, [], ['win03']],
    ['waits for it', { win03: 'waiting' }, ['win03'], 'wait'],
    ['goes on to the canaries', { win03: 'done' }, [], ['lin02', 'win01']],
    ['dispatches only who has no work yet', { win03: 'done' }, ['lin02'], ['win01']],
    [
      'stops when a canary failed, and only once all of them are settled',
      { win03: 'done', lin02: 'failed', win01: 'waiting' },
      ['win01'],
      'wait',
    ],
    ['stops when a canary failed', { win03: 'done', lin02: 'failed', win01: 'done' }, [], 'finish'],
    [
      'is not stopped by an absent canary',
      { win03: 'unchanged', lin02: 'owed', win01: 'done' },
      [],
      ['lin01', 'lin03', 'win02'],
    ],
    [
      'ends',
      { win03: 'done', lin01: 'owed', lin02: 'done', lin03: 'failed', win01: 'done', win02: 'unchanged' },
      [],
      'finish',
    ],
  ])('%s', (_what, statuses, dispatched, expected) => {
    expect(move(statuses, dispatched)).toEqual(expected);
  });
});

test('rolled back, a peer that fails holds up nobody; a node that fails to come back does: peers would lead into it', () => {
  const undo = { direction: 'undo' } as Change;
  const failed = results({ lin02: 'failed', win01: 'done' });
  expect(nextMove(plan('add-node'), undo, failed, new Set())).toMatchObject({ kind: 'dispatch', phase: 1 });
  const node = results({ win03: 'failed' });
  expect(nextMove(plan('remove-node'), undo, node, new Set())).toEqual({ kind: 'finish' });
});

describe('the steps that are still wanted', () => {
  const lin01: Node = { name: 'lin01', os: 'linux', address: '10.0.0.4', podCidr: '192.168.0.0/24' };
  const toNode = ensureRoute(lin01, node, 'node-address');
  const work = (on: Node, ...steps: Work['steps']): Work => ({
    changeId: 'c1',
    kind: 'add-node',
    direction: 'do',
    node: on,
    role: 'peer',
    steps,
    fingerprint: null,
  });
  const members = (...nodes: Node[]): Inventory => ({ revision: 1, nodes });
  const wantedSteps = (of: Work, inventory: Inventory) => wantedBy(of, inventory, 'node-address');

  test('a route is made only towards a member that still has the slice', () => {
    expect(wantedSteps(work(lin01, toNode), members(lin01, node))).toEqual([toNode]);
    expect(wantedSteps(work(lin01, toNode), members(lin01))).toEqual([]);
    expect(wantedSteps(work(lin01, toNode), members(lin01, { ...node, name: 'other' }))).toEqual([]);
  });

  test('a route is made only by the way that leads there now: the node may have come back at another address', () => {
    expect(wantedSteps(work(lin01, toNode), members(lin01, { ...node, address: '10.0.0.17' }))).toEqual([]);
    const windows = { ...lin01, name: 'win09', os: 'windows' as const };
    const byGateway = ensureRoute(windows, node, 'pod-gateway');
    expect(wantedBy(work(windows, byGateway), members(windows, node), 'pod-gateway')).toEqual([byGateway]);
    expect(wantedBy(work(windows, byGateway), members(windows, node), 'node-address')).toEqual([]);
    // What a repair took away is made again as it was.
    const undone: Work = { ...work(lin01, toNode), kind: 'repair', direction: 'undo' };
    const moved = members(lin01, { ...node, address: '10.0.0.17' });
    expect(wantedSteps(undone, moved)).toEqual([toNode]);
  });

  test('a route to a member is not taken from a member', () => {
    const gone = inverse(toNode);
    expect(wantedSteps(work(lin01, gone), members(lin01))).toEqual([gone]);
    expect(wantedSteps(work(lin01, gone), members(lin01, node))).toEqual([]);
    expect(wantedSteps(work(lin01, gone), members(node))).toEqual([gone]);
  });

  test('nothing is taken from a node that came back before its removal got there, nor made on one that left again', () => {
    const off: Work['steps'][number] = { kind: 'forwarding', action: 'remove' };
    const own = (kind: Work['kind'], direction: Work['direction'], step: Work['steps'][number]): Work => ({
      ...work(node, step),
      role: 'node',
      kind,
      direction,
    });
    const back = { ...node, podCidr: '192.168.7.0/24' };
    for (const leaving of [own('remove-node', 'do', off), own('add-node', 'undo', off)]) {
      expect(wantedSteps(leaving, members(lin01))).toEqual([off]);
      expect(wantedSteps(leaving, members(lin01, node))).toEqual([]);
      expect(wantedSteps(leaving, members(lin01, back))).toEqual([]);
    }
    for (const joining of [own('add-node', 'do', inverse(off)), own('remove-node', 'undo', inverse(off))]) {
      expect(wantedSteps(joining, members(lin01, node))).toEqual([inverse(off)]);
      expect(wantedSteps(joining, members(lin01))).toEqual([]);
      expect(wantedSteps(joining, members(lin01, back))).toEqual([]);
    }
  });

  test('what a node’s pods hang on is not taken from it once it came back, nor made for it once it is out', () => {
    const bridge = {
      kind: 'bridge' as const,
      action: 'ensure' as const,
      bridge: 'cbr0',
      podCidr: lin01.podCidr,
      ownBridge: true,
    };
    const back = { ...lin01, podCidr: '192.168.77.0/24' };
    expect(wantedSteps(work(lin01, bridge), members(lin01))).toEqual([bridge]);
    expect(wantedSteps(work(lin01, bridge), members(back))).toEqual([]);
    expect(wantedSteps(work(lin01, bridge), members(node))).toEqual([]);
    const gone = inverse(bridge);
    expect(wantedSteps(work(lin01, gone), members(node))).toEqual([gone]);
    expect(wantedSteps(work(lin01, gone), members(back))).toEqual([]);
    expect(wantedSteps(work(lin01, gone), members(lin01))).toEqual([]);
  });

  test('no route is made on a host whose node left, or came back as another', () => {
    const forwarding = { kind: 'forwarding' as const, action: 'ensure' as const };
    const both = work(lin01, toNode, forwarding);
    expect(wantedSteps(both, members(lin01, node))).toEqual([toNode, forwarding]);
    expect(wantedSteps(both, members(node))).toEqual([]);
    expect(wantedSteps(both, members({ ...lin01, podCidr: '192.168.7.0/24' }, node))).toEqual([]);
  });

  test('what a removed node is owed takes nothing from a machine that came back under another name', () => {
    const leaving: Work = {
      ...work(lin01, inverse(toNode), { kind: 'forwarding', action: 'remove' }),
      kind: 'remove-node',
      role: 'node',
    };
    expect(wantedSteps(leaving, members(node))).toEqual(leaving.steps);
    const back = { ...lin01, name: 'lin07', podCidr: '192.168.7.0/24' };
    expect(wantedSteps(leaving, members(back, node))).toEqual([]);
  });

  describe('of a repair', () => {
    const stray: Work['steps'][number] = {
      kind: 'route',
      action: 'remove',
      peer: null,
      route: { destination: '192.168.9.0/24', nextHop: '10.0.0.99' },
    };
    const taken: Node = { name: 'lin09', os: 'linux', address: '10.0.0.19', podCidr: '192.168.9.0/24' };
    const bridge: Work['steps'][number] = {
      kind: 'bridge',
      action: 'ensure',
      bridge: 'cbr0',
      podCidr: lin01.podCidr,
      ownBridge: true,
    };
    const repair = (direction: Work['direction'], ...steps: Work['steps']): Work => ({
      ...work(lin01, ...steps),
      kind: 'repair',
      direction,
    });

    test('nothing is restored on a host that left, or came back with another slice', () => {
      expect(wantedSteps(repair('do', bridge, toNode), members(lin01, node))).toEqual([bridge, toNode]);
      expect(wantedSteps(repair('do', bridge, toNode), members(node))).toEqual([]);
      const moved = { ...lin01, podCidr: '192.168.7.0/24' };
      expect(wantedSteps(repair('do', bridge, toNode), members(moved, node))).toEqual([]);
    });

    test('a stray route stays where a node got its slice meanwhile; one to the host’s own slice goes', () => {
      expect(wantedSteps(repair('do', stray), members(lin01, node))).toEqual([stray]);
      expect(wantedSteps(repair('do', stray), members(lin01, taken))).toEqual([]);
      const own = { ...stray, route: { ...stray.route, destination: lin01.podCidr } };
      expect(wantedSteps(repair('do', own), members(lin01))).toEqual([own]);
    });

    test('rolled back, a route is touched only while its slice is whose it was', () => {
      const back = inverse(toNode);
      expect(wantedSteps(repair('undo', back), members(lin01, node))).toEqual([back]);
      expect(wantedSteps(repair('undo', back), members(lin01))).toEqual([]);
      expect(wantedSteps(repair('undo', inverse(stray)), members(lin01))).toEqual([inverse(stray)]);
      expect(wantedSteps(repair('undo', inverse(stray)), members(lin01, taken))).toEqual([]);
    });
  });
});
