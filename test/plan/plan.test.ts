import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { NextHopMode } from '../../src/network/route.js';
import type { Inventory, Os } from '../../src/node/node.js';
import { planAddNode } from '../../src/plan/add-node.js';
import { adoptPairs, knewBefore, uncovered } from '../../src/plan/adopt.js';
import type { WindowsMachine } from '../../src/plan/machine.js';
import type { Nic, Observation, Plan } from '../../src/plan/plan.js';
import { madeBy } from '../../src/plan/pod-side.js';
import { differences, scopeOf } from '../../src/plan/reading.js';
import { planRemoveNode } from '../../src/plan/remove-node.js';
import { planHash } from '../../src/plan/seal.js';
import { clean, driftOf, grow, nodeOf, policyOf, readingsOf, render } from '../support/model-cluster.js';
import { applyTo, freshHost, type ModelHosts, stepped } from '../support/model-host.js';

const oses = fc.array(fc.constantFrom<Os>('linux', 'windows'), { minLength: 1, maxLength: 6 });
const modes = fc.constantFrom<NextHopMode>('node-address', 'pod-gateway');

describe('plans, as properties', () => {
  test('applying every plan leaves no diff on any host', () => {
    fc.assert(
      fc.property(oses, modes, (kinds, mode) => {
        const { hosts, inventory, policy } = grow(kinds, mode);
        for (const drift of driftOf(hosts, inventory, policy)) expect(drift).toEqual(clean);
      }),
    );
  });

  test('undoing an addition gives back exactly what the hosts held before', () => {
    fc.assert(
      fc.property(oses, modes, (kinds, mode) => {
        const { plans, hosts } = grow(kinds, mode);
        const last = plans.at(-1);
        if (!last) return;
        const undone = applyTo(
          hosts,
          last.plan.hosts.map((host) => ({ host: host.host, steps: host.undo })),
        );
        // A peer's forwarding stays on: other nodes' pods may need it by now.
        for (const { host, role } of last.plan.hosts) {
          const before = last.before.get(host);
          if (before)
            expect(undone.get(host)).toEqual(role === 'peer' ? { ...before, forwarding: true } : before);
        }
      }),
    );
  });

  test('removing a node undoes adding it, wherever it stands in the order', () => {
    fc.assert(
      fc.property(oses, modes, fc.nat(), (kinds, mode, pick) => {
        const { hosts, inventory, policy } = grow(kinds, mode);
        const node = inventory.nodes[pick % inventory.nodes.length];
        if (!node) return;
        const plan = planRemoveNode({ node, inventory, readings: readingsOf(hosts), policy, render });
        const left = applyTo(hosts, plan.hosts);
        const members = inventory.nodes.filter((member) => member.name !== node.name);
        for (const drift of driftOf(left, { revision: 0, nodes: members }, policy))
          expect(drift).toEqual(clean);
        const fresh = freshHost(node);
        const { forwarding: _on, ...nodeNow } = left.get(node.name) ?? fresh;
        const { forwarding: _off, ...nodeFresh } = fresh;
        expect(nodeNow).toEqual(nodeFresh);
      }),
    );
  });

  test('removing a node leaves and names what is not ours where its routes were', () => {
    const { hosts, inventory, policy } = grow(['linux', 'linux'], 'node-address');
    const node = nodeOf(1, 'linux');
    const theirs = {
      destination: node.podCidr,
      nextHop: '10.0.0.200',
      device: 'eth0',
      ours: false,
      metric: 5,
    };
    const peer = hosts.get('lin0') ?? freshHost(nodeOf(0, 'linux'));
    const held = new Map([...hosts, ['lin0', { ...peer, routes: [...peer.routes, theirs] }] as const]);
    const plan = planRemoveNode({ node, inventory, readings: readingsOf(held), policy, render });
    expect(plan.foreign).toEqual([{ host: 'lin0', route: theirs }]);
    expect(applyTo(held, plan.hosts).get('lin0')?.routes).toContainEqual(theirs);
  });

  test('what was on a Linux node before it was added stays when it is removed: its bridge, and the address on it', () => {
    const node = nodeOf(0, 'linux');
    const bridge = {
      kind: 'bridge' as const,
      action: 'ensure' as const,
      bridge: 'cbr0',
      podCidr: node.podCidr,
    };
    const made = (spoil: (host: Observation) => Observation) => {
      const { inventory, hosts, policy } = grow(['linux'], 'node-address', spoil);
      const [member] = inventory.nodes;
      if (!member) throw new Error('no member');
      const plan = planRemoveNode({ node: member, inventory, readings: readingsOf(hosts), policy, render });
      return [member.made, plan.hosts.flatMap((host) => host.steps).map((step) => step.kind)];
    };
    const nothing = madeBy([]);
    expect(made((host) => host)).toEqual([
      { ...nothing, bridge: true, gateway: true, forwarding: true },
      ['bridge', 'forwarding'],
    ]);
    expect(made((host) => stepped(host, { ...bridge, ownBridge: true }))).toEqual([
      { ...nothing, forwarding: true },
      ['forwarding'],
    ]);
    expect(made((host) => ({ ...host, bridges: ['cbr0'] }))).toEqual([
      { ...nothing, gateway: true, forwarding: true },
      ['bridge', 'forwarding'],
    ]);
  });

  test('no plan touches a foreign route, whatever the host holds', () => {
    const foreign = fc.record({
      destination: fc.integer({ min: 50, max: 250 }).map((n) => `192.168.${n}.0/24`),
      nextHop: fc.constantFrom('10.0.0.200', '10.0.0.201'),
    });
    fc.assert(
      fc.property(oses, modes, fc.array(foreign, { maxLength: 5 }), (kinds, mode, routes) => {
        const theirs = routes.map((route) => ({ ...route, device: 'eth0', ours: false, metric: 0 }));
        const { hosts, plans } = grow(kinds, mode, (host) => ({
          ...host,
          routes: [...host.routes, ...theirs],
        }));
        for (const host of hosts.values()) expect(host.routes).toEqual(expect.arrayContaining(theirs));
        const named = plans.flatMap(({ plan }) =>
          plan.hosts.flatMap((host) => [...host.steps, ...host.undo]),
        );
        for (const step of named) {
          if (step.kind === 'route')
            expect(theirs.map((route) => route.destination)).not.toContain(step.route.destination);
        }
      }),
    );
  });

  test('a plan covers a member only with the slice that it had then', () => {
    fc.assert(
      fc.property(oses, modes, fc.nat(), (kinds, mode, pick) => {
        const { inventory, plans } = grow([...kinds, 'linux'], mode);
        const plan = plans.at(-1)?.plan as Plan;
        expect(uncovered(plan, inventory)).toEqual([]);
        const peers = inventory.nodes.filter((node) => node.name !== plan.node?.name);
        const peer = peers[pick % peers.length];
        if (!peer) return;
        const again = { ...peer, podCidr: '192.168.99.0/24' };
        const nodes = inventory.nodes.map((node) => (node === peer ? again : node));
        expect(uncovered(plan, { revision: 9, nodes })).toEqual([again]);
        expect(knewBefore(plan, again)).toBe(true);
        expect(knewBefore(plan, peer)).toBe(false);
        expect(knewBefore(plan, nodeOf(50, 'linux'))).toBe(false);
      }),
    );
  });

  test('whichever of several pending nodes are approved, in whichever order, all pairs of members end up routed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<Os>('linux', 'windows'), { minLength: 2, maxLength: 5 }),
        modes,
        fc.infiniteStream(fc.nat()),
        (kinds, mode, numbers) => {
          const policy = policyOf(mode);
          const nodes = kinds.map((os, index) => nodeOf(index, os));
          const start: ModelHosts = new Map(nodes.map((node) => [node.name, freshHost(node)]));
          const readings = readingsOf(start);
          const empty: Inventory = { revision: 0, nodes: [] };
          // All are planned while none is a member; each knows of those that claimed before it.
          const plans = nodes.map((node, index) =>
            planAddNode({
              node,
              inventory: empty,
              together: nodes.slice(0, index),
              readings,
              policy,
              render,
            }),
          );
          const order = plans
            .map((plan) => ({ plan, key: numbers.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .slice(0, 1 + (Number(numbers.next().value) % plans.length));
          let hosts = new Map(start);
          let inventory = empty;
          for (const { plan } of order) {
            const full = adoptPairs(plan, uncovered(plan, inventory), policy, render);
            inventory = { revision: inventory.revision + 1, nodes: [...inventory.nodes, plan.node] };
            const members = new Set(inventory.nodes.map((node) => node.name));
            const approved = full.hosts
              .filter((host) => members.has(host.host))
              .map((host) => ({
                host: host.host,
                steps: host.steps.filter((step) => step.kind !== 'route' || members.has(step.peer ?? '')),
              }));
            hosts = applyTo(hosts, approved);
          }
          for (const drift of driftOf(hosts, inventory, policy)) expect(drift).toEqual(clean);
        },
      ),
    );
  });
});

