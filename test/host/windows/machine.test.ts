/** What makes a node of a Windows machine: read, made from every starting state, and undone. Pod network and components have their own files. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { HostContext } from '../../../src/host/platform.js';
import { windows } from '../../../src/host/windows.js';
import type { WindowsMachine } from '../../../src/plan/machine.js';
import type { Step } from '../../../src/plan/plan.js';
import { stepHolds } from '../../../src/plan/step.js';
import { describeWith } from '../../lab/requirements.js';
import { servicesKey } from '../../lab/windows/services.js';
import { plainService, type WindowsState } from '../../lab/windows/state.js';
import { PROGRAMS } from '../../support/programs.js';
import { readFull } from './pods.js';
import { type Answer, type Channel, nodeIp, type Site, startSite } from './site.js';

const KUBE_SWITCH = 'KubeProxySwitch';
const IMAGE = PROGRAMS.pauseImage;
/** For administrators and the system alone. */
const CLOSED = 'O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)';
/** As a folder made below `C:\` gets it. */
const OPEN = 'O:BAG:BAD:AI(A;OICIID;FA;;;BA)(A;OICIID;FA;;;SY)(A;OICIID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)';
const OFF = { RemoteAccess: 'Available', Routing: 'Available', 'RSAT-RemoteAccess-PowerShell': 'Available' };
const STEPS = {
  'routing-service': { kind: 'routing-service' },
  'virtual-switch': { kind: 'virtual-switch', name: KUBE_SWITCH },
  image: { kind: 'image', image: IMAGE },
} as const;

/** Has a service that no process stands for, or has it no more. */
function service(state: WindowsState, name: string, start: 2 | 3 | 4 | null, runs: boolean): void {
  const key = `${servicesKey}\\${name}`;
  if (start === null) delete state.registry[key];
  else state.registry[key] = plainService('svchost.exe', start);
  state.stopped = [...state.stopped.filter((other) => other !== name), ...(runs ? [] : [name])];
}

