/** What the look at the control plane found. Pure. */
import type { ClusterCheck } from '../kube/check.js';
import type { Difference } from '../kube/compare.js';
import type { Answer, Trouble } from '../kube/trouble.js';
import { isSameMinor, minorOf } from '../kube/version.js';
import { code, plain } from './mrkdwn.js';
import { list, osName, plural } from './phrase.js';

export const clusterWords = {
  checking: 'Asking the API server… what it says follows.',
  head: (cluster: string, { server }: ClusterCheck) =>
    `*${plain(cluster, 80)}*: the API server ${code(server)}`,
  rest: (left: number) => `… and ${left} more lines. Put these right, then ${code('check cluster')} again.`,
  flags: 'Flags for the control plane, the kubelets and the kube-proxies',
} as const;

/** On the plan of a node that joins. */
export function apiUnread(trouble: Trouble): string {
  return `⚠️ The API server ${why(trouble, true)} So whether it has another pod CIDR for the node is unknown: ${code('check cluster')} before you approve.`;
}

/** Everything that was found, one thing a line. */
export function checkLines(check: ClusterCheck): string[] {
  const { version, health, nodes, hasLogin } = check;
  const answers = [version, health, ...(nodes ? [nodes] : [])];
  // Without a connection every question has the same answer.
  if ('trouble' in version && answers.every(isAway))
    return [`🔴 It ${why(version.trouble, hasLogin)} So nothing is known of it.`];
  return [versionLine(check), healthLine(health, hasLogin), ...nodeLines(nodes)];
}

const AWAY: readonly Trouble['kind'][] = ['unreachable', 'certificate', 'silent', 'no-login'];

function isAway(answer: Answer<unknown>): boolean {
  return 'trouble' in answer && AWAY.includes(answer.trouble.kind);
}

function versionLine({ version, configured, hasLogin }: ClusterCheck): string {
  if ('trouble' in version) return `❔ Its version is unknown: it ${why(version.trouble, hasLogin)}`;
  const { said } = version;
  return isSameMinor(said, configured)
    ? `✅ It answers, as ${code(said)}.`
    : `⚠️ It answers, as ${code(said)}, but ${code('KUBERNETES_VERSION')} is ${code(configured)}: set it to ${code(minorOf(said))}, or the lines that I write may not fit.`;
}

function healthLine(health: Answer<string>, hasLogin: boolean): string {
  if ('said' in health) return '✅ It says that it is healthy.';
  const { kind, detail } = health.trouble;
  return kind === 'status'
    ? `🔴 It says that it is not healthy (${plain(detail, 300)}). Check that first.`
    : `❔ Its health is unknown: it ${why(health.trouble, hasLogin)}`;
}

function nodeLines(nodes: ClusterCheck['nodes']): string[] {
  if (nodes === null)
    return [
      `❔ Its nodes were not asked for: that takes a kubeconfig whose user may list nodes. Set ${code('KUBECONFIG_FILE')} for the workers.`,
    ];
  if ('trouble' in nodes) return [`❔ Its nodes are unknown: it ${why(nodes.trouble, true)}`];
  const { here, there, differences } = nodes.said;
  const counts = `${plural(here, 'node')} here, ${there} there`;
  return differences.length === 0
    ? [`✅ ${counts}: pod CIDRs, addresses and OS labels agree.`]
    : [`⚠️ ${counts}, ${plural(differences.length, 'difference')}:`, ...differences.map(differenceLine)];
}

/** How one node differs, and what puts it right. */
function differenceLine(difference: Difference): string {
  const name = code(difference.name, 80);
  switch (difference.kind) {
    case 'not-there':
      return `❌ ${name} is not registered there: start its kubelet with ${code(`--hostname-override=${difference.name}`)}.`;
    case 'not-here':
      return stranger(difference);
    case 'pod-cidr':
      return podCidr(difference);
    case 'address': {
      const theirs =
        difference.theirs.length > 0 ? list(difference.theirs.map((each) => code(each))) : 'none';
      return `⚠️ ${name} has ${code(difference.ours)} here, and as its internal address there ${theirs}: start its kubelet with ${code(`--node-ip=${difference.ours}`)}.`;
    }
    case 'os':
      return difference.theirs === null
        ? `⚠️ ${name} has no OS label there: ${code(`kubectl ${difference.name}`)} shows the line for it.`
        : `❌ ${name} is ${osName(difference.ours)} here, and labelled ${code(difference.theirs)} there. If that is another machine, rename it; if not, put its label right.`;
  }
}

function stranger({ name, podCidr: has, holder }: Extract<Difference, { kind: 'not-here' }>): string {
  const who = `${code(name, 80)} is no node of mine, and registered there with ${has === null ? 'no pod CIDR' : code(has)}`;
  return holder === undefined
    ? `❔ ${who}. If pods run on it, ask ${code(`add linux node ${name} <address>`)} or ${code('add windows …')}.`
    : `❌ ${who}, which is ${code(holder, 80)}'s here: my routes lead to ${code(holder, 80)}. ${code(`kubectl delete node ${name}`)} frees it.`;
}

function podCidr({ name, ours, theirs, outside }: Extract<Difference, { kind: 'pod-cidr' }>): string {
  const patch = code(`kubectl patch node ${name} -p '{"spec":{"podCIDR":"${ours}"}}'`);
  if (theirs === null) return `⚠️ ${code(name, 80)} has no pod CIDR there: ${patch} sets it.`;
  const flags = outside
    ? ` It lies outside the cluster CIDR, so that has to change there, too: ${code('kubectl control-plane')} shows the flags.`
    : '';
  return `❌ ${code(name, 80)} has ${code(ours)} here, where the routes lead, and ${code(theirs)} there, which never changes: drain it, ${code(`kubectl delete node ${name}`)}, and once it has registered again ${patch}.${flags}`;
}

/** As the rest of a sentence about the API server, with what to do. */
function why({ kind, detail }: Trouble, hasLogin: boolean): string {
  const said = plain(detail, 200);
  switch (kind) {
    case 'unreachable':
      return `does not answer (${said}). Check ${code(hasLogin ? 'KUBECONFIG_FILE' : 'API_SERVER')}, and the way there from the workers.`;
    case 'silent':
      return `does not answer in time (${said}). Check how it is, then ask again.`;
    case 'certificate':
      return `shows a certificate that I can't trust (${said}). A kubeconfig in ${code('KUBECONFIG_FILE')} names the right authority, and the right name.`;
    case 'unknown-login':
    case 'forbidden':
      if (!hasLogin)
        return `answers, and lets nobody look without a kubeconfig. Set ${code('KUBECONFIG_FILE')} for the workers.`;
      return kind === 'forbidden'
        ? `does not let the user of ${code('KUBECONFIG_FILE')} look (${said}). Allow it, then ask again.`
        : `does not know the login of ${code('KUBECONFIG_FILE')} (401). Renew its token or certificate.`;
    case 'status':
      return `answers with an error (${said}). Check how it is, then ask again.`;
    case 'garbage':
      return `answers, but not as Kubernetes does (${said}). Check the address.`;
    case 'too-long':
      return `answers with more than I take (${said}). Check the address.`;
    case 'no-login':
      return `was not asked: a file that ${code('KUBECONFIG_FILE')} names can't be read (${said}). Put it there.`;
  }
}
