/** What a plan says of its hosts: warnings, keys, tables, commands. Pure. */
import type { Cidr } from '../ip.js';
import type { ObservedRoute } from '../network/route.js';
import type { HostPlan, Plan, RepairPlan } from '../plan/plan.js';
import { clusterRoutes } from '../plan/reading.js';
import { adoptUndo } from './adopt.js';
import { code, plain } from './mrkdwn.js';
import { osName, plural } from './phrase.js';

/** A route that is not ours, where one of ours goes. */
export function foreignRoute({ host, route }: Plan['foreign'][number], kind: Plan['kind']): string {
  const held = `⚠️ ${code(host, 80)} keeps ${code(routeText(route))}`;
  return kind === 'repair'
    ? `${held}, where one of ours goes. Remove it there, then ${code(`repair ${host}`, 80)}.`
    : `${held}. If nothing needs it, remove it there.`;
}

/** Above the hosts that a repair knows nothing of. */
export const unreadHead = 'Could not be read, so nothing is planned for them:';

export function unreadHost({ host, why }: RepairPlan['unread'][number]): string {
  return `❔ ${code(host, 80)}: ${plain(why === '' ? 'not read' : why, 200)}. Once it is back: ${code(`repair ${host}`, 80)}.`;
}

/** What the plan does only after it has asked once more; null: nothing. */
export function asksLater({ host, steps }: HostPlan): string | null {
  if (steps.some(({ kind }) => kind === 'reboot'))
    return `🔁 ${code(host, 80)} may have to restart on the way. The change asks before it does.`;
  if (steps.some(({ kind, action }) => kind === 'pod-network' && action === 'remove'))
    return `✋ ${code(host, 80)}: before the container network is deleted, the change asks. Without a word it stays.`;
  return null;
}

/** Above the keys of hosts met for the first time. */
export function firstContact(keys: number): string {
  return `First contact, so approving trusts ${keys === 1 ? 'this host key' : 'these host keys'}:`;
}

export function hostKey(host: HostPlan): string {
  return `🔑 ${code(host.host, 80)} ${code(host.hostKey?.fingerprint ?? '', 100)}`;
}

/** Above the hosts that could not be read. */
export const absentHead =
  'Not reachable now; the rest goes ahead, and they get their part when they are back:';

export function absent(host: HostPlan): string {
  return `🟠 ${code(host.host, 80)} *owed*: ${plain(host.unreadable ?? 'not read', 200)}`;
}

/** Above a host's commands. */
export function hostHead(host: HostPlan, isNode = true): string {
  const itself = !isNode ? '' : host.role === 'node' ? ' · the node itself' : '';
  return `*${plain(host.host, 80)}* · ${osName(host.os)}${itself}`;
}

/** In place of commands; `#` begins a comment in sh and in PowerShell. */
export const nothingToDo = '# nothing to do';

/** Above the inverse commands. */
export const undoHead = '*Roll back* would run:';

/** How big the inverse is, for a card that can't show it. */
export function undoSummary(plan: Plan): string {
  if (plan.kind === 'adopt') return adoptUndo;
  const hosts = plan.hosts.filter((host) => host.undoCommands.length > 0);
  const commands = hosts.reduce((sum, host) => sum + host.undoCommands.length, 0);
  return `Roll back would run ${plural(commands, 'command')} on ${plural(hosts.length, 'host')}`;
}

/** What a host's table holds within the cluster CIDR, as comment lines (`#` is one in sh and in PowerShell). */
export function held(host: HostPlan, clusterCidr: Cidr, most: number): string[] {
  if (host.observed === null) return [`# not read: ${oneLine(host.unreadable ?? 'unknown')}`];
  const routes = clusterRoutes(host.observed, clusterCidr);
  if (routes.length === 0) return [`# holds no route in ${clusterCidr}`];
  const shown = routes.slice(0, most).map((route) => `# holds ${routeText(route)}`);
  return routes.length > most ? [...shown, `# … and ${routes.length - most} more`] : shown;
}

/** `192.168.1.0/24 via 10.0.0.5 dev eth1`. A route that is not ours says so. */
export function routeText(route: ObservedRoute): string {
  const via = route.nextHop === null ? 'connected' : `via ${route.nextHop}`;
  const foreign = route.ours || route.nextHop === null ? '' : ' (not ours)';
  return `${route.destination} ${via} dev ${route.device}${foreign}${route.partial ? ' (in part)' : ''}`;
}

/** A host's words must not start a line of their own among commands. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
