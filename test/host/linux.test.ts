import { describe, expect, test } from '@jest/globals';
import { HostError } from '../../src/host/host.js';
import { linux } from '../../src/host/linux.js';
import type { HostContext } from '../../src/host/platform.js';
import type { Observation, Step } from '../../src/plan/plan.js';
import { PROGRAMS } from '../support/programs.js';

const CTX: HostContext = {
  target: { name: 'lin01', address: '10.0.0.4', os: 'linux' },
  clusterCidr: '192.168.0.0/16',
  podCidr: '192.168.0.0/24',
  network: 'kube',
  bridge: 'cbr0',
  ...PROGRAMS,
  owned: [],
};
const HEAD = { ok: true, forward: '1', boot: 'b-1', bridges: ['cbr0'] };
// As iproute2 6.1 prints them.
const ROUTES = [
  { dst: 'default', gateway: '10.0.0.254', dev: 'eth0', protocol: 'dhcp', metric: 100, flags: [] },
  { dst: '10.0.0.0/24', dev: 'eth0', protocol: 'kernel', scope: 'link', prefsrc: '10.0.0.4', flags: [] },
  { dst: '1.2.3.4', dev: 'eth0', scope: 'link', flags: [] },
  { type: 'blackhole', dst: '192.168.5.0/24', flags: [] },
  {
    dst: '192.168.6.0/24',
    flags: [],
    nexthops: [
      { gateway: '10.0.0.8', dev: 'eth0', weight: 1, flags: [] },
      { gateway: '10.0.0.9', dev: 'eth0', weight: 1, flags: [] },
    ],
  },
  { dst: '192.168.1.0/24', gateway: '10.0.0.5', dev: 'eth0', protocol: '155', flags: [] },
];
const TOLD = { isCurrent: true, clusterCidr: '192.168.0.0/16', bridge: 'cbr0', podCidr: '' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const FACTS = {
  privilege: 'helper',
  mayInstall: false,
  iproute: 'ip utility, iproute2-6.1.0, libbpf 1.1.2',
  cniPlugins: ['bridge'],
  forwardChain: base64('-P FORWARD DROP'),
  networkManagers: ['systemd-networkd'],
  foreignRoutes: 'no',
  helper: TOLD,
  atBoot: true,
  kubelet: base64('/usr/bin/kubelet --token=abc '),
  freeKib: 2,
  clock: '2026-11-01T00:00:00Z',
};
const ADDRESSES = [
  {},
  { ifindex: 1, ifname: 'lo', addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8 }] },
  { ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local: '10.0.0.4', prefixlen: 24 }] },
];

const route = (nextHop: string, action: Step['action'] = 'ensure', destination = '192.168.3.0/24'): Step => ({
  kind: 'route',
  action,
  peer: 'win03',
  route: { destination, nextHop },
});
const bridge: Step = {
  kind: 'bridge',
  action: 'ensure',
  bridge: 'cbr0',
  podCidr: '192.168.0.0/24',
  ownBridge: true,
};
const EMPTY: Observation = {
  routes: [],
  addresses: [],
  forwarding: false,
  nodeDevice: 'eth0',
  bridges: [],
  boot: 'b',
};

function batch(steps: Step[], observed = EMPTY): { forward: unknown; lines: string[] } {
  const requests = linux.apply(steps, CTX, observed, 7);
  expect(requests).toHaveLength(1);
  const [request] = requests;
  expect(request).toMatchObject({ script: 'sync', params: { fence: 7 } });
  const { forward, batch: text } = request?.params ?? {};
  return {
    forward,
    lines: String(text)
      .split('\n')
      .filter((line) => line !== ''),
  };
}

