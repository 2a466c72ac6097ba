import { describe, expect, test } from '@jest/globals';
import type { Node } from '../../src/node/node.js';
import { planAddNode } from '../../src/plan/add-node.js';
import type { Check, CheckId, Verdict } from '../../src/plan/check.js';
import { linuxChecks } from '../../src/plan/check-linux.js';
import { lookedAt } from '../../src/plan/check-steps.js';
import { isBefore } from '../../src/plan/check-version.js';
import { type CheckInput, checksOf, NotReady, readyNode } from '../../src/plan/checks.js';
import type { LinuxMachine, WindowsMachine } from '../../src/plan/machine.js';
import type { Observation } from '../../src/plan/plan.js';
import { podSide, processSide } from '../../src/plan/pod-side.js';
import type { PlanPolicy } from '../../src/plan/policy.js';
import { missing } from '../../src/plan/step.js';
import { EACH } from '../support/check-samples.js';
import { LINUX_MACHINE } from '../support/linux-machine.js';
import { nodeOf, policyOf, readingsOf, render } from '../support/model-cluster.js';
import { freshHost, stepped } from '../support/model-host.js';

const AT = '2026-11-27T03:00:10.000Z';
const policy = policyOf('node-address');
const OWN_CARD = '00-15-5D-00-00-02';
const win: Node = { ...nodeOf(3, 'windows'), containerNic: OWN_CARD };
const lin = nodeOf(1, 'linux');
const ALL_MADE = {
  bridge: true,
  podNetwork: true,
  forwarding: true,
  routingService: true,
  virtualSwitch: true,
  image: true,
  components: ['kubelet' as const, 'kube-proxy' as const],
};

const bare: Record<'windows' | 'linux', Observation> = {
  windows: freshHost(win),
  linux: { ...freshHost(lin), linux: LINUX_MACHINE },
};
/** The host once every step of its node was taken. */
const whole = (node: Node): Observation =>
  [...podSide(node, bare[node.os], policy), ...processSide(node, policy)].reduce(stepped, bare[node.os]);

const seen = (host: Observation, over: Partial<NonNullable<Observation['windows']>>): Observation =>
  host.windows ? { ...host, windows: { ...host.windows, ...over } } : host;
const machine = (host: Observation, over: Partial<WindowsMachine>): Observation =>
  host.windows ? seen(host, { machine: { ...host.windows.machine, ...over } }) : host;
const linux = (over: Partial<LinuxMachine>, host = bare.linux): Observation => ({
  ...host,
  linux: { ...LINUX_MACHINE, ...over },
});

const DROPS: NonNullable<LinuxMachine['forwardChain']> = { policy: 'DROP', from: [], to: [] };

type Over = Partial<Omit<CheckInput, 'policy'>> & { policy?: Partial<PlanPolicy> };

function checksIn(observed: Observation, over: Over = {}): Check[] {
  const node = over.node ?? (observed.windows || observed.nodeDevice === '7' ? win : lin);
  return checksOf({
    node,
    isMember: false,
    at: AT,
    observed,
    ...over,
    policy: { ...policy, ...over.policy },
  });
}

const card = (n: number, over = {}) => ({
  name: `Ethernet ${n}`,
  ifIndex: n,
  mac: `00-15-5D-00-00-0${n}`,
  status: 'Up',
  kind: 'physical' as const,
  addresses: [],
  busy: [],
  ...over,
});
const other = { name: 'lan', driver: 'transparent', subnet: '172.16.0.0/16', gateway: '172.16.0.1' };
const own = { name: 'transparent', driver: 'transparent', subnet: win.podCidr, gateway: '192.168.3.1' };
const { podCidr: _none, containerNic: _card, ...anew } = win;
const member = { ...win, made: ALL_MADE };
const delivered = { ...member, executables: { kubelet: 'C:\\k\\versions\\v1.5.1\\kubelet.exe' } };
const OPEN_FOLDER = 'O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;ID;0x1301bf;;;AU)';
const { containerNic: _unknown, ...adopted } = {
  ...win,
  made: { bridge: false, podNetwork: false, forwarding: false },
};
const installed = {
  manager: 'nssm' as const,
  ours: false,
  executable: 'D:\\old\\kubelet.exe',
  arguments: '--v=9',
  environment: [],
  runs: true,
  atBoot: true,
};

