/** Commands that only look: answered from what is stored, but for those that ask hosts, whose answers follow later. */
import type { Actor, Change, MembershipChange } from '../change/change.js';
import { isAbout } from '../change/subject.js';
import { Refusal } from '../errors.js';
import { podGateway } from '../ip.js';
import type { ClusterCheck } from '../kube/check.js';
import { addressMap } from '../network/address-map.js';
import type { Node } from '../node/node.js';
import { controlPlaneSnippets } from '../snippet/control-plane.js';
import { snippetsOf } from '../snippet/for-node.js';
import { actionOf, may, rolesOf, whoMay } from './access.js';
import { checkHost, checkNode } from './checking.js';
import type { BotCommand } from './command.js';
import { type DeskDeps, findNode as find, unknownNode } from './desk.js';
import { helpText } from './help.js';
import { readHistory } from './history.js';
import { checkFor } from './manifest.js';
import { writeNodeList } from './node-list.js';
import type { HostRoutes, NodeRow, Origin, OwedPart, Reply } from './reply.js';
import { viewChange } from './view.js';
import { closedChannel, listIncidents, readLogs } from './watching.js';

/** How many changes `changes` lists beside the open ones. */
const LISTED = 15;

export type Query = Exclude<
  BotCommand,
  {
    kind:
      | 'add-node'
      | 'remove-node'
      | 'repair'
      | 'adopt'
      | 'build'
      | 'deliver'
      | 'approve'
      | 'deny'
      | 'confirm'
      | 'decline'
      | 'cancel'
      | 'retry'
      | 'rollback'
      | 'ack'
      | 'mute'
      | 'unmute'
      | 'control';
  }
>;

/** Answers a command that changes nothing. Throws a Refusal for names and ids that nobody has. */
export async function answerQuery(
  deps: DeskDeps,
  query: Query,
  actor: Actor,
  origin: Origin,
): Promise<Reply> {
  switch (query.kind) {
    case 'nodes':
      return listNodes(deps);
    case 'map':
      return mapAddresses(deps);
    case 'node':
      return describeNode(deps, query.name);
    case 'routes': {
      const { nodes } = await deps.nodes.read();
      const asked = query.name === undefined ? nodes : [find(nodes, query.name)];
      if (actor.via === 'console') {
        return { kind: 'routes', hosts: (await deps.jobs.readRoutesNow(query.name)) as HostRoutes[] };
      }
      if (asked.length > 0) await deps.jobs.readRoutes(origin, query.name);
      return { kind: 'reading', hosts: asked.length };
    }
    case 'check-node':
      return checkNode(deps, query, actor, origin);
    case 'check-host':
      return checkHost(deps, query, actor, origin);
    case 'export': {
      const { nodes } = await deps.nodes.read();
      const { name, clusterCidr: cidr } = deps.config.cluster;
      return {
        kind: 'export',
        cluster: name,
        nodes: nodes.length,
        text: writeNodeList(nodes, { name, cidr }),
      };
    }
    case 'check-manifest': {
      const { text, file } = query;
      if (text === undefined) return { kind: 'form', form: 'manifest' };
      return { kind: 'manifest', ...(await checkFor(deps, text)), ...(file === undefined ? {} : { file }) };
    }
    case 'check-cluster':
      if (actor.via === 'console')
        return { kind: 'cluster', check: (await deps.jobs.checkClusterNow()) as ClusterCheck };
      await deps.jobs.checkCluster(origin);
      return { kind: 'checking-cluster' };
    case 'control-plane': {
      const { nodes } = await deps.nodes.read();
      return { kind: 'control-plane', snippets: controlPlaneSnippets(deps.config.cluster, nodes) };
    }
    case 'kubectl': {
      const { nodes } = await deps.nodes.read();
      const node = find(nodes, query.name);
      const snippets = [
        ...snippetsOf(node, deps.config.cluster, 'joined'),
        ...snippetsOf(node, deps.config.cluster, 'leaving'),
      ];
      return { kind: 'kubectl', node: node.name, snippets };
    }
    case 'builds':
      return { kind: 'builds', builds: await deps.builds.all() };
    case 'incidents':
      return listIncidents(deps);
    case 'logs':
      return readLogs(deps, query, actor, origin);
    case 'changes':
      return listChanges(deps);
    case 'change': {
      const view = await viewChange(deps, deps.config.cluster, query.id);
      if (view === null) throw new Refusal('change-unknown', { id: query.id });
      return { kind: 'change', view };
    }
    case 'history':
      return readHistory(deps, query.name);
    case 'audit':
      if (query.action === 'export') return { kind: 'audit-file' };
      if (actor.via === 'console') return { kind: 'audit-check', check: await deps.audit.verify() };
      await deps.jobs.verifyAudit(origin);
      return { kind: 'verifying' };
    case 'help':
      return { kind: 'help', text: helpText(actor, await deps.access(), query.topic) };
    case 'whoami': {
      const access = await deps.access();
      return { kind: 'whoami', actor: actor.id, roles: rolesOf(actor, access), may: may(actor, access) };
    }
    case 'can-i': {
      const access = await deps.access();
      return { kind: 'can-i', command: query.command, ...whoMay(actor, actionOf(query.asked), access) };
    }
  }
}

