/**
 * The limits of pods on Windows nodes, by version of Kubernetes.
 *
 * Sources, all of github.com/kubernetes/website: 1.5 to 1.13 `docs/getting-started-guides/windows/index.md` ("Known Limitations") of each
 * release; from 1.14 on `setup/windows/intro-windows-in-kubernetes.md`, later `concepts/windows/intro.md` ("Compatibility and
 * limitations") and `concepts/storage/windows-storage.md`. Pure.
 */
import { isAtLeast, OS_LABEL } from '../kube/version.js';
import { FIELD_RULES, isHostProcess } from './field-rules.js';
import { runs, SHARES_NETWORK } from './image.js';
import { linuxCommands, linuxPaths } from './linux.js';
import { at, isThere, isTrue, items, type Place, textOf } from './place.js';
import type { Pod } from './read.js';
import type { Hit, Rule, Severity } from './rule.js';
import { buildsOf, type Cluster, containersOf, type KnownNode, mayRunOn, placesOfLabel } from './target.js';

/** For pods that are meant for Windows. */
export const WINDOWS_RULES: readonly Rule[] = [
  // Kubelets set the label without `beta` from 1.14 on: kubernetes/kubernetes CHANGELOG-1.14.
  {
    id: 'os-label',
    severity: 'fails',
    until: 14,
    find: (pod) => placesOfLabel(pod, OS_LABEL).map((place) => ({ place, what: OS_LABEL })),
  },
  // 1.5: no network namespaces. 1.9: from Windows Server 1709 on.
  { id: 'one-container', severity: 'fails', find: secondContainer },
  // 1.5: neither works at all; then as environment variables; 1.14: as volumes, too. docker/docker#28401, kubernetes#39373.
  { id: 'secret', severity: 'fails', until: 6, find: (pod) => fromEnvironment(pod, 'secret') },
  { id: 'secret', severity: 'fails', until: 14, find: (pod) => fromVolumes(pod, 'secret', 'secretName') },
  { id: 'config-map', severity: 'fails', until: 6, find: (pod) => fromEnvironment(pod, 'configMap') },
  { id: 'config-map', severity: 'fails', until: 14, find: (pod) => fromVolumes(pod, 'configMap', 'name') },
  // Through `netsh portproxy` goes TCP alone, until kubernetes#41487.
  { id: 'dns-tcp', severity: 'differs', until: 6, find: asksClusterDns },
  // 1.9 still says so; 1.14 lists them as supported.
  {
    id: 'stateful-set',
    severity: 'fails',
    until: 14,
    find: ({ kind, whole }) => (kind === 'StatefulSet' ? [{ place: at(whole, 'kind'), what: kind }] : []),
  },
  { id: 'host-network', severity: 'fails', find: onHostNetwork },
  ...FIELD_RULES,
  { id: 'linux-path', severity: 'differs', find: linuxPaths },
  { id: 'linux-command', severity: 'fails', find: linuxCommands },
  // Process isolation: https://learn.microsoft.com/en-us/virtualization/windowscontainers/deploy-containers/version-compatibility
  { id: 'image-build', severity: 'fails', find: otherBuilds },
];

function secondContainer(pod: Pod, cluster: Cluster): Hit[] {
  const [, second, ...others] = items(at(pod.spec, 'containers'));
  if (second === undefined) return [];
  const what = String(others.length + 2);
  if (!isAtLeast(cluster.version, 9)) return [{ place: second, what }];
  const candidates = mayRunOn(pod, cluster);
  const old = candidates.filter(({ build }) => build !== undefined && build < SHARES_NETWORK);
  return old.length === 0 ? [] : [{ place: second, what, nodes: old, severity: howBad(old, candidates) }];
}

/** Where some of the nodes would do, it depends on where the scheduler puts it. */
function howBad(wrong: readonly KnownNode[], candidates: readonly KnownNode[]): Severity {
  return wrong.length === candidates.length ? 'fails' : 'differs';
}

function fromEnvironment(pod: Pod, what: 'secret' | 'configMap'): Hit[] {
  return containersOf(pod).flatMap((container) =>
    [
      ...items(at(container, 'env')).map((variable) => at(variable, 'valueFrom', `${what}KeyRef`)),
      ...items(at(container, 'envFrom')).map((source) => at(source, `${what}Ref`)),
    ].flatMap((place) => named(place, 'name')),
  );
}

/** Projected volumes name a Secret another way than those of their own. */
function fromVolumes({ spec }: Pod, what: 'secret' | 'configMap', nameKey: string): Hit[] {
  return items(at(spec, 'volumes')).flatMap((volume) => [
    ...named(at(volume, what), nameKey),
    ...items(at(volume, 'projected', 'sources')).flatMap((source) => named(at(source, what), 'name')),
  ]);
}

function named(place: Place, key: string): Hit[] {
  return isThere(place) ? [{ place, what: textOf(at(place, key)) }] : [];
}

/** Before 1.9 there are only `Default`, the node's own resolver, and those that ask the cluster's. */
function asksClusterDns({ spec }: Pod): Hit[] {
  const policy = at(spec, 'dnsPolicy');
  const what = textOf(policy) || 'ClusterFirst';
  return ['Default', 'None'].includes(what) ? [] : [{ place: isThere(policy) ? policy : spec, what }];
}

/** HostProcess pods (1.22) are on the host's network and no other. */
function onHostNetwork(pod: Pod, { version }: Cluster): Hit[] {
  const place = at(pod.spec, 'hostNetwork');
  const mayBe = isHostProcess(pod) && isAtLeast(version, 22);
  return isTrue(place) && !mayBe ? [{ place, what: 'hostNetwork' }] : [];
}

/** HostProcess containers take any base image; Hyper-V isolation (1.10 to 1.20, an annotation) takes older ones. */
function otherBuilds(pod: Pod, cluster: Cluster): Hit[] {
  const isHyperV =
    textOf(at(pod.annotations, 'experimental.windows.kubernetes.io/isolation-type')) === 'hyperv';
  if (isHostProcess(pod) || (isHyperV && !isAtLeast(cluster.version, 21))) return [];
  const candidates = mayRunOn(pod, cluster);
  return buildsOf(pod).flatMap(({ place, image, build }): Hit[] => {
    const wrong = candidates.filter((node) => node.build !== undefined && !runs(node.build, build));
    if (wrong.length === 0) return [];
    return [{ place, what: image, severity: howBad(wrong, candidates), build, nodes: wrong }];
  });
}

/** A Service's ports that pods on Windows nodes can't reach, for the same reason as `dns-tcp`. */
export function udpPorts(service: Place): Hit[] {
  return items(at(service, 'spec', 'ports')).flatMap((port) => {
    const place = at(port, 'protocol');
    return textOf(place) === 'UDP' ? [{ place, what: textOf(at(port, 'port')) }] : [];
  });
}
