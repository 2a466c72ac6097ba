/** What only Windows has: services that depend on one another, tasks, two names of kube-proxy, log files, a reboot. */
import { appendFileSync, copyFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { HostError, HostPool, HostRequest } from '../../../src/host/host.js';
import type { HostContext, ServiceAction } from '../../../src/host/platform.js';
import { createSshPool } from '../../../src/host/ssh.js';
import { windows } from '../../../src/host/windows.js';
import { Component } from '../../../src/node/component.js';
import { createLab, type Lab } from '../../lab/lab.js';
import { describeWith } from '../../lab/requirements.js';
import { nameOf, pidsIn, until } from '../../lab/system.js';
import type { WindowsHost } from '../../lab/windows/host.js';
import { install, servicesKey, uninstall } from '../../lab/windows/services.js';
import { PROGRAMS } from '../../support/programs.js';

let lab: Lab;
let pool: HostPool;
let ctx: HostContext;
let folder: string;
let fence = 0;

function host(): WindowsHost {
  const { windows: found } = lab.host('win01');
  if (!found) throw new Error('win01 is down');
  return found;
}

async function ask(request: HostRequest): Promise<unknown> {
  const { target, fingerprint } = lab.host('win01');
  return (await pool.request(target, request, { fingerprint })).data;
}

async function probe() {
  return windows.parseProbe(await ask(windows.probe(ctx)), ctx);
}

async function processes() {
  return (await probe()).processes;
}

/** What runs afterwards, and what went along. It has to stay for `stayMs`, shorter than usual. */
async function control(
  component: Component,
  action: ServiceAction,
  stayDown: readonly Component[] = [],
  stayMs = 300,
) {
  const { params, ...request } = windows.service(ctx, component, action, ++fence, stayDown);
  const data = await ask({ ...request, params: { ...params, stayMs } });
  return { ...windows.parseProbe(data, ctx), along: windows.parseAlong(data) };
}

async function service(component: Component, action: ServiceAction) {
  return (await control(component, action)).processes;
}

async function logs(component: Component, lines = 200): Promise<string> {
  return windows.parseLogs(await ask(windows.logs(ctx, component, lines)));
}

async function failure(work: Promise<unknown>): Promise<HostError> {
  return await work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: HostError) => error,
  );
}

/** Sets up both by hand, once nothing of the setting before runs any longer; what breaks. */
async function setUp(manager: 'nssm' | 'task', faults: Record<string, string> = {}): Promise<void> {
  mkdirSync(join(folder, 'k/logs'), { recursive: true });
  for (const component of Component.options) await lab.kill('win01', component);
  host().edit((state) => {
    state.faults = {};
    install(state, manager);
  });
  for (const component of Component.options) await lab.startComponent('win01', component);
  breakIt(faults);
}

function breakIt(faults: Record<string, string>): void {
  host().edit((state) => {
    state.faults = faults;
  });
}

