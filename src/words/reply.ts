/** What commands answer. Lists are one line an item: tables wrap on phones. Pure. */
import type { Change } from '../change/change.js';
import type { HostRoutes, NodeRow, OwedPart, Reply } from '../command/reply.js';
import { adoptedCount } from './adopt.js';
import { buildName } from './build.js';
import { deliverName } from './deliver.js';
import { code, lines, plain, when, who } from './mrkdwn.js';
import { anyOf, article, more, osName, plural } from './phrase.js';
import { routeText } from './plan.js';
import { owedFor } from './result.js';
import { stateWords, verbs, withdrawn } from './status.js';
import { slackVoice } from './voice.js';

type Of<K extends Reply['kind']> = Extract<Reply, { kind: K }>;

export function onItsWay(id: string): string {
  return `${code(id)} is on its way: its card shows the plan.`;
}

export function alreadyRunning(id: string): string {
  return `${code(id)} does this already. ${code(`change ${id}`)} shows how far it is.`;
}

const ACCEPTED = {
  withdraw: withdrawn,
  confirm: 'It goes on.',
  decline: 'Left as it is.',
  cancel: 'Cancelling: what runs stops at the next host.',
  'give-up': 'Giving up what absent hosts are owed.',
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
  return `${ACCEPTED[what]} The card of ${code(id)} shows ${what === 'withdraw' ? 'it' : 'how it goes'}.`;
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
  const owed = parts('not known yet to', row.owedBy, ({ host }) => host);
  const owes = parts('is owed', row.owes, ({ changeId }) => changeId);
  const broken = row.state === 'member' ? row.unfinished : undefined;
  const sign = broken ? '🔴' : MEMBERSHIP[row.state];
  return `${sign} ${code(node.name)} ${osName(node.os)} ${code(node.address)} → ${code(node.podCidr)}${broken ? notThrough(broken) : ''}${owed}${owes}`;
}

function notThrough({ id, state }: NonNullable<NodeRow['unfinished']>): string {
  return ` · not fully added: ${code(id)} ${state === 'failed' ? 'failed' : 'was cancelled'}, ${code(`change ${id}`)} shows where`;
}

function parts(verb: string, all: readonly OwedPart[], nameOf: (part: OwedPart) => string): string {
  if (all.length === 0) return '';
  const told = all.map((part) => `${code(nameOf(part), 80)}${part.debt ? ` ${owedFor(part.debt)}` : ''}`);
  return ` · ${verb} ${lines(told, 420, more, '; ')}`;
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
  head: (cluster: string, open: number, others: number) => {
    const name = `*${plain(cluster, 80)}*`;
    if (open === 0) return others === 0 ? `${name}: 0 changes` : `${name}: none is open; the newest changes`;
    const which = `${plural(open, 'open change')}${open > 1 ? ', the oldest first' : ''}`;
    return `${name}: ${which}${others > 0 ? '; then the newest others' : ''}`;
  },
  rest: (left: number) => `… and ${left} more; ${code('change <id>')} shows one.`,
  none: `No change yet. ${code('help add')} shows how to ask for one.`,
  /** Under a node. */
  older: (left: number) => `… and ${left} older.`,
} as const;

export function changeLine(change: Change): string {
  const several = change.kind === 'adopt' ? adoptedCount(change) : 'all nodes';
  if (change.kind === 'deliver') return listed(change, code(deliverName(change.deliver)));
  if (change.kind === 'build') return listed(change, code(buildName(change.build)));
  const subject = change.node ? code(change.node.name) : several;
  return listed(change, subject);
}

function listed(change: Change, subject: string): string {
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

export function canI({ yes, command, role, who: those }: Of<'can-i'>): string {
  if (yes || role === null) return `Yes, you may ${code(command)}.`;
  const are = those.length === 0 ? ', and nobody is one' : `: ${anyOf(those.map(slackVoice.who))}`;
  return `No. ${code(command)} takes ${article(role)}${are}.`;
}
