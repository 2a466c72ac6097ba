/** What commands answer. Lists are one line an item: tables wrap on phones. Pure. */
import type { Change } from '../change/change.js';
import type { HostRoutes, NodeRow, Reply } from '../command/reply.js';
import { code, lines, plain, when, who } from './mrkdwn.js';
import { more, osName, plural } from './phrase.js';
import { routeText } from './plan.js';
import { stateWords, verbs } from './status.js';

type Of<K extends Reply['kind']> = Extract<Reply, { kind: K }>;

export function onItsWay(id: string): string {
  return `${code(id)} is on its way: its card shows the plan.`;
}

export function alreadyRunning(id: string): string {
  return `${code(id)} does this already. ${code(`change ${id}`)} shows how far it is.`;
}

const ACCEPTED = {
  cancel: 'Cancelling: what runs stops at the next host.',
  retry: 'Trying again what is not done.',
  rollback: 'Rolling back.',
} as const;

export function decided(reply: Of<'decided'>): string {
  const { id, verdict, approved, required } = reply;
  if (verdict === 'deny') return `Denied ${code(id)}. Nothing was run.`;
  const missing = required - approved;
  return missing > 0
    ? `Approved ${code(id)}: ${approved} of ${required}, ${missing} more to go.`
    : `Approved ${code(id)}: it runs now.`;
}

export function accepted({ id, what }: Of<'accepted'>): string {
  return `${ACCEPTED[what]} The card of ${code(id)} shows how it goes.`;
}

export function detailsFollow(id: string): string {
  return `The details of ${code(id)} come as a file in the card's thread.`;
}

export const nodesWords = {
  head: ({ cluster, rows, free, resting }: Of<'nodes'>) =>
    `*${plain(cluster, 80)}*: ${plural(rows.length, 'node')}, ${plural(free, 'pod CIDR')} free, ${resting} resting`,
  rest: (left: number) => `… and ${left} more; ${code('node <name>')} shows one.`,
  none: `No node yet. ${code('add linux node <name> <address>')} adds the first.`,
} as const;

const MEMBERSHIP: Readonly<Record<NodeRow['state'], string>> = {
  member: '🟢',
  joining: '🟡 joining',
  leaving: '🟠 leaving',
};

export function nodeLine(row: NodeRow): string {
  const { node } = row;
  const owed = row.owedBy.length > 0 ? ` · not known yet to ${names(row.owedBy, 120)}` : '';
  const owes = row.owes.length > 0 ? ` · is owed ${names(row.owes, 120)}` : '';
  const broken = row.state === 'member' ? row.unfinished : undefined;
  const sign = broken ? '🔴' : MEMBERSHIP[row.state];
  return `${sign} ${code(node.name)} ${osName(node.os)} ${code(node.address)} → ${code(node.podCidr)}${broken ? notThrough(broken) : ''}${owed}${owes}`;
}

function notThrough({ id, state }: NonNullable<NodeRow['unfinished']>): string {
  return ` · not fully added: ${code(id)} ${state === 'failed' ? 'failed' : 'was cancelled'}, ${code(`change ${id}`)} shows where`;
}

function names(all: readonly string[], limit: number): string {
  return lines(
    all.map((name) => code(name, 80)),
    limit,
    more,
    ', ',
  );
}

/** A node, one fact a line. */
export function nodeFacts({ row, gateway, hostKey }: Of<'node'>): string {
  const { node } = row;
  return [
    nodeLine(row),
    `Pod gateway ${code(gateway)}`,
    hostKey ? `Host key ${code(hostKey)}` : 'No host key pinned: it was never reached.',
    ...(node.ssh ? [`SSH ${code(node.ssh)}`] : []),
    ...(node.containerNic ? [`Container NIC ${code(node.containerNic)}`] : []),
  ].join('\n');
}

export const changesWords = {
  head: (cluster: string, count: number) => `*${plain(cluster, 80)}*: ${plural(count, 'change')}`,
  rest: (left: number) => `… and ${left} older; ${code('change <id>')} shows one.`,
  none: `No change yet. ${code('help add')} shows how to ask for one.`,
  /** Under a node. */
  older: (left: number) => `… and ${left} older.`,
} as const;

export function changeLine(change: Change): string {
  const subject = change.node ? code(change.node.name) : 'all nodes';
  return `${code(change.id)} ${stateWords[change.state]} · ${verbs[change.kind]} ${subject} · ${who(change.requester)} ${when(change.requestedAt)}`;
}

/** The routes are read after the answer. */
export function reading(hosts: number): string {
  return hosts === 0 ? nodesWords.none : `Reading ${plural(hosts, 'host')}… the routes follow.`;
}

export const routesWords = {
  head: (hosts: number, off: number) => {
    const fine = hosts - off;
    if (hosts === 0) return nodesWords.none;
    return off === 0
      ? `✅ ${plural(hosts, 'host')}: every route is there, and none of ours is left over.`
      : `${off} of ${plural(hosts, 'host')} ${off === 1 ? 'differs' : 'differ'} from the inventory${fine > 0 ? `; ${fine} ${fine === 1 ? 'is' : 'are'} fine` : ''}.`;
  },
  rest: (left: number) => `… and ${left} more lines; ${code('routes <node>')} shows one host.`,
  /** Under what differs. */
  foot: (off: readonly HostRoutes[]) => {
    const broken = off.filter(
      ({ drift }) => drift && drift.missing.length + drift.wrong.length + drift.stray.length > 0,
    );
    const [first] = broken;
    const still = `${code('changes')} shows whether a change is still at it`;
    if (first === undefined) return `${still}; if none is, put it right on the host.`;
    const command = broken.length === 1 ? `repair ${first.host}` : 'repair';
    return `${still}; if none is, ${code(command, 80)} plans what puts it right.`;
  },
} as const;

/** What a host should hold, one route a line. */
export function desired(host: HostRoutes): string {
  const wanted = host.desired.map((route) => `${route.destination} via ${route.nextHop}`);
  return wanted.length > 0 ? wanted.join('\n') : '# no route wanted';
}

/** How a host differs from the inventory. */
export function driftLines(host: HostRoutes): string[] {
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

export const kubectlWords = {
  title: (node: string) => `kubectl for ${node}`,
  none: (node: string) => `No kubectl line for ${code(node)}.`,
} as const;

export function whoami({ actor, roles, may }: Of<'whoami'>): string {
  return [
    `You are ${code(actor)}.`,
    roles.length > 0 ? `Roles: ${roles.map((role) => code(role)).join(', ')}.` : 'You have no role.',
    ...(may.length > 0
      ? [
          `You may: ${lines(
            may.map((command) => code(command)),
            2000,
            more,
            ', ',
          )}.`,
        ]
      : []),
    // Whoever has no role may still ask for help, which is nothing to stop at.
    ...(roles.length === 0 ? ['Ask an administrator to add you.'] : []),
  ].join('\n');
}

export function canI({ yes, command, who: those }: Of<'can-i'>): string {
  return yes
    ? `Yes, you may ${code(command)}.`
    : `No. ${code(command)} takes ${principals(plain(those, 600))}.`;
}

/** Slack ids within a sentence, as the people and groups that they are. */
function principals(text: string): string {
  return text
    .replace(/\b(?:[TE][A-Z0-9]{2,}:)?([UW][A-Z0-9]{4,})\b/g, '<@$1>')
    .replace(/\b(S[A-Z0-9]{4,})\b/g, '<!subteam^$1>');
}
