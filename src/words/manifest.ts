/** The check of a manifest: what each finding means, and what to do instead. Pure. */
import type { ManifestCheck } from '../command/reply.js';
import { isAtLeast, osLabel } from '../kube/version.js';
import { ANNOTATIONS } from '../manifest/annotations.js';
import { releaseOf, tagFor } from '../manifest/image.js';
import type { Finding, RuleId } from '../manifest/rule.js';
import type { KnownNode } from '../manifest/target.js';
import { code, plain } from './mrkdwn.js';
import { list, plural } from './phrase.js';
import { bareVoice, slackVoice, type Voice } from './voice.js';

type Say = (finding: Finding, say: Voice, version: string) => string;

/** `Line 12`, what breaks there, and what to do instead. */
const WORDS: Readonly<Record<RuleId, Say>> = {
  'no-os': (_finding, { code: its }, version) =>
    `Nothing says which operating system it needs, so it may come to a node of the other. Add a ${its('nodeSelector')} with ${its(`${osLabel(version)}: windows`)}, or ${its('linux')}.`,
  'early-field': ({ what }, { code: its }) =>
    `Kubernetes has no ${its(what)} before 1.6, so it is refused, or left out. Write it as JSON into the annotation ${its(annotationFor(what))}.`,
  annotation: ({ what }, { code: its }) =>
    `${its(what)} is not the JSON that Kubernetes reads there, so it refuses the pod. Give it ${what === AFFINITY ? 'an affinity' : 'a list of containers'}.`,
  'os-label': ({ what }, { code: its }, version) =>
    `Nodes have no label ${its(what)} before Kubernetes 1.14, so it is put on none. Write ${its(osLabel(version))}.`,
  'one-container': ({ what, nodes }, say) =>
    nodes
      ? `${say.code(what)} containers in one pod, which Windows Server 2016 can't: ${runWhat(nodes, say)}. Make a pod of each, or choose newer nodes.`
      : `${say.code(what)} containers in one pod: before Kubernetes 1.9 a Windows pod has one. Make a pod of each.`,
  secret: (finding, say, version) => handedOver('Secret', finding, say, version),
  'config-map': (finding, say, version) => handedOver('ConfigMap', finding, say, version),
  'dns-tcp': ({ what }, { code: its }) =>
    `With ${its(what)} names are asked of the cluster's DNS, which Windows reaches over TCP only, before Kubernetes 1.6. Use a client that asks again over TCP, or ${its('dnsPolicy: Default')}.`,
  'udp-service': ({ what }, { code: its }) =>
    `Windows nodes reach Services over TCP only, before Kubernetes 1.6. Offer port ${its(what)} over TCP, too.`,
  'stateful-set': (_finding, { code: its }) =>
    `Windows pods of a ${its('StatefulSet')} don't work before Kubernetes 1.14. Use a ${its('Deployment')}.`,
  'host-network': (_finding, { code: its }, version) =>
    `Windows pods have a network of their own, never the host's. Leave ${its('hostNetwork')} out, and offer the ports by a Service${orHostProcess(version)}.`,
  'host-namespace': ({ what }, { code: its }) =>
    `Windows pods share nothing but their network. Leave ${its(what)} out.`,
  'dns-policy': ({ what }, { code: its }) =>
    `${its(what)} is for pods on the host's network, which Windows has not. Write ${its('ClusterFirst')}.`,
  privileged: ({ what }, { code: its }, version) =>
    `Windows has no privileged containers. Leave ${its(what)} out${orHostProcess(version)}.`,
  'security-field': ({ what, severity }, { code: its }) =>
    `${severity === 'fails' ? `With ${its('os.name: windows')} the API server refuses ${its(what)}` : `Windows does nothing about ${its(what)}`}. ${
      what === 'runAsUser' ? `Name a user by ${its('windowsOptions.runAsUserName')}` : 'Leave it out'
    }.`,
  'linux-path': ({ what }, { code: its }) =>
    `${its(what)} is a path of Linux: on Windows it is ${its(`C:${what.replaceAll('/', '\\')}`)}, if it is there at all. Write the path that is meant.`,
  'linux-command': ({ what }, { code: its }) =>
    `${its(what)} is a program of Linux. Run one of Windows, such as ${its('powershell')} or ${its('cmd')}.`,
  'memory-volume': ({ what }, { code: its }) =>
    `Windows keeps no volume in memory. Leave the ${its('medium')} of ${its(what)} out: then it is on disk.`,
  'raw-device': ({ what }, { code: its }) =>
    `Windows pods get no raw devices (${its(what)}). Mount a volume with a file system.`,
  'mount-propagation': ({ what }, { code: its }) =>
    `Windows has no ${its(what)}: what is mounted in a pod stays there. Leave it out.`,
  'sub-path': ({ what }, { code: its }) =>
    `Windows mounts whole volumes only, so no ${its(what)}. Mount the volume, and use the path in it.`,
  nfs: () => 'Windows pods have no NFS volumes. Use SMB, or a volume that has a driver for Windows.',
  'huge-pages': ({ what }, { code: its }) => `Windows has no ${its(what)}. Ask for plain memory.`,
  'image-build': ({ what, build = 0, nodes = [] }, say) =>
    `${say.code(what)} is for ${releaseOf(build)}, but ${runWhat(nodes, say)}. Use an image for that (${tags(nodes, say)}), or choose nodes that fit.`,
};

const [AFFINITY = ''] = ANNOTATIONS.affinity;

