/** What commands answer, as Slack messages. Pure. */
import type { ClosedChannel, HostRoutes, LogTail, Reply } from '../command/reply.js';
import type { ClusterCheck } from '../kube/check.js';
import type { Snippet } from '../snippet/kubectl.js';
import { mapLine, mapWords } from '../words/address-map.js';
import { exportWords } from '../words/adopt.js';
import { buildLine, buildsWords } from '../words/build.js';
import { checking } from '../words/check-card.js';
import { checkLines, clusterWords } from '../words/cluster.js';
import { auditCheck, auditWords, historyLine, historyWords } from '../words/history.js';
import {
  acknowledged,
  incidentLine,
  incidentsWords,
  muted,
  pastLine,
  silenceLine,
  unmuted,
} from '../words/incidents.js';
import { codeBlock, cost, lines } from '../words/mrkdwn.js';
import { controlling, fetchingLogs, logsWords } from '../words/process.js';
import {
  accepted,
  alreadyRunning,
  canI,
  changeLine,
  changesWords,
  decided,
  desired,
  driftLines,
  kubectlWords,
  nodeFacts,
  nodeLine,
  nodesWords,
  onItsWay,
  reading,
  routesWords,
  whoami,
} from '../words/reply.js';
import { sayClosed } from '../words/trouble.js';
import { formInvitation } from './adopt-form.js';
import { context, type Message, section } from './blocks.js';
import { changeCard } from './card.js';
import { snippetBlocks } from './card-result.js';
import { checkCard } from './check-card.js';
import type { ClusterFacts } from './cluster.js';
import { list, PART, parted } from './list-message.js';
import { manifestInvitation } from './manifest-form.js';
import { manifestMessage } from './manifest-message.js';

/** Marks an answer after which another one comes to the same command. */
const FOLLOWS = 'follows';

/** The answer to a command. Never longer than Slack takes: a list that is cut says what shows the rest. */
export function replyMessage(reply: Reply, cluster: ClusterFacts, now: Date): Message {
  switch (reply.kind) {
    case 'change-card':
      return marked(say(onItsWay(reply.id)), `change-${reply.id}`);
    case 'already-running':
      return say(alreadyRunning(reply.id));
    case 'decided':
      return say(decided(reply));
    case 'accepted':
      return say(accepted(reply));
    case 'nodes':
      return warned(
        list(nodesWords.head(reply), reply.rows.map(nodeLine), nodesWords.rest, nodesWords.none),
        reply.closed,
      );
    case 'map':
      return list(mapWords.head(reply), reply.parts.map(mapLine), mapWords.rest, '');
    case 'node':
      return node(reply);
    case 'reading':
      return marked(say(reading(reply.hosts)), FOLLOWS);
    case 'routes':
      return routes(reply.hosts);
    case 'checking':
      return marked(say(checking(reply.host)), FOLLOWS);
    case 'check':
      return checkCard(reply.found, cluster.name);
    case 'incidents':
      return incidents(reply);
    case 'acknowledged':
      return say(acknowledged(reply));
    case 'muted':
      return say(muted(reply));
    case 'unmuted':
      return say(unmuted(reply));
    case 'controlling':
      return marked(say(controlling(reply)), FOLLOWS);
    case 'fetching-logs':
      return marked(say(fetchingLogs(reply)), FOLLOWS);
    case 'logs':
      return logsMessage(reply);
    case 'told':
      return say(reply.text);
    case 'form':
      return reply.form === 'adopt' ? formInvitation() : manifestInvitation();
    case 'manifest':
      return manifestMessage(reply);
    case 'export':
      return exported(reply);
    case 'builds':
      return list(
        buildsWords.head(reply.builds.length),
        reply.builds.map(buildLine),
        buildsWords.rest,
        buildsWords.none,
      );
    case 'changes': {
      const { open, others } = reply;
      const head = changesWords.head(cluster.name, open.length, others.length);
      return list(head, [...open, ...others].map(changeLine), changesWords.rest, changesWords.none);
    }
    case 'change': {
      const card = changeCard(reply.view, cluster, now, { buttons: false });
      return { text: card.text, blocks: card.blocks };
    }
    case 'checking-cluster':
      return marked(say(clusterWords.checking), FOLLOWS);
    case 'cluster':
      return clusterCheck(cluster.name, reply.check);
    case 'control-plane':
      return { text: clusterWords.flags, blocks: snippetBlocks(reply.snippets) };
    case 'kubectl':
      return kubectl(reply.node, reply.snippets);
    case 'history':
      return history(reply);
    case 'verifying':
      return marked(say(auditWords.verifying), FOLLOWS);
    case 'audit-check':
      return say(auditCheck(reply.check));
    case 'audit-file':
      return say(auditWords.follows);
    case 'help':
      return help(reply.text);
    case 'whoami':
      return say(whoami(reply));
    case 'can-i':
      return say(canI(reply));
    case 'refused':
      return say(reply.text);
  }
}

