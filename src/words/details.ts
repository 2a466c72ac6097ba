/** The whole plan and all results as plain text: the file behind Details. Pure. */
import type { HostResult } from '../change/change.js';
import { writeNodeList } from '../command/node-list.js';
import type { ChangeView } from '../command/reply.js';
import { type Cidr, podGateway } from '../ip.js';
import type { Node } from '../node/node.js';
import type { HostPlan } from '../plan/plan.js';
import { adoptText, askedHead } from './adopt.js';
import { title } from './card.js';
import { code, visible } from './mrkdwn.js';
import { osName, plural } from './phrase.js';
import { held, nothingToDo, routeText } from './plan.js';
import { proofTable } from './result.js';

interface ClusterFacts {
  name: string;
  cidr: Cidr;
}

/** Everything there is to know of a change. `now` is the instant that the text is written at. */
export function planText(view: ChangeView, cluster: ClusterFacts, now: Date): string {
  const results = new Map(view.hosts.map((host) => [host.host, host]));
  const hosts = view.plan?.hosts ?? [];
  const planned = new Set(hosts.map((host) => host.host));
  const parts = [
    head(view, cluster, now),
    ...(view.change.detail && view.change.detail.length > 0 ? [view.change.detail.join('\n')] : []),
    ...(view.plan?.kind === 'adopt' ? [adoptText(view.plan)] : []),
    ...(view.change.kind === 'adopt'
      ? [`${rule(askedHead)}\n${writeNodeList(view.change.asked, cluster).trimEnd()}`]
      : []),
    ...hosts.map((host) => hostPart(host, results.get(host.host), cluster)),
    ...view.hosts
      .filter((host) => !planned.has(host.host))
      .map((host) => [host.host, ...resultLines(host)].join('\n')),
    ...proof(view),
    ...view.snippets.map((snippet) => `${rule(snippet.title)}\n${snippet.code}`),
  ];
  return `${visible(parts.join('\n\n'))}\n`;
}

/** The file's name: safe everywhere, and different for each state that was looked at. */
export function planFileName(view: ChangeView): string {
  const { id, kind, node, state } = view.change;
  return `${id}-${node?.name ?? (kind === 'adopt' ? 'nodes' : 'all')}-${state}.txt`;
}

/** The file's title in Slack. */
export function planFileTitle({ change }: ChangeView): string {
  return `${change.id}, ${change.state}`;
}

/** What comes with the file. `user` is a Slack id. */
export function planFileComment(user: string, changeId: string): string {
  return `<@${user}> asked for the details of ${code(changeId)}.`;
}

function head(view: ChangeView, cluster: ClusterFacts, now: Date): string {
  const { change, plan } = view;
  const { node } = change;
  return [
    title(change, cluster.name),
    `change ${change.id}, plan ${change.planHash ?? '(not sealed)'}, ${change.state}, as of ${now.toISOString()}`,
    `asked by ${change.requester} at ${change.requestedAt}: ${change.command}`,
    ...(change.why ? [`because: ${change.why}`] : []),
    ...(node ? [nodeLine(node)] : []),
    `cluster CIDR ${cluster.cidr}${plan ? `, inventory revision ${plan.basedOn}` : ''}`,
    ...(plan && plan.together.length > 0 ? [`together with ${plan.together.join(', ')}`] : []),
    ...(change.expiresAt ? [`expires ${change.expiresAt}`] : []),
    ...change.decisions.map(
      (decision) =>
        `${decision.verdict === 'approve' ? 'approved' : 'denied'} by ${decision.actor} at ${decision.at}, plan ${decision.planHash}${decision.reason ? `: ${decision.reason}` : ''}`,
    ),
    ...(change.reason ? [change.reason] : []),
    ...(plan?.foreign ?? []).map(({ host, route }) => `${host} keeps ${routeText(route)}`),
    ...(plan && 'apiUnread' in plan && plan.apiUnread
      ? [`the API server could not be asked: ${plan.apiUnread.detail}`]
      : []),
    ...(plan && 'unread' in plan ? plan.unread : []).map(
      ({ host, why }) => `${host} could not be read: ${why}`,
    ),
  ].join('\n');
}

function nodeLine(node: Node): string {
  const pods = node.podCidr ? `, pod CIDR ${node.podCidr}, gateway ${podGateway(node.podCidr)}` : '';
  return `node ${node.name}, ${osName(node.os)}, ${node.address}${pods}`;
}

function hostPart(host: HostPlan, result: HostResult | undefined, cluster: ClusterFacts): string {
  const key = host.hostKey
    ? [`# host key ${host.hostKey.fingerprint}${host.hostKey.firstContact ? ' (first contact)' : ''}`]
    : [];
  return [
    rule(`${host.host}, ${osName(host.os)}, ${host.role === 'node' ? 'the node itself' : 'peer'}`),
    ...key,
    ...held(host, cluster.cidr, Number.POSITIVE_INFINITY),
    ...(host.commands.length > 0 ? host.commands : [nothingToDo]),
    ...(host.undoCommands.length > 0 ? ['', '# roll back would run', ...host.undoCommands] : []),
    ...(result ? ['', ...resultLines(result)] : []),
  ].join('\n');
}

function resultLines(result: HostResult): string[] {
  return [
    `# ${result.status} at ${result.at}${result.error ? `: ${result.error}` : ''}`,
    ...(result.printed ? result.printed.split('\n').map((line) => `#   ${line}`) : []),
  ];
}

function proof(view: ChangeView): string[] {
  const rows = view.change.proof ?? [];
  if (rows.length === 0) return [];
  return [`${rule(`proof, ${plural(rows.length, 'pair')}`)}\n${proofTable(rows, view.change.node?.name)}`];
}

function rule(text: string): string {
  return `== ${text} ==`;
}
