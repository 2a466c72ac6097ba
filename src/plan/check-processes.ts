/** What is checked of kubelet and kube-proxy on a Windows host, and of what they rest on (S20, S21). Pure. */
import { Component } from '../node/component.js';
import { type Check, check } from './check.js';
import { type Looked, standing } from './check-steps.js';
import { isBefore } from './check-version.js';
import type { WindowsMachine } from './machine.js';
import { type Guarded, isOpenToAll } from './permissions.js';
import { hasGuideFlags } from './windows-node.js';

/** Before it kube-proxy looks for English words in what netsh prints, and never ends where there are none (kubernetes/kubernetes#52976). */
const ANY_LANGUAGE = '1.9';
/** The primary language of an LCID, its low ten bits, and the one of every English ([MS-LCID]). */
const PRIMARY_LANGUAGE = 0x3ff;
const ENGLISH = 9;

export function processChecks(on: Looked, machine: WindowsMachine): Check[] {
  const { kubernetesVersion: version } = on.policy;
  const { language, nssm } = machine;
  const isEnglish = (language & PRIMARY_LANGUAGE) === ENGLISH;
  const isDeaf = isBefore(version, ANY_LANGUAGE) && !isEnglish;
  const manager = nssm === null ? check('service-manager', 'note', {}) : check('service-manager', 'ok', {});
  return [
    ...(hasGuideFlags(on.policy)
      ? [ipHelper(machine), manager]
      : [check('kubernetes-flags', 'note', { version })]),
    isDeaf ? check('language', 'fix', { language }) : check('language', 'ok', { isEnglish }),
    ...Component.options.map((component) => process(on, machine, component)),
    permissions(machine),
  ];
}

/** Both run as the system: who may change their files, or what lies beside them, has the machine. */
function permissions({ permissions: found }: WindowsMachine): Check {
  const programs = Object.keys(found).filter((path) => /\.exe$/i.test(path));
  const folders = new Set(programs.map((path) => path.slice(0, path.lastIndexOf('\\'))));
  const kindOf = (path: string): Guarded =>
    programs.includes(path) ? 'program' : folders.has(path) ? 'folder' : 'above';
  const all = Object.entries(found).map(([path, sddl]) => ({ path, sddl, kind: kindOf(path) }));
  const open = all.find(({ sddl, kind }) => sddl !== null && isOpenToAll(sddl, kind));
  if (open) return check('permissions', 'fix', { path: open.path, isFile: open.kind === 'program' });
  const unread = all.find(({ sddl }) => sddl === null);
  return unread ? check('permissions', 'unknown', { path: unread.path }) : check('permissions', 'ok', {});
}

/** It serves netsh's portproxy, on which kube-proxy's userspace mode rests. */
function ipHelper({ ipHelper: service }: WindowsMachine): Check {
  return service?.runs && service.atBoot
    ? check('ip-helper', 'ok', {})
    : check('ip-helper', 'fix', { isThere: service !== null });
}

function process(on: Looked, machine: WindowsMachine, component: Component): Check {
  const executable = on.node.executables?.[component] ?? on.policy.executables[component];
  const installed = machine.components[component];
  const isUp = installed?.runs === true && installed.atBoot;
  const state = installed === null ? 'missing' : isUp ? 'differs' : 'stopped';
  const stands = standing(
    on,
    'component',
    (step) => step.kind === 'component' && step.component === component,
  );
  if (stands === 'ok') return check(component, 'ok', { executable });
  // No step of ours starts it, so whatever does is right.
  if (stands === null && isUp) return check(component, 'ok', { executable: installed.executable });
  if (stands !== 'will') return check(component, 'note', { state });
  return machine.binaries[component]
    ? check(component, 'will', { state })
    : check(component, 'fix', { executable });
}
