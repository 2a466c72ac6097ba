/** Checks a manifest against the limits of Windows pods, before it is applied (S24). Pure. */
import { isAtLeast } from '../kube/version.js';
import { at, lineOf, textOf } from './place.js';
import { type Pod, readManifest } from './read.js';
import type { Finding, Hit, Rule } from './rule.js';
import { udpPorts, WINDOWS_RULES } from './rules.js';
import { buildsOf, type Cluster, mayRunOn, type Target, targetOf } from './target.js';

export interface Checked {
  /** How many pods and templates there are, by what they are meant for; those for Linux are not checked any further. */
  pods: { windows: number; linux: number; unknown: number };
  /** By line. */
  findings: Finding[];
  /** Names of the nodes whose build an image would have to be held against, and is not known. */
  unknownBuilds: string[];
}

/** What breaks or differs on Windows, each with its line. Throws the Refusals of `readManifest`. */
export function checkManifest(text: string, cluster: Cluster): Checked {
  const { pods, services } = readManifest(text, cluster.version);
  const aimed = pods.map((pod) => ({ pod, target: targetOf(pod, cluster) }));
  const windows = aimed.filter(({ target }) => target.os === 'windows').map(({ pod }) => pod);
  const linux = aimed.filter(({ target }) => target.os === 'linux').length;
  const findings = [
    ...aimed.flatMap(({ pod, target }) => undecided(pod, target)),
    ...aimed.flatMap(({ pod, target }) => (target.os === 'linux' ? [] : misread(pod))),
    ...windows.flatMap((pod) => byRules(pod, cluster)),
    // A Service may be for anybody, but not where all are known and none is for Windows.
    ...(pods.length > 0 && windows.length === 0
      ? []
      : services.flatMap((service) => ofService(service, cluster))),
  ].sort((a, b) => a.line - b.line);
  return {
    pods: { windows: windows.length, linux, unknown: pods.length - windows.length - linux },
    findings,
    unknownBuilds: unknownBuilds(windows, cluster),
  };
}

function isInForce({ until }: Pick<Rule, 'until'>, version: string): boolean {
  return until === undefined || !isAtLeast(version, until);
}

function byRules(pod: Pod, cluster: Cluster): Finding[] {
  return WINDOWS_RULES.filter((rule) => isInForce(rule, cluster.version)).flatMap((rule) =>
    rule.find(pod, cluster).map((hit) => finding(rule, hit, pod)),
  );
}

/** In a cluster of both, a pod that does not say where it belongs may be put on either. */
function undecided(pod: Pod, { pinned }: Target): Finding[] {
  if (pinned) return [];
  return [finding({ id: 'no-os', severity: 'fails' }, { place: pod.spec, what: 'nodeSelector' }, pod)];
}

/** What stands there for another version of Kubernetes, or for none. */
function misread(pod: Pod): Finding[] {
  const hit = (place: Pod['spec']): Hit => ({ place, what: String(place.path.at(-1)) });
  return [
    ...pod.early.map((place) => finding({ id: 'early-field', severity: 'fails' }, hit(place), pod)),
    ...pod.broken.map((place) => finding({ id: 'annotation', severity: 'fails' }, hit(place), pod)),
  ];
}

function ofService(service: Pod['whole'], { version }: Cluster): Finding[] {
  const rule = { id: 'udp-service', severity: 'differs', until: 6 } as const;
  if (!isInForce(rule, version)) return [];
  const of = { kind: 'Service', name: textOf(at(service, 'metadata', 'name')) };
  return udpPorts(service).map((hit) => finding(rule, hit, of));
}

function finding(
  rule: Pick<Rule, 'id' | 'severity'>,
  { place, ...hit }: Hit,
  { kind, name }: Pick<Pod, 'kind' | 'name'>,
): Finding {
  return { line: lineOf(place), rule: rule.id, severity: rule.severity, kind, name, ...hit };
}

function unknownBuilds(windows: readonly Pod[], cluster: Cluster): string[] {
  const asked = windows.filter((pod) => buildsOf(pod).length > 0).flatMap((pod) => mayRunOn(pod, cluster));
  return [...new Set(asked.filter(({ build }) => build === undefined).map(({ name }) => name))];
}
