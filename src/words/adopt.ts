/** Adopting an existing cluster: what is recorded, what is left out and what to do about it, and the list itself. Pure. */
import type { AdoptChange } from '../change/change.js';
import type { AdoptPlan } from '../plan/plan.js';
import { sayAdoptConflict } from './adopt-conflict.js';
import { code, lines, plain } from './mrkdwn.js';
import { more, osName, plural } from './phrase.js';
import { bareVoice, type Voice } from './voice.js';

/** On top of an exported list: how it comes back. */
export const exportHead = `# Fairway's nodes. To bring them back: /fairway adopt, and paste this; or in a shell
#   npm run console -- adopt < this-file
# A pod CIDR that is left out is read from the host.`;

/** A node that is left out, why, and what to do about it. */
export function leftOutLine({ name, address, conflict }: AdoptPlan['leftOut'][number], voice: Voice): string {
  return `${voice.code(name)} ${address}: ${sayAdoptConflict(conflict, voice)}`;
}

/** `3 nodes, 1 left out, 2 are nodes already, unchanged`. */
export function adoptCounts({ nodes, leftOut, unchanged }: AdoptPlan): string {
  return [
    plural(nodes.length, 'node'),
    ...(leftOut.length > 0 ? [`${leftOut.length} left out`] : []),
    ...(unchanged.length > 0
      ? [`${unchanged.length} ${unchanged.length === 1 ? 'is a node' : 'are nodes'} already, unchanged`]
      : []),
  ].join(', ');
}

/** What approving means. */
export const adoptMeans = `Nothing is changed on any host. Once recorded, ${code('routes')} shows what is missing, and ${code('repair')} plans it.`;

/** How many nodes it records; before that is known, how many were asked for. */
export function adoptedCount({ moves, asked }: AdoptChange): string {
  return plural((moves ?? asked).length, 'node');
}

/** After it was recorded. */
export function sayAdopted(change: AdoptChange): string {
  return `${adoptedCount(change)} recorded; no host was touched. Next: ${code('routes')}, then ${code('repair')} for what is missing.`;
}

export const sayForgotten = 'The records are gone again; no host was touched.';

/** A list is too long to be typed again. */
export const listInDetails = '; the list is in *Details*';

export const leftOutHead = 'Left out:';

/** Above the nodes that are recorded. */
export const recordedHead = '*Recorded*, with how many of the routes to the others are there:';

export function recordedLine({ nodes, routes }: AdoptPlan, index: number): string {
  const node = nodes[index];
  if (!node) return '';
  const of = routes.find(({ host }) => host === node.name);
  return `${code(node.name, 80)} ${osName(node.os)} ${code(node.address)} → ${code(node.podCidr)}${of ? ` · ${heldText(of)}` : ''}`;
}

/** What members hold of the routes to the nodes that are recorded. */
export function memberLine(of: AdoptPlan['routes'][number]): string {
  return `${code(of.host, 80)} (a node already) · ${heldText(of)}`;
}

