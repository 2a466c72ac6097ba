import { expect, test } from '@jest/globals';
import type { Built } from '../../src/plan/build.js';
import { deliveredPath, planDeliver } from '../../src/plan/deliver.js';
import type { InstalledComponent } from '../../src/plan/machine.js';
import type { Observation } from '../../src/plan/plan.js';
import { nodeOf } from '../support/model-cluster.js';
import { freshHost } from '../support/model-host.js';

const node = nodeOf(3, 'windows');
const built: Built = {
  ...{ component: 'kubelet', version: 'v1.5.0', source: '/srv/kubernetes', commit: 'a'.repeat(40) },
  ...{ host: '10.0.0.20', path: '/b/kubelet.exe', size: 9, sha256: 'b'.repeat(64), go: '1.7.6' },
  ...{ at: '2026-11-27T03:00:00.000Z', changeId: 'c1' },
};
const kept: InstalledComponent = {
  ...{ manager: 'nssm', ours: true, executable: 'C:\\k\\kubelet.exe', arguments: '--v=3' },
  ...{ environment: ['CONTAINER_NETWORK=pods'], runs: true, atBoot: true },
};

function planOf(installed: InstalledComponent | null) {
  const { windows, ...rest } = freshHost(node);
  if (!windows) throw new Error('no Windows host');
  const machine = { ...windows.machine, components: { kubelet: installed, 'kube-proxy': null } };
  const observed: Observation = { ...rest, windows: { ...windows, machine } };
  const readings = new Map([[node.name, { observed, fingerprint: 'SHA256:x', firstContact: false }]]);
  const by = { basedOn: 1, commands: () => [] };
  const [host] = planDeliver(nodeOf(9, 'linux'), built, [node], readings, by).hosts;
  return host;
}

test('what Fairway keeps running is switched with the arguments that it has, and back', () => {
  const host = planOf(kept);
  const same = { arguments: kept.arguments, environment: kept.environment, dependsOn: ['docker'] };
  expect(host?.steps).toMatchObject([
    { kind: 'binary', path: deliveredPath(built), size: 9 },
    { kind: 'component', executable: deliveredPath(built), ...same },
  ]);
  expect(host?.undo).toMatchObject([{ kind: 'component', executable: kept.executable, ...same }]);
});

test.each<[string, InstalledComponent | null]>([
  ['nothing', null],
  ['an nssm service made by hand', { ...kept, ours: false }],
  ['a task made by hand', { ...kept, ours: false, manager: 'task', executable: 'powershell.exe' }],
  ['a service without nssm', { ...kept, ours: false, manager: 'other' }],
  ['a task of ours whose wrapper is gone', { ...kept, manager: 'task', executable: '' }],
])('%s is not switched: the file is only brought there', (_, installed) => {
  const host = planOf(installed);
  expect([host?.steps.map(({ kind }) => kind), host?.undo]).toEqual([['binary'], []]);
});
