import { describe, expect, test } from '@jest/globals';
import { planAddNode } from '../../src/plan/add-node.js';
import type { LinuxMachine } from '../../src/plan/machine.js';
import type { HostPlan, Observation } from '../../src/plan/plan.js';
import { planRemoveNode } from '../../src/plan/remove-node.js';
import { planRepair } from '../../src/plan/repair-drift.js';
import { nodeOf, policyOf, readingsOf, render } from '../support/model-cluster.js';
import { freshHost, type ModelHosts } from '../support/model-host.js';

const MACHINE: LinuxMachine = {
  privilege: 'root',
  mayInstall: true,
  iproute: '6.1.0',
  cniPlugins: [],
  forwardChain: null,
  networkManagers: [],
  keepsForeignRoutes: null,
  helper: null,
  restoresAtBoot: false,
  kubelet: null,
  freeBytes: 1,
  clock: '2026-11-01T00:00:00Z',
};
const HELD = { helper: 'current', restoresAtBoot: true } as const;

const node = nodeOf(0, 'linux');
const policy = policyOf('node-address');
const hostWith = (machine: Partial<LinuxMachine>): Observation => ({
  ...freshHost(node),
  linux: { ...MACHINE, ...machine },
});

function adding(machine: Partial<LinuxMachine>) {
  const readings = readingsOf(new Map([[node.name, hostWith(machine)]]));
  const inventory = { revision: 0, nodes: [] };
  return planAddNode({ node, inventory, together: [], readings, policy, render });
}

function kinds(host: HostPlan | undefined, which: 'steps' | 'undo') {
  return host?.[which].map(({ kind }) => kind);
}

describe('what outlives a boot', () => {
  test('is planned with the node, after its network, and undone with it', () => {
    const plan = adding({});
    expect(kinds(plan.hosts[0], 'steps')).toEqual(['bridge', 'forwarding', 'persistence']);
    expect(kinds(plan.hosts[0], 'undo')).toEqual(['persistence', 'forwarding', 'bridge']);
    expect(plan.made.persistence).toBe(true);
  });

  test.each<[string, Partial<LinuxMachine>]>([
    ['it is there already', HELD],
    ['the login may not install it', { mayInstall: false, privilege: 'sudo' }],
    ['there is no systemd', { restoresAtBoot: null }],
  ])('is not planned where %s', (_name, machine) => {
    const plan = adding(machine);
    expect(kinds(plan.hosts[0], 'steps')).toEqual(['bridge', 'forwarding']);
    expect(plan.made.persistence).toBe(false);
  });

  test('of another version is replaced, but not for us to take away', () => {
    const plan = adding({ helper: 'other', restoresAtBoot: true });
    expect(kinds(plan.hosts[0], 'steps')).toContain('persistence');
    expect(kinds(plan.hosts[0], 'undo')).not.toContain('persistence');
    expect(plan.made.persistence).toBe(false);
  });

  test.each([true, false, undefined])(
    'is repaired and removed only if Fairway made it: %p',
    (persistence) => {
      const made = { bridge: true, podNetwork: false, forwarding: true };
      const member = { ...node, made: persistence === undefined ? made : { ...made, persistence } };
      const inventory = { revision: 1, nodes: [member] };
      const over = (hosts: ModelHosts) => ({
        node: member,
        inventory,
        readings: readingsOf(hosts),
        policy,
        render,
      });
      const lost = over(new Map([[node.name, hostWith({})]]));
      const sets = { accounted: new Set<string>(), resting: new Set<string>(), strays: 'remove' as const };
      const expected = persistence === true ? ['persistence'] : [];
      expect(kinds(planRepair({ ...lost, ...sets }).hosts[0], 'steps')).toEqual([
        'bridge',
        'forwarding',
        ...expected,
      ]);
      const byItself = planRepair({ ...lost, ...sets, strays: 'leave' });
      expect(kinds(byItself.hosts[0], 'steps')).toEqual(['bridge', 'forwarding']);
      const there = { ...hostWith(HELD), forwarding: true, bridges: ['cbr0'] };
      const removal = planRemoveNode(over(new Map([[node.name, there]])));
      expect(kinds(removal.hosts[0], 'steps')).toEqual([...expected, 'bridge', 'forwarding']);
    },
  );
});
