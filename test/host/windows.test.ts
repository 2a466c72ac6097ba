import { describe, expect, test } from '@jest/globals';
import type { HostContext } from '../../src/host/platform.js';
import { windows } from '../../src/host/windows.js';
import type { Observation, Step } from '../../src/plan/plan.js';
import { bareMachine } from '../support/model-host.js';
import { PROGRAMS } from '../support/programs.js';

const NIC = '00-15-5D-00-04-01';
const CTX: HostContext = {
  target: { name: 'win03', address: '10.0.0.7', os: 'windows' },
  clusterCidr: '192.168.0.0/16',
  podCidr: '192.168.3.0/24',
  network: 'kube',
  bridge: 'cbr0',
  ...PROGRAMS,
  containerNic: NIC,
  owned: [
    { destination: '192.168.0.0/24', nextHop: '10.0.0.4' },
    { destination: '192.168.1.0/24', nextHop: '10.0.0.5' },
    { destination: '192.168.2.0/24', nextHop: '10.0.0.6' },
  ],
};

const stored = (store: 'ActiveStore' | 'PersistentStore', dest: string, nextHop: string, ifIndex = 1007) => ({
  store,
  dest,
  nextHop,
  ifIndex,
  metric: 256,
});
const both = (dest: string, nextHop: string) => [
  stored('ActiveStore', dest, nextHop),
  stored('PersistentStore', dest, nextHop, 0),
];
const READ = {
  build: 14393,
  boot: '2026-11-01T00:00:00Z',
  ifIndex: 1007 as number | null,
  guid: '{0}',
  nodeError: null,
  routes: [stored('ActiveStore', '10.0.0.0/24', '0.0.0.0')],
  addresses: [{ address: '10.0.0.7', prefixLength: 24, ifIndex: 1007, alias: 'Ethernet' }],
  interfaces: [
    { ifIndex: 1007, alias: 'Ethernet', forwarding: 'Enabled' },
    { ifIndex: 1004, alias: 'Ethernet 2', forwarding: 'Disabled' },
  ],
};

function parse(more: object = {}): Observation {
  return windows.parseObservation({ ok: true, changed: false, data: { ...READ, ...more } }, CTX);
}

const route = (nextHop: string, action: Step['action'] = 'ensure', destination = '192.168.0.0/24'): Step => ({
  kind: 'route',
  action,
  peer: 'lin01',
  route: { destination, nextHop },
});
const NODE_STEPS: Step[] = [
  { kind: 'forwarding', action: 'ensure' },
  { kind: 'pod-network', action: 'ensure', network: 'kube', podCidr: '192.168.3.0/24', containerNic: NIC },
  { kind: 'pod-gateway', action: 'ensure', podCidr: '192.168.3.0/24', containerNic: NIC },
];

