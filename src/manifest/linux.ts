/** Paths and programs that only Linux has. Pure. */
import { at, items, type Place, textOf } from './place.js';
import type { Pod } from './read.js';
import type { Hit } from './rule.js';
import { containersOf } from './target.js';

const SHELLS: readonly string[] = ['sh', 'bash', 'ash', 'dash', 'zsh'];
/** `/all` is an option in Windows, and no path; these are. */
const LINUX_FOLDERS = /^\/(bin|sbin|usr|opt|etc|var|lib|home|root|tmp|proc|sys|dev)\//;
const PROBES: readonly string[] = ['livenessProbe', 'readinessProbe', 'startupProbe'];
const HOOKS: readonly string[] = ['postStart', 'preStop'];

/**
 * Paths of the host, and where a program starts: the kubelet puts `c:` before them (`pkg/kubelet/kubelet_pods.go`, makeMounts). Where a
 * volume is mounted does not matter: pod and program agree on it (the docs' own examples mount `/cache`).
 */
export function linuxPaths(pod: Pod): Hit[] {
  const places = [
    ...items(at(pod.spec, 'volumes')).map((volume) => at(volume, 'hostPath', 'path')),
    ...containersOf(pod).map((container) => at(container, 'workingDir')),
  ];
  return places.flatMap((place) => (textOf(place).startsWith('/') ? [{ place, what: textOf(place) }] : []));
}

/** Programs by Linux paths, and Linux shells: what a container runs, and what its probes and hooks do. */
export function linuxCommands(pod: Pod): Hit[] {
  return containersOf(pod).flatMap((container) => {
    const programs = [
      at(container, 'command'),
      ...PROBES.map((probe) => at(container, probe, 'exec', 'command')),
      ...HOOKS.map((hook) => at(container, 'lifecycle', hook, 'exec', 'command')),
    ].flatMap((command) => items(command).slice(0, 1).filter(isProgram));
    const [first] = items(at(container, 'args'));
    const argument = first && LINUX_FOLDERS.test(textOf(first)) ? [first] : [];
    return [...programs, ...argument].map((place) => ({ place, what: textOf(place) }));
  });
}

function isProgram(place: Place): boolean {
  const text = textOf(place);
  return text.startsWith('/') || SHELLS.includes(text);
}
