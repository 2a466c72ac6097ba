/** The plan as a card shows it: what each host holds, the very commands, the inverse, and what to look out for. Pure. */
import type { Cidr } from '../ip.js';
import type { HostPlan, Plan } from '../plan/plan.js';
import { unreadMembersHead } from '../words/adopt.js';
import { apiUnread } from '../words/cluster.js';
import { codeBlock, lines } from '../words/mrkdwn.js';
import { moreInDetails } from '../words/phrase.js';
import {
  absent,
  absentHead,
  firstContact,
  foreignRoute,
  held,
  hostHead,
  hostKey,
  nothingToDo,
  undoHead,
  unreadHead,
  unreadHost,
} from '../words/plan.js';
import { type Block, section } from './blocks.js';
import { notRecorded, recorded } from './card-adopt.js';

/** Held routes shown of one host on a card; the file has them all. With many peers every host holds many, and nearly the same ones. */
const HELD_ON_CARD = 6;

/** Warnings, first-contact host keys and hosts that could not be read: always on the card, before any command. */
export function cautions(plan: Plan): Block[] {
  const keys = plan.hosts.filter((host) => host.hostKey?.firstContact).map(hostKey);
  const owed = plan.hosts.filter((host) => host.observed === null).map(absent);
  return [
    ...leftAlone(plan),
    ...('apiUnread' in plan && plan.apiUnread ? [section(apiUnread(plan.apiUnread))] : []),
    ...told([firstContact(keys.length)], keys, 1000),
    ...told([absentHead], owed, 900),
  ];
}

/** What stays as it is, whatever becomes of the plan. */
export function leftAlone(plan: Plan): Block[] {
  const foreign = plan.foreign.map((each) => foreignRoute(each, plan.kind));
  const unread = 'unread' in plan ? plan.unread.map(unreadHost) : [];
  return [
    ...(plan.kind === 'adopt' ? notRecorded(plan) : []),
    ...told([], foreign, 1200),
    ...told([plan.kind === 'adopt' ? unreadMembersHead : unreadHead], unread, 900),
  ];
}

function told(head: readonly string[], items: readonly string[], room: number): Block[] {
  return items.length > 0 ? [section([...head, lines(items, room, moreInDetails)].join('\n'))] : [];
}

/** One block a host, in the plan's order, and the inverse as the last one. Of an adoption, which does nothing there, what is recorded. */
export function planBlocks(plan: Plan, clusterCidr: Cidr): Block[] {
  if (plan.kind === 'adopt') return recorded(plan);
  const undo = plan.hosts.filter((host) => host.undoCommands.length > 0);
  return [
    ...plan.hosts.map((host) => section(hostText(host, clusterCidr))),
    ...(undo.length > 0 ? [section(undoText(undo))] : []),
  ];
}

function hostText(host: HostPlan, clusterCidr: Cidr): string {
  const script = [...held(host, clusterCidr, HELD_ON_CARD), ...host.commands];
  return `${hostHead(host)}\n${codeBlock(script.join('\n') || nothingToDo, 2000)}`;
}

/** The inverse commands, host by host. */
function undoText(hosts: readonly HostPlan[]): string {
  const script = hosts.flatMap((host) => [`# ${host.host}`, ...host.undoCommands]);
  return `${undoHead}\n${codeBlock(script.join('\n'), 2400)}`;
}