describe('what a Windows host says', () => {
  test.each<[string, ReturnType<typeof stored>[], object[]]>([
    [
      'in both stores',
      both('192.168.0.0/24', '10.0.0.4'),
      [{ nextHop: '10.0.0.4', device: '1007', ours: true }],
    ],
    ['active only', both('192.168.0.0/24', '10.0.0.4').slice(0, 1), [{ ours: true, partial: true }]],
    [
      'persistent only',
      both('192.168.0.0/24', '10.0.0.4').slice(1),
      [{ ours: true, partial: true, device: '0' }],
    ],
    [
      'on another interface than the node’s',
      [
        stored('ActiveStore', '192.168.0.0/24', '10.0.0.4', 1004),
        stored('PersistentStore', '192.168.0.0/24', '10.0.0.4'),
      ],
      [{ ours: true, partial: true, device: '1004' }],
    ],
    ['not in the journal', both('192.168.0.0/24', '10.0.0.9'), [{ nextHop: '10.0.0.9', ours: false }]],
    [
      'connected',
      [stored('ActiveStore', '192.168.0.0/24', '0.0.0.0', 1004)],
      [{ nextHop: null, ours: false }],
    ],
    [
      'with two next hops',
      [...both('192.168.0.0/24', '10.0.0.4'), ...both('192.168.0.0/24', '10.0.0.9')],
      [
        { nextHop: '10.0.0.4', ours: true },
        { nextHop: '10.0.0.9', ours: false },
      ],
    ],
  ])('a route %s', (_name, routes, expected) => {
    const seen = parse({ routes }).routes;
    expect(seen).toMatchObject(expected);
    expect(seen.map((one) => one.partial === true)).toEqual(expected.map((one) => 'partial' in one));
  });

  test('becomes an observation; interfaces are named by their index', () => {
    expect(parse()).toEqual({
      routes: [{ destination: '10.0.0.0/24', nextHop: null, device: '1007', ours: false, metric: 256 }],
      addresses: [{ address: '10.0.0.7', prefixLength: 24, device: '1007' }],
      forwarding: true,
      nodeDevice: '1007',
      bridges: [],
      boot: '2026-11-01T00:00:00Z',
    });
    expect(parse({ ifIndex: null, nodeError: 'none' })).toMatchObject({
      nodeDevice: null,
      forwarding: false,
    });
  });

  test('in full has NICs, docker’s networks and the pod NIC', () => {
    const nic = {
      name: 'Ethernet 2',
      ifIndex: 1004,
      guid: '{1}',
      mac: NIC,
      status: 'Up',
      virtual: false,
      addresses: [],
      busy: ['default route'],
    };
    const network = { name: 'kube', driver: 'transparent', subnet: '192.168.3.0/24', gateway: '192.168.3.1' };
    const full = {
      nics: [nic],
      podNetworks: [network],
      machine: bareMachine(),
      podNic: { ifIndex: 1020, alias: 'vEthernet', forwarding: 'Enabled' },
    };
    expect(parse(full).windows).toEqual({
      build: 14393,
      machine: bareMachine(),
      nics: [
        {
          name: 'Ethernet 2',
          ifIndex: 1004,
          mac: NIC,
          status: 'Up',
          kind: 'physical',
          addresses: [],
          busy: ['default route'],
        },
      ],
      podNetworks: [network],
      podNicForwarding: true,
    });
    expect(parse({ ...full, podNic: null }).windows?.podNicForwarding).toBe(false);
  });

  test.each<[string, object]>([
    ['no routes', { routes: undefined }],
    ['a route with host bits', { routes: [stored('ActiveStore', '192.168.0.1/24', '10.0.0.4')] }],
    [
      'an unknown store',
      { routes: [{ ...stored('ActiveStore', '192.168.0.0/24', '10.0.0.4'), store: 'Other' }] },
    ],
    ['an index that is text', { ifIndex: '7' }],
    ['a MAC with colons', { nics: [{ mac: '00:15:5d:00:04:01' }], podNetworks: [] }],
  ])('with %s is garbled, never empty', (_name, more) => {
    expect(() => parse(more)).toThrow(expect.objectContaining({ kind: 'garbled', host: 'win03' }));
  });

  test('about who answers is understood', () => {
    expect(
      windows.parseProof({ ok: true, changed: false, data: { answers: { '192.168.0.1': 'tcp' } } }),
    ).toEqual({ '192.168.0.1': 'tcp' });
    expect(() => windows.parseProof({ ok: true, answers: {} })).toThrow(
      expect.objectContaining({ kind: 'garbled' }),
    );
  });
});

describe('a probe of a Windows host', () => {
  const kubelet = { pid: 4312, started: '2026-11-01T00:20:34.5678901Z' };
  const clock = '2026-11-01T00:33:20.2500000Z';
  const probe = (more: object) =>
    windows.parseProbe({ ok: true, changed: false, data: { ...READ, clock, ...more } }, CTX);

  test('is a read with processes and a clock', () => {
    expect(probe({ processes: { kubelet, 'kube-proxy': null } })).toEqual({
      observed: parse(),
      processes: { kubelet: { ...kubelet, startedAt: '2026-11-01T00:20:34Z' }, 'kube-proxy': null },
      clock,
    });
  });

  test.each<[string, object]>([
    ['no processes', {}],
    ['one process', { processes: { kubelet } }],
    [
      'a start that is no instant',
      { processes: { kubelet: { pid: 1, started: 'now' }, 'kube-proxy': null } },
    ],
    ['no clock', { processes: { kubelet, 'kube-proxy': null }, clock: undefined }],
  ])('with %s is garbled, never empty', (_name, more) => {
    expect(() => probe(more)).toThrow(expect.objectContaining({ kind: 'garbled', host: 'win03' }));
  });

  test('a service is named by its component; the command is what a person would type', () => {
    expect(windows.service(CTX, 'kubelet', 'stop', 7)).toMatchObject({
      script: 'service',
      params: { fence: 7, nodeIp: '10.0.0.7', component: 'kubelet', action: 'stop' },
    });
    expect(windows.serviceCommand('kubelet', 'restart')).toBe('Restart-Service kubelet -Force');
  });

  test('a log is text', () => {
    expect(windows.parseLogs({ ok: true, changed: false, data: { log: 'a\nb' } })).toBe('a\nb');
    expect(() => windows.parseLogs({ ok: true, data: {} })).toThrow(
      expect.objectContaining({ kind: 'garbled' }),
    );
  });
});