function heldText({ held, wanted, notOurs, own }: AdoptPlan['routes'][number]): string {
  const notes = [
    ...(notOurs > 0 ? [`${notOurs} not Fairway's: good as they are, and left so`] : []),
    ...(own.length > 0 ? [`${own.length} ${own.length === 1 ? 'becomes' : 'become'} Fairway's`] : []),
  ];
  return `${held} of ${plural(wanted, 'route')}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
}

/** Above Windows' routes. */
export const ownHead = `*These become Fairway's*, so that ${code('remove node')} takes them away later (Windows can't mark routes):`;

export function ownLines({ routes }: AdoptPlan): string[] {
  return routes.flatMap(({ host, own }) =>
    own.map(({ destination, nextHop }) => `${host}  ${destination} via ${nextHop}`),
  );
}

/** Above the members that could not be read. */
export const unreadMembersHead = 'Could not be read, so nothing is known of their routes:';

/** A route to a slice that nobody has. */
export function toNobodyLine({ destination, nextHop, hosts, ours }: AdoptPlan['toNobody'][number]): string {
  const who = lines(
    hosts.map((host) => code(host, 80)),
    200,
    more,
    ', ',
  );
  const when = ours ? `before ${code('repair')}, which takes this route away` : 'too';
  return `⚠️ ${who} ${hosts.length === 1 ? 'leads' : 'lead'} ${code(`${destination} via ${nextHop}`)}, to no node here. If one is missing in the list, adopt it ${when}.`;
}

/** In the file: above the list as it was asked for. */
export const askedHead = 'the list, to ask again';

/** In the file: everything that the card may have had no room for. */
export function adoptText(plan: AdoptPlan): string {
  const { nodes, unchanged, leftOut, routes, toNobody } = plan;
  return [
    ...nodes.map(
      ({ name, os, address, podCidr }) => `records ${name}, ${osName(os)}, ${address}, ${podCidr}`,
    ),
    ...unchanged.map((name) => `${name} is a node already, unchanged`),
    ...leftOut.map((each) => `leaves out ${leftOutLine(each, bareVoice)}`),
    ...routes.map(
      ({ host, held, wanted, notOurs }) =>
        `${host} holds ${held} of ${plural(wanted, 'route')}${notOurs > 0 ? `, ${notOurs} of them not Fairway's` : ''}`,
    ),
    ...ownLines(plan).map((line) => `becomes Fairway's: ${line}`),
    ...toNobody.map(
      ({ destination, nextHop, hosts }) =>
        `to no node here: ${destination} via ${nextHop} on ${hosts.join(', ')}`,
    ),
  ].join('\n');
}

/** In place of the inverse commands. */
export const adoptUndo = 'Roll back takes the records away again, and touches no host';

/** What is asked before an adoption is rolled back. */
export const forgetWords = {
  title: 'Roll back?',
  text: 'The records of these nodes go again. No host is touched.',
  yes: 'Roll back',
  no: 'Keep them',
} as const;

/** The dialog, and what leads to it. */
export const formWords = {
  title: 'Adopt nodes',
  yes: 'Plan it',
  no: 'Back',
  button: 'Open the form',
  label: 'The list',
  /** A mention brings no dialog along. */
  ask: `The list of nodes goes into a form. ${code('/fairway adopt')} opens it, and so does this button. In a shell: ${code('npm run console -- adopt < nodes.yaml')}.`,
  explain: (most: number) =>
    `Paste what ${code('export')} gave, or write a line for each node of a cluster that exists already. All hosts are read, and nothing is changed on any of them. At most ${most} characters here: adopt more in parts, or in a shell.`,
  example: `  - { name: lin01, os: linux, address: 10.0.0.4 }
  - { name: win01, os: windows, address: 10.0.0.5, podCidr: 192.168.1.0/24, ssh: admin@win01.corp.local }`,
} as const;

/** An exported list that is too long for an answer. */
export const exportWords = {
  head: (cluster: string, nodes: number) =>
    `*${plain(cluster, 80)}*: ${plural(nodes, 'node')}. ${code('adopt')} takes this back.`,
  follows: (nodes: number) => `The list of ${plural(nodes, 'node')} comes as a file.`,
  fileTitle: (cluster: string, nodes: number) => `${cluster}, ${plural(nodes, 'node')}`,
  fileComment: (user: string) => `<@${user}> asked for the list of nodes. ${code('adopt')} takes it back.`,
} as const;

/** Between the plan and its approval, or while it was being recorded. */
export function sayAdoptStale(): string {
  return 'Hosts, or the inventory, changed after this was planned, so nothing was recorded. Look at what changed, then ask again.';
}

export function sayOtherKey(host: string, fingerprint: string): string {
  return `${host}: it shows another host key now, ${fingerprint}`;
}

export function sayNotAsSealed(name: string): string {
  return `${name}: no longer as it was planned`;
}
