import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWith } from '../../lab/requirements.js';
import { commandOf, until } from '../../lab/system.js';
import { servicesKey } from '../../lab/windows/services.js';
import type { WindowsState } from '../../lab/windows/state.js';
import { PROGRAMS } from '../../support/programs.js';
import { type Answer, type Channel, nodeIp, type Site, startSite } from './site.js';

const spec = {
  component: 'kubelet',
  executable: 'C:\\k\\kubelet.exe',
  arguments:
    '--hostname-override=win01 --pod-infra-container-image="apprenda/pause" --resolv-conf="" --api_servers=http://10.0.0.4:8080',
  environment: ['CONTAINER_NETWORK=pods', 'INTERFACE=vEthernet (KubeProxySwitch)'],
  dependsOn: ['docker'],
};
/** What the process gets of them: quotes gone, and the empty value an empty value. */
const words = [
  '--hostname-override=win01',
  '--pod-infra-container-image=apprenda/pause',
  '--resolv-conf=',
  '--api_servers=http://10.0.0.4:8080',
];
const service = `${servicesKey}\\kubelet`;

describeWith(['root', 'dotnet'], 'kubelet and kube-proxy, kept running on Windows', () => {
  let site: Site;
  let channel: Channel;
  let host: string;

  beforeAll(async () => {
    site = await startSite('comp');
    channel = await site.open();
    host = join(site.workDir, 'host');
  }, 120_000);
  afterAll(() => site.stop());

  const component = (ensure: boolean, more: object = {}): Promise<Answer> =>
    channel.request('component', { fence: 1, ...spec, ensure, ...more });
  const pids = (): number[] => {
    try {
      return execFileSync('pgrep', ['-f', `^${host}/k/kubelet.exe`], { encoding: 'utf8' })
        .trim()
        .split('\n')
        .map(Number);
    } catch {
      return [];
    }
  };
  const installed = async () => {
    const params = { nodeIp, full: true, network: 'pods', containerNic: site.mac, ...PROGRAMS };
    return (await channel.request('read', params)).data.machine.components.kubelet;
  };
  const edit = (change: (state: WindowsState) => void): void => site.host.edit(change);
  const wrapper = (): string => join(host, 'Program Files/Fairway/kubelet.cmd');
  const runsRight = (): void => {
    const [pid = 0, ...more] = pids();
    expect(more).toEqual([]);
    expect(commandOf(pid).split(' ').slice(2).join(' ')).toBe(words.join(' '));
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')).toEqual(
      expect.arrayContaining(spec.environment),
    );
  };

  describe.each([
    {
      manager: 'nssm',
      drift: [
        (state: WindowsState) =>
          Object.assign(state.registry[`${service}\\Parameters`] ?? {}, { AppParameters: '--v=9' }),
        // A service without parameters, as when its setup was cut off; and not at boot.
        (state: WindowsState) => {
          delete state.registry[`${service}\\Parameters`];
          Object.assign(state.registry[service] ?? {}, { Start: 3, DependOnService: [] });
        },
      ],
    },
    {
      manager: 'task',
      drift: [
        () => writeFileSync(wrapper(), readFileSync(wrapper(), 'utf8').replace('=pods', '=others')),
        // Its wrapper is gone, and Windows would end it after 72 h.
        (state: WindowsState) => {
          rmSync(wrapper());
          Object.assign(state.tasks[0] ?? {}, { timeLimit: 'PT72H', userId: 'me', logonType: 'Password' });
        },
      ],
    },
  ])('by $manager', ({ manager, drift }) => {
    const nssm = (): string => join(host, 'programs/nssm.exe');
    beforeAll(() => {
      if (manager === 'task') renameSync(nssm(), `${nssm()}.gone`);
    });
    afterAll(() => {
      if (manager === 'task') renameSync(`${nssm()}.gone`, nssm());
    });

    test('from nothing: a process with exactly these arguments and this environment; then nothing to do', async () => {
      const pid = expect.any(Number);
      expect(await component(true)).toEqual({ ok: true, changed: true, data: { manager, pid } });
      runsRight();
      const before = site.host.state();
      expect(await component(true)).toMatchObject({ ok: true, changed: false });
      expect(site.host.state()).toEqual(before);
      const { executable, arguments: given, environment } = spec;
      const same = { manager, ours: true, executable, arguments: given, environment };
      expect(await installed()).toEqual({ ...same, runs: true, atBoot: true });
      const log = await channel.request('logs', { component: 'kubelet', lines: 10 });
      expect(log.data.log).toContain('Starting to listen');
    }, 60_000);

    test.each([0, 1])(
      'what drifted, or is half made, is put right: %s',
      async (at) => {
        edit((state) => void drift[at]?.(state));
        expect(await component(true)).toMatchObject({ ok: true, changed: true, data: { manager } });
        runsRight();
        expect(await installed()).toMatchObject({ arguments: spec.arguments, runs: true, atBoot: true });
        const { registry, tasks } = site.host.state();
        if (manager === 'nssm')
          expect(registry[service]).toMatchObject({ Start: 2, DependOnService: ['docker'] });
        else
          expect(tasks).toMatchObject([
            { userId: 'S-1-5-18', logonType: 'ServiceAccount', timeLimit: 'PT0S', priority: 4, atBoot: true },
          ]);
      },
      60_000,
    );

    test('it outlives the session and a reboot, and can be restarted', async () => {
      const before = pids();
      channel.cut();
      channel = await site.open();
      expect(pids()).toEqual(before);
      await site.host.reboot();
      await until('the process', () => pids().length === 1);
      channel = await site.open();
      runsRight();
      const rebooted = pids();
      const action = { fence: 1, nodeIp, component: 'kubelet', action: 'restart', stayMs: 500 };
      expect(await channel.request('service', action)).toMatchObject({ ok: true, changed: true });
      expect(pids()).not.toEqual(rebooted);
      runsRight();
    }, 60_000);

    test('what ends is started anew by its wrapper, which puts a big log aside', async () => {
      const [log, former] = [join(host, 'k/logs/kubelet.log'), join(host, 'k/logs/kubelet.1.log')];
      const end = async () => {
        const before = pids();
        for (const pid of before) process.kill(pid, 'SIGKILL');
        await until('another process', () => pids().length === 1 && pids()[0] !== before[0]);
      };
      await end();
      // nssm itself looks after its log, and not only then.
      if (manager === 'nssm') return;
      expect(existsSync(former)).toBe(false);
      truncateSync(log, 10 * 2 ** 20 + 1);
      await end();
      expect(statSync(former).size).toBeGreaterThan(10 * 2 ** 20);
      await until('its first words', () => statSync(log).size > 0);
      expect(statSync(log).size).toBeLessThan(10_000);
    }, 60_000);

    test('undone: gone with what it ran, though the task left that behind; not the binary, not the logs', async () => {
      edit((state) => Object.assign(state, { faults: { orphan: 'yes' } }));
      const gone = { manager: null, pid: null };
      expect(await component(false)).toEqual({ ok: true, changed: true, data: gone });
      expect(await component(false)).toEqual({ ok: true, changed: false, data: gone });
      edit((state) => Object.assign(state, { faults: {} }));
      expect(await installed()).toBeNull();
      expect(pids()).toEqual([]);
      for (const left of ['k/kubelet.exe', 'k/logs/kubelet.log'])
        expect(existsSync(join(host, left))).toBe(true);
      expect(existsSync(wrapper())).toBe(false);
    }, 60_000);
  });

  test('what ends at once is no success, though its wrapper runs; its last words are told', async () => {
    edit((state) => Object.assign(state, { faults: { crash: 'kubelet' } }));
    const answer = await component(true);
    edit((state) => Object.assign(state, { faults: {} }));
    expect(answer).toMatchObject({ ok: false, code: 'SERVICE' });
    expect(answer.error).toMatch(
      /^kubelet does not stay up; its last words: .*failed to run: no such network/,
    );
    expect(await component(false)).toMatchObject({ ok: true, changed: true });
  }, 90_000);

  test('nothing is taken that cmd.exe would read otherwise, nor a program by another name', async () => {
    const before = site.host.state();
    const texts = [
      '--a & b',
      '--a="open',
      '--a=%PATH%',
      '--a ^b',
      '--a\n--b',
      '--a>b',
      '--a=!b!',
      '--a="b&c"',
    ];
    const wrong = [
      ...texts.map((text) => ({ arguments: text })),
      ...texts.map((text) => ({ environment: [`NAME=${text}`] })),
      { environment: ['NAME'] },
      { dependsOn: ['a b'] },
      { executable: 'C:\\k\\kube-proxy.exe' },
    ];
    for (const more of wrong)
      expect({ more, ...(await component(true, more)) }).toMatchObject({
        more,
        ok: false,
        code: 'BAD-PARAMS',
      });
    expect(site.host.state()).toEqual(before);
  });

  const foreign = 'C:\\other\\kubelet.exe';
  test.each<[string, string, (state: WindowsState) => void]>([
    [
      'an nssm service',
      'service',
      ({ registry }) => {
        registry[service] = { ImagePath: 'C:\\nssm\\nssm.exe', Start: 2 };
        registry[`${service}\\Parameters`] = { Application: foreign };
      },
    ],
    [
      'an nssm service of the same executable',
      'service',
      ({ registry }) => {
        registry[service] = { ImagePath: 'C:\\nssm\\nssm.exe', Start: 2 };
        registry[`${service}\\Parameters`] = { Application: spec.executable, AppParameters: '--their=own' };
      },
    ],
    [
      'a service of its own',
      'service',
      ({ registry }) => {
        registry[service] = { ImagePath: `${foreign} --windows-service`, Start: 2 };
      },
    ],
    [
      'a task',
      'scheduled task',
      ({ tasks }) => {
        const rest = {
          description: 'theirs',
          arguments: '',
          userId: 'me',
          logonType: 'Password',
          atBoot: true,
          enabled: true,
        };
        tasks.push({ name: 'kubelet', execute: foreign, ...rest, timeLimit: 'PT72H', priority: 7 });
      },
    ],
  ])("%s that is somebody else's is left alone", async (_, kind, theirs) => {
    edit(theirs);
    const before = site.host.state();
    for (const ensure of [true, false]) {
      expect(await component(ensure)).toEqual({
        ok: false,
        code: 'CONFLICT',
        error: expect.stringMatching(`^the ${kind} kubelet is not Fairway's: it starts C:`),
      });
    }
    expect(site.host.state()).toEqual(before);
    edit((state) => {
      state.tasks = [];
      for (const key of [service, `${service}\\Parameters`]) delete state.registry[key];
    });
  });

  test('without the binary nothing is set up', async () => {
    const before = site.host.state();
    const missing = { executable: 'C:\\none\\kubelet.exe' };
    expect(await component(true, missing)).toEqual({
      ok: false,
      code: 'NO-BINARY',
      error: 'there is no C:\\none\\kubelet.exe',
    });
    expect(site.host.state()).toEqual(before);
  });
});
