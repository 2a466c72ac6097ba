/** Why a node of an existing cluster is left out, and what to do about it. Pure. */
import type { AdoptConflict, Shared } from '../plan/adopt-conflict.js';
import { list } from './phrase.js';
import type { Voice } from './voice.js';

type Texts = {
  [K in AdoptConflict['kind']]: (conflict: Extract<AdoptConflict, { kind: K }>, say: Voice) => string;
};

const SHARED: Readonly<Record<Shared, string>> = {
  name: 'name',
  address: 'address',
  'pod-cidr': 'pod CIDR',
};

const conflictText: Texts = {
  'member-differs': ({ podCidr, address, differs }, { code: c }) =>
    `it is a node already, at ${address} with ${podCidr}; other than here: ${list(differs)}. Correct the list, or take it out first with ${c('remove node <name>')}.`,
  unreadable: ({ why }, { quote }) =>
    `it can't be read${why === '' ? '' : `: ${quote(why)}`}. Unknown is not empty: ask again once it answers.`,
  'address-not-there': () =>
    `it answers, but none of its devices holds the address. Check the address, or that SSH leads to the right machine.`,
  'no-pod-cidr': ({ held }, { quote, code: c }) =>
    `it holds no pod CIDR of this cluster${held.length === 0 ? '' : ` (it has ${quote(list(held))})`}. If it has none, ${c('add … node')} gives it one.`,
  'several-pod-cidrs': ({ found }, { code: c }) => `it holds ${list(found)}. Say which with ${c('podCidr')}.`,
  'other-pod-cidr': ({ asked, found, held }, { quote, code: c }) => {
    const has = found.length > 0 ? list(found) : held.length > 0 ? quote(list(held)) : 'none';
    return `it does not hold ${asked}: it has ${has}. Correct ${c('podCidr')}; if the host lost it, ${c(`add … node … pod-cidr ${asked}`)} makes it again.`;
  },
  'network-name': ({ network, configured }, { code: c }) =>
    `its container network is called ${c(network)}, not ${c(configured)}. Set ${c('DOCKER_NETWORK')} to it.`,
  'nic-unknown': ({ mac, has }, { quote, code: c }) =>
    `it has no network card ${mac} but ${has.length === 0 ? 'none at all' : quote(list(has))}. Correct ${c('containerNic')}, or leave it out.`,
  outside: ({ podCidr, clusterCidr }, { code: c }) =>
    `${podCidr} is outside the cluster's ${clusterCidr}. Correct the list, or ${c('CLUSTER_CIDR')}.`,
  size: ({ podCidr, prefixLength }, { code: c }) =>
    `${podCidr} has the wrong size: nodes here have a /${prefixLength}. Correct the list, or ${c('NODE_PREFIX_LENGTH')}.`,
  overlaps: ({ podCidr, overlap, with: other, owner }, { code: c }) => {
    const what = {
      'service-cidr': `the services' ${other}. Correct ${c('SERVICE_CIDR')}, or move the node`,
      reserved: `the reserved ${other}. Correct ${c('RESERVED_CIDRS')}, or move the node`,
      'node-address': `${other}, the address of ${owner === undefined ? 'a node' : c(owner)}. One of them has to move`,
    }[overlap];
    return `${podCidr} overlaps ${what}.`;
  },
  'address-unusable': ({ address, because }) =>
    `${address} can't be a node's address: ${because}. Give its routable address.`,
  'address-in-pod-cidr': ({ address, podCidr, holder }, { code: c }) =>
    `${address} lies in ${podCidr}, where the pods of ${c(holder)} are. Give its routable address.`,
  shared: ({ what, value, with: others }, { code: c }) =>
    `${list(others.map(c))} ${others.length === 1 ? 'has' : 'have'} the ${SHARED[what]} ${value} too. Only one node can: correct the list, or take it off the other host.`,
  taken: ({ what, value, holder, changeId, restsUntil, owing }, { code: c, when }) => {
    const whose = `the ${SHARED[what]} ${value}`;
    if (owing !== undefined && owing.length > 0)
      return `${c(holder)} was removed, and ${list(owing.map(c))} may still lead to ${whose}. Once they have answered, ask again.`;
    if (restsUntil !== undefined)
      return `${whose} was ${c(holder)}'s and rests until ${when(restsUntil)}. Ask again then.`;
    const by = changeId === undefined ? '' : ` (${c(changeId)}; ${c(`cancel ${changeId}`)} gives it back)`;
    return `${what === 'name' ? 'the name is taken' : `${c(holder)} has ${whose}`} already${by}. Correct the list.`;
  },
  routed: ({ host, destination, nextHop, otherMode }, { code: c }) => {
    if (nextHop === null)
      return `${c(host)} is connected to ${destination} itself. Only one can: remove it there, or correct the list, then ask again.`;
    const mode = otherMode
      ? `That is how ${c('NEXT_HOP')} has it when it is set the other way: set it so.`
      : `If that is wrong, remove it there and ask again.`;
    return `${c(host)} leads ${destination} elsewhere, via ${nextHop}. ${mode}`;
  },
};

/** Why a node is left out and what to do, in the middle of a line. */
export function sayAdoptConflict<K extends AdoptConflict['kind']>(
  conflict: Extract<AdoptConflict, { kind: K }>,
  voice: Voice,
): string {
  return conflictText[conflict.kind as K](conflict, voice);
}
