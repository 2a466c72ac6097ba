/** The plan as a card shows it: what each host holds, the very commands, the inverse, and what to look out for. Pure. */
import type { Cidr } from '../ip.js';
import type { ObservedRoute } from '../network/route.js';
import type { HostPlan, Plan } from '../plan/plan.js';
import { clusterRoutes } from '../plan/reading.js';
import { type Block, section } from './blocks.js';
import { osName } from './card-head.js';
import { code, codeBlock, lines, plain } from './text.js';

/** Held routes shown of one host on a card; the file has them all. With many peers every host holds many, and nearly the same ones. */
const HELD_ON_CARD = 6;

/** Warnings, first-contact host keys and hosts that could not be read: always on the card, before any command. */
export function cautions(plan: Plan): Block[] {
  const warnings = plan.warnings.map((warning) => `⚠️ ${plain(warning, 400)}`);
  const firstContact = plan.hosts.filter((host) => host.hostKey?.firstContact);
  const keys = firstContact.map(
    (host) => `🔑 ${code(host.host, 80)} ${code(host.hostKey?.fingerprint ?? '', 100)}`,
  );
  const owed = plan.hosts.filter((host) => host.observed === null);
  const absent = owed.map(
    (host) => `🟠 ${code(host.host, 80)} *owed*: ${plain(host.unreadable ?? 'not read', 200)}`,
  );
  const inDetails = (left: number) => `… and ${left} more in *Details*.`;
  return [
    ...(warnings.length > 0 ? [section(lines(warnings, 1200, inDetails))] : []),
    ...(keys.length > 0
      ? [
          section(
            `First contact, so approving trusts ${keys.length === 1 ? 'this host key' : 'these host keys'}:\n${lines(keys, 1000, inDetails)}`,
          ),
        ]
      : []),
    ...(absent.length > 0
      ? [
          section(
            `Not reachable now; the rest goes ahead, and they get their part when they are back:\n${lines(absent, 900, inDetails)}`,
          ),
        ]
      : []),
  ];
}

/** One block a host, in the plan's order, and the inverse as the last one. */
export function planBlocks(plan: Plan, clusterCidr: Cidr): Block[] {
  const undo = plan.hosts.filter((host) => host.undoCommands.length > 0);
  return [
    ...plan.hosts.map((host) => section(hostText(host, clusterCidr))),
    ...(undo.length > 0 ? [section(undoText(undo))] : []),
  ];
}

function hostText(host: HostPlan, clusterCidr: Cidr): string {
  const name = `*${plain(host.host, 80)}* · ${osName(host.os)}${host.role === 'node' ? ' · the node itself' : ''}`;
  const script = [...held(host, clusterCidr, HELD_ON_CARD), ...host.commands];
  return `${name}\n${codeBlock(script.join('\n') || '# nothing to do', 2000)}`;
}

/** `Roll back would run:` and the commands, host by host. */
function undoText(hosts: readonly HostPlan[]): string {
  const script = hosts.flatMap((host) => [`# ${host.host}`, ...host.undoCommands]);
  return `*Roll back* would run:\n${codeBlock(script.join('\n'), 2400)}`;
}

/** How big the inverse is, for a card that can't show it. */
export function undoSummary(plan: Plan): string {
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

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
