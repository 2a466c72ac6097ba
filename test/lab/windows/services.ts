/** What keeps kubelet and kube-proxy running on a Windows lab host, and what stands for the two. Services.cs is the manager. */
import { copyFileSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Component } from '../../../src/node/component.js';
import type { WindowsState } from './state.js';

/** A scheduled task, as Services.cs has it. */
export interface LabTask {
  name: string;
  description: string;
  execute: string;
  arguments: string;
  userId: string;
  logonType: string;
  atBoot: boolean;
  enabled: boolean;
  /** ISO 8601; Windows' own default is `PT72H`. */
  timeLimit: string;
  priority: number;
}

export const servicesKey = String.raw`HKLM\SYSTEM\CurrentControlSet\Services`;

/** Takes away every service and task of the two. */
export function uninstall(state: WindowsState): void {
  state.tasks = [];
  for (const key of Object.keys(state.registry)) {
    if (Component.options.some((name) => `${key}\\`.startsWith(`${servicesKey}\\${name}\\`)))
      delete state.registry[key];
  }
}

/** Both as somebody would have set them up by hand, with nssm or as tasks without a wrapper. They start with Windows. */
export function install(state: WindowsState, manager: 'nssm' | 'task'): void {
  uninstall(state);
  for (const name of Component.options) {
    if (manager === 'task') state.tasks.push(handMadeTask(name));
    else Object.assign(state.registry, handMadeService(name));
  }
}

function handMadeTask(name: Component): LabTask {
  const execute = `C:\\k\\${name}.exe`;
  const fixed = {
    description: '',
    arguments: '--v=3',
    userId: 'SYSTEM',
    logonType: 'Password',
    timeLimit: 'PT72H',
    priority: 7,
  };
  return { name, execute, ...fixed, atBoot: true, enabled: true };
}

function handMadeService(name: Component): WindowsState['registry'] {
  return {
    [`${servicesKey}\\${name}`]: {
      ImagePath: String.raw`C:\nssm\nssm.exe`,
      Start: 2,
      DependOnService: name === 'kubelet' ? [] : ['kubelet'],
    },
    [`${servicesKey}\\${name}\\Parameters`]: {
      Application: `C:\\k\\${name}.exe`,
      AppParameters: '--v=3',
      AppStderr: `C:\\k\\logs\\${name}.err.log`,
      AppRestartDelay: 5000,
    },
  };
}

/**
 * The binaries: copies of a shell, which bear the copies' names and run this script, with whatever arguments. It writes as Kubernetes
 * does, and ends at once when the host's fault `crash` names it.
 */
export function writeBinaries(workDir: string): void {
  for (const folder of ['services', 'k/logs']) mkdirSync(join(workDir, folder), { recursive: true });
  const never = join(workDir, 'services/never');
  const script = `
read -r name </proc/$$/comm
klog() { echo "$1$(date -u +'%m%d %H:%M:%S').000000 $$ $2" >&2; }
klog I 'server.go:408] Version: v1.5.3'
if grep -q "\\"crash\\": *\\"\${name%.exe}\\"" '${workDir}/state.json'; then
  klog F 'server.go:120] failed to run: no such network'
  exit 255
fi
klog I 'server.go:124] Starting to listen'
[ -p '${never}' ] || mkfifo '${never}'
read -r line <>'${never}'
`;
  writeFileSync(join(workDir, 'services/program'), script);
  for (const name of Component.options) {
    const exe = join(workDir, 'k', `${name}.exe`);
    // A running program can't be written to.
    if (!existsSync(exe)) copyFileSync(realpathSync('/bin/sh'), exe);
  }
}
