/** What commands answer, as Slack messages. Lists are one line an item: tables wrap on phones. Pure. */
import type { Change } from '../change/change.js';
import type { HostRoutes, NodeRow, Reply } from '../command/reply.js';
import type { Snippet } from '../snippet/kubectl.js';
import { type Block, context, type Message, section } from './blocks.js';
import { changeCard } from './card.js';
import { osName, STATE_WORDS } from './card-head.js';
import { plural, routeText } from './card-plan.js';
import { snippetBlocks } from './card-result.js';
import type { ClusterFacts } from './cluster.js';
import { code, codeBlock, cost, lines, plain, when, who } from './text.js';

/** The answer to a command. Never longer than Slack takes: a list that is cut says what shows the rest. */
export function replyMessage(reply: Reply, cluster: ClusterFacts, now: Date): Message {
  switch (reply.kind) {
    case 'change-card':
      return say(`${code(reply.id)} is on its way: its card shows the plan.`);
    case 'already-running':
      return say(`${code(reply.id)} does this already. ${code(`change ${reply.id}`)} shows how far it is.`);
    case 'decided':
      return say(decided(reply));
    case 'accepted':
      return say(`${ACCEPTED[reply.what]} The card of ${code(reply.id)} shows how it goes.`);
    case 'nodes':
      return list(
        `*${plain(reply.cluster, 80)}*: ${plural(reply.rows.length, 'node')}, ${plural(reply.free, 'pod CIDR')} free, ${reply.resting} resting`,
        reply.rows.map(nodeLine),
        (left) => `… and ${left} more; ${code('node <name>')} shows one.`,
        `No node yet. ${code('add linux node <name> <address>')} adds the first.`,
      );
    case 'node':
      return node(reply);
    case 'reading':
      return say(`Reading ${plural(reply.hosts, 'host')}… the routes follow.`);
    case 'routes':
      return routes(reply.hosts);
    case 'changes':
      return list(
        `*${plain(cluster.name, 80)}*: ${plural(reply.changes.length, 'change')}`,
        reply.changes.map(changeLine),
        (left) => `… and ${left} older; ${code('change <id>')} shows one.`,
        `No change yet. ${code('help add')} shows how to ask for one.`,
      );
    case 'change': {
      const card = changeCard(reply.view, cluster, now, { buttons: false });
      return { text: card.text, blocks: card.blocks };
    }
    case 'kubectl':
      return kubectl(reply.node, reply.snippets);
    case 'help':
      return say(codeBlock(reply.text, 2900));
    case 'whoami':
      return say(
        [
          `You are ${code(reply.actor)}.`,
          reply.roles.length > 0
            ? `Roles: ${reply.roles.map((role) => code(role)).join(', ')}.`
            : 'You have no role.',
          reply.may.length > 0
            ? `You may: ${lines(
                reply.may.map((command) => code(command)),
                2000,
                (left) => `${left} more`,
                ', ',
              )}.`
            : 'Ask an administrator to add you.',
        ].join('\n'),
      );
    case 'can-i':
      return say(
        reply.yes
          ? `Yes, you may ${code(reply.command)}.`
          : `No. ${code(reply.command)} takes ${principals(plain(reply.who, 600))}.`,
      );
    case 'refused':
      return say(reply.text);
  }
}

/** Slack ids within a sentence, as the people and groups that they are. */
function principals(text: string): string {
  return text
    .replace(/\b(?:[TE][A-Z0-9]{2,}:)?([UW][A-Z0-9]{4,})\b/g, '<@$1>')
    .replace(/\b(S[A-Z0-9]{4,})\b/g, '<!subteam^$1>');
}

/** One paragraph of ready mrkdwn. `text` is what a notification shows. */
export function say(mrkdwn: string): Message {
  const fits = mrkdwn.length <= 2900 ? mrkdwn : `${mrkdwn.slice(0, 2899)}…`;
  return { text: fits, blocks: [section(fits)] };
}

const ACCEPTED = {
  cancel: 'Cancelling: what runs stops at the next host.',
  retry: 'Trying again what is not done.',
  rollback: 'Rolling back.',
} as const;

function decided(reply: Extract<Reply, { kind: 'decided' }>): string {
  const { id, verdict, approved, required } = reply;
  if (verdict === 'deny') return `Denied ${code(id)}. Nothing was run.`;
  const missing = required - approved;
  return missing > 0
    ? `Approved ${code(id)}: ${approved} of ${required}, ${missing} more to go.`
    : `Approved ${code(id)}: it runs now.`;
}

/** Sections of at most this many characters of JSON, so that a long list keeps under Slack's 3000. */
const PART = 2600;
const PARTS = 3;