describeWith(['root', 'dotnet'], 'kubelet and kube-proxy on Windows', () => {
  beforeAll(async () => {
    lab = await createLab({
      hosts: [{ name: 'win01', os: 'windows', address: '10.0.0.5', processes: true }],
    });
    pool = createSshPool({ sshConfigFile: lab.sshConfigFile, pinned: async () => null });
    const { target } = lab.host('win01');
    const clusterCidr = '192.168.0.0/16';
    ctx = {
      target,
      clusterCidr,
      podCidr: '192.168.1.0/24',
      network: 'pods',
      bridge: '',
      ...PROGRAMS,
      owned: [],
    };
    folder = join(lab.dir, 'hosts/win01');
  }, 120_000);
  beforeEach(() => setUp('nssm'));
  afterAll(async () => {
    await pool?.close();
    await lab?.close();
  });

  test('what depends on kubelet goes along with it: down, and up again', async () => {
    const both = { kubelet: { pid: expect.any(Number) }, 'kube-proxy': { pid: expect.any(Number) } };
    const before = await processes();
    const after = await control('kubelet', 'restart');
    expect(after).toMatchObject({ processes: both, along: ['kube-proxy'] });
    expect(after.processes.kubelet?.pid).not.toBe(before.kubelet?.pid);
    expect(after.processes['kube-proxy']?.pid).not.toBe(before['kube-proxy']?.pid);
    for (const action of ['start', 'restart'] as const) {
      expect(await control('kubelet', 'stop')).toMatchObject({
        processes: { kubelet: null, 'kube-proxy': null },
        along: ['kube-proxy'],
      });
      expect(await control('kubelet', action)).toMatchObject({ processes: both, along: ['kube-proxy'] });
    }
    // It does not go the other way.
    expect(await control('kube-proxy', 'stop')).toMatchObject({
      processes: { kubelet: both.kubelet },
      along: [],
    });
    expect(await control('kubelet', 'start')).toMatchObject({ processes: both, along: ['kube-proxy'] });
  });

  test('what is to stay down, or does not start with Windows, stays down; what can’t start is told', async () => {
    const down = { processes: { kubelet: { pid: expect.any(Number) }, 'kube-proxy': null }, along: [] };
    await service('kubelet', 'stop');
    for (const action of ['start', 'restart'] as const)
      expect(await control('kubelet', action, ['kube-proxy'])).toMatchObject(down);
    const key = `${servicesKey}\\kube-proxy`;
    host().edit(({ registry }) => Object.assign(registry[key] ?? {}, { Start: 3 }));
    expect(await control('kubelet', 'start')).toMatchObject(down);
    host().edit(({ registry }) =>
      Object.assign(registry[key] ?? {}, { Start: 2, DependOnService: ['kubelet', 'none'] }),
    );
    expect(await failure(control('kubelet', 'start'))).toMatchObject({
      message: expect.stringMatching(/^kube-proxy, which depends on kubelet, does not start: .*none/),
      detail: { code: 'SERVICE' },
    });
  });

  test.each([
    ['nssm', 'restart'],
    ['task', 'restart'],
  ] as const)('what ends at once and is started anew does not run (%s, %s)', async (manager, action) => {
    await setUp(manager, { crash: 'kubelet' });
    expect(await failure(control('kubelet', action, [], 1_000))).toMatchObject({
      message: expect.stringMatching(/^kubelet does not stay up; its last words: .*no such network/),
      detail: { code: 'SERVICE' },
    });
  });

  test('a scheduled task does as well as a service; what it leaves behind is ended', async () => {
    await setUp('task');
    const before = await processes();
    const after = await service('kube-proxy', 'restart');
    expect(after.kubelet).toEqual(before.kubelet);
    expect(after['kube-proxy']?.pid).not.toBe(before['kube-proxy']?.pid);
    breakIt({ orphan: 'yes' });
    expect((await service('kube-proxy', 'restart'))['kube-proxy']?.pid).not.toBe(after['kube-proxy']?.pid);
    expect(await service('kube-proxy', 'stop')).toMatchObject({ 'kube-proxy': null });
  });

  test('with neither, the answer says so; a service manager’s no comes with its words', async () => {
    host().edit(uninstall);
    expect(await failure(service('kubelet', 'restart'))).toMatchObject({
      kind: 'script',
      message: 'there is no service and no scheduled task kubelet',
      detail: { code: 'NO-SERVICE' },
    });
    await setUp('nssm');
    await lab.kill('win01', 'kubelet');
    breakIt({ service: 'Service kubelet cannot be started due to the following error: 1053' });
    expect(await failure(service('kubelet', 'start'))).toMatchObject({
      message: expect.stringMatching(/^start of kubelet did not do it: .* 1053$/),
      detail: { code: 'SERVICE' },
    });
  });

  test('kube-proxy may be called proxy.exe; one by its full name comes first', async () => {
    copyFileSync('/usr/bin/sleep', join(folder, 'k/proxy.exe'));
    writeFileSync(join(folder, 'wmi-proxy'), `exec ${join(folder, 'k/proxy.exe')} infinity\n`);
    appendFileSync(join(folder, 'wmi'), `${join(folder, 'wmi-proxy')}\n`);
    const proxies = () => pidsIn([lab.host('win01').namespace]).filter((pid) => nameOf(pid) === 'proxy.exe');
    await until('proxy.exe', () => proxies().length === 1);
    const full = (await processes())['kube-proxy'];
    await lab.kill('win01', 'kube-proxy');
    const native = (await processes())['kube-proxy'];
    expect(native?.pid).toBeGreaterThan(full?.pid ?? 0);
    const heard: string[] = [];
    const { target, fingerprint } = lab.host('win01');
    await pool.watch(target, { fingerprint }, { 'kube-proxy': native?.pid ?? 0 }, (what) => heard.push(what));
    for (const pid of proxies()) process.kill(pid, 'SIGKILL');
    await until('word of it', () => heard.length > 0);
    expect(heard).toEqual(['kube-proxy']);
    expect((await processes())['kube-proxy']).toBeNull();
  });

  test('the log is the newest file’s end, cut at a line, in any script', async () => {
    const [old, fresh] = [join(folder, 'k/logs/kubelet.out.log'), join(folder, 'k/logs/kubelet-2026.log')];
    writeFileSync(old, 'old\n');
    utimesSync(old, 1, 1);
    const line = `节点 & "q" ${'x'.repeat(500)}`;
    writeFileSync(fresh, `${line}\r\n`.repeat(400));
    // The kubelet of the test before may write its first words only now.
    const later = Date.now() / 1000 + 60;
    utimesSync(fresh, later, later);
    const text = await logs('kubelet');
    expect(new Set(text.split('\n'))).toEqual(new Set([line]));
    expect(Buffer.byteLength(text)).toBeGreaterThan(60_000);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536);
    expect(await logs('kubelet', 1)).toBe(line);
    writeFileSync(fresh, 'the only line\r\n');
    utimesSync(fresh, later, later);
    expect(await logs('kubelet')).toBe('the only line');
    rmSync(join(folder, 'k/logs'), { recursive: true });
    expect(await failure(logs('kubelet'))).toMatchObject({ kind: 'script', detail: { code: 'NO-LOG' } });
  });

  test('a reboot gives other processes, interface numbers and boot time; routes come back that are persistent', async () => {
    const before = await probe();
    const own = { destination: '192.168.0.0/24', nextHop: '10.0.0.4' };
    ctx = { ...ctx, owned: [own] };
    const step = { kind: 'route' as const, action: 'ensure' as const, peer: 'lin01', route: own };
    for (const request of windows.apply([step], ctx, before.observed, ++fence)) await ask(request);
    await lab.exec('win01', 'ip route add 192.168.7.0/24 via 10.0.0.9 dev eth0 proto static metric 256');
    await lab.reboot('win01');
    const after = await probe();
    expect(after.observed.boot).not.toBe(before.observed.boot);
    expect(after.observed.nodeDevice).not.toBe(before.observed.nodeDevice);
    expect(after.processes.kubelet?.started).not.toBe(before.processes.kubelet?.started);
    const device = after.observed.nodeDevice;
    const routes = after.observed.routes.filter(({ destination }) => destination.startsWith('192.168.'));
    expect(routes).toEqual([{ ...own, device, ours: true, metric: 256 }]);
  });
});
