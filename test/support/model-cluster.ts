/** A cluster of modelled hosts, grown node by node through plans. */
import { desiredRoutes, diffRoutes, type NextHopMode } from '../../src/network/route.js';
import type { Inventory, Node, Os } from '../../src/node/node.js';
import { planAddNode } from '../../src/plan/add-node.js';
import type { Observation, Plan } from '../../src/plan/plan.js';
import type { PlanPolicy } from '../../src/plan/policy.js';
import { clusterRoutes, type HostReading } from '../../src/plan/reading.js';
import { applyTo, freshHost, type ModelHosts } from './model-host.js';
import { PROGRAMS } from './programs.js';

export const policyOf = (nextHop: NextHopMode): PlanPolicy => ({
  clusterCidr: '192.168.0.0/16',
  nextHop,
  bridge: 'cbr0',
  network: 'transparent',
  rras: 'required',
  ...PROGRAMS,
  kubernetesVersion: '1.5',
  apiServer: 'http://10.0.0.1:8080',
});
export const render = () => [];

export function nodeOf(index: number, os: Os): Node {
  return {
    name: `${os === 'linux' ? 'lin' : 'win'}${index}`,
    os,
    address: `10.0.0.${index + 4}`,
    podCidr: `192.168.${index}.0/24`,
  };
}

export function readingsOf(hosts: ModelHosts): Map<string, HostReading> {
  return new Map(
    [...hosts].map(([name, observed]) => [
      name,
      { observed, fingerprint: `SHA256:${name}`, firstContact: false },
    ]),
  );
}

/** A cluster grown node by node through plans. */
export function grow(
  oses: readonly Os[],
  nextHop: NextHopMode,
  spoil: (host: Observation, node: Node) => Observation = (host) => host,
) {
  const policy = policyOf(nextHop);
  const nodes = oses.map((os, index) => nodeOf(index, os));
  let hosts: ModelHosts = new Map(nodes.map((node) => [node.name, spoil(freshHost(node), node)]));
  let inventory: Inventory = { revision: 0, nodes: [] };
  const plans: { plan: Plan; before: ModelHosts }[] = [];
  for (const node of nodes) {
    const plan = planAddNode({ node, inventory, together: [], readings: readingsOf(hosts), policy, render });
    plans.push({ plan, before: hosts });
    hosts = applyTo(hosts, plan.hosts);
    inventory = {
      revision: inventory.revision + 1,
      nodes: [...inventory.nodes, { ...plan.node, made: plan.made }],
    };
  }
  return { policy, hosts, inventory, plans };
}

export function driftOf(hosts: ModelHosts, inventory: Inventory, policy: PlanPolicy) {
  return inventory.nodes.map((node) =>
    diffRoutes(
      desiredRoutes(node, inventory.nodes, policy.nextHop),
      clusterRoutes(hosts.get(node.name) ?? freshHost(node), policy.clusterCidr),
    ),
  );
}

/** No drift. */
export const clean = { missing: [], wrong: [], stray: [], foreign: [] };
