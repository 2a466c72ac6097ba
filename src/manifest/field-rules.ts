/** Limits that are about single fields of a pod: Windows has nothing of the kind. Pure. */
import { isAtLeast } from '../kube/version.js';
import { at, entries, isThere, isTrue, items, type Place, textOf } from './place.js';
import type { Pod } from './read.js';
import type { Hit, Rule } from './rule.js';
import { type Cluster, containersOf } from './target.js';

/** Of a pod's security context, `concepts/windows/intro.md` says, only `runAsNonRoot` and `windowsOptions` mean anything. */
const ANYWHERE: readonly string[] = [
  'runAsUser',
  'runAsGroup',
  'seLinuxOptions',
  'seccompProfile',
  'appArmorProfile',
];
const IN_POD: readonly string[] = [
  ...ANYWHERE,
  'fsGroup',
  'fsGroupChangePolicy',
  'supplementalGroups',
  'sysctls',
];
const IN_CONTAINER: readonly string[] = [
  ...ANYWHERE,
  'capabilities',
  'readOnlyRootFilesystem',
  'allowPrivilegeEscalation',
  'procMount',
];

export const FIELD_RULES: readonly Rule[] = [
  {
    id: 'host-namespace',
    severity: 'fails',
    find: ({ spec }) => switchedOn(spec, ['hostPID', 'hostIPC', 'shareProcessNamespace']),
  },
  {
    id: 'dns-policy',
    severity: 'fails',
    find: ({ spec }) => {
      const place = at(spec, 'dnsPolicy');
      const what = textOf(place);
      return what === 'ClusterFirstWithHostNet' ? [{ place, what }] : [];
    },
  },
  {
    id: 'privileged',
    severity: 'fails',
    find: (pod) =>
      containersOf(pod).flatMap((container) => switchedOn(at(container, 'securityContext'), ['privileged'])),
  },
  { id: 'security-field', severity: 'differs', find: securityFields },
  {
    id: 'memory-volume',
    severity: 'fails',
    find: ({ spec }) =>
      items(at(spec, 'volumes')).flatMap((volume) => {
        const place = at(volume, 'emptyDir', 'medium');
        return textOf(place) === 'Memory' ? [{ place, what: textOf(at(volume, 'name')) }] : [];
      }),
  },
  { id: 'raw-device', severity: 'fails', find: (pod) => inContainers(pod, ['volumeDevices']) },
  { id: 'mount-propagation', severity: 'fails', find: (pod) => inMounts(pod, ['mountPropagation']) },
  { id: 'sub-path', severity: 'fails', find: subPaths },
  {
    id: 'nfs',
    severity: 'fails',
    find: ({ spec }) => items(at(spec, 'volumes')).flatMap((volume) => there(volume, ['nfs'])),
  },
  { id: 'huge-pages', severity: 'fails', find: hugePages },
];

/** Kubernetes 1.22 on: it runs on the host itself, as a process of it. */
export function isHostProcess(pod: Pod): boolean {
  return [pod.spec, ...containersOf(pod)].some((place) =>
    isTrue(at(place, 'securityContext', 'windowsOptions', 'hostProcess')),
  );
}

/** From 1.24 on the API server refuses them on pods that say `os.name: windows` (IdentifyPodOS, on by default since its beta). */
function securityFields(pod: Pod, { version }: Cluster): Hit[] {
  const isRefused = isAtLeast(version, 24) && textOf(at(pod.spec, 'os', 'name')) === 'windows';
  const hits = [
    ...there(at(pod.spec, 'securityContext'), IN_POD),
    ...containersOf(pod).flatMap((container) => there(at(container, 'securityContext'), IN_CONTAINER)),
  ];
  return isRefused ? hits.map((hit): Hit => ({ ...hit, severity: 'fails' })) : hits;
}

/** A HostProcess pod's mounts are the host's own paths, so it may have parts of a volume. */
function subPaths(pod: Pod): Hit[] {
  return isHostProcess(pod) ? [] : inMounts(pod, ['subPath', 'subPathExpr']);
}

function hugePages(pod: Pod): Hit[] {
  return containersOf(pod).flatMap((container) =>
    ['limits', 'requests'].flatMap((kind) =>
      entries(at(container, 'resources', kind)).flatMap(([what, place]) =>
        what.startsWith('hugepages-') ? [{ place, what }] : [],
      ),
    ),
  );
}

function there(place: Place, fields: readonly string[]): Hit[] {
  return fields.flatMap((what) => {
    const field = at(place, what);
    return isThere(field) ? [{ place: field, what }] : [];
  });
}

function switchedOn(place: Place, fields: readonly string[]): Hit[] {
  return there(place, fields).filter((hit) => isTrue(hit.place));
}

function inContainers(pod: Pod, fields: readonly string[]): Hit[] {
  return containersOf(pod).flatMap((container) => there(container, fields));
}

function inMounts(pod: Pod, fields: readonly string[]): Hit[] {
  return containersOf(pod).flatMap((container) =>
    items(at(container, 'volumeMounts')).flatMap((mount) => there(mount, fields)),
  );
}
