/** Reading hosts: all at once, each whole or not at all. */
import type { Config } from '../src/config.js';
import { type ExpectedKey, HostError, type HostTarget } from '../src/host/host.js';
import { type HostContext, platformOf } from '../src/host/platform.js';
import type { Route } from '../src/network/route.js';
import type { Node } from '../src/node/node.js';
import type { Observation } from '../src/plan/plan.js';
import type { PlanPolicy, RenderCommands } from '../src/plan/policy.js';
import type { HostReading } from '../src/plan/reading.js';
import { sayHostError } from '../src/words/trouble.js';
import type { WorkerDeps } from './deps.js';

/** How a node is reached as a host. */
export function targetOf(node: Node): HostTarget {
  return { name: node.name, address: node.address, os: node.os, ...(node.ssh ? { ssh: node.ssh } : {}) };
}

/** A member's pinned key. One without a pin was met by no plan that anybody approved, so it is met with no key at all. */
export function expectedKey(pinned: string | null): ExpectedKey {
  return { fingerprint: pinned ?? 'none' };
}

/** What a platform needs to know of a host. `owned` is Windows' journal; Linux tags its routes instead. */
export function contextFor(config: Config, node: Node, owned: readonly Route[] = []): HostContext {
  return {
    target: targetOf(node),
    clusterCidr: config.cluster.clusterCidr,
    podCidr: node.podCidr,
    network: config.cluster.network,
    bridge: config.cluster.bridge,
    pauseImage: config.cluster.pauseImage,
    executables: { ...config.cluster.executables, ...node.executables },
    ...(node.containerNic ? { containerNic: node.containerNic } : {}),
    owned,
  };
}

/** The same, with the journal looked up. */
export async function contextOf(deps: WorkerDeps, node: Node): Promise<HostContext> {
  return contextFor(deps.config, node, node.os === 'windows' ? await deps.works.owned(node.name) : []);
}

/** What planning depends on, of the configuration. */
export function planPolicy({ config }: WorkerDeps): PlanPolicy {
  return config.cluster;
}

/** Writes steps down as the commands of the host's OS. */
export function renderer(config: Config): RenderCommands {
  return (node, steps, observed) => platformOf(node.os).commands(steps, contextFor(config, node), observed);
}

/**
 * Reads many hosts side by side. `full` names those whose NICs and container networks are wanted too. A host without a pinned key
 * is read at first contact; whoever approves the plan accepts its fingerprint. The members' builds of Windows are remembered.
 */
export async function readHosts(
  deps: WorkerDeps,
  nodes: readonly Node[],
  full: ReadonlySet<string>,
): Promise<Map<string, HostReading>> {
  const pinned = await deps.hostKeys.pinnedAll(nodes.map((node) => node.name));
  const readings = await Promise.all(
    nodes.map(
      async (node, index): Promise<[string, HostReading]> => [
        node.name,
        await readHost(deps, node, full.has(node.name), pinned[index] ?? null),
      ],
    ),
  );
  const observed = readings.map(([host, reading]) => ({ host, observed: reading.observed }));
  await deps.nodes.noteBuilds(buildsIn(observed));
  return new Map(readings);
}

/** Which build of Windows each host has, by its name. Only full readings tell. */
export function buildsIn(
  hosts: readonly { host: string; observed?: Observation | null }[],
): Map<string, number> {
  return new Map(
    hosts.flatMap(({ host, observed }) =>
      observed?.windows ? [[host, observed.windows.build] as const] : [],
    ),
  );
}

async function readHost(
  deps: WorkerDeps,
  node: Node,
  full: boolean,
  pinned: string | null,
): Promise<HostReading> {
  try {
    const context = await contextOf(deps, node);
    const platform = platformOf(node.os);
    const reply = await deps.hosts.request(
      context.target,
      platform.observe(context, full),
      pinned === null ? 'any' : { fingerprint: pinned },
    );
    const observed: Observation = platform.parseObservation(reply.data, context);
    // Windows settles at login what an account may do: whoever mends that and asks again is to see it.
    if (observed.windows?.machine.isAdministrator === false) deps.hosts.logOut(context.target);
    return { observed, fingerprint: reply.fingerprint, firstContact: pinned === null };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const keyChanged = error.kind === 'host-key-changed';
    const unreadable = sayHostError(error);
    const otherOs = error.kind === 'other-os';
    const outOfReach = ['unreachable', 'timeout', 'auth'].includes(error.kind);
    return {
      observed: null,
      unreadable,
      keyChanged,
      otherOs,
      outOfReach,
      ...(pinned === null ? {} : { pinned }),
    };
  }
}
