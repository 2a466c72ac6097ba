import { describe, expect, test } from '@jest/globals';
import type { ObservedRoute } from '../../src/network/route.js';
import type { Observation, Step } from '../../src/plan/plan.js';
import { conflicts, forbidden, stepHolds } from '../../src/plan/step.js';
import { bareMachine } from '../support/model-host.js';

const WANTED = { destination: '192.168.3.0/24', nextHop: '10.0.0.7' };

function routeStep(action: Step['action'] = 'ensure', route = WANTED): Step {
  return { kind: 'route', action, peer: 'win03', route };
}

function seen(nextHop: string | null, ours: boolean, more: Partial<ObservedRoute> = {}): ObservedRoute {
  return { destination: WANTED.destination, nextHop, device: 'eth0', ours, metric: 0, ...more };
}

function host(more: Partial<Observation> = {}): Observation {
  return {
    routes: [],
    addresses: [],
    forwarding: false,
    nodeDevice: 'eth0',
    bridges: [],
    boot: 'b',
    ...more,
  };
}

describe('a route step', () => {
  test.each<[string, ObservedRoute[], boolean, boolean, string | null]>([
    // held                                                                     ensured removed in the way
    ['nothing', [], false, true, null],
    ['ours', [seen('10.0.0.7', true)], true, false, null],
    ['ours, wrong', [seen('10.0.0.9', true)], false, true, null],
    ['ours, right and wrong', [seen('10.0.0.7', true), seen('10.0.0.9', true)], false, false, null],
    ['ours, in part', [seen('10.0.0.7', true, { partial: true })], false, false, null],
    ['foreign, the same', [seen('10.0.0.7', false)], true, true, null],
    ['foreign, the same, other metric', [seen('10.0.0.7', false, { metric: 50 })], true, true, null],
    [
      'foreign, elsewhere',
      [seen('10.0.0.9', false)],
      false,
      true,
      "192.168.3.0/24 via 10.0.0.9 dev eth0 is not Fairway's",
    ],
    [
      'foreign, elsewhere, other metric',
      [seen('10.0.0.9', false, { metric: 50 })],
      false,
      true,
      "192.168.3.0/24 via 10.0.0.9 dev eth0 is not Fairway's",
    ],
    [
      'foreign, connected',
      [seen(null, false, { device: 'docker0' })],
      false,
      true,
      "192.168.3.0/24 dev docker0 is not Fairway's",
    ],
    [
      'foreign, in part',
      [seen('10.0.0.7', false, { partial: true })],
      false,
      true,
      "192.168.3.0/24 via 10.0.0.7 dev eth0 is not Fairway's",
    ],
    ['another destination', [seen('10.0.0.9', false, { destination: '192.168.4.0/24' })], false, true, null],
  ])('with %s', (_name, routes, ensured, removed, inTheWay) => {
    expect(stepHolds(routeStep('ensure'), host({ routes }))).toBe(ensured);
    expect(stepHolds(routeStep('remove'), host({ routes }))).toBe(removed);
    expect(conflicts(routeStep('ensure'), host({ routes }))).toBe(inTheWay);
    expect(conflicts(routeStep('remove'), host({ routes }))).toBeNull();
  });

  const on = { address: '10.0.0.4', podCidr: '192.168.0.0/24', clusterCidr: '192.168.0.0/16' };
  test.each<[string, string, string | null]>([
    ['192.168.3.0/24', '10.0.0.7', null],
    ['192.168.3.0/24', '192.168.3.1', null],
    ['192.168.0.0/24', '10.0.0.7', "192.168.0.0/24 overlaps the node's own 192.168.0.0/24"],
    ['192.168.0.128/25', '10.0.0.7', "192.168.0.128/25 overlaps the node's own 192.168.0.0/24"],
    ['192.168.0.0/16', '10.0.0.7', "192.168.0.0/16 overlaps the node's own 192.168.0.0/24"],
    ['192.0.0.0/8', '10.0.0.7', "192.0.0.0/8 is outside the cluster's 192.168.0.0/16"],
    ['0.0.0.0/0', '10.0.0.7', "0.0.0.0/0 is outside the cluster's 192.168.0.0/16"],
    ['192.168.3.0/24', '192.168.3.9', '192.168.3.0/24 covers its own next hop 192.168.3.9'],
  ])('%s via %s: %s', (destination, nextHop, why) => {
    expect(forbidden(routeStep('ensure', { destination, nextHop }), on)).toBe(why);
  });

  test('over the node’s own address is forbidden, even in the cluster CIDR', () => {
    const inside = { ...on, address: '192.168.3.200' };
    expect(forbidden(routeStep(), inside)).toBe("192.168.3.0/24 covers the node's own address 192.168.3.200");
    expect(forbidden(routeStep('remove'), inside)).toBeNull();
  });
});