function list(head: string, items: string[], rest: (left: number) => string, empty: string): Message {
  if (items.length === 0) return say(`${head}\n${empty}`);
  const parts: string[][] = [[head]];
  let used = cost(head);
  let shown = 0;
  for (const item of items) {
    used += cost(item) + 2;
    if (used > PART) {
      if (parts.length === PARTS) break;
      parts.push([]);
      used = cost(item) + 2;
    }
    parts.at(-1)?.push(item);
    shown += 1;
  }
  const blocks: Block[] = parts.map((part) => section(part.join('\n')));
  if (shown < items.length) blocks.push(context(rest(items.length - shown)));
  return { text: head, blocks };
}

const MEMBERSHIP: Readonly<Record<NodeRow['state'], string>> = {
  member: '🟢',
  joining: '🟡 joining',
  leaving: '🟠 leaving',
};

function nodeLine(row: NodeRow): string {
  const { node } = row;
  const owed = row.owedBy.length > 0 ? ` · not known yet to ${names(row.owedBy, 120)}` : '';
  const owes = row.owes.length > 0 ? ` · is owed ${names(row.owes, 120)}` : '';
  return `${MEMBERSHIP[row.state]} ${code(node.name)} ${osName(node.os)} ${code(node.address)} → ${code(node.podCidr)}${owed}${owes}`;
}

function names(all: readonly string[], limit: number): string {
  return lines(
    all.map((name) => code(name, 80)),
    limit,
    (left) => `${left} more`,
    ', ',
  );
}

function node(reply: Extract<Reply, { kind: 'node' }>): Message {
  const { row } = reply;
  const facts = [
    nodeLine(row),
    `Pod gateway ${code(reply.gateway)}`,
    reply.hostKey ? `Host key ${code(reply.hostKey)}` : 'No host key pinned: it was never reached.',
    ...(row.node.ssh ? [`SSH ${code(row.node.ssh)}`] : []),
    ...(row.node.containerNic ? [`Container NIC ${code(row.node.containerNic)}`] : []),
  ].join('\n');
  const changes = reply.changes.map(changeLine);
  return {
    text: `${row.node.name} ${row.node.address} ${row.node.podCidr}`,
    blocks: [
      section(facts),
      ...(changes.length > 0 ? [section(lines(changes, PART, (left) => `… and ${left} older.`))] : []),
    ],
  };
}

function changeLine(change: Change): string {
  const verb = change.kind === 'add-node' ? 'add' : 'remove';
  return `${code(change.id)} ${STATE_WORDS[change.state]} · ${verb} ${code(change.node.name)} · ${who(change.requester)} ${when(change.requestedAt)}`;
}

function routes(hosts: readonly HostRoutes[]): Message {
  const off = hosts.filter((host) => isOff(host));
  const fine = hosts.length - off.length;
  const head =
    off.length === 0
      ? `✅ ${plural(hosts.length, 'host')}: every route is there, and none of ours is left over.`
      : `${off.length} of ${plural(hosts.length, 'host')} ${off.length === 1 ? 'differs' : 'differ'} from the inventory${fine > 0 ? `; ${fine} ${fine === 1 ? 'is' : 'are'} fine` : ''}.`;
  const one = hosts.length === 1 && hosts[0] && hosts[0].drift ? [desiredLine(hosts[0])] : [];
  return list(
    head,
    [...off.flatMap(driftLines), ...one],
    (left) => `… and ${left} more lines; ${code('routes <node>')} shows one host.`,
    '',
  );
}

function desiredLine(host: HostRoutes): string {
  const wanted = host.desired.map((route) => `${route.destination} via ${route.nextHop}`);
  return codeBlock(wanted.length > 0 ? wanted.join('\n') : '# no route wanted', 1800);
}

function isOff(host: HostRoutes): boolean {
  const { drift } = host;
  if (drift === null) return true;
  return drift.missing.length + drift.wrong.length + drift.stray.length + drift.foreign.length > 0;
}

function driftLines(host: HostRoutes): string[] {
  const name = code(host.host, 80);
  if (host.drift === null)
    return [`❔ ${name} unknown: ${plain(host.unreadable ?? 'could not be read', 250)}`];
  const { missing, wrong, stray, foreign } = host.drift;
  return [
    ...missing.map((route) => `❌ ${name} lacks ${code(`${route.destination} via ${route.nextHop}`)}`),
    ...wrong.map((route) => `⚠️ ${name} holds it wrong: ${code(routeText(route))}`),
    ...stray.map((route) => `⚠️ ${name} holds one too many: ${code(routeText(route))}`),
    ...foreign.map((route) => `🚧 ${name} has a route in the way, not ours: ${code(routeText(route))}`),
  ];
}

function kubectl(nodeName: string, snippets: readonly Snippet[]): Message {
  if (snippets.length === 0) return say(`No kubectl line for ${code(nodeName)}.`);
  return { text: `kubectl for ${nodeName}`, blocks: snippetBlocks(snippets).slice(0, 3) };
}
