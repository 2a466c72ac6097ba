/** Changes in every state, as the store would give them. */
import type {
  Change,
  ChangeState,
  Debt,
  HostResult,
  MembershipChange,
  ProofRow,
  RepairChange,
} from '../../../src/change/change.js';
import type { ChangeView } from '../../../src/command/reply.js';
import type { ObservedRoute } from '../../../src/network/route.js';
import type { Node } from '../../../src/node/node.js';
import type { HostPlan, MembershipPlan, Observation, Plan, RepairPlan } from '../../../src/plan/plan.js';
import type { ClusterFacts } from '../../../src/slack/cluster.js';

export const CLUSTER: ClusterFacts = { name: 'prod', cidr: '192.168.0.0/16' };
export const NOW = new Date('2026-11-23T15:10:00Z');

export const WIN03: Node = { name: 'win03', os: 'windows', address: '10.0.0.7', podCidr: '192.168.3.0/24' };
const PEERS: Node[] = [
  { name: 'lin01', os: 'linux', address: '10.0.0.4', podCidr: '192.168.0.0/24' },
  { name: 'win01', os: 'windows', address: '10.0.0.5', podCidr: '192.168.1.0/24' },
];

export function observed(routes: ObservedRoute[] = []): Observation {
  return {
    routes,
    addresses: [{ address: '10.0.0.4', prefixLength: 24, device: 'eth0' }],
    forwarding: true,
    nodeDevice: 'eth0',
    bridges: [],
    boot: 'b1',
  };
}

function peerPlan(peer: Node): HostPlan {
  const linux = peer.os === 'linux';
  const route = { destination: WIN03.podCidr, nextHop: WIN03.address };
  return {
    host: peer.name,
    os: peer.os,
    podCidr: peer.podCidr,
    role: 'peer',
    steps: [{ kind: 'route', action: 'ensure', peer: 'win03', route }],
    undo: [{ kind: 'route', action: 'remove', peer: 'win03', route }],
    commands: linux
      ? ['ip -4 route add 192.168.3.0/24 via 10.0.0.7 proto 155']
      : ['New-NetRoute -DestinationPrefix 192.168.3.0/24 -NextHop 10.0.0.7'],
    undoCommands: linux
      ? ['ip -4 route del 192.168.3.0/24 via 10.0.0.7 proto 155']
      : ['Remove-NetRoute -DestinationPrefix 192.168.3.0/24 -NextHop 10.0.0.7'],
    observed: observed([
      { destination: '0.0.0.0/0', nextHop: '10.0.0.1', device: 'eth0', ours: false, metric: 0 },
      { destination: '192.168.9.0/24', nextHop: '10.0.0.9', device: 'eth0', ours: true, metric: 0 },
    ]),
    hostKey: { fingerprint: 'SHA256:peer', firstContact: false },
  };
}

export function plan(): MembershipPlan {
  const toPeers = PEERS.map((peer) => ({ destination: peer.podCidr, nextHop: peer.address }));
  return {
    kind: 'add-node',
    node: WIN03,
    made: { bridge: false, podNetwork: true, forwarding: true },
    basedOn: 7,
    together: [],
    hosts: [
      {
        host: 'win03',
        os: 'windows',
        podCidr: WIN03.podCidr,
        role: 'node',
        steps: [
          { kind: 'forwarding', action: 'ensure' },
          ...toPeers.map((route, i) => ({
            kind: 'route' as const,
            action: 'ensure' as const,
            peer: PEERS[i]?.name ?? '',
            route,
          })),
        ],
        undo: [],
        commands: ['Set-NetIPInterface -InterfaceIndex 4 -Forwarding Enabled'],
        undoCommands: ['Set-NetIPInterface -InterfaceIndex 4 -Forwarding Disabled'],
        observed: observed(),
        hostKey: { fingerprint: 'SHA256:3vXb0c', firstContact: true },
      },
      ...PEERS.map(peerPlan),
      {
        ...peerPlan({ name: 'lin09', os: 'linux', address: '10.0.0.19', podCidr: '192.168.9.0/24' }),
        observed: null,
        unreadable: 'connect ETIMEDOUT 10.0.0.19:22',
        hostKey: null,
      },
    ],
    foreign: [
      {
        host: 'lin01',
        route: {
          destination: '192.168.3.0/24',
          nextHop: '10.0.0.99',
          device: 'eth0',
          ours: false,
          metric: 50,
        },
      },
    ],
  };
}