describe('steps on Windows', () => {
  test('a read names the node’s address, never an interface', () => {
    expect(windows.observe(CTX, true)).toMatchObject({
      script: 'read',
      params: {
        nodeIp: '10.0.0.7',
        full: true,
        network: 'kube',
        containerNic: NIC,
        podGateway: '192.168.3.1',
      },
    });
  });

  test('are one script for each kind, all routes in one, and one request for them all', () => {
    const steps = [...NODE_STEPS, route('10.0.0.4'), route('10.0.0.5', 'ensure', '192.168.1.0/24')];
    const blank = { ...parse(), forwarding: false, routes: [] };
    const [request, ...others] = windows.apply(steps, CTX, blank, 9);
    expect(others).toEqual([]);
    expect(request).toMatchObject({ script: 'provision', goesOn: true, params: { fence: 9 } });
    expect(request?.params['steps']).toEqual([
      { script: 'forwarding', params: { fence: 9, nodeIp: '10.0.0.7', enabled: true } },
      {
        script: 'pod-network',
        params: {
          fence: 9,
          network: 'kube',
          podCidr: '192.168.3.0/24',
          podGateway: '192.168.3.1',
          containerNic: NIC,
          nodeIp: '10.0.0.7',
          ensure: true,
        },
      },
      {
        script: 'pod-gateway',
        params: { fence: 9, containerNic: NIC, podGateway: '192.168.3.1', podPrefixLength: 24, ensure: true },
      },
      {
        script: 'sync-routes',
        params: {
          fence: 9,
          nodeIp: '10.0.0.7',
          clusterCidr: '192.168.0.0/16',
          ownCidr: '192.168.3.0/24',
          add: [
            { destination: '192.168.0.0/24', nextHop: '10.0.0.4' },
            { destination: '192.168.1.0/24', nextHop: '10.0.0.5' },
          ],
          remove: [],
        },
      },
    ]);
  });

  test('have the same name whoever asks for them, so that work that goes on is joined', () => {
    const blank = { ...parse(), forwarding: false, routes: [] };
    const id = (steps: Step[], fence: number) => windows.apply(steps, CTX, blank, fence)[0]?.params['id'];
    expect(id(NODE_STEPS, 9)).toBe(id(NODE_STEPS, 10));
    expect(id(NODE_STEPS.slice(1), 9)).not.toBe(id(NODE_STEPS, 9));
  });

  test('of a peer stay within the session: forwarding and routes are quick', () => {
    const blank = { ...parse(), forwarding: false, routes: [] };
    const steps: Step[] = [{ kind: 'forwarding', action: 'ensure' }, route('10.0.0.4')];
    const scripts = windows.apply(steps, CTX, blank, 9).map(({ script, goesOn }) => [script, goesOn]);
    expect(scripts).toEqual([
      ['forwarding', undefined],
      ['sync-routes', undefined],
    ]);
  });

  test.each<[string, object, object | null]>([
    [
      'goes on',
      { over: false, done: 1, of: 4, doing: 'image', progress: '3 of 7 layers' },
      { done: 1, of: 4, doing: 'image', progress: '3 of 7 layers' },
    ],
    ['is over', { over: true, done: 4, of: 4, failed: null }, null],
    [
      'waits for a restart',
      { over: true, done: 1, of: 4, failed: { script: 'routing-service', code: 'REBOOT', error: 'x' } },
      null,
    ],
  ])('work that %s', (_what, data, wanted) => {
    expect(windows.parseProgress({ ok: true, changed: true, data }, CTX)).toEqual(wanted);
  });

  test('work that failed says which step, and in whose words', () => {
    const failed = { script: 'image', code: 'DOCKER', error: 'no such image' };
    const data = { over: true, done: 1, of: 4, failed, printed: 'pulling' };
    expect(() => windows.parseProgress({ ok: true, changed: true, data }, CTX)).toThrow(
      expect.objectContaining({
        kind: 'script',
        message: 'image: no such image',
        detail: { code: 'DOCKER', printed: 'pulling' },
      }),
    );
  });

  test('replace a wrong route of ours, leave out what holds and what a foreign route is in the way of', () => {
    const seen = parse({
      routes: [
        ...both('192.168.0.0/24', '10.0.0.4'),
        ...both('192.168.1.0/24', '10.0.0.5'),
        ...both('192.168.2.0/24', '10.0.0.99'),
      ],
    });
    const steps = [
      route('192.168.0.1'),
      route('10.0.0.5', 'ensure', '192.168.1.0/24'),
      route('10.0.0.6', 'ensure', '192.168.2.0/24'),
    ];
    expect(windows.apply(steps, CTX, seen, 1).map(({ params }) => params)).toMatchObject([
      {
        add: [{ destination: '192.168.0.0/24', nextHop: '192.168.0.1' }],
        remove: [{ destination: '192.168.0.0/24', nextHop: '10.0.0.4' }],
      },
    ]);
    expect(windows.apply([route('10.0.0.5', 'ensure', '192.168.1.0/24')], CTX, seen, 1)).toEqual([]);
    expect(windows.apply([route('10.0.0.4', 'remove')], CTX, seen, 1)).toMatchObject([
      { params: { add: [], remove: [{ destination: '192.168.0.0/24', nextHop: '10.0.0.4' }] } },
    ]);
  });

  test('read as what a person would type', () => {
    const nics: NonNullable<Observation['windows']>['nics'] = [
      {
        name: 'Ethernet 2',
        ifIndex: 1004,
        mac: NIC,
        status: 'Up',
        kind: 'physical',
        addresses: [],
        busy: [],
      },
    ];
    const seen: Observation = {
      ...parse(),
      windows: { build: 14393, nics, podNetworks: [], podNicForwarding: false, machine: bareMachine() },
    };
    expect(windows.commands([...NODE_STEPS, route('10.0.0.4')], CTX, seen)).toEqual([
      'netsh interface ipv4 set interface 1007 forwarding=enabled store=persistent',
      'docker network create -d transparent --subnet 192.168.3.0/24 --gateway 192.168.3.1 -o com.docker.network.windowsshim.interface="Ethernet 2" kube',
      'netsh interface ipv4 set address name="vEthernet (HNSTransparent)" source=static address=192.168.3.1 mask=255.255.255.0 gateway=none store=persistent',
      'netsh interface ipv4 set interface "vEthernet (HNSTransparent)" forwarding=enabled store=persistent',
      'New-NetRoute -DestinationPrefix 192.168.0.0/24 -InterfaceIndex 1007 -NextHop 10.0.0.4',
    ]);
    const undo = [...NODE_STEPS, route('10.0.0.4')]
      .map((step): Step => ({ ...step, action: 'remove' }))
      .reverse();
    expect(windows.commands(undo, CTX, null)).toEqual([
      'Remove-NetRoute -DestinationPrefix 192.168.0.0/24 -InterfaceIndex <ifIndex> -NextHop 10.0.0.4 -Confirm:$false',
      'netsh interface ipv4 delete address name="vEthernet (HNSTransparent)" address=192.168.3.1',
      'docker network rm kube',
      'netsh interface ipv4 set interface <ifIndex> forwarding=disabled store=persistent',
    ]);
    // Uninstall-RemoteAccess knows VPN types alone; what it is not told, it takes away.
    expect(windows.commands([{ kind: 'routing-service', action: 'remove' }], CTX, null)).toEqual([
      'Uninstall-RemoteAccess -Force',
      'Uninstall-WindowsFeature Routing, RemoteAccess',
    ]);
  });
});