describe('the other steps', () => {
  const bridge: Step = {
    kind: 'bridge',
    action: 'ensure',
    bridge: 'cbr0',
    podCidr: '192.168.0.0/24',
    ownBridge: true,
  };
  const gateway = { address: '192.168.0.1', prefixLength: 24, device: 'cbr0' };
  const connected = seen(null, false, { destination: '192.168.0.0/24', device: 'cbr0' });
  const network: Step = {
    kind: 'pod-network',
    action: 'ensure',
    network: 'kube',
    podCidr: '192.168.1.0/24',
    containerNic: '00-15-5D-00-04-01',
  };
  const podGateway: Step = {
    kind: 'pod-gateway',
    action: 'ensure',
    podCidr: '192.168.1.0/24',
    containerNic: '00-15-5D-00-04-01',
  };
  const windows = (
    podNetworks: [string, string, string][],
    podNicForwarding = false,
  ): NonNullable<Observation['windows']> => ({
    build: 14393,
    machine: bareMachine(),
    nics: [],
    podNetworks: podNetworks.map(([name, subnet, gw]) => ({
      name,
      driver: 'transparent',
      subnet,
      gateway: gw,
    })),
    podNicForwarding,
  });
  const held = { address: '192.168.1.1', prefixLength: 24, device: '9' };

  test.each<[string, Step, Partial<Observation>, boolean, boolean]>([
    // step, what the host holds                                                                ensured removed
    ['forwarding off', { kind: 'forwarding', action: 'ensure' }, {}, false, true],
    ['forwarding on', { kind: 'forwarding', action: 'ensure' }, { forwarding: true }, true, false],
    ['no bridge', bridge, {}, false, true],
    ['a bridge without the gateway', bridge, { bridges: ['cbr0'] }, false, false],
    ['a bridge that is down', bridge, { bridges: ['cbr0'], addresses: [gateway] }, false, false],
    [
      'a bridge with the gateway',
      bridge,
      { bridges: ['cbr0'], addresses: [gateway], routes: [connected] },
      true,
      false,
    ],
    [
      'the gateway elsewhere',
      bridge,
      { addresses: [{ ...gateway, device: 'eth1' }], routes: [connected] },
      false,
      true,
    ],
    [
      'a kept bridge without the gateway',
      { ...bridge, ownBridge: false },
      { bridges: ['cbr0'] },
      false,
      true,
    ],
    ['docker not asked', network, {}, false, false],
    ['no pod network', network, { windows: windows([]) }, false, true],
    [
      'the pod network',
      network,
      { windows: windows([['kube', '192.168.1.0/24', '192.168.1.1']]) },
      true,
      false,
    ],
    [
      'another subnet',
      network,
      { windows: windows([['kube', '192.168.2.0/24', '192.168.2.1']]) },
      false,
      false,
    ],
    [
      'another gateway',
      network,
      { windows: windows([['kube', '192.168.1.0/24', '192.168.1.2']]) },
      false,
      false,
    ],
    ['no gateway', podGateway, { windows: windows([], true) }, false, true],
    [
      'a gateway that does not forward',
      podGateway,
      { windows: windows([]), addresses: [held] },
      false,
      false,
    ],
    ['a gateway that forwards', podGateway, { windows: windows([], true), addresses: [held] }, true, false],
    [
      'a gateway with another mask',
      podGateway,
      { windows: windows([], true), addresses: [{ ...held, prefixLength: 16 }] },
      false,
      true,
    ],
  ])('%s', (_name, step, more, ensured, removed) => {
    expect(stepHolds(step, host(more))).toBe(ensured);
    expect(stepHolds({ ...step, action: 'remove' }, host(more))).toBe(removed);
    expect(conflicts(step, host(more))).toBeNull();
  });
});
