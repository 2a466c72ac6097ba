/** Delivering a binary to Windows nodes: where it goes, and the plan. Pure. */
import { Refusal } from '../errors.js';
import type { Component } from '../node/component.js';
import type { Node } from '../node/node.js';
import type { Built } from './build.js';
import type { InstalledComponent } from './machine.js';
import type { BinarySpec, DeliverPlan, HostPlan, Step, Unread } from './plan.js';
import type { HostReading } from './reading.js';

type ComponentStep = Extract<Step, { kind: 'component' }>;

/** Every build has a folder of its own, beside what runs. Of a version's characters, the paths of services take all but `+`. */
export function deliveredPath({ component, version, commit }: Built): string {
  return `C:\\k\\versions\\${version.replaceAll('+', '_')}-${commit.slice(0, 12)}\\${component}.exe`;
}

export function binaryOf(built: Built): BinarySpec {
  return { path: deliveredPath(built), size: built.size, sha256: built.sha256 };
}

/**
 * The plan: for each node that could be read the copy, and the switch where something is kept running that can be switched. The way back is
 * what runs now. Throws the Refusal `node-unreadable` when none could be read.
 */
export function planDeliver(
  builder: Node,
  built: Built,
  nodes: readonly Node[],
  readings: ReadonlyMap<string, HostReading>,
  by: { basedOn: number; commands(built: Built, node: Node, steps: readonly Step[]): string[] },
): DeliverPlan {
  const hosts: HostPlan[] = [];
  const unread: Unread[] = [];
  for (const node of nodes) {
    const reading = readings.get(node.name);
    const machine = reading?.observed?.windows?.machine;
    if (!reading?.observed || !machine) {
      unread.push({ host: node.name, why: reading && !reading.observed ? reading.unreadable : '' });
      continue;
    }
    const { fingerprint, firstContact } = reading;
    const installed = machine.components[built.component];
    const binary: Step = { kind: 'binary', action: 'ensure', ...binaryOf(built) };
    const steps = [binary, ...switchTo(built.component, installed, deliveredPath(built))];
    const undo =
      steps.length > 1 && installed ? switchTo(built.component, installed, installed.executable) : [];
    hosts.push({
      ...{ host: node.name, os: node.os, podCidr: node.podCidr, role: 'node', steps, undo },
      commands: by.commands(built, node, steps),
      undoCommands: by.commands(built, node, undo),
      observed: null,
      hostKey: { fingerprint, firstContact },
    });
  }
  const [first] = unread;
  if (hosts.length === 0 && first) {
    const address = nodes.find((node) => node.name === first.host)?.address ?? '';
    throw new Refusal('node-unreadable', { name: first.host, address, why: first.why });
  }
  return {
    ...{ kind: 'deliver', basedOn: by.basedOn, together: [], hosts, foreign: [] },
    ...{ builder, built, unread },
  };
}

/** What Fairway keeps running there, with another executable. What somebody else does is theirs to switch. */
function switchTo(
  component: Component,
  installed: InstalledComponent | null,
  executable: string,
): ComponentStep[] {
  if (installed === null || !installed.ours || installed.executable === '') return [];
  return [
    {
      ...{ kind: 'component', action: 'ensure', component, executable },
      ...{ arguments: installed.arguments, environment: installed.environment },
      dependsOn: [component === 'kubelet' ? 'docker' : 'kubelet'],
    },
  ];
}
