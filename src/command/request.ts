/** Asking for a change: what each kind needs from its first moment, and how it is begun. */
import { isDeepStrictEqual } from 'node:util';
import type { Actor, Change } from '../change/change.js';
import { binaryOf, isMembership } from '../change/subject.js';
import { HANDS_OFF_STATES, isLeaving, isRetryable } from '../change/transition.js';
import { isRefusal, Refusal } from '../errors.js';
import type { Cidr } from '../ip.js';
import { claimedNodes } from '../network/lease-store.js';
import type { Node, NodeSpec } from '../node/node.js';
import type { Subject } from '../plan/plan.js';
import type { BotCommand } from './command.js';
import { findNode, type RequestDeps } from './desk.js';
import { formatCommand } from './format.js';
import { readNodeList } from './node-list.js';
import type { Origin } from './reply.js';

/** Among so many of the newest changes the removal of a node that is added again is looked for. */
const REMEMBERED = 200;

/** `fresh`: it was begun now; else the one that does this already. */
export interface Begun {
  id: string;
  fresh: boolean;
}

/** Asks for a node to join: from now on it has a slice. */
export async function requestAdd(
  deps: RequestDeps,
  command: Extract<BotCommand, { kind: 'add-node' }>,
  actor: Actor,
  origin: Origin,
): Promise<Begun> {
  const { spec, podCidr: asked } = command;
  await checkLeft(deps, spec);
  const id = await deps.changes.nextId();
  const claim = {
    ...{ changeId: id, node: spec, excluded: [], now: new Date() },
    ...(asked ? { explicit: asked } : {}),
  };
  const { lease, others } = await deps.leases.claim(claim).catch(async (error: unknown) => {
    if (isRefusal(error, 'node-still-owed')) throw await withRemoval(deps, error);
    if (!(await freeRefused(deps, error))) throw error;
    return deps.leases.claim(claim);
  });
  // Whoever claimed earlier and is not a member yet: this plan covers the pair with it, should both be approved.
  const together = claimedNodes(others);
  return start(deps, actor, origin, formatCommand(command), {
    id,
    kind: 'add-node',
    node: { ...spec, podCidr: lease.podCidr },
    together,
    ...(asked ? { podCidrAsked: asked } : {}),
  });
}

/** A change whose plan was refused gives its slice back a moment later; who asks anew within that moment need not wait for it. */
async function freeRefused(deps: RequestDeps, error: unknown): Promise<boolean> {
  if (!isRefusal(error, 'node-exists') && !isRefusal(error, 'address-taken')) return false;
  const { changeId } = error.facts;
  if (changeId === undefined || (await deps.changes.load(changeId))?.state !== 'refused') return false;
  return (await deps.leases.release(changeId)) !== 'held';
}

/** What a node on its way out is still to lose would be taken from it as a member: it comes back once that is through, or given up. */
async function checkLeft(deps: RequestDeps, { name, address }: NodeSpec): Promise<void> {
  const leaving = (await deps.changes.open()).find(
    (change) =>
      isLeaving(change) &&
      !HANDS_OFF_STATES.includes(change.state) &&
      (change.node?.name === name || change.node?.address === address),
  );
  if (leaving) throw new Refusal('node-leaving', { name: leaving.node?.name ?? name, changeId: leaving.id });
}

/** Names the removal that was given up, where it is still known: running it again is what frees the name. */
async function withRemoval(deps: RequestDeps, { facts }: Refusal<'node-still-owed'>): Promise<Refusal> {
  const removal = (await deps.changes.latest(REMEMBERED)).find(
    (change) => isLeaving(change) && isRetryable(change) && isOf(change.node, facts),
  );
  return new Refusal('node-still-owed', { ...facts, ...(removal ? { changeId: removal.id } : {}) });
}

function isOf(node: Node | undefined, { name, podCidr }: { name: string; podCidr: Cidr }): boolean {
  return node?.name === name && node.podCidr === podCidr;
}

/** Asks for a member to leave. */
export async function requestRemove(
  deps: RequestDeps,
  command: Extract<BotCommand, { kind: 'remove-node' }>,
  actor: Actor,
  origin: Origin,
): Promise<Begun> {
  // A repair is no obstacle: it wants nothing of a node that has left.
  const running = (await deps.changes.open()).find(
    (change) => isMembership(change) && change.node.name === command.name,
  );
  if (running) {
    const { id, kind, state, requester } = running;
    throw new Refusal('change-in-the-way', { id, name: command.name, kind, state, requester });
  }
  const node = findNode((await deps.nodes.read()).nodes, command.name, true);
  const id = await deps.changes.nextId();
  return start(deps, actor, origin, formatCommand(command), { id, kind: 'remove-node', node });
}