type Case = [what: string, found: Check[], id: CheckId, verdict: Verdict, facts?: object];

const CASES: readonly Case[] = [
  ['the address is there', checksIn(bare.windows), 'address', 'ok'],
  [
    'the address is on no card',
    checksIn({ ...bare.windows, nodeDevice: null }, { node: win }),
    'address',
    'fix',
  ],
  ['clocks 10 s apart', checksIn(bare.windows), 'clock', 'ok'],
  [
    'a clock that is behind',
    checksIn(bare.windows, { at: '2026-11-27T03:01:35.000Z' }),
    'clock',
    'fix',
    { skew: -95, os: 'windows' },
  ],
  [
    'a clock that is ahead',
    checksIn(linux({ clock: '2026-11-27T03:01:00.000Z' })),
    'clock',
    'fix',
    { skew: 50, os: 'linux' },
  ],
  ['room', checksIn(bare.windows), 'disk', 'ok'],
  [
    'room for the pause image, not for more',
    checksIn(machine(bare.windows, { freeBytes: 5e9 })),
    'disk',
    'note',
  ],
  [
    'no room for the pause image',
    checksIn(machine(bare.windows, { freeBytes: 9e8 })),
    'disk',
    'fix',
    { free: 9e8, least: 1.02e9 },
  ],
  ['the pause image is there', checksIn(machine(whole(win), { freeBytes: 9e8 })), 'disk', 'note'],
  ['a full Linux host', checksIn(linux({ freeBytes: 2e8 })), 'disk', 'fix'],
  ['little is enough on Linux', checksIn(linux({ freeBytes: 3e8 })), 'disk', 'ok'],
  [
    'no facts of the machine, Windows',
    checksIn({ ...bare.linux, nodeDevice: '7' }, { node: win }),
    'machine',
    'unknown',
  ],
  ['no facts of the machine, Linux', checksIn(freshHost(lin)), 'machine', 'unknown'],

  ['Windows Server 2016', checksIn(bare.windows), 'windows', 'ok'],
  ['Windows Server 2012 R2', checksIn(seen(bare.windows, { build: 9600 })), 'windows', 'fix'],
  ['Windows 10', checksIn(machine(bare.windows, { isServer: false })), 'windows', 'fix'],
  ['an administrator', checksIn(bare.windows), 'administrator', 'ok'],
  ['none', checksIn(machine(bare.windows, { isAdministrator: false })), 'administrator', 'fix'],
  ['the docker of the guide', checksIn(bare.windows), 'docker', 'ok', { version: '1.12.2-cs2-ws-beta' }],
  ['an older docker', checksIn(machine(bare.windows, { docker: { version: '1.12.1' } })), 'docker', 'fix'],
  [
    'a docker that does not answer',
    checksIn(machine(bare.windows, { docker: { error: 'no pipe' } })),
    'docker',
    'fix',
    { error: 'no pipe' },
  ],
  ['no DNS yet', checksIn(bare.windows), 'container-dns', 'note'],
  ['DNS', checksIn(machine(bare.windows, { docker: { version: '1.13.0' } })), 'container-dns', 'ok'],
  ['no forwarding', checksIn(bare.windows), 'forwarding', 'will'],
  ['forwarding', checksIn(whole(win)), 'forwarding', 'ok'],
  ['no routing service', checksIn(bare.windows), 'routing-service', 'will'],
  ['a routing service', checksIn(whole(win)), 'routing-service', 'ok'],
  [
    'a VPN server',
    checksIn(machine(bare.windows, { routing: { runs: true, atBoot: true, isRouter: false, isVpn: true } })),
    'routing-service',
    'fix',
  ],
  [
    'a VPN server that routes already',
    checksIn(machine(bare.windows, { routing: { runs: true, atBoot: true, isRouter: true, isVpn: true } })),
    'routing-service',
    'ok',
  ],
  [
    'an adopted node without one',
    checksIn(bare.windows, { node: adopted, isMember: true }),
    'routing-service',
    'note',
  ],
  [
    'a member that lost it',
    checksIn(bare.windows, { node: member, isMember: true }),
    'routing-service',
    'will',
  ],
  ['no word of features', checksIn(machine(bare.windows, { features: null })), 'routing-service', 'unknown'],
  ['no restart', checksIn(bare.windows), 'restart', 'ok'],
  [
    'a restart that the plan has',
    checksIn(machine(bare.windows, { rebootPending: true })),
    'restart',
    'will',
  ],
  [
    'a restart that no plan has',
    checksIn(machine(bare.windows, { rebootPending: true }), { policy: { rras: 'skip' } }),
    'restart',
    'note',
  ],
  ['no image', checksIn(bare.windows), 'pause-image', 'will', { image: 'apprenda/pause' }],
  ['the image', checksIn(whole(win)), 'pause-image', 'ok'],
  [
    'an adopted node without it',
    checksIn(bare.windows, { node: adopted, isMember: true }),
    'pause-image',
    'note',
  ],
  [
    'no docker to ask',
    checksIn(machine(bare.windows, { docker: { error: 'no pipe' } })),
    'pause-image',
    'unknown',
  ],
  ['no switch', checksIn(bare.windows), 'virtual-switch', 'will', { name: 'KubeProxySwitch' }],
  ['the switch', checksIn(whole(win)), 'virtual-switch', 'ok'],
  [
    'an adopted node without it',
    checksIn(bare.windows, { node: adopted, isMember: true }),
    'virtual-switch',
    'note',
  ],
  [
    'a switch of another type',
    checksIn(machine(bare.windows, { switches: [{ name: 'KubeProxySwitch', type: 'External' }] })),
    'virtual-switch',
    'fix',
    { name: 'KubeProxySwitch', types: ['External'] },
  ],
  [
    'no Hyper-V cmdlets',
    checksIn(machine(bare.windows, { switches: null })),
    'virtual-switch',
    'fix',
    { name: 'KubeProxySwitch', error: null },
  ],
  [
    'Hyper-V cmdlets without its service',
    checksIn(machine(bare.windows, { switches: { error: 'vmms' } })),
    'virtual-switch',
    'fix',
    { name: 'KubeProxySwitch', error: 'vmms' },
  ],
  [
    'no Hyper-V for who is no administrator',
    checksIn(machine(bare.windows, { switches: { error: 'access' }, isAdministrator: false })),
    'virtual-switch',
    'unknown',
  ],
  [
    'one free card',
    checksIn(bare.windows, { node: anew }),
    'container-nic',
    'ok',
    { name: 'Ethernet 2', mac: OWN_CARD },
  ],
  [
    'two free cards',
    checksIn(seen(bare.windows, { nics: [card(2), card(3), card(4, { kind: 'virtual' })] }), { node: anew }),
    'container-nic',
    'fix',
    {
      mac: null,
      why: 'several-free',
      has: [
        { name: 'Ethernet 2', mac: card(2).mac },
        { name: 'Ethernet 3', mac: card(3).mac },
      ],
    },
  ],
  [
    'no free card',
    checksIn(seen(bare.windows, { nics: [card(2, { busy: ['it holds a default route'] })] }), { node: anew }),
    'container-nic',
    'fix',
  ],
  ['the card asked for is none', checksIn(seen(bare.windows, { nics: [card(3)] })), 'container-nic', 'fix'],
  [
    'the card asked for is in use',
    checksIn(seen(bare.windows, { nics: [card(2, { busy: ['it holds a default route'] })] })),
    'container-nic',
    'fix',
    { mac: null, why: 'busy', asked: OWN_CARD, uses: ['it holds a default route'] },
  ],
  [
    'a member without a recorded card',
    checksIn(whole(win), { node: adopted, isMember: true }),
    'container-nic',
    'note',
  ],
  ['no network', checksIn(bare.windows, { node: anew }), 'pod-network', 'will'],
  [
    'its network',
    checksIn(whole(win)),
    'pod-network',
    'ok',
    { network: 'transparent', podCidr: win.podCidr },
  ],
  ['another network', checksIn(seen(bare.windows, { podNetworks: [other] })), 'pod-network', 'fix'],
  ['another beside its own', checksIn(seen(whole(win), { podNetworks: [own, other] })), 'pod-network', 'fix'],
  [
    'a network of no slice',
    checksIn(seen(bare.windows, { podNetworks: [own] }), { node: anew }),
    'pod-network',
    'fix',
  ],
  ['no docker to ask', checksIn(seen(bare.windows, { podNetworks: null })), 'pod-network', 'unknown'],
  [
    'lost, and nobody knows on which card it was',
    checksIn(bare.windows, { node: adopted, isMember: true }),
    'pod-network',
    'fix',
    { network: 'transparent', podCidr: win.podCidr, other: null },
  ],
  ['no gateway', checksIn(bare.windows), 'pod-gateway', 'will'],
  ['the gateway', checksIn(whole(win)), 'pod-gateway', 'ok'],
  ['IP Helper', checksIn(bare.windows), 'ip-helper', 'ok'],
  [
    'IP Helper is disabled',
    checksIn(machine(bare.windows, { ipHelper: { runs: true, atBoot: false } })),
    'ip-helper',
    'fix',
  ],
  [
    'no IP Helper',
    checksIn(machine(bare.windows, { ipHelper: null })),
    'ip-helper',
    'fix',
    { isThere: false },
  ],
  ['British', checksIn(machine(bare.windows, { language: 2057 })), 'language', 'ok', { isEnglish: true }],
  // Code page 936: Chinese regional settings on an English Windows.
  ['Chinese settings', checksIn(machine(bare.windows, { codePage: 936 })), 'language', 'ok'],
  [
    'Chinese with American settings',
    checksIn(machine(bare.windows, { language: 2052, codePage: 437 })),
    'language',
    'fix',
    { language: 2052 },
  ],
  ['German', checksIn(machine(bare.windows, { language: 1031 })), 'language', 'fix'],
  [
    'Chinese with kube-proxy 1.9',
    checksIn(machine(bare.windows, { language: 2052 }), { policy: { kubernetesVersion: '1.9.0' } }),
    'language',
    'ok',
  ],
  [
    'Kubernetes 1.8',
    checksIn(bare.windows, { policy: { kubernetesVersion: '1.8.1' } }),
    'kubernetes-flags',
    'note',
    { version: '1.8.1' },
  ],
  ['programs that are administrators’ own', checksIn(bare.windows), 'permissions', 'ok'],
  [
    'programs in a folder made below C:\\, which everybody may write to',
    checksIn(
      machine(bare.windows, {
        permissions: { 'C:\\k': OPEN_FOLDER, 'C:\\k\\kubelet.exe': null },
      }),
    ),
    'permissions',
    'fix',
    { path: 'C:\\k', isFile: false },
  ],
  [
    'a program that everybody may write, in a folder that they may not',
    checksIn(
      machine(bare.windows, { permissions: { 'C:\\k': 'O:BAD:PAI', 'C:\\k\\kubelet.exe': OPEN_FOLDER } }),
    ),
    'permissions',
    'fix',
    { path: 'C:\\k\\kubelet.exe', isFile: true },
  ],
  [
    'nssm below C:\\ProgramData, where everybody may put files',
    checksIn(
      machine(bare.windows, {
        permissions: {
          'C:\\ProgramData': 'O:SYG:SYD:PAI(A;OICI;FA;;;BA)(A;CI;DCLCRPCR;;;BU)',
          'C:\\ProgramData\\nssm': 'O:BAD:PAI',
          'C:\\ProgramData\\nssm\\nssm.exe': 'O:BAD:PAI',
        },
      }),
    ),
    'permissions',
    'ok',
  ],
  [
    'programs of which nothing is told',
    checksIn(machine(bare.windows, { permissions: { 'C:\\k': null } })),
    'permissions',
    'unknown',
    { path: 'C:\\k' },
  ],
  [
    'a kubelet that was delivered',
    checksIn(whole(delivered), { node: delivered, isMember: true }),
    'kubelet',
    'ok',
    { executable: 'C:\\k\\versions\\v1.5.1\\kubelet.exe' },
  ],
  ['no nssm', checksIn(bare.windows), 'service-manager', 'note'],
  ['nssm', checksIn(machine(bare.windows, { nssm: 'C:\\k\\nssm.exe' })), 'service-manager', 'ok'],
  ...(['kubelet', 'kube-proxy'] as const).flatMap((id): Case[] => [
    [`no ${id}`, checksIn(bare.windows), id, 'will', { state: 'missing' }],
    [`${id} as it should be`, checksIn(whole(win)), id, 'ok', { executable: policy.executables[id] }],
    [
      `no file of ${id}`,
      checksIn(machine(bare.windows, { binaries: { kubelet: false, 'kube-proxy': false } })),
      id,
      'fix',
      { executable: policy.executables[id] },
    ],
    [
      `somebody's ${id}`,
      checksIn(machine(bare.windows, { components: { kubelet: installed, 'kube-proxy': installed } })),
      id,
      'note',
      { state: 'differs' },
    ],
    [
      `${id} of a member, changed by hand`,
      checksIn(machine(whole(win), { components: { kubelet: installed, 'kube-proxy': installed } }), {
        node: member,
        isMember: true,
      }),
      id,
      'will',
      { state: 'differs' },
    ],
    [
      `${id} of a member that does not run`,
      checksIn(
        machine(whole(win), {
          components: { kubelet: { ...installed, runs: false }, 'kube-proxy': { ...installed, runs: false } },
        }),
        { node: member, isMember: true },
      ),
      id,
      'will',
      { state: 'stopped' },
    ],
    [
      `${id} of a Kubernetes with other flags`,
      checksIn(machine(bare.windows, { components: { kubelet: installed, 'kube-proxy': installed } }), {
        policy: { kubernetesVersion: '1.9' },
      }),
      id,
      'ok',
      { executable: installed.executable },
    ],
  ]),

  ['root', checksIn(bare.linux), 'privilege', 'ok', { by: 'root' }],
  ['no privilege', checksIn(linux({ privilege: 'none' })), 'privilege', 'fix'],
  ['a new iproute2', checksIn(bare.linux), 'iproute', 'ok'],
  ['the first with JSON', checksIn(linux({ iproute: '4.17.0' })), 'iproute', 'ok'],
  ['a snapshot of 4.20', checksIn(linux({ iproute: '190107' })), 'iproute', 'ok'],
  ['an old iproute2', checksIn(linux({ iproute: '4.11.0' })), 'iproute', 'fix'],
  ['a snapshot of 4.15', checksIn(linux({ iproute: 'iproute2-ss180129' })), 'iproute', 'fix'],
  ['none that says its version', checksIn(linux({ iproute: '' })), 'iproute', 'unknown'],
  ['no bridge', checksIn(bare.linux), 'bridge', 'will', { bridge: 'cbr0' }],
  ['the bridge', checksIn(whole(lin)), 'bridge', 'ok'],
  ['no forwarding', checksIn(bare.linux), 'forwarding', 'will'],
  ['the plugins', checksIn(bare.linux), 'cni', 'ok'],
  [
    'not all plugins',
    checksIn(linux({ cniPlugins: ['host-local'] })),
    'cni',
    'fix',
    { missing: ['bridge', 'loopback'] },
  ],
  ['no folder for them', checksIn(linux({ cniPlugins: null })), 'cni', 'fix'],
  ['forwarded packets pass', checksIn(bare.linux), 'forward-policy', 'ok'],
  [
    'forwarded packets are dropped',
    checksIn(linux({ forwardChain: DROPS })),
    'forward-policy',
    'fix',
    { clusterCidr: '192.168.0.0/16' },
  ],
  [
    'those of pods pass, and others are dropped',
    checksIn(linux({ forwardChain: { ...DROPS, from: ['192.168.0.0/16'], to: ['0.0.0.0/0'] } })),
    'forward-policy',
    'ok',
  ],
  [
    'pods may answer, and nobody may ask them',
    checksIn(linux({ forwardChain: { ...DROPS, from: ['192.168.0.0/16'] } })),
    'forward-policy',
    'fix',
  ],
  [
    'this node’s pods alone pass',
    checksIn(linux({ forwardChain: { ...DROPS, from: [lin.podCidr], to: [lin.podCidr] } })),
    'forward-policy',
    'fix',
  ],
  ['iptables can’t be read', checksIn(linux({ forwardChain: null })), 'forward-policy', 'unknown'],
  [
    'networkd leaves routes alone',
    checksIn(linux({ networkManagers: ['systemd-networkd'], keepsForeignRoutes: true })),
    'network-manager',
    'ok',
  ],
  [
    'NetworkManager',
    checksIn(linux({ networkManagers: ['NetworkManager'] })),
    'network-manager',
    'note',
    { managers: ['NetworkManager'] },
  ],
  ['the kubelet leaves addresses alone', checksIn(bare.linux), 'masquerade', 'ok'],
  [
    'all is inside',
    checksIn(linux({ kubelet: 'kubelet --network-plugin kubenet --non-masquerade-cidr 0.0.0.0/0' })),
    'masquerade',
    'ok',
  ],
  [
    'another range is inside',
    checksIn(linux({ kubelet: 'kubelet --network-plugin=kubenet --non-masquerade-cidr=192.168.0.0/24' })),
    'masquerade',
    'fix',
  ],
  [
    'nothing is said of it',
    checksIn(linux({ kubelet: 'kubelet --network-plugin=kubenet' })),
    'masquerade',
    'fix',
  ],
  [
    'nothing is said of it, and it need not',
    checksIn(linux({ kubelet: 'kubelet --network-plugin=kubenet' }), {
      policy: { clusterCidr: '10.64.0.0/16' },
    }),
    'masquerade',
    'ok',
  ],
  [
    'no kubenet',
    checksIn(linux({ kubelet: 'kubelet --network-plugin=cni' })),
    'masquerade',
    'note',
    { why: 'no-kubenet' },
  ],
  ['no kubelet', checksIn(linux({ kubelet: null })), 'masquerade', 'note', { why: 'no-kubelet' }],
];

