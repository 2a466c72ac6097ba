import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeWith } from '../../lab/requirements.js';
import { until } from '../../lab/system.js';
import { type Answer, type Channel, nodeIp, type Site, startSite } from './site.js';

/** What the host knows of its work. */
type Work = { begun?: boolean; doing?: string; over?: boolean; failed?: object | null };

/** Steps that show that they ran, how often, and under which fence. */
const steps = `
function Invoke-Tick($p) {
  Assert-Fence $p.fence
  foreach ($i in 1..$p.ticks) { Write-StepProgress "$i of $($p.ticks) ticks"; Start-Sleep -Milliseconds 50 }
  [IO.File]::AppendAllText($p.file, "$($p.name) $($env:SSH_CONNECTION -replace ' .*')\`n")
  [ordered]@{ ok = $true; changed = [bool]$p.changes; data = $null }
}
function Invoke-Restarting($p) { Stop-Request 'REBOOT' 'Windows has to restart' }
`;

describeWith(['root', 'dotnet'], 'work that Windows does outside the session', () => {
  let site: Site;
  let channel: Channel;
  let folder: string;
  let mark: string;
  let fence = 1;
  let ids = 0;

  beforeAll(async () => {
    site = await startSite('prov');
    channel = await site.open(steps);
    folder = join(site.workDir, 'host/Program Files/Fairway');
    mark = join(site.workDir, 'ran');
  }, 120_000);
  afterAll(() => site.stop());
  beforeEach(() => {
    rmSync(mark, { force: true });
    fence += 1;
    ids += 1;
    site.host.edit((state) => Object.assign(state, { faults: {} }));
  });

  const tick = (name: string, ticks = 1, more: object = {}) => ({
    script: 'tick',
    params: { fence, name, ticks, file: mark, ...more },
  });
  const ask = (list: object[], more: object = {}, on = channel): Promise<Answer> =>
    on.request('provision', { fence, id: `change-${ids}`, steps: list, waitMs: 30_000, ...more });
  const ran = (): string[] =>
    existsSync(mark)
      ? readFileSync(mark, 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(' ')[0] ?? '')
      : [];
  const progress = (): string => readFileSync(join(folder, 'provision.progress'), 'utf8');
  const work = (): Work => {
    try {
      return JSON.parse(readFileSync(join(folder, 'provision.json'), 'utf8')) as Work;
    } catch {
      return {};
    }
  };

  test('steps run in their order, and say how far they are; the result is given once', async () => {
    const list = [tick('first', 20, { changes: true }), tick('second', 20)];
    expect((await ask(list, { waitMs: 0 })).data).toMatchObject({ over: false, done: 0, of: 2 });
    await until('progress of the second', async () => {
      const { data } = await ask(list, { waitMs: 0 });
      return data.done === 1 && data.doing === 'tick' && /^\d+ of 20 ticks$/.test(data.progress);
    });
    expect(await ask(list)).toEqual({
      ok: true,
      changed: true,
      data: {
        over: true,
        done: 2,
        of: 2,
        doing: '',
        progress: '',
        failed: null,
        printed: 'tick: done\ntick: nothing to do',
      },
    });
    expect(ran()).toEqual(['first', 'second']);
    // Whose connection it is, is known there: no step may take the NIC that carries it.
    expect(readFileSync(mark, 'utf8')).toContain('10.0.0.8');
    expect((await ask([tick('third')])).data).toMatchObject({ over: true, failed: null });
    expect(ran()).toEqual(['first', 'second', 'third']);
  });

  test.each<[string, number, () => boolean]>([
    ['as soon as it asked', 30_000, () => true],
    ['before the work begins', 30_000, () => work().begun === false],
    ['while a step runs', 30_000, () => work().doing === 'tick'],
    // It asks once and waits for nothing: else it may have the result by then.
    ['when it is over but for its last word', 0, () => ran().length === 2],
  ])(
    'a connection cut %s: the work ends, once, and whoever asks next has its result',
    async (_, waitMs, point) => {
      const list = [tick('one', 4), tick('two', 4)];
      const cut = await site.open(steps);
      ask(list, { waitMs }, cut).catch(() => {});
      await until('the point', point);
      cut.cut();
      expect((await ask(list, { waitMs: 60_000 })).data).toMatchObject({
        over: true,
        done: 2,
        failed: null,
      });
      expect(ran()).toEqual(['one', 'two']);
    },
  );

  test('cut between the result and the answer: the next connection is answered at once', async () => {
    const list = [tick('one')];
    const cut = await site.open(steps);
    ask(list, { waitMs: 0 }, cut).catch(() => {});
    await until('the end', () => work().over === true);
    cut.cut();
    const { printed } = (await ask(list, { waitMs: 0 })).data;
    expect(printed).toBe('tick: nothing to do');
    expect(ran()).toEqual(['one']);
  });

  test('two who ask for the same at once have it done once', async () => {
    const second = await site.open(steps);
    const list = [tick('one', 10)];
    const answers = await Promise.all([ask(list, { waitMs: 0 }), ask(list, { waitMs: 0 }, second)]);
    expect(answers.map(({ data }) => data.over)).toEqual([false, false]);
    expect((await ask(list)).data).toMatchObject({ over: true, failed: null });
    expect(ran()).toEqual(['one']);
    second.cut();
  });

  test('another work waits until the one before has ended, however it is asked for', async () => {
    await ask([tick('one', 40)], { waitMs: 0 });
    await until('the first', () => work().doing === 'tick');
    const other = { id: 'other' };
    expect((await ask([tick('two')], { ...other, waitMs: 100 })).data).toEqual({
      over: false,
      done: 0,
      of: 1,
      doing: '',
      progress: '',
    });
    expect((await ask([tick('two')], other)).data).toMatchObject({ over: true, failed: null });
    expect(ran()).toEqual(['one', 'two']);
  });

  test('work that died is told as lost, once; then it is done anew', async () => {
    const list = [tick('one', 400)];
    await ask(list, { waitMs: 0 });
    await until('the step', () => work().doing === 'tick');
    execFileSync('pkill', ['-9', '-f', `powershell ${join(site.workDir, 'host')} -NoProfile`]);
    expect(await ask(list)).toMatchObject({
      ok: false,
      code: 'JOB-LOST',
      error: 'the work ended without a result, at tick',
    });
    expect((await ask([tick('two')])).data).toMatchObject({ over: true, failed: null });
    expect(ran()).toEqual(['two']);
  });

  test.each([
    ['fails', { script: 'pod-gateway', params: {} }, { script: 'pod-gateway', code: 'BAD-PARAMS' }],
    ['waits for a restart', { script: 'restarting', params: {} }, { script: 'restarting', code: 'REBOOT' }],
    ['is unknown', { script: 'no-such', params: {} }, { script: 'no-such', code: 'UNKNOWN-SCRIPT' }],
  ])('it stops at a step that %s', async (_, step, failed) => {
    const { data } = await ask([tick('one'), step, tick('two')]);
    expect(data).toMatchObject({ over: true, done: 1, of: 3, failed, printed: 'tick: nothing to do' });
    expect(ran()).toEqual(['one']);
  });

  test('whoever held the lease before starts nothing, and what it started stops; who joins takes it over', async () => {
    const list = [tick('one', 20), tick('two')];
    await ask(list, { waitMs: 0 });
    await until('the first step', () => work().doing === 'tick');
    expect(await ask(list, { fence: fence - 1 })).toMatchObject({ ok: false, code: 'FENCED' });
    fence += 1;
    expect((await ask(list)).data).toMatchObject({ over: true, done: 2, failed: null });

    await ask([tick('three', 20), tick('four')], { waitMs: 0 });
    await until('the third step', () => work().doing === 'tick' && progress() !== '');
    const older = fence;
    fence += 1;
    await channel.request('forwarding', { fence, nodeIp, enabled: false });
    await until('the end', () => work().over === true);
    expect(work().failed).toMatchObject({ script: 'tick', code: 'FENCED' });
    expect(await ask(list, { fence: older })).toMatchObject({ ok: false, code: 'FENCED' });
    expect(ran()).toEqual(['one', 'two', 'three']);
  });

  test('WMI down, or parameters that are none', async () => {
    site.host.edit((state) => Object.assign(state, { faults: { wmi: '8' } }));
    const answer = await ask([tick('one')]);
    expect(answer).toEqual({ ok: false, code: 'WMI', error: 'Win32_Process Create answered 8' });
    site.host.edit((state) => Object.assign(state, { faults: {} }));
    const wrong = [
      { id: '../x' },
      { id: '' },
      { waitMs: -1 },
      { fence: 'x' },
      { steps: [{ script: 'a b' }] },
    ];
    for (const more of [...wrong, { steps: [{ script: 'provision' }] }])
      expect(await ask([], more)).toMatchObject({ ok: false, code: 'BAD-PARAMS' });
    expect(ran()).toEqual([]);
  });
});