describe('what a Linux host says', () => {
  test('becomes an observation in canonical text', () => {
    expect(linux.parseObservation([HEAD, ROUTES, ADDRESSES], CTX)).toEqual({
      routes: [
        { destination: '0.0.0.0/0', nextHop: '10.0.0.254', device: 'eth0', ours: false, metric: 100 },
        { destination: '10.0.0.0/24', nextHop: null, device: 'eth0', ours: false, metric: 0 },
        { destination: '1.2.3.4/32', nextHop: null, device: 'eth0', ours: false, metric: 0 },
        { destination: '192.168.5.0/24', nextHop: null, device: '', ours: false, metric: 0 },
        { destination: '192.168.6.0/24', nextHop: '10.0.0.8', device: 'eth0', ours: false, metric: 0 },
        { destination: '192.168.6.0/24', nextHop: '10.0.0.9', device: 'eth0', ours: false, metric: 0 },
        { destination: '192.168.1.0/24', nextHop: '10.0.0.5', device: 'eth0', ours: true, metric: 0 },
      ],
      addresses: [
        { address: '127.0.0.1', prefixLength: 8, device: 'lo' },
        { address: '10.0.0.4', prefixLength: 24, device: 'eth0' },
      ],
      forwarding: true,
      nodeDevice: 'eth0',
      bridges: ['cbr0'],
      boot: 'b-1',
    });
  });

  test('of the machine, asked in full, is what a node is checked by', () => {
    const seen = linux.parseObservation([{ ...HEAD, linux: FACTS }, ROUTES, ADDRESSES], CTX);
    expect(seen.linux).toEqual({
      privilege: 'helper',
      mayInstall: false,
      iproute: '6.1.0',
      cniPlugins: ['bridge'],
      forwardChain: { policy: 'DROP', from: [], to: [] },
      networkManagers: ['systemd-networkd'],
      keepsForeignRoutes: true,
      helper: 'current',
      restoresAtBoot: true,
      kubelet: '/usr/bin/kubelet --token=[secret]',
      freeBytes: 2048,
      clock: '2026-11-01T00:00:00Z',
    });
    expect(linux.observe(CTX, true).params).toEqual({ full: 1 });
    expect(linux.observe(CTX, false).params).toEqual({});
  });

  test.each<[string, object, object]>([
    ['a helper of another version', { helper: { ...TOLD, isCurrent: false } }, { helper: 'other' }],
    ['one told of another cluster', { helper: { ...TOLD, clusterCidr: '10.9.0.0/16' } }, { helper: 'other' }],
    ['one told of another bridge', { helper: { ...TOLD, bridge: 'br9' } }, { helper: 'other' }],
    ['one told of another slice', { helper: { ...TOLD, podCidr: '192.168.9.0/24' } }, { helper: 'other' }],
    ['one told of its slice', { helper: { ...TOLD, podCidr: CTX.podCidr } }, { helper: 'current' }],
    ['none', { helper: null }, { helper: null }],
    ['networkd as it comes', { foreignRoutes: '' }, { keepsForeignRoutes: false }],
    ['networkd told to manage', { foreignRoutes: 'yes' }, { keepsForeignRoutes: false }],
    ['no networkd', { networkManagers: [] }, { keepsForeignRoutes: null }],
    ['a chain nobody may ask for', { forwardChain: '' }, { forwardChain: null }],
    ['one of another form', { forwardChain: base64('Chain FORWARD (policy DROP)') }, { forwardChain: null }],
    ['an old iproute2', { iproute: 'ip utility, iproute2-ss170501' }, { iproute: '170501' }],
    ['no kubelet', { kubelet: '' }, { kubelet: null }],
  ])('with %s is told so', (_name, more, told) => {
    const data = [{ ...HEAD, linux: { ...FACTS, ...more } }, ROUTES, ADDRESSES];
    expect(linux.parseObservation(data, CTX).linux).toMatchObject(told);
  });

  test('of a rule that accepts, counts what it asks for nothing beside', () => {
    const chain = [
      '-P FORWARD DROP',
      '-A FORWARD -s 192.168.0.0/16 -j ACCEPT',
      '-A FORWARD -d 10.1.0.0/16 -m comment --comment "pods of \\"b\\"" -j ACCEPT',
      '-A FORWARD -d 10.2.0.0/16 -m comment --comment pods -j ACCEPT',
      '-A FORWARD -s 172.17.0.0/16 -i docker0 -j ACCEPT',
      '-A FORWARD -s 172.18.0.0/16 -d 172.18.0.0/16 -j ACCEPT',
      '-A FORWARD ! -s 172.19.0.0/16 -j ACCEPT',
      '-A FORWARD -s 172.20.0.0/16 -m comment --comment "a" -p tcp -m comment --comment "b" -j ACCEPT',
      '-A FORWARD -s $(id) -j ACCEPT',
      '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      '-A FORWARD -s 172.21.0.0/16 -j DROP',
    ];
    const chainIn = (lines: string[]) => {
      const facts = { ...FACTS, forwardChain: base64(`${lines.join('\n')}\n`) };
      return linux.parseObservation([{ ...HEAD, linux: facts }, ROUTES, ADDRESSES], CTX).linux?.forwardChain;
    };
    const told = { policy: 'DROP', from: ['192.168.0.0/16'], to: ['10.1.0.0/16', '10.2.0.0/16'] };
    expect(chainIn(chain)).toEqual(told);
    const all = { policy: 'DROP', from: ['0.0.0.0/0'], to: ['0.0.0.0/0'] };
    expect(chainIn(['-P FORWARD DROP', '-A FORWARD -j ACCEPT'])).toEqual(all);
  });

  test('of an adopted node’s own bridge counts', () => {
    const linuxFacts = { ...FACTS, helper: { ...TOLD, bridge: 'br9' } };
    const device = { ifname: 'br9', addr_info: [{ local: '192.168.0.1', prefixlen: 24 }] };
    const data = [{ ...HEAD, bridges: ['br9'], linux: linuxFacts }, ROUTES, [...ADDRESSES, device]];
    expect(linux.parseObservation(data, CTX).linux?.helper).toBe('current');
  });

  test('has no node device when none holds the address', () => {
    expect(linux.parseObservation([HEAD, [], []], CTX).nodeDevice).toBeNull();
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['no tables', { ok: true }],
    ['one table', [HEAD, []]],
    ['no forwarding', [{ ...HEAD, forward: '' }, [], []]],
    ['a route to a name', [HEAD, [{ dst: 'example.com', dev: 'eth0' }], []]],
    ['a route with host bits', [HEAD, [{ dst: '192.168.1.7/24', dev: 'eth0' }], []]],
    ['a gateway in octal', [HEAD, [{ dst: 'default', gateway: '10.0.0.07' }], []]],
    [
      'an address that is none',
      [HEAD, [], [{ ifname: 'eth0', addr_info: [{ local: '10.7', prefixlen: 24 }] }]],
    ],
  ])('with %s is garbled, never empty', (_name, data) => {
    expect(() => linux.parseObservation(data, CTX)).toThrow(
      expect.objectContaining({ kind: 'garbled', host: 'lin01' }),
    );
  });

  test('about who answers is understood', () => {
    const answers = { '10.0.0.5': 'icmp', '10.0.0.6': 'tcp', '10.0.0.7': 'none' };
    expect(linux.parseProof({ ok: true, answers })).toEqual(answers);
    expect(() => linux.parseProof({ ok: true, answers: { '10.0.0.5': 'maybe' } })).toThrow(HostError);
  });
});