/** A cluster whose plans make the routes outlive a boot. */
const lasting = (over: Partial<LinuxMachine>): Check[] => {
  const step = { kind: 'persistence', action: 'ensure' } as const;
  const observed = linux(over);
  const on = lookedAt(lin, false, observed, policy);
  const planned = missing([step], observed);
  return linuxChecks({ ...on, steps: [...on.steps, step], planned: [...on.planned, ...planned] });
};

const NETWORKD = { networkManagers: ['systemd-networkd' as const], keepsForeignRoutes: false };

const LASTING: readonly Case[] = [
  ['routes that are gone after a boot', checksIn(bare.linux), 'persistence', 'note'],
  ['a unit that somebody enabled', checksIn(linux({ restoresAtBoot: true })), 'persistence', 'ok'],
  ['a plan that makes them last', lasting({}), 'persistence', 'will'],
  [
    'a helper of another version',
    checksIn(linux({ restoresAtBoot: true, helper: 'other' })),
    'persistence',
    'note',
  ],
  ['they last', lasting({ helper: 'current', restoresAtBoot: true }), 'persistence', 'ok'],
  ['networkd removes routes', checksIn(linux(NETWORKD)), 'network-manager', 'fix'],
  ['networkd removes routes, and a plan ends that', lasting(NETWORKD), 'network-manager', 'will'],
];