function annotationFor(field: string): string {
  return (field === 'affinity' ? AFFINITY : ANNOTATIONS.initContainers[0]) ?? '';
}

/** As an environment variable since 1.6, as a volume since 1.14. */
function handedOver(kind: 'Secret' | 'ConfigMap', { what }: Finding, say: Voice, version: string): string {
  const which = what === '' ? `A ${kind}` : `${kind} ${say.code(what)}`;
  if (isAtLeast(version, 6))
    return `${which} is a volume: Windows pods get it so from Kubernetes 1.14 on. Hand it over by ${say.code('env')}.`;
  const instead =
    kind === 'Secret'
      ? 'Let the program ask for it where it is kept'
      : `Write its values into ${say.code('env')}, or into the image`;
  return `${which}: Windows pods get none before Kubernetes 1.6. ${instead}.`;
}

function orHostProcess(version: string): string {
  return isAtLeast(version, 22) ? ', or make it a HostProcess pod' : '';
}

function runWhat(nodes: readonly KnownNode[], say: Voice): string {
  return list(nodes.map(({ name, build = 0 }) => `${say.code(name)} runs ${releaseOf(build)}`));
}

function tags(nodes: readonly KnownNode[], say: Voice): string {
  return list([...new Set(nodes.map(({ build = 0 }) => tagFor(build)))].map((tag) => say.code(tag)));
}

const SIGN = { fails: '🔴', differs: '🟡' } as const;

/** One finding, on a line of its own. */
export function findingLine(finding: Finding, version: string, say: Voice = slackVoice): string {
  return `${SIGN[finding.severity]} line ${finding.line}: ${WORDS[finding.rule](finding, say, version)}`;
}

/** What the findings below are of. */
export function ofWhat({ kind, name }: Pick<Finding, 'kind' | 'name'>): string {
  return `*${plain(kind, 80)}*${name === '' ? '' : ` ${code(name, 200)}`}`;
}

export const manifestWords = {
  /** What was found, and in how many pods. */
  head: ({ cluster, version, file, pods, findings }: ManifestCheck): string => {
    const where = `*${plain(cluster, 80)}*${file === undefined ? '' : `, ${code(file, 200)}`}`;
    const kubernetes = `Kubernetes ${plain(version, 20)}`;
    if (findings.length > 0)
      return `${where}: ${findingCounts(findings)} on Windows, with ${kubernetes}.${podCounts(pods)}`;
    if (pods.windows > 0)
      return `✅ ${where}: nothing that Windows pods of ${kubernetes} can't do.${podCounts(pods)}`;
    return pods.linux + pods.unknown > 0
      ? `${where}: no pod says that it is for Windows, so nothing was checked. A ${code('nodeSelector')} with ${code(`${osLabel(version)}: windows`)} says so.`
      : `${where}: there is no pod in it, and no template of one, so there is nothing to check.`;
  },
  /** Under the findings. */
  unknownBuilds: (nodes: readonly string[]): string => {
    const [first = ''] = nodes;
    return `I do not know the build of ${list(nodes.map((name) => code(name, 80)))}, so I can't say whether the images fit: ask ${code(`check node ${first}`, 120)}.`;
  },
  rest: (left: number): string => `… and ${left} more lines, in the file.`,
  fileTitle: (findings: number): string => `Check of a manifest, ${plural(findings, 'finding')}`,
  fileComment: (user: string): string => `<@${user}> asked to check a manifest. These are all findings.`,
} as const;

function findingCounts(findings: readonly Finding[]): string {
  const fails = findings.filter(({ severity }) => severity === 'fails').length;
  const differs = findings.length - fails;
  return list([
    ...(fails > 0 ? [plural(fails, 'failure')] : []),
    ...(differs > 0 ? [plural(differs, 'difference')] : []),
  ]);
}

/** Empty where there are none, as under a Service alone. */
function podCounts({ windows, linux, unknown }: ManifestCheck['pods']): string {
  const parts = [
    ...(windows > 0 ? [`${plural(windows, 'pod')} for Windows`] : []),
    ...(linux > 0 ? [`${linux} for Linux, not checked`] : []),
    ...(unknown > 0 ? [`${plural(unknown, 'pod')} that ${unknown === 1 ? 'does' : 'do'} not say`] : []),
  ];
  return parts.length > 0 ? ` ${parts.join('; ')}.` : '';
}

/** Everything that was found, for the file. */
export function manifestText({ findings, version, unknownBuilds }: ManifestCheck): string {
  return [
    ...findings.map((finding) => {
      const said = findingLine(finding, version, bareVoice).replace(SIGN[finding.severity], finding.severity);
      return `${said} [${finding.rule}; ${finding.kind} ${finding.name}]`;
    }),
    ...(unknownBuilds.length > 0 ? [`unknown builds: ${unknownBuilds.join(', ')}`] : []),
  ].join('\n');
}

export const manifestFormWords = {
  title: 'Check a manifest',
  yes: 'Check it',
  no: 'Back',
  button: 'Open the form',
  label: 'The manifest',
  /** A mention brings no dialog along. */
  ask: `Paste the manifest under ${code('@Fairway check manifest')}, attach it as a file to that message, or put it into a form, which ${code('/fairway check manifest')} and this button open. In a shell: ${code('npm run console -- check manifest < pod.yaml')}.`,
  explain: (most: number) =>
    `YAML or JSON, one document or many. I say on which line a Windows pod would not do what it says. Nothing is applied. At most ${most} characters here: attach what is longer as a file to ${code('@Fairway check manifest')}.`,
} as const;