export function change(state: ChangeState, over: Partial<MembershipChange> = {}): MembershipChange {
  return {
    id: 'c17',
    kind: 'add-node',
    version: 4,
    state,
    node: WIN03,
    requester: 'T1:U0ALICE',
    command: 'add windows node win03 10.0.0.7',
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
}

export function host(name: string, status: HostResult['status'], error?: string): HostResult {
  const debt = status === 'owed' ? { debt: DEBT } : {};
  return { host: name, status, at: '2026-11-23T15:06:00Z', ...debt, ...(error ? { error } : {}) };
}

export const DEBT: Debt = { since: '2026-11-23T15:06:00Z', until: '2026-11-30T15:06:00Z' };

const APPROVED = [
  {
    actor: 'T1:U0BOB',
    verdict: 'approve' as const,
    at: '2026-11-23T15:05:00Z',
    planHash: 'a1b2c3d4e5f6',
  },
];
const PROOF: ProofRow[] = [
  { from: 'win03', to: 'lin01', gateway: '192.168.0.1', answer: 'icmp' },
  { from: 'lin01', to: 'win03', gateway: '192.168.3.1', answer: 'icmp' },
  { from: 'win03', to: 'win01', gateway: '192.168.1.1', answer: 'tcp' },
  { from: 'win01', to: 'win03', gateway: '192.168.3.1', answer: 'none' },
];
const DONE = ['win03', 'lin01', 'win01', 'lin09'].map((name) => host(name, 'done'));
const FINISHED = { decisions: APPROVED, finishedAt: '2026-11-23T15:07:00Z' };

function view(of: Change, hosts: HostResult[] = [], withPlan: boolean | Plan = true): ChangeView {
  return {
    change: of,
    plan: withPlan === true ? plan() : withPlan || null,
    hosts,
    snippets: [
      {
        title: 'Label the node',
        code: 'kubectl label node win03 beta.kubernetes.io/os=windows',
        language: 'shell',
      },
    ],
  };
}

/** One view of each state. */
export const VIEWS: Readonly<Record<ChangeState, ChangeView>> = {
  planning: view(change('planning'), [host('win03', 'waiting'), host('lin01', 'waiting')], false),
  refused: view(
    change('refused', {
      reason: 'lin01 routes 192.168.3.0/24 already.',
      detail: ['lin01: 192.168.3.0/24 via 10.0.0.99'],
    }),
    [],
    false,
  ),
  pending: view(change('pending')),
  denied: view(
    change('denied', {
      reason: 'wrong rack',
      decisions: [
        {
          actor: 'T1:U0BOB',
          verdict: 'deny',
          at: '2026-11-23T15:05:00Z',
          planHash: 'a1b2c3d4e5f6',
          reason: 'wrong rack',
        },
      ],
      finishedAt: '2026-11-23T15:05:00Z',
    }),
  ),
  expired: view(change('expired', { finishedAt: '2026-11-23T15:30:00.000Z' })),
  stale: view(
    change('stale', {
      decisions: APPROVED,
      reason: 'lin01 changed since the plan was sealed.',
      detail: ['lin01: + route 192.168.3.0/24 via 10.0.0.99'],
    }),
  ),
  approved: view(change('approved', { decisions: APPROVED })),
  applying: view(change('applying', { decisions: APPROVED }), [
    host('win03', 'done'),
    { ...host('lin01', 'waiting'), doing: '3 of 8: image (4 of 7 layers)' },
    host('win01', 'failed', 'New-NetRoute: Element not found.'),
    host('lin09', 'owed', 'connect ETIMEDOUT 10.0.0.19:22'),
  ]),
  proving: view(change('proving', { decisions: APPROVED }), DONE),
  applied: view(change('applied', { ...FINISHED, proof: PROOF }), DONE),
  owing: view(change('owing', { ...FINISHED, proof: PROOF.slice(0, 2) }), [
    ...DONE.slice(0, 3),
    host('lin09', 'owed', 'connect ETIMEDOUT 10.0.0.19:22'),
  ]),
  failed: view(change('failed', { ...FINISHED, reason: 'win01 failed.' }), [
    host('win03', 'done'),
    host('lin01', 'unchanged'),
    host('win01', 'failed', 'New-NetRoute: Element not found.'),
    host('lin09', 'waiting'),
  ]),
  cancelled: view(
    change('cancelled', { ...FINISHED, admittedAt: FINISHED.finishedAt, cancelRequestedBy: 'T1:U0ALICE' }),
    [host('win03', 'done'), host('lin01', 'cancelled')],
  ),
  'rolling-back': view(
    change('rolling-back', { decisions: APPROVED, direction: 'undo', rolledBackBy: 'console:root' }),
    [host('win03', 'waiting'), host('lin01', 'done')],
  ),
  'rolled-back': view(
    change('rolled-back', { ...FINISHED, direction: 'undo', rolledBackBy: 'console:root' }),
    DONE,
  ),
};

/** What a repair does: of win03 after it lost its network, and of the route to it on lin01; of all, when `node` is left out. */
function repairPlan(of: { node?: Node }): RepairPlan {
  const [node, ...peers] = plan().hosts as [HostPlan, ...HostPlan[]];
  return {
    kind: 'repair',
    ...of,
    basedOn: 7,
    together: [],
    read: 13,
    unread: [{ host: 'lin09', why: 'connect ETIMEDOUT 10.0.0.19:22' }],
    hosts: [
      {
        ...node,
        role: of.node ? 'node' : 'peer',
        hostKey: { fingerprint: 'SHA256:3vXb0c', firstContact: false },
      },
      ...peers.slice(0, 1),
    ],
    foreign: plan().foreign,
  };
}

function repair(state: ChangeState, over: Partial<RepairChange> = {}): RepairChange {
  const { node: _node, ...rest } = change(state);
  return { ...rest, kind: 'repair', command: 'repair', ...over };
}

const ONE = { node: WIN03, command: 'repair win03' };
const WIN03_LIN01 = [host('win03', 'done'), host('lin01', 'done')];
const NO_SNIPPETS = { snippets: [] };

/** Repairs worth a look of their own. */
export const REPAIRS: Readonly<Record<string, ChangeView>> = {
  'planning all': { ...view(repair('planning'), [host('win03', 'waiting')], false), ...NO_SNIPPETS },
  'refused for one': {
    ...view(
      repair('refused', {
        ...ONE,
        reason: 'Nothing to repair for win03: 13 hosts hold what the inventory says.',
      }),
      [],
      false,
    ),
    ...NO_SNIPPETS,
  },
  'pending for one': { ...view(repair('pending', ONE), [], repairPlan({ node: WIN03 })), ...NO_SNIPPETS },
  'pending, asked by Fairway': {
    ...view(
      repair('pending', { ...ONE, requester: 'fairway', why: 'win03 rebooted and lost 2 routes' }),
      [],
      repairPlan({ node: WIN03 }),
    ),
    ...NO_SNIPPETS,
  },
  'pending for all': { ...view(repair('pending'), [], repairPlan({})), ...NO_SNIPPETS },
  'applied for one': {
    ...view(
      repair('applied', { ...ONE, ...FINISHED, proof: PROOF.slice(0, 2) }),
      WIN03_LIN01,
      repairPlan({ node: WIN03 }),
    ),
    ...NO_SNIPPETS,
  },
  'applied for all': {
    ...view(repair('applied', { ...FINISHED, proof: PROOF }), WIN03_LIN01, repairPlan({})),
    ...NO_SNIPPETS,
  },
};

/** Changes that ask on their way. */
export const ASKING: Readonly<Record<string, ChangeView>> = {
  'asking for a restart': view(change('applying', { decisions: APPROVED }), [
    { ...host('win03', 'asking'), ask: { kind: 'reboot', boot: '2026-11-23T01:00:00.000Z' } },
    host('lin01', 'waiting'),
  ]),
  'asking for a network': view(change('rolling-back', { decisions: APPROVED, rolledBackBy: 'T1:U0BOB' }), [
    { ...host('win03', 'asking'), ask: { kind: 'delete-network', network: 'transparent' } },
    host('lin01', 'done'),
  ]),
};