const ALL = [...CASES, ...LASTING].map(([what, found, id, verdict, facts]) => ({
  what,
  found,
  id,
  verdict,
  facts,
}));

describe('a check', () => {
  test.each(ALL)('$id: $what → $verdict', ({ found, id, verdict, facts }) => {
    expect(found.filter((each) => each.id === id)).toEqual([
      expect.objectContaining({ id, verdict, ...(facts ? { facts } : {}) }),
    ]);
  });

  test('is tried here at every verdict that it can have', () => {
    const tried = new Set(ALL.map(({ id, verdict }) => `${id} ${verdict}`));
    expect(EACH.map(({ id, verdict }) => `${id} ${verdict}`).filter((each) => !tried.has(each))).toEqual([]);
  });

  test('comes once, and a node that was made whole has nothing left to do', () => {
    for (const node of [win, lin]) {
      const found = checksIn(whole(node), { node: { ...node, made: ALL_MADE }, isMember: true });
      expect(found.map(({ id }) => id)).toEqual([...new Set(found.map(({ id }) => id))]);
      expect(found.filter(({ verdict }) => !['ok', 'note'].includes(verdict))).toEqual([]);
    }
  });

  test('of another cluster than the guide’s leaves out what only the guide needs', () => {
    const ids = checksIn(bare.windows, { policy: { kubernetesVersion: '1.9', rras: 'skip' } }).map(
      ({ id }) => id,
    );
    expect(ids).not.toContain('ip-helper');
    expect(ids).not.toContain('routing-service');
  });
});