describeWith(['root', 'dotnet'], 'what makes a node of a Windows machine', () => {
  let site: Site;
  let channel: Channel;
  let record = '';

  beforeAll(async () => {
    site = await startSite('mach');
    channel = await site.open();
    record = join(site.workDir, 'host/Program Files/Fairway/routing-service.json');
  }, 180_000);
  afterAll(() => site.stop());
  beforeEach(() => {
    for (const { device } of site.host.state().switches) site.inside('ip', 'link', 'del', device);
    edit((state) => {
      const fresh = {
        faults: {},
        features: { ...OFF },
        remoteAccess: '',
        switches: [],
        images: {},
        language: 1033,
      };
      Object.assign(state, fresh, { containers: {} });
      state.nics = state.nics.filter(({ device }) => device.startsWith('eth'));
      service(state, 'RemoteAccess', null, false);
    });
    if (existsSync(record)) writeFileSync(record, '{"features":[],"restart":""}');
  });

  const edit = (change: (state: WindowsState) => void): void => site.host.edit(change);
  const breakIt = (faults: Record<string, string>): void => edit((state) => Object.assign(state, { faults }));
  const routing = (ensure: boolean): Promise<Answer> =>
    channel.request('routing-service', { fence: 10, ensure });
  const kubeSwitch = (ensure: boolean, on = channel): Promise<Answer> =>
    on.request('virtual-switch', { fence: 10, name: KUBE_SWITCH, ensure });
  const image = (ensure: boolean): Promise<Answer> =>
    channel.request('image', { fence: 10, image: IMAGE, ensure });

  /** A full read, as the platform understands it. */
  async function observe() {
    const ctx = {
      target: { name: 'win03', address: nodeIp, os: 'windows' },
      owned: [],
    } as unknown as HostContext;
    return windows.parseObservation(await readFull(channel, site), ctx);
  }
  async function machine(): Promise<WindowsMachine> {
    const { windows: seen } = await observe();
    if (!seen) throw new Error('no Windows facts');
    return seen.machine;
  }
  /** Whether planning takes the step for done. */
  async function holds(kind: keyof typeof STEPS, action: 'ensure' | 'remove'): Promise<boolean> {
    return stepHolds({ ...STEPS[kind], action } as Step, await observe());
  }

  test('a machine with sshd, docker and the binaries on it', async () => {
    const { clock, ...seen } = await machine();
    expect(seen).toEqual({
      product: 'Microsoft Windows Server 2016 Standard',
      isServer: true,
      language: 1033,
      codePage: 437,
      isAdministrator: true,
      freeBytes: 60_000_000_000,
      ipHelper: { runs: true, atBoot: true },
      docker: { version: '1.12.2-cs2-ws-beta' },
      pauseImage: null,
      features: OFF,
      routing: null,
      rebootPending: false,
      switches: [],
      nssm: expect.stringMatching(/nssm\.exe$/),
      binaries: { kubelet: true, 'kube-proxy': true },
      permissions: Object.fromEntries(
        ['C:\\k', 'C:\\k\\kubelet.exe', 'C:\\k\\kube-proxy.exe'].map((path) => [path, CLOSED]),
      ),
      components: { kubelet: null, 'kube-proxy': null },
    });
    expect(Math.abs(Date.parse(clock) - Date.now())).toBeLessThan(5_000);
    // Reading makes nothing, not even a folder.
    expect(existsSync(dirname(record))).toBe(false);
  });

  test('a Chinese one without nssm and kubelet.exe, whose account is no administrator, and whose docker is down', async () => {
    edit((state) => {
      state.language = 2052;
      state.registry['HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage'] = { OEMCP: '936' };
      service(state, 'iphlpsvc', 4, false);
      state.permissions = { 'C:\\k': OPEN, 'C:\\k\\kube-proxy.exe': null };
      state.faults = { docker: 'error during connect: 系统找不到指定的文件。', 'not-admin': 'yes' };
    });
    const gone = ['programs/nssm.exe', 'k/kubelet.exe'].map((name) => join(site.workDir, 'host', name));
    for (const file of gone) renameSync(file, `${file}.away`);
    const seen = await observe();
    for (const file of gone) renameSync(`${file}.away`, file);
    expect(seen.windows).toMatchObject({
      podNetworks: null,
      machine: {
        product: 'Microsoft Windows Server 2016 标准版',
        language: 2052,
        codePage: 936,
        isAdministrator: false,
        ipHelper: { runs: false, atBoot: false },
        docker: { error: 'docker does not answer (1: error during connect: 系统找不到指定的文件。)' },
        pauseImage: null,
        nssm: null,
        binaries: { kubelet: false, 'kube-proxy': true },
        permissions: { 'C:\\k': OPEN, 'C:\\k\\kube-proxy.exe': null },
      },
    });
    expect(channel.lines.filter((line) => !/^[\x20-\x7e]*$/.test(line))).toEqual([]);
    edit((state) => {
      state.registry['HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage'] = { OEMCP: '437' };
      service(state, 'iphlpsvc', 2, true);
      state.permissions = {};
    });
  });

  // The code page goes by the system locale, which anybody may set without another Windows.
  test.each([
    ['an English one with German settings', 1033, 850],
    ['a German one with American settings', 1031, 437],
  ])('%s', async (_what, language, codePage) => {
    const key = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage';
    edit((state) => {
      state.language = language;
      state.registry[key] = { OEMCP: String(codePage) };
    });
    expect(await machine()).toMatchObject({ language, codePage });
    edit((state) => {
      state.registry[key] = { OEMCP: '437' };
    });
  });

  describe('Routing and Remote Access', () => {
    test('set up, set up already, and undone', async () => {
      expect(await routing(true)).toEqual({ ok: true, changed: true, data: { rebootPending: false } });
      expect(await routing(true)).toEqual({ ok: true, changed: false, data: { rebootPending: false } });
      expect(await machine()).toMatchObject({
        routing: { runs: true, atBoot: true, isRouter: true, isVpn: false },
        features: { Routing: 'Installed' },
      });
      expect(await holds('routing-service', 'ensure')).toBe(true);
      expect(await routing(false)).toEqual({ ok: true, changed: true, data: { rebootPending: false } });
      expect(await routing(false)).toEqual({ ok: true, changed: false, data: { rebootPending: false } });
      expect(await machine()).toMatchObject({ routing: null, features: OFF });
      expect(await holds('routing-service', 'remove')).toBe(true);
    });

    test.each<[string, (state: WindowsState) => void]>([
      ['one feature is there', ({ features }) => Object.assign(features, { Routing: 'Installed' })],
      [
        'nothing is set up',
        (state) => {
          for (const name of Object.keys(OFF)) state.features[name] = 'Installed';
          service(state, 'RemoteAccess', 4, false);
        },
      ],
      [
        'its service does not start with Windows',
        (state) => {
          for (const name of Object.keys(OFF)) state.features[name] = 'Installed';
          state.remoteAccess = 'RoutingOnly';
          service(state, 'RemoteAccess', 3, false);
        },
      ],
      [
        'its service is known not to start by itself',
        (state) => Object.assign(state.faults, { 'remote-access': 'yes' }),
      ],
    ])('half done: %s', async (_name, half) => {
      edit(half);
      // The cmdlets that come with a feature are looked for when an interpreter starts.
      const other = await site.open();
      const answer = await other.request('routing-service', { fence: 10, ensure: true });
      other.cut();
      expect(answer).toEqual({ ok: true, changed: true, data: { rebootPending: false } });
      expect(site.host.state()).toMatchObject({
        remoteAccess: 'RoutingOnly',
        registry: { [`${servicesKey}\\RemoteAccess`]: { Start: 2 } },
      });
      expect(site.host.state().stopped).not.toContain('RemoteAccess');
    });

    test('undoing takes away what Fairway installed, and nothing else', async () => {
      edit(({ features }) => Object.assign(features, { 'RSAT-RemoteAccess-PowerShell': 'Installed' }));
      const other = await site.open();
      expect(await other.request('routing-service', { fence: 10, ensure: true })).toMatchObject({ ok: true });
      expect(await other.request('routing-service', { fence: 10, ensure: false })).toMatchObject({
        ok: true,
      });
      other.cut();
      expect(site.host.state().features).toEqual({ ...OFF, 'RSAT-RemoteAccess-PowerShell': 'Installed' });
    });

    // Undoing would take any of these away along with the router.
    test.each([
      ['Vpn', true],
      ['Vpn', false],
      ['VpnS2S', true],
      ['VpnS2S', false],
      ['SstpProxy', false],
    ] as const)('in use for %s it is left alone (ensure %s)', async (use, ensure) => {
      edit((state) => {
        for (const name of Object.keys(OFF)) state.features[name] = 'Installed';
        state.remoteAccess = use;
        service(state, 'RemoteAccess', 2, true);
      });
      const before = site.host.state();
      const other = await site.open();
      const answer = await other.request('routing-service', { fence: 10, ensure });
      other.cut();
      expect(answer).toEqual({
        ok: false,
        code: 'CONFLICT',
        error: 'Remote Access is in use here, for VPN or DirectAccess',
      });
      expect(site.host.state()).toEqual(before);
    });

    test('a no of Windows comes with its words, in any language', async () => {
      breakIt({ features: '请求添加或删除功能的操作失败。' });
      expect(await routing(true)).toEqual({
        ok: false,
        code: 'FEATURE',
        error:
          'RemoteAccess, Routing, RSAT-RemoteAccess-PowerShell did not get installed: 请求添加或删除功能的操作失败。',
      });
      breakIt({ service: '无法启动服务', 'remote-access': 'yes' });
      expect(await routing(true)).toMatchObject({
        ok: false,
        code: 'ROUTING',
        error: expect.stringContaining('无法启动服务'),
      });
      breakIt({});
      expect(await routing(true)).toMatchObject({ ok: true, changed: true });
    });
  });

  describe('the virtual switch', () => {
    test('made, made already, and removed', async () => {
      const data = { alias: `vEthernet (${KUBE_SWITCH})`, ifIndex: expect.any(Number) };
      expect(await kubeSwitch(true)).toEqual({ ok: true, changed: true, data });
      expect(await kubeSwitch(true)).toEqual({ ok: true, changed: false, data });
      expect(await machine()).toMatchObject({ switches: [{ name: KUBE_SWITCH, type: 'Internal' }] });
      expect(await holds('virtual-switch', 'ensure')).toBe(true);
      expect(await kubeSwitch(false)).toEqual({
        ok: true,
        changed: true,
        data: { alias: null, ifIndex: null },
      });
      expect(await kubeSwitch(false)).toMatchObject({ ok: true, changed: false });
      expect(await holds('virtual-switch', 'remove')).toBe(true);
    });

    test.each([true, false])('another of that name is left alone (ensure %s)', async (ensure) => {
      const other = { name: KUBE_SWITCH, type: 'External', device: 'none' };
      edit((state) => Object.assign(state, { switches: [other] }));
      const one = await kubeSwitch(ensure);
      edit((state) => Object.assign(state, { switches: [other, other] }));
      const two = await kubeSwitch(ensure);
      edit((state) => Object.assign(state, { switches: [] }));
      expect(one).toEqual({
        ok: false,
        code: 'CONFLICT',
        error: `the virtual switch ${KUBE_SWITCH} exists, and is External`,
      });
      expect(two).toMatchObject({
        ok: false,
        code: 'CONFLICT',
        error: `2 virtual switches are named ${KUBE_SWITCH}`,
      });
    });

    test('without its cmdlets the answer names the feature, and a read knows of no switch', async () => {
      breakIt({ 'no-hyper-v': 'yes' });
      const other = await site.open();
      expect(await kubeSwitch(true, other)).toMatchObject({
        code: 'HYPER-V',
        error: expect.stringContaining('Hyper-V-PowerShell'),
      });
      const seen = await readFull(other, site);
      other.cut();
      expect(seen.data.machine.switches).toBeNull();
    });

    test("with its cmdlets and no service behind them, a read tells Hyper-V's words", async () => {
      breakIt({ 'no-vmms': 'Hyper-V 在连接时遇到错误：服务未运行。' });
      expect(await machine()).toMatchObject({
        switches: { error: 'Hyper-V 在连接时遇到错误：服务未运行。' },
      });
      expect(await holds('virtual-switch', 'remove')).toBe(false);
      expect(await kubeSwitch(true)).toMatchObject({
        ok: false,
        error: expect.stringContaining('服务未运行'),
      });
    });

    test('a no of Hyper-V comes with its words', async () => {
      breakIt({ switch: '创建失败' });
      expect(await kubeSwitch(true)).toEqual({
        ok: false,
        code: 'SWITCH',
        error: `the virtual switch ${KUBE_SWITCH} was not made: 创建失败`,
      });
    });
  });

  describe('the pause image', () => {
    test('pulled, there already, and removed', async () => {
      const data = { id: expect.stringMatching(/^sha256:/) };
      expect(await image(true)).toEqual({ ok: true, changed: true, data });
      expect(await image(true)).toEqual({ ok: true, changed: false, data });
      expect(await holds('image', 'ensure')).toBe(true);
      expect(await image(false)).toEqual({ ok: true, changed: true, data: { id: null } });
      expect(await image(false)).toMatchObject({ ok: true, changed: false });
      expect(await holds('image', 'remove')).toBe(true);
    });

    test('a pull that fails half way, one without docker, and one that goes on after', async () => {
      breakIt({ pull: 'net/http: TLS handshake timeout' });
      expect(await image(true)).toMatchObject({
        code: 'DOCKER',
        error: expect.stringContaining('TLS handshake timeout'),
      });
      breakIt({ docker: 'error during connect' });
      for (const ensure of [true, false])
        expect(await image(ensure)).toMatchObject({
          code: 'DOCKER',
          error: expect.stringContaining('error during connect'),
        });
      breakIt({});
      expect(await image(true)).toMatchObject({ ok: true, changed: true });
    });

    test('it stays while a container uses it', async () => {
      await image(true);
      edit((state) => Object.assign(state.containers, { [IMAGE]: 3 }));
      expect(await image(false)).toEqual({
        ok: false,
        code: 'IN-USE',
        error: `3 containers are made from ${IMAGE}`,
      });
      expect(await holds('image', 'ensure')).toBe(true);
    });

    test('progress counts the layers', async () => {
      const file = join(site.workDir, 'progress');
      const more = `$script:progressFile = '${file}'\n`;
      const other = await site.open(more);
      await other.request('image', { fence: 10, image: IMAGE, ensure: true });
      other.cut();
      expect(readFileSync(file, 'utf8')).toBe('4 of 4 layers');
    });
  });

  // Last: the host restarts, and the channel with it.
  test('features that want a restart: said so, done up to there, and finished after it', async () => {
    breakIt({ 'restart-needed': 'yes' });
    const wants = {
      ok: false,
      code: 'REBOOT',
      error: 'Windows has to restart before Routing and Remote Access works',
    };
    expect(await routing(true)).toEqual(wants);
    expect(await routing(true)).toEqual(wants);
    const { boot, windows: seen } = await observe();
    expect(seen?.machine).toMatchObject({
      rebootPending: true,
      features: { Routing: 'InstallPending' },
      routing: { isRouter: false, runs: false },
    });
    expect(await holds('routing-service', 'remove')).toBe(false);
    expect(await routing(false)).toMatchObject({ ok: false, code: 'REBOOT' });

    // The time of another boot: somebody has restarted it since, and nothing is done.
    const stale = { fence: 10, boot: '2026-01-01T00:00:00.0000000Z' };
    expect(await channel.request('reboot', stale)).toEqual({ ok: true, changed: false, data: {} });
    const begun = Date.now();
    expect(await channel.request('reboot', { fence: 10, boot })).toEqual({
      ok: true,
      changed: true,
      data: {},
    });
    await site.host.rebooted(1);
    expect(Date.now() - begun).toBeGreaterThan(5_000);
    channel = await site.open();
    expect((await observe()).boot).not.toBe(boot);
    expect(await machine()).toMatchObject({ rebootPending: false, features: { Routing: 'Installed' } });
    expect(await channel.request('reboot', { fence: 10, boot })).toMatchObject({ ok: true, changed: false });
    expect(await routing(true)).toEqual({ ok: true, changed: true, data: { rebootPending: false } });

    breakIt({ 'restart-needed': 'yes' });
    expect(await routing(false)).toEqual({ ok: true, changed: true, data: { rebootPending: true } });
    expect(await machine()).toMatchObject({ routing: null, rebootPending: true });
    breakIt({ shutdown: '拒绝访问。(5)' });
    const now = (await observe()).boot;
    expect(await channel.request('reboot', { fence: 10, boot: now })).toEqual({
      ok: false,
      code: 'SHUTDOWN',
      error: 'shutdown (5): 拒绝访问。(5)',
    });
  }, 120_000);
});
