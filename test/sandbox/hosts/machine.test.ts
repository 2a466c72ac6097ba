/** The scripts that make a node of a sandbox's Windows machine, over the wire: what the lab's real ones can't be asked here without root. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type SandboxHosts, startSandboxHosts } from '../../../sandbox/hosts/start.js';
import type { WindowsHost } from '../../../sandbox/hosts/state.js';
import { openResident, type Resident } from './channel-client.js';

// biome-ignore lint/suspicious/noExplicitAny: what a host says is looked at, property by property, by the tests
type Answer = any;

const COMPONENT = {
  component: 'kubelet',
  executable: 'C:\\k\\kubelet.exe',
  arguments: '--v=3',
  environment: ['CONTAINER_NETWORK=pods'],
  dependsOn: ['docker'],
  ensure: true,
};
const STEPS = [
  { script: 'routing-service', params: { fence: 1, ensure: true } },
  { script: 'image', params: { fence: 1, image: 'apprenda/pause', ensure: true } },
  { script: 'virtual-switch', params: { fence: 1, name: 'KubeProxySwitch', ensure: true } },
  { script: 'component', params: { fence: 1, ...COMPONENT } },
];

let workDir: string;
let sandbox: SandboxHosts;
const open: Resident[] = [];

beforeEach(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'fairway-hosts-'));
  sandbox = await startSandboxHosts({
    workDir,
    hosts: [
      { name: 'win01', os: 'windows', address: '10.0.0.3' },
      { name: 'win04', os: 'windows', address: '10.0.0.10', wantsRestart: true },
    ],
  });
});
afterEach(async () => {
  for (const channel of open.splice(0)) channel.close();
  await sandbox.close();
  rmSync(workDir, { recursive: true, force: true });
});

function stateOf(name: string): WindowsHost {
  const state = sandbox.hosts.get(name)?.state;
  if (state?.os !== 'windows') throw new Error(name);
  return state;
}

async function asker(name: string): Promise<(script: string, params: object) => Promise<Answer>> {
  const host = sandbox.hosts.get(name);
  if (!host) throw new Error(name);
  const channel = await openResident(host, sandbox.keyFile);
  open.push(channel);
  return async (script, params) => (await channel.ask(script, params))[0];
}

test('a job works through its steps, is told of while it goes on, and its result is given once', async () => {
  const ask = await asker('win01');
  const provision = (waitMs: number, id = 'c1') => ask('provision', { fence: 1, id, steps: STEPS, waitMs });
  expect((await provision(0)).data).toEqual({
    over: false,
    done: 0,
    of: 4,
    doing: 'routing-service',
    progress: '',
  });
  await sleep(600);
  const { data } = await provision(0);
  expect(data).toMatchObject({ over: false, done: 1, doing: 'image' });
  expect(data.progress).toMatch(/^[1-6] of 7 layers$/);
  const result = { over: true, done: 4, of: 4, doing: '', progress: '', failed: null, printed: '' };
  expect((await provision(10_000)).data).toEqual(result);
  const { machine, processes } = stateOf('win01');
  expect(machine).toMatchObject({
    routing: { isVpn: false },
    switches: [{ name: 'KubeProxySwitch', type: 'Internal' }],
    components: { kubelet: { manager: 'task', arguments: '--v=3' }, 'kube-proxy': null },
  });
  // Given once: asked again, all is checked anew, and nothing changes.
  expect((await provision(0)).data.over).toBe(false);
  expect((await provision(10_000)).data).toEqual(result);
  expect(stateOf('win01').processes).toEqual(processes);
});

test('a job goes on when its session is cut; who asks again takes it over', async () => {
  const cut = await asker('win01');
  void cut('provision', { fence: 1, id: 'c1', steps: STEPS, waitMs: 60_000 }).catch(() => undefined);
  await sleep(100);
  for (const channel of open.splice(0)) channel.close();
  const ask = await asker('win01');
  const answer = await ask('provision', { fence: 2, id: 'c1', steps: STEPS, waitMs: 60_000 });
  expect(answer.data).toMatchObject({ over: true, done: 4, of: 4, failed: null });
});

test('other work waits for the one under way, whose lease is over then', async () => {
  const ask = await asker('win01');
  const other = await asker('win01');
  await ask('provision', { fence: 1, id: 'c1', steps: STEPS, waitMs: 0 });
  const steps = [{ script: 'virtual-switch', params: { fence: 2, name: 'KubeProxySwitch', ensure: true } }];
  const answer = await other('provision', { fence: 2, id: 'c2', steps, waitMs: 60_000 });
  expect(answer.data).toMatchObject({ over: true, done: 1, of: 1, failed: null });
  expect(stateOf('win01').machine).toMatchObject({ routing: null, images: {} });
});

test('a step that fails ends the job, and is told with its own code and words', async () => {
  const ask = await asker('win01');
  const host = sandbox.hosts.get('win01');
  host?.alter((state) =>
    state.os === 'windows' ? { ...state, machine: { ...state.machine, routing: { isVpn: true } } } : state,
  );
  const answer = await ask('provision', { fence: 1, id: 'c1', steps: STEPS, waitMs: 10_000 });
  expect(answer.data).toMatchObject({
    over: true,
    done: 0,
    failed: { script: 'routing-service', code: 'CONFLICT' },
  });
  expect(stateOf('win01').machine.images).toEqual({});
});

test('where a restart is wanted: done up to there, restarted when told, and done after it', async () => {
  const ask = await asker('win04');
  const request = { fence: 1, id: 'c1', steps: STEPS, waitMs: 10_000 };
  expect((await ask('provision', request)).data).toMatchObject({
    over: true,
    done: 0,
    failed: { code: 'REBOOT' },
  });
  const { boot, machine } = stateOf('win04');
  expect(machine.features).toMatchObject({ Routing: 'InstallPending' });
  expect(await ask('reboot', { fence: 1, boot: 'another' })).toMatchObject({ ok: true, changed: false });
  expect(await ask('reboot', { fence: 1, boot })).toEqual({ ok: true, changed: true, data: {} });
  while (stateOf('win04').boot === boot) await sleep(20);
  const again = await asker('win04');
  expect((await again('provision', request)).data).toMatchObject({ over: true, done: 4, failed: null });
  expect(stateOf('win04').machine).toMatchObject({
    routing: { isVpn: false },
    routingRecord: expect.any(Array),
  });
});

test('a machine that went down over a job says so, once', async () => {
  const ask = await asker('win01');
  await ask('provision', { fence: 1, id: 'c1', steps: STEPS, waitMs: 0 });
  sandbox.hosts.get('win01')?.reboot();
  const again = await asker('win01');
  const provision = () => again('provision', { fence: 1, id: 'c1', steps: STEPS, waitMs: 10_000 });
  expect(await provision()).toMatchObject({ ok: false, code: 'JOB-LOST' });
  expect((await provision()).data).toMatchObject({ over: true, failed: null });
});

test('an overtaken lease changes nothing', async () => {
  const ask = await asker('win01');
  await ask('image', { fence: 5, image: 'apprenda/pause', ensure: true });
  for (const { script, params } of [
    ...STEPS,
    { script: 'reboot', params: { fence: 1, boot: stateOf('win01').boot } },
  ])
    expect(await ask(script, params)).toMatchObject({ ok: false, code: 'FENCED' });
});
