/** Which operating system a pod is meant for, and on which nodes it may run. Pure. */
import { OS_LABELS } from '../kube/version.js';
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

/** `pinned`: the scheduler puts it nowhere else. */
export interface Target {
  os: Os | null;
  pinned: boolean;
}

const HOST_LABEL = 'kubernetes.io/hostname';
/** https://kubernetes.io/docs/reference/labels-annotations-taints/#nodekubernetesiowindows-build */
const BUILD_LABEL = 'node.kubernetes.io/windows-build';

/** Containers that run one after the other, or together. */
export function containersOf({ spec }: Pod): Place[] {
  return [...items(at(spec, 'containers')), ...items(at(spec, 'initContainers'))];
}

/** What says it, the surest first: where the scheduler may put it, what the pod says of itself, and what its images are. */
export function targetOf(pod: Pod, nodes: readonly KnownNode[]): Target {
  const wanted = selected(pod);
  const os =
    asOs(OS_LABELS.map((label) => wanted.get(label)).find((value) => value !== undefined)) ??
    (wanted.has(BUILD_LABEL) ? 'windows' : null);
  if (os) return { os, pinned: true };
  const host = hostOf(pod);
  const node = nodes.find(({ name }) => name === host);
  if (node) return { os: node.os, pinned: true };
  // The scheduler does not look at what a pod says of itself: https://kubernetes.io/docs/concepts/workloads/pods/#pod-os
  const said = asOs(textOf(at(pod.spec, 'os', 'name')));
  const isWindows =
    [pod.spec, ...containersOf(pod)].some((place) =>
      isThere(at(place, 'securityContext', 'windowsOptions')),
    ) || containersOf(pod).some((container) => isWindowsImage(textOf(at(container, 'image'))));
  return { os: said ?? (isWindows ? 'windows' : null), pinned: wanted.size > 0 || host !== '' };
}

/** Windows nodes that the scheduler may choose. */
export function mayRunOn(pod: Pod, nodes: readonly KnownNode[]): KnownNode[] {
  const host = hostOf(pod);
  const build = Number(/(\d+)$/.exec(selected(pod).get(BUILD_LABEL) ?? '')?.[1] ?? 0);
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

function hostOf(pod: Pod): string {
  return textOf(at(pod.spec, 'nodeName')) || (selected(pod).get(HOST_LABEL) ?? '');
}

/** Labels that a node must have, by selector or by an affinity that leaves no choice. */
function selected({ spec }: Pod): ReadonlyMap<string, string> {
  const labels = new Map(entries(at(spec, 'nodeSelector')).map(([key, place]) => [key, textOf(place)]));
  const terms = items(
    at(
      spec,
      'affinity',
      'nodeAffinity',
      'requiredDuringSchedulingIgnoredDuringExecution',
      'nodeSelectorTerms',
    ),
  );
  // Terms are alternatives: what only one of them asks for is no must.
  const [first, ...others] = terms.map(
    (term) => new Map(items(at(term, 'matchExpressions')).flatMap(onlyValue)),
  );
  for (const [key, value] of first ?? [])
    if (others.every((term) => term.get(key) === value)) labels.set(key, value);
  return labels;
}

/** What an expression leaves as the only value of a label. Of operating systems there are two. */
function onlyValue(expression: Place): [key: string, value: string][] {
  const key = textOf(at(expression, 'key'));
  const [value = '', ...others] = items(at(expression, 'values')).map(textOf);
  if (value === '' || others.length > 0) return [];
  switch (textOf(at(expression, 'operator'))) {
    case 'In':
      return [[key, value]];
    case 'NotIn':
      return OS_LABELS.includes(key) && asOs(value) ? [[key, value === 'windows' ? 'linux' : 'windows']] : [];
    default:
      return [];
  }
}

function asOs(text: string | undefined): Os | null {
  return text === 'windows' || text === 'linux' ? text : null;
}
