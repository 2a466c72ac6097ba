/** Which operating system a pod is meant for, and on which nodes it may run. Pure. */
import { isAtLeast, OS_LABEL, OS_LABELS } from '../kube/version.js';
import type { Os } from '../node/node.js';
import { buildOfImage, isWindowsImage } from './image.js';
import { at, entries, isThere, items, type Place, textOf } from './place.js';
import type { Pod } from './read.js';

/** A node as far as a manifest is checked against it. */
export interface KnownNode {
  name: string;
  os: Os;
  /** Of Windows; absent when it is not known. */
  build?: number;
}

/** What a manifest is checked against. */
export interface Cluster {
  /** Of Kubernetes, such as `1.5` or `1.31.2`. */
  version: string;
  nodes: readonly KnownNode[];
}

/** `pinned`: the scheduler puts it nowhere else. */
export interface Target {
  os: Os | null;
  pinned: boolean;
}

const HOST_LABEL = 'kubernetes.io/hostname';
/** https://kubernetes.io/docs/reference/labels-annotations-taints/#nodekubernetesiowindows-build */
const BUILD_LABEL = 'node.kubernetes.io/windows-build';

/** Where nodes of both systems may be alike: a pod that asks for such a place, or such a machine, may still come to either. */
const SHARED_LABELS: readonly string[] = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
];
const ARCH_LABELS: readonly string[] = ['kubernetes.io/arch', 'beta.kubernetes.io/arch'];

/** Containers that run one after the other, or together. */
export function containersOf({ spec }: Pod): Place[] {
  return [...items(at(spec, 'containers')), ...items(at(spec, 'initContainers'))];
}

/** What says it, the surest first: where the scheduler may put it, what the pod says of itself, and what its images are. */
export function targetOf(pod: Pod, { version, nodes }: Cluster): Target {
  const wanted = selected(pod, version);
  const os =
    asOs(OS_LABELS.map((label) => wanted.get(label)).find((value) => value !== undefined)) ??
    (wanted.has(BUILD_LABEL) ? 'windows' : null);
  if (os) return { os, pinned: true };
  const host = hostOf(pod, wanted);
  const node = nodes.find(({ name }) => name === host);
  if (node) return { os: node.os, pinned: true };
  // The scheduler does not look at what a pod says of itself: https://kubernetes.io/docs/concepts/workloads/pods/#pod-os
  const said = asOs(textOf(at(pod.spec, 'os', 'name')));
  const isWindows =
    [pod.spec, ...containersOf(pod)].some((place) =>
      isThere(at(place, 'securityContext', 'windowsOptions')),
    ) || containersOf(pod).some((container) => isWindowsImage(textOf(at(container, 'image'))));
  return { os: said ?? (isWindows ? 'windows' : null), pinned: host !== '' || [...wanted].some(isPin) };
}

/** Kubelets for Windows are made for amd64 alone. Whether a label of the user's own is on nodes of both, the user knows. */
function isPin([label, value]: readonly [string, string]): boolean {
  return !SHARED_LABELS.includes(label) && !(ARCH_LABELS.includes(label) && value === 'amd64');
}

/** Windows nodes that the scheduler may choose. */
export function mayRunOn(pod: Pod, { version, nodes }: Cluster): KnownNode[] {
  const wanted = selected(pod, version);
  const host = hostOf(pod, wanted);
  const build = Number(/(\d+)$/.exec(wanted.get(BUILD_LABEL) ?? '')?.[1] ?? 0);
  return nodes.filter(
    (node) =>
      node.os === 'windows' &&
      (host === '' || node.name === host) &&
      (build === 0 || node.build === undefined || node.build === build),
  );
}

/** The image's build, where its name tells it. */
export function buildsOf(pod: Pod): { place: Place; image: string; build: number }[] {
  return containersOf(pod).flatMap((container) => {
    const place = at(container, 'image');
    const image = textOf(place);
    const build = buildOfImage(image);
    return build === null ? [] : [{ place, image, build }];
  });
}

/** Where a pod asks for nodes that have this label, whatever its value. None where an affinity leaves another choice. */
export function placesOfLabel({ spec }: Pod, label: string): Place[] {
  const selector = at(spec, 'nodeSelector');
  const inTerms = termsOf(spec).map((term) =>
    term.flatMap((expression) => {
      const key = at(expression, 'key');
      // The other operators hold where the label is missing.
      const asks = !['NotIn', 'DoesNotExist'].includes(textOf(at(expression, 'operator')));
      return asks && textOf(key) === label ? [key] : [];
    }),
  );
  return [
    ...entries(selector).flatMap(([key, place]) => (key === label ? [place] : [])),
    ...(inTerms.every((keys) => keys.length > 0) ? inTerms.flat() : []),
  ];
}

function hostOf({ spec }: Pod, wanted: ReadonlyMap<string, string>): string {
  return textOf(at(spec, 'nodeName')) || (wanted.get(HOST_LABEL) ?? '');
}

/** Labels that a node must have, by selector or by an affinity that leaves no choice. */
function selected({ spec }: Pod, version: string): ReadonlyMap<string, string> {
  const labels = new Map(entries(at(spec, 'nodeSelector')).map(([key, place]) => [key, textOf(place)]));
  const [first, ...others] = termsOf(spec).map(
    (term) => new Map(term.flatMap((expression) => onlyValue(expression, version))),
  );
  for (const [key, value] of first ?? [])
    if (others.every((term) => term.get(key) === value)) labels.set(key, value);
  return labels;
}

/** The expressions of each term that the scheduler obeys. Terms are alternatives: what only one of them asks for is no must. */
function termsOf(spec: Place): Place[][] {
  const required = at(spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
  return items(at(required, 'nodeSelectorTerms')).map((term) => items(at(term, 'matchExpressions')));
}

/** What an expression leaves as the only value of a label. Of operating systems there are two. */
function onlyValue(expression: Place, version: string): [key: string, value: string][] {
  const label = textOf(at(expression, 'key'));
  const [value = '', ...others] = items(at(expression, 'values')).map(textOf);
  if (value === '' || others.length > 0) return [];
  const isOs = OS_LABELS.includes(label);
  // For old and new nodes there are often two terms, one with each label: they say the same.
  const key = isOs ? OS_LABEL : label;
  switch (textOf(at(expression, 'operator'))) {
    case 'In':
      return [[key, value]];
    case 'NotIn':
      // Any node will do that lacks the label.
      if (label === OS_LABEL && !isAtLeast(version, 14)) return [];
      return isOs && asOs(value) ? [[key, value === 'windows' ? 'linux' : 'windows']] : [];
    default:
      return [];
  }
}

function asOs(text: string | undefined): Os | null {
  return text === 'windows' || text === 'linux' ? text : null;
}