describe('the seal', () => {
  const { plans, policy } = grow(['linux', 'windows', 'windows'], 'node-address');
  const last = plans.at(-1);
  if (!last) throw new Error('no plan');
  const { plan } = last;
  const scope = { clusterCidr: policy.clusterCidr, bridge: policy.bridge };

  test('is the same for equal plans, whatever the order of their keys', () => {
    const shuffled = JSON.parse(JSON.stringify(plan)) as Plan;
    const reordered = Object.fromEntries(Object.entries(shuffled).reverse()) as unknown as Plan;
    expect(planHash(reordered, policy)).toBe(planHash(plan, policy));
    expect(planHash(plan, policy)).toMatch(/^[0-9a-f]{12}$/);
  });

  test.each<[string, (host: Observation) => Observation, boolean]>([
    [
      'a foreign route appears',
      (host) => ({
        ...host,
        routes: [
          ...host.routes,
          { destination: '192.168.9.0/24', nextHop: '10.0.0.9', device: 'eth0', ours: false, metric: 0 },
        ],
      }),
      true,
    ],
    [
      'a route vanishes',
      (host) => ({
        ...host,
        routes: host.routes.filter((route) => !route.destination.startsWith('192.168')),
      }),
      true,
    ],
    [
      'a metric of the default route moves',
      (host) => ({
        ...host,
        routes: host.routes.map((route) => ({
          ...route,
          metric: route.metric + (route.destination === '0.0.0.0/0' ? 5 : 0),
        })),
      }),
      false,
    ],
    ['the host reboots', (host) => ({ ...host, boot: 'b2' }), false],
    ['forwarding goes off', (host) => ({ ...host, forwarding: false }), true],
  ])('%s', (_what, change, counts) => {
    const sealed = plan.hosts.find((host) => host.role === 'peer')?.observed;
    if (!sealed) throw new Error('no peer');
    const lit = { ...sealed, forwarding: true };
    expect(differences(lit, change(lit), scope, new Set()).length > 0).toBe(counts);
    const hosts = plan.hosts.map((host) =>
      host.observed === sealed ? { ...host, observed: change(lit) } : host,
    );
    const before = plan.hosts.map((host) => (host.observed === sealed ? { ...host, observed: lit } : host));
    const moved = planHash({ ...plan, hosts }, policy) !== planHash({ ...plan, hosts: before }, policy);
    expect(moved).toBe(counts);
  });

  describe('of a node’s own host covers what its pod side was decided by', () => {
    const added = (os: Os) => {
      const grown = grow(['linux', os], 'node-address');
      const [, second] = grown.plans;
      if (!second) throw new Error('no plan');
      const [own, peer] = ['node', 'peer'].map((role) =>
        second.plan.hosts.find((host) => host.role === role),
      );
      if (!own?.observed || !peer?.observed) throw new Error('not read');
      return { plan: second.plan, own, peer, observed: own.observed, peerObserved: peer.observed };
    };
    /** The plan as it would have been sealed of another reading of one host. */
    const hashWith = (of: Plan, host: string, observed: Observation) =>
      planHash(
        { ...of, hosts: of.hosts.map((each) => (each.host === host ? { ...each, observed } : each)) },
        policy,
      );

    test('whether there is a bridge; on a peer that decides nothing', () => {
      const { plan: adding, own, peer, observed, peerObserved } = added('linux');
      const bridged = { ...observed, bridges: ['docker0', 'cbr0'] };
      expect(differences(observed, bridged, scopeOf(adding, own, policy), new Set())).toEqual([
        '+ bridge cbr0',
      ]);
      expect(differences(bridged, observed, scopeOf(adding, own, policy), new Set())).toEqual([
        '- bridge cbr0',
      ]);
      expect(hashWith(adding, own.host, bridged)).not.toBe(planHash(adding, policy));
      const other = { ...observed, bridges: ['docker0'] };
      expect(differences(observed, other, scopeOf(adding, own, policy), new Set())).toEqual([]);
      const bare = { ...peerObserved, bridges: [] };
      expect(differences(peerObserved, bare, scopeOf(adding, peer, policy), new Set())).toEqual([]);
      // A repair of all plans the pod side of every host.
      const repair: Plan = { ...adding, kind: 'repair', read: 2, unread: [] };
      const all = { ...repair, node: undefined } as unknown as Plan;
      expect(differences(peerObserved, bare, scopeOf(all, peer, policy), new Set())).toEqual([
        '- bridge cbr0',
      ]);
    });

    test('a bridge that carries the slice of a node that joined meanwhile is that node’s', () => {
      const { plan: adding, own, observed } = added('linux');
      const bridge = { kind: 'bridge', action: 'ensure', bridge: 'cbr0', podCidr: '192.168.7.0/24' } as const;
      const joined = stepped(observed, { ...bridge, ownBridge: true });
      const scope = scopeOf(adding, own, policy);
      expect(differences(observed, joined, scope, new Set(['192.168.7.0/24']))).toEqual([]);
      expect(differences(observed, joined, scope, new Set())).toContain('+ bridge cbr0');
    });

    test('which network cards could have been given to containers', () => {
      const { plan: adding, own, observed } = added('windows');
      const { windows } = observed;
      if (!windows) throw new Error('no Windows facts');
      const withNics = (change: (nic: Nic) => Nic): Observation => ({
        ...observed,
        windows: { ...windows, nics: windows.nics.map(change) },
      });
      const scope = scopeOf(adding, own, policy);
      const busy = withNics((nic) => ({ ...nic, busy: ['it holds a default route'] }));
      const gone = ['- network card 00-15-5D-00-00-02 free for containers'];
      expect(differences(observed, busy, scope, new Set())).toEqual(gone);
      expect(hashWith(adding, own.host, busy)).not.toBe(planHash(adding, policy));
      // Its number and its state change by themselves.
      const moved = withNics((nic) => ({ ...nic, ifIndex: nic.ifIndex + 1, status: 'Disconnected' }));
      expect(differences(observed, moved, scope, new Set())).toEqual([]);
    });

    test('what somebody made meanwhile that the plan would have made: its undo would take that away', () => {
      const { plan: adding, own, peer, observed } = added('windows');
      const { windows } = observed;
      if (!windows) throw new Error('no Windows facts');
      const by = { executable: 'C:\\k\\kubelet.exe', arguments: '--v=3', environment: [] };
      const theirs = { ...by, manager: 'nssm' as const, ours: false, runs: true, atBoot: true };
      const withMachine = (over: Partial<WindowsMachine>): Observation => ({
        ...observed,
        windows: { ...windows, machine: { ...windows.machine, ...over } },
      });
      const made = withMachine({
        components: { kubelet: theirs, 'kube-proxy': null },
        switches: [
          { name: 'KubeProxySwitch', type: 'Internal' },
          { name: 'Layered pods', type: 'External' },
        ],
        pauseImage: 'sha256:1',
        routing: { isRouter: true, isVpn: false, runs: true, atBoot: true },
      });
      expect(differences(observed, made, scopeOf(adding, own, policy), new Set())).toEqual([
        '+ Routing and Remote Access for routing',
        '+ kubelet by nssm: C:\\k\\kubelet.exe',
        '+ pause image',
        '+ switch KubeProxySwitch Internal',
      ]);
      expect(hashWith(adding, own.host, made)).not.toBe(planHash(adding, policy));
      expect(differences(observed, made, scopeOf(adding, peer, policy), new Set())).toEqual([]);
      // It starts and ends by itself.
      const stopped = withMachine({
        components: { kubelet: { ...theirs, runs: false }, 'kube-proxy': null },
      });
      const running = withMachine({ components: { kubelet: theirs, 'kube-proxy': null } });
      expect(differences(stopped, running, scopeOf(adding, own, policy), new Set())).toEqual([]);
    });
  });

  test('a node that joined in the meantime holds its own pod network: no surprise; anybody else’s is one', () => {
    const sealed = freshHost({ os: 'windows', address: '10.0.0.5' });
    const podNetwork = {
      kind: 'pod-network' as const,
      action: 'ensure' as const,
      network: 'transparent',
      podCidr: '192.168.7.0/24',
      containerNic: 'x',
    };
    const podGateway = {
      kind: 'pod-gateway' as const,
      action: 'ensure' as const,
      podCidr: '192.168.7.0/24',
      containerNic: 'x',
    };
    const joined = stepped(stepped(sealed, podNetwork), podGateway);
    expect(differences(sealed, joined, scope, new Set(['192.168.7.0/24']))).toEqual([]);
    expect(differences(sealed, joined, scope, new Set())).toEqual([
      '+ network transparent 192.168.7.0/24 gateway 192.168.7.1',
      '+ route 192.168.7.0/24 connected',
    ]);
  });

  test('routes that Fairway made for another approved change are no surprise, foreign ones to the same place are', () => {
    const sealed = freshHost({ os: 'linux', address: '10.0.0.4' });
    const route = { destination: '192.168.7.0/24', nextHop: '10.0.0.9', device: 'eth0', metric: 0 };
    const withRoute = (ours: boolean) => ({ ...sealed, routes: [...sealed.routes, { ...route, ours }] });
    const moved = new Set(['192.168.7.0/24']);
    expect(differences(sealed, withRoute(true), scope, moved)).toEqual([]);
    expect(differences(sealed, withRoute(false), scope, moved)).toEqual([
      '+ route 192.168.7.0/24 via 10.0.0.9',
    ]);
    expect(differences(sealed, withRoute(true), scope, new Set())).toEqual([
      '+ route 192.168.7.0/24 via 10.0.0.9 (Fairway)',
    ]);
  });
});