/** Asks for what the inventory says to be restored. `why`: what Fairway saw, when nobody asked. */
export async function requestRepair(
  deps: RequestDeps,
  command: Extract<BotCommand, { kind: 'repair' }>,
  actor: Actor,
  origin: Pick<Origin, 'channel' | 'thread'>,
  why?: string,
): Promise<Begun> {
  const { nodes } = await deps.nodes.read();
  const of = command.name === undefined ? {} : { node: findNode(nodes, command.name) };
  const id = await deps.changes.nextId();
  return start(deps, actor, origin, formatCommand(command), {
    id,
    kind: 'repair',
    ...of,
    ...(why ? { why } : {}),
  });
}

/** Asks for nodes that exist already to become members. Throws the Refusals of `readNodeList`. */
export async function requestAdopt(
  deps: RequestDeps,
  command: Extract<BotCommand, { kind: 'adopt' }>,
  actor: Actor,
  origin: Origin,
): Promise<Begun> {
  const { name, clusterCidr: cidr } = deps.config.cluster;
  const asked = readNodeList(command.list ?? '', { name, cidr });
  const id = await deps.changes.nextId();
  return start(deps, actor, origin, formatCommand(command), { id, kind: 'adopt', asked });
}

/** Asks for a binary to be built. Throws the Refusal `no-build-host`. */
export async function requestBuild(
  deps: RequestDeps,
  command: Extract<BotCommand, { kind: 'build' }>,
  actor: Actor,
  origin: Origin,
): Promise<Begun> {
  const { host, source } = deps.config.build;
  if (host === undefined) throw new Refusal('no-build-host', {});
  const { component, version } = command;
  const build = { component, version, source: command.source ?? source };
  const id = await deps.changes.nextId();
  return start(deps, actor, origin, formatCommand(command), { id, kind: 'build', build });
}

/**
 * Asks for what was built to be brought to Windows nodes. Throws the Refusals `no-build-host`, `not-built`, `node-unknown`, `not-windows` and
 * `no-windows-node`.
 */
export async function requestDeliver(
  deps: RequestDeps,
  command: Extract<BotCommand, { kind: 'deliver' }>,
  actor: Actor,
  origin: Origin,
): Promise<Begun> {
  if (deps.config.build.host === undefined) throw new Refusal('no-build-host', {});
  const { component, version } = command;
  if ((await deps.builds.newest(component, version)) === null)
    throw new Refusal('not-built', { component, version });
  const { nodes: members } = await deps.nodes.read();
  const named = command.nodes?.map((name) => findNode(members, name, true));
  const linux = named?.find(({ os }) => os === 'linux');
  if (linux) throw new Refusal('not-windows', { name: linux.name });
  const nodes = (named ?? members.filter(({ os }) => os === 'windows')).map(({ name }) => name);
  if (nodes.length === 0) throw new Refusal('no-windows-node', {});
  const id = await deps.changes.nextId();
  const deliver = { component, version, nodes };
  return start(deps, actor, origin, formatCommand(command), { id, kind: 'deliver', deliver });
}

/** The open change, when it does what was asked for. Throws the Refusal `change-in-the-way` when it does something else that keeps this one out. */
async function joined(deps: RequestDeps, id: string, asked: Change): Promise<Begun> {
  const open = await deps.changes.get(id);
  const { kind, state, requester, command } = open;
  if (!isDeepStrictEqual(binaryOf(open), binaryOf(asked)))
    throw new Refusal('change-in-the-way', { id, name: command, kind, state, requester });
  return { id, fresh: false };
}

/** Saved first, then posted, then planned: a crash in between leaves a change that can be seen. */
async function start(
  deps: RequestDeps,
  actor: Actor,
  origin: Pick<Origin, 'channel' | 'thread'>,
  command: string,
  of: Subject & { id: string } & Partial<Pick<Change, 'together' | 'podCidrAsked' | 'why'>>,
): Promise<Begun> {
  const now = new Date();
  const change: Change = {
    version: 1,
    state: 'planning',
    requester: actor.id,
    command,
    channel: origin.channel,
    ...(origin.thread ? { thread: origin.thread } : {}),
    requestedAt: now.toISOString(),
    approvalsRequired: deps.config.access.approvalsRequired,
    decisions: [],
    cards: [],
    direction: 'do',
    ...of,
  };
  const other = await deps.changes.create(change, now, {
    record: () => [
      {
        at: now.toISOString(),
        actor: actor.id,
        what: 'change-requested',
        changeId: change.id,
        facts: { command, via: actor.via },
      },
    ],
  });
  if (other !== null) return joined(deps, other, change);
  await Promise.all([deps.jobs.card(change.id), deps.jobs.planChange(change.id)]);
  return { id: change.id, fresh: true };
}