describe('a probe of a Linux host', () => {
  const processes = { kubelet: { pid: 812, start: '123456' }, 'kube-proxy': null };
  const head = { ...HEAD, processes, btime: 1_793_491_200, uptime: 2_000.25 };

  test('is a read with processes and a clock', () => {
    const { observed, ...seen } = linux.parseProbe([head, ROUTES, ADDRESSES], CTX);
    expect(observed).toEqual(linux.parseObservation([HEAD, ROUTES, ADDRESSES], CTX));
    expect(seen).toEqual({
      processes: {
        kubelet: { pid: 812, started: '123456', startedAt: '2026-11-01T00:20:34Z' },
        'kube-proxy': null,
      },
      clock: '2026-11-01T00:33:20.250Z',
    });
  });

  test.each<[string, object]>([
    ['no processes', { processes: undefined }],
    ['one process', { processes: { kubelet: null } }],
    ['a process without a start', { processes: { ...processes, kubelet: { pid: 812, start: '' } } }],
    ['a pid that is text', { processes: { ...processes, kubelet: { pid: '812', start: '1' } } }],
    ['no clock', { uptime: undefined }],
  ])('with %s is garbled, never empty', (_name, more) => {
    expect(() => linux.parseProbe([{ ...head, ...more }, ROUTES, ADDRESSES], CTX)).toThrow(
      expect.objectContaining({ kind: 'garbled', host: 'lin01' }),
    );
  });

  test('a service is named by its component; what is asked of systemd is what a person would type', () => {
    expect(linux.service(CTX, 'kube-proxy', 'restart', 7)).toMatchObject({
      script: 'service',
      params: { fence: 7, component: 'kube-proxy', action: 'restart' },
      timeoutMs: 60_000,
    });
    expect(linux.serviceCommand('kube-proxy', 'restart')).toBe('systemctl restart kube-proxy.service');
  });

  test.each([
    [0, 1],
    [50.9, 50],
    [10_000, 200],
  ])('of a log %p lines are %p', (asked, sent) => {
    expect(linux.logs(CTX, 'kubelet', asked).params).toEqual({ component: 'kubelet', lines: sent });
  });

  test('a log is text; a line that was cut in front is left out', () => {
    const parse = (text: string) => linux.parseLogs({ ok: true, log: Buffer.from(text).toString('base64') });
    expect(parse('节点\nlast\n')).toBe('节点\nlast');
    expect(parse(`${'x'.repeat(65_530)}\nlast\n`)).toBe('last');
    expect(() => linux.parseLogs({ ok: true, log: '*' })).toThrow(HostError);
  });
});