/** However old, an open change is listed: somebody has to decide, or a host is owed something. */
async function listChanges({ changes }: DeskDeps): Promise<Reply> {
  const open = await changes.open();
  const ids = new Set(open.map((change) => change.id));
  const newest = await changes.latest(LISTED + open.length);
  const others = newest.filter((change) => !ids.has(change.id)).slice(0, LISTED);
  return { kind: 'changes', open, others };
}

async function listNodes(deps: DeskDeps): Promise<Reply> {
  const now = new Date();
  const [closed, rows, free, resting] = await Promise.all([
    closedChannel(deps),
    nodeRows(deps),
    deps.leases.freeCount([], now),
    deps.leases.restingCount(now),
  ]);
  return { kind: 'nodes', cluster: deps.config.cluster.name, rows, free, resting, ...closed };
}

async function mapAddresses({ config, nodes, leases }: DeskDeps): Promise<Reply> {
  const [{ nodes: members }, held] = await Promise.all([nodes.read(), leases.list(new Date())]);
  const { name: cluster, clusterCidr, nodePrefixLength } = config.cluster;
  const parts = addressMap(config.cluster, members, held);
  return { kind: 'map', cluster, clusterCidr, nodePrefixLength, parts };
}

async function describeNode(deps: DeskDeps, name: string): Promise<Reply> {
  const rows = await nodeRows(deps);
  const row = rows.find((each) => each.node.name === name);
  if (!row)
    throw unknownNode(
      name,
      rows.map((each) => each.node.name),
    );
  const changes = (await deps.changes.latest(200)).filter((change) => isAbout(change, name));
  return {
    kind: 'node',
    row,
    gateway: podGateway(row.node.podCidr),
    hostKey: await deps.hostKeys.pinned(name),
    changes: changes.slice(0, 5),
  };
}

/** Members, and nodes on their way in or out, with what is owed. */
async function nodeRows(deps: DeskDeps): Promise<NodeRow[]> {
  const [{ nodes }, open, owing, addedBy] = await Promise.all([
    deps.nodes.read(),
    deps.changes.open(),
    deps.works.owing(),
    deps.nodes.addedBy(),
  ]);
  const unfinished = await unfinishedAdditions(
    deps,
    nodes.flatMap((node) => addedBy.get(node.name) ?? []),
  );
  const parts = (await Promise.all(owing.map((host) => owedParts(deps, host)))).flat();
  const row = (node: Node, state: NodeRow['state']): NodeRow => ({
    node,
    state,
    owedBy: parts.filter(({ host, changeId }) => host !== node.name && isOwedFor(open, changeId, node.name)),
    owes: parts.filter(({ host }) => host === node.name),
    ...(unfinished.get(node.name) ?? {}),
  });
  const moving = (kind: MembershipChange['kind']) =>
    open.flatMap((change) => (change.kind === kind && change.state !== 'owing' ? [change.node] : []));
  const members = new Set(nodes.map((node) => node.name));
  const leaving = new Set(moving('remove-node').map((node) => node.name));
  return [
    ...nodes.map((node) => row(node, leaving.has(node.name) ? 'leaving' : 'member')),
    ...moving('add-node')
      .filter((node) => !members.has(node.name))
      .map((node) => row(node, 'joining')),
  ];
}

async function owedParts(deps: DeskDeps, host: string): Promise<OwedPart[]> {
  const works = await deps.works.of(host);
  return Promise.all(
    works.map(async ({ changeId }) => {
      const debt = (await deps.changes.result(changeId, host))?.debt;
      return { host, changeId, ...(debt ? { debt } : {}) };
    }),
  );
}

/** By node, of the changes that added members, those that ended before they were through: it may lack routes, or not answer. */
async function unfinishedAdditions(
  deps: DeskDeps,
  ids: readonly string[],
): Promise<Map<string, Pick<NodeRow, 'unfinished'>>> {
  const changes = await deps.changes.loadAll(ids);
  return new Map(
    changes.flatMap(({ id, kind, state, node }) =>
      kind === 'add-node' && (state === 'failed' || state === 'cancelled')
        ? [[node.name, { unfinished: { id, state } }]]
        : [],
    ),
  );
}

function isOwedFor(changes: readonly Change[], changeId: string, name: string): boolean {
  return changes.some((change) => change.id === changeId && change.node?.name === name);
}