/** One paragraph of ready mrkdwn. `text` is what a notification shows. */
export function say(mrkdwn: string): Message {
  const fits = mrkdwn.length <= 2900 ? mrkdwn : `${mrkdwn.slice(0, 2899)}…`;
  return { text: fits, blocks: [section(fits)] };
}

/** A command and what it does stay together. */
function help(text: string): Message {
  const parts = parted(text.split(/\n(?=\S)/)).map((part) => codeBlock(part, 2900));
  return { text: parts[0] ?? '', blocks: parts.map((part) => section(part)) };
}

/** For programs that read along, such as the sandbox's scripts; people see no difference. The message has one block. */
export function marked(message: Message, mark: string): Message {
  return { ...message, blocks: message.blocks.map((block) => ({ ...block, block_id: mark })) };
}

/** The end of a log is what tells: what does not fit is cut at the front. */
export function logsMessage({ host, component, text }: LogTail): Message {
  const kept = text.trim() === '' ? logsWords.none : tail(text.trimEnd(), LOG_ON_CARD);
  return {
    text: logsWords.title(component, host),
    blocks: [section(logsWords.title(component, host)), section(codeBlock(kept, 2900))],
  };
}

function tail(text: string, room: number): string {
  const lines = text.split('\n');
  let used = 0;
  const from = lines.findLastIndex((line) => {
    used += cost(line) + 2;
    return used > room;
  });
  return lines.slice(from + 1).join('\n') || text.slice(-room / 2);
}

const LOG_ON_CARD = 2600;

function incidents({
  cluster,
  open,
  past,
  silences,
  closed,
}: Extract<Reply, { kind: 'incidents' }>): Message {
  const bad = open.filter(({ incident }) => incident.state === 'bad').length;
  const head = incidentsWords.head(cluster, bad, open.length);
  const items = [...open.map(incidentLine), ...silences.map(silenceLine), ...past.map(pastLine)];
  return warned(list(head, items, incidentsWords.rest, ''), closed);
}

function warned(message: Message, closed: ClosedChannel | undefined): Message {
  return closed ? { ...message, blocks: [section(sayClosed(closed)), ...message.blocks] } : message;
}

function history(reply: Extract<Reply, { kind: 'history' }>): Message {
  const { entries } = reply;
  const message = list(historyWords.head(reply), entries.map(historyLine), historyWords.rest, '');
  const foot = historyWords.foot(reply);
  return foot === '' ? message : { ...message, blocks: [...message.blocks, context(foot)] };
}

function node(reply: Extract<Reply, { kind: 'node' }>): Message {
  const { node: spec } = reply.row;
  const changes = reply.changes.map(changeLine);
  return {
    text: `${spec.name} ${spec.address} ${spec.podCidr}`,
    blocks: [
      section(nodeFacts(reply)),
      ...(changes.length > 0 ? [section(lines(changes, PART, changesWords.older))] : []),
    ],
  };
}

function routes(hosts: readonly HostRoutes[]): Message {
  const off = hosts.filter(isOff);
  const [first, ...others] = hosts;
  const one = first?.drift && others.length === 0 ? [codeBlock(desired(first), 1800)] : [];
  const head = routesWords.head(hosts.length, off.length);
  const message = list(head, [...off.flatMap(driftLines), ...one], routesWords.rest, '');
  return off.length === 0
    ? message
    : { ...message, blocks: [...message.blocks, context(routesWords.foot(off))] };
}

function isOff(host: HostRoutes): boolean {
  const { drift } = host;
  if (drift === null) return true;
  return drift.missing.length + drift.wrong.length + drift.stray.length + drift.foreign.length > 0;
}

/** Whether an exported list is whole within one answer. */
export function fitsAnswer(text: string): boolean {
  return cost(text) <= PART && !codeBlock(text, 2900).includes('…');
}

function exported({ cluster, nodes, text }: Extract<Reply, { kind: 'export' }>): Message {
  const head = exportWords.head(cluster, nodes);
  return { text: head, blocks: [section(head), section(codeBlock(text, 2900))] };
}

function clusterCheck(cluster: string, check: ClusterCheck): Message {
  return list(clusterWords.head(cluster, check), checkLines(check), clusterWords.rest, '');
}

function kubectl(nodeName: string, snippets: readonly Snippet[]): Message {
  if (snippets.length === 0) return say(kubectlWords.none(nodeName));
  return { text: kubectlWords.title(nodeName), blocks: snippetBlocks(snippets).slice(0, 3) };
}