describe('steps on Linux', () => {
  test('are one batch', () => {
    expect(
      batch([
        bridge,
        { kind: 'forwarding', action: 'ensure' },
        route('10.0.0.7'),
        route('10.0.0.5', 'ensure', '192.168.1.0/24'),
      ]),
    ).toEqual({
      forward: '1',
      lines: [
        'link add name cbr0 type bridge',
        'address add 192.168.0.1/24 dev cbr0',
        'link set cbr0 up',
        'route add 192.168.3.0/24 via 10.0.0.7 proto 155',
        'route add 192.168.1.0/24 via 10.0.0.5 proto 155',
      ],
    });
  });

  test('that hold already, or have a foreign route in the way, are left out', () => {
    const held = { destination: '192.168.3.0/24', device: 'eth0', metric: 0 };
    const ours = { ...EMPTY, forwarding: true, routes: [{ ...held, nextHop: '10.0.0.7', ours: true }] };
    expect(batch([route('10.0.0.7'), { kind: 'forwarding', action: 'ensure' }], ours)).toEqual({ lines: [] });
    const foreign = { ...EMPTY, routes: [{ ...held, nextHop: '10.0.0.9', ours: false, metric: 50 }] };
    expect(batch([route('10.0.0.7'), route('10.0.0.9', 'remove')], foreign).lines).toEqual([]);
  });

  test('replace a wrong route of ours', () => {
    const wrong = {
      destination: '192.168.3.0/24',
      nextHop: '10.0.0.9',
      device: 'eth0',
      ours: true,
      metric: 0,
    };
    const lines = [
      'route del 192.168.3.0/24 via 10.0.0.9 proto 155',
      'route add 192.168.3.0/24 via 10.0.0.7 proto 155',
    ];
    expect(batch([route('10.0.0.7')], { ...EMPTY, routes: [wrong] }).lines).toEqual(lines);
    expect(linux.commands([route('10.0.0.7')], CTX, { ...EMPTY, routes: [wrong] })).toEqual(
      lines.map((line) => `ip ${line}`),
    );
  });

  test('finish a bridge that is there in part, and take back no more than is there', () => {
    const partly = { ...EMPTY, bridges: ['cbr0'] };
    expect(batch([bridge], partly).lines).toEqual([
      'address add 192.168.0.1/24 dev cbr0',
      'link set cbr0 up',
    ]);
    const removed: Step = { ...bridge, action: 'remove' };
    expect(batch([removed], partly).lines).toEqual(['link set cbr0 down', 'link delete cbr0 type bridge']);
    const addresses = [{ address: '192.168.0.1', prefixLength: 24, device: 'cbr0' }];
    const whole = [
      'link set cbr0 down',
      'address del 192.168.0.1/24 dev cbr0',
      'link delete cbr0 type bridge',
    ];
    expect(batch([removed], { ...partly, addresses }).lines).toEqual(whole);
    expect(batch([{ ...removed, ownBridge: false }], { ...partly, addresses }).lines).toEqual(
      whole.slice(1, 2),
    );
  });

  test('install the root helper before anything else, and take it away after everything else', () => {
    const full = linux.parseObservation([{ ...HEAD, linux: { ...FACTS, helper: null } }, [], ADDRESSES], CTX);
    const steps: Step[] = [{ kind: 'persistence', action: 'ensure' }, route('10.0.0.7')];
    const [first, second, ...more] = linux.apply(steps, CTX, full, 7);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ script: 'persistence', takes: 'root-helper' });
    expect(first?.params).toEqual({
      fence: 7,
      action: 'ensure',
      cluster: '192.168.0.0/16',
      bridge: 'cbr0',
      own: '192.168.0.0/24',
    });
    // What the sync answers has to tell of the helper, too.
    expect(second).toMatchObject({ script: 'sync', params: { full: 1 } });
    const held = linux.parseObservation([{ ...HEAD, linux: FACTS }, [], ADDRESSES], CTX);
    const undo = linux.apply([{ kind: 'persistence', action: 'remove' }], CTX, held, 8);
    expect(undo.map(({ script, params }) => [script, params['action']])).toEqual([
      ['sync', undefined],
      ['persistence', 'remove'],
    ]);
  });

  test('tell what is going to be installed', () => {
    const steps: Step[] = [{ kind: 'persistence', action: 'ensure' }];
    const told = linux.commands(steps, CTX, null).join('\n');
    for (const what of ['fairway-node', 'node.conf', 'fairway-routes.service', '90-fairway', '10-fairway'])
      expect(told).toContain(what);
    expect(told).toContain('install 192.168.0.0/16 cbr0 192.168.0.0/24');
    const linuxFacts = { ...FACTS, networkManagers: [] };
    const without = linux.parseObservation([{ ...HEAD, linux: linuxFacts }, [], ADDRESSES], CTX);
    expect(linux.commands(steps, CTX, without).join('\n')).not.toContain('10-fairway');
  });

  test.each(['192.168.0.0/24', '10.0.0.0/24', '0.0.0.0/0'])('never make a route to %s', (destination) => {
    expect(() => batch([route('10.0.0.7', 'ensure', destination)])).toThrow(
      expect.objectContaining({ kind: 'script', detail: { code: 'REFUSED' } }),
    );
  });

  test('read as what a person would type', () => {
    const steps: Step[] = [bridge, { kind: 'forwarding', action: 'ensure' }, route('10.0.0.7')];
    expect(linux.commands(steps, CTX, null)).toEqual([
      'ip link add name cbr0 type bridge',
      'ip address add 192.168.0.1/24 dev cbr0',
      'ip link set cbr0 up',
      'sysctl -w net.ipv4.ip_forward=1',
      'ip route add 192.168.3.0/24 via 10.0.0.7 proto 155',
    ]);
    const undo = steps.map((step): Step => ({ ...step, action: 'remove' })).reverse();
    expect(linux.commands(undo, CTX, null)).toEqual([
      'ip route del 192.168.3.0/24 via 10.0.0.7 proto 155',
      'sysctl -w net.ipv4.ip_forward=0',
      'ip link set cbr0 down',
      'ip address del 192.168.0.1/24 dev cbr0',
      'ip link delete cbr0 type bridge',
    ]);
  });
});
