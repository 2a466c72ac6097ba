/** The map of the cluster's addresses, one part a line. Pure. */
import type { Reply } from '../command/reply.js';
import type { Part, Use } from '../network/address-map.js';
import { code, lines, plain, when } from './mrkdwn.js';
import { more } from './phrase.js';

export const mapWords = {
  head: ({ cluster, clusterCidr, nodePrefixLength, parts }: Extract<Reply, { kind: 'map' }>) => {
    const count = (...kinds: Use['kind'][]): number =>
      parts.filter(({ use }) => kinds.includes(use.kind)).length;
    const free = parts.reduce((sum, { use }) => sum + (use.kind === 'free' ? use.count : 0), 0);
    const coming = count('claimed', 'held');
    return [
      `*${plain(cluster, 80)}*: ${code(clusterCidr)}, a /${nodePrefixLength} for each node: ${count('member')} in use`,
      ...(coming > 0 ? [`${coming} on the way`] : []),
      `${count('resting')} resting`,
      `${free} free`,
    ].join(', ');
  },
  rest: (left: number) => `… and ${left} more; ${code('nodes')} lists the nodes.`,
} as const;

export function mapLine({ cidr, use }: Part): string {
  const part = code(cidr);
  switch (use.kind) {
    case 'member':
      return `🟢 ${part} ${code(use.node)}`;
    case 'claimed':
      return `🟡 ${part} ${code(use.node)} · planned by ${code(use.changeId)}`;
    case 'held':
      return `🟡 ${part} ${code(use.node)} · kept by ${code(use.changeId)}: ${code(`change ${use.changeId}`)} shows how far it is`;
    case 'resting':
      return `💤 ${part} was ${code(use.node)} · ${restsFor(use)}`;
    case 'service':
      return `⛔ ${part} the service CIDR: kube-proxy takes it over`;
    case 'reserved':
      return `⛔ ${part} reserved by ${code('RESERVED_CIDRS')}`;
    case 'address':
      return `⛔ ${part} the address of ${code(use.node)}: no node gets the pod CIDR around it`;
    case 'free':
      return `⚪ ${part} ${use.count === 1 ? 'free' : `and the ${use.count - 1} after it: free`}`;
  }
}

/** What it waits for before another node gets it. */
function restsFor({ until, owing }: Extract<Use, { kind: 'resting' }>): string {
  const rests = until === undefined ? 'rests' : `rests until ${when(until)}`;
  if (owing.length === 0) return rests;
  const hosts = owing.map((host) => code(host, 80));
  return `${rests}, and until it is known that ${lines(hosts, 420, more, ', ')} ${owing.length === 1 ? 'routes' : 'route'} it no more`;
}