describe('a node that is to be added', () => {
  const refusal = (observed: Observation, node: Node = win): NotReady | null => {
    try {
      readyNode(node, observed, policy);
      return null;
    } catch (error) {
      if (error instanceof NotReady) return error;
      throw error;
    }
  };

  test('gets the only free card, and keeps the one asked for', () => {
    const { containerNic: _card, ...without } = win;
    expect(readyNode(without, bare.windows, policy)).toEqual(win);
    expect(readyNode(win, bare.windows, policy)).toEqual(win);
    expect(readyNode(lin, bare.linux, policy)).toEqual(lin);
  });

  test('is refused with all that is in the way at once', () => {
    const broken = machine(seen(bare.windows, { build: 9600, podNetworks: [other], nics: [] }), {
      isAdministrator: false,
      docker: { version: '1.10.3' },
      routing: { runs: true, atBoot: true, isRouter: false, isVpn: true },
      switches: null,
      binaries: { kubelet: false, 'kube-proxy': false },
    });
    const found = refusal(broken);
    expect(found?.checks.map(({ id }) => id)).toEqual([
      'windows',
      'administrator',
      'docker',
      'routing-service',
      'virtual-switch',
      'container-nic',
      'pod-network',
      'kubelet',
      'kube-proxy',
    ]);
    expect(found?.facts).toEqual({ name: 'win3', os: 'windows', address: win.address, count: 9 });
    expect(refusal(linux({ privilege: 'none' }), lin)?.checks.map(({ id }) => id)).toEqual(['privilege']);
  });

  test.each<[string, Observation, Node]>([
    ['a full disk', machine(bare.windows, { freeBytes: 0 }), win],
    ['no IP Helper', machine(bare.windows, { ipHelper: null }), win],
    ['Chinese', machine(bare.windows, { language: 2052 }), win],
    ['no CNI plugins', linux({ cniPlugins: null }), lin],
    ['dropped packets', linux({ forwardChain: DROPS }), lin],
  ])('is not refused for %s: it becomes a node, if a poor one', (_what, observed, node) => {
    expect(checksIn(observed, { node }).some(({ verdict }) => verdict === 'fix')).toBe(true);
    expect(refusal(observed, node)).toBeNull();
  });

  test('needs no files where its Kubernetes takes other flags', () => {
    const observed = machine(bare.windows, { binaries: { kubelet: false, 'kube-proxy': false } });
    expect(readyNode(win, observed, { ...policy, kubernetesVersion: '1.9' })).toEqual(win);
  });

  test('is planned only when it is ready', () => {
    const input = { node: win, inventory: { revision: 0, nodes: [] }, together: [], policy, render };
    const plan = (observed: Observation) =>
      planAddNode({ ...input, readings: readingsOf(new Map([[win.name, observed]])) });
    expect(plan(bare.windows).node).toEqual(win);
    expect(() => plan(seen(bare.windows, { podNetworks: [other] }))).toThrow(NotReady);
  });
});

test.each([
  ['1.12.2-cs2-ws-beta', '1.12.2', false],
  ['1.12.1', '1.12.2', true],
  ['1.9.9', '1.12', true],
  ['17.06.2-ee-16', '1.12.2', false],
  ['v1.5.1', '1.5', false],
  ['1.5', '1.5.1', true],
  ['master', '1.12.2', true],
])('%s is older than %s: %s', (version, than, expected) => {
  expect(isBefore(version, than)).toBe(expected);
});
