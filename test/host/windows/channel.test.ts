import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWith } from '../../lab/requirements.js';
import { allScripts, type Channel, commandLine, nodeIp, type Site, ssh, startSite } from './site.js';

/** Names that people may choose: `10.0.0.07` is a fair one for a network, and `10.0.0.0/33` for an image. */
const FAIR: Record<string, RegExp> = {
  network: /^[A-Za-z0-9][A-Za-z0-9_.-]*$/,
  name: /^[A-Za-z0-9][A-Za-z0-9_.-]*$/,
  image: /^[a-z0-9][a-z0-9._/:@-]*$/,
  pauseImage: /^[a-z0-9][a-z0-9._/:@-]*$/,
};

/** Requests that misbehave, beside the shipped ones. */
const badScripts = `
function Invoke-Throw($p) { throw 'no luck' }
function Invoke-Foreign($p) { throw ([char]0x4e2d + ' & "q"') }
function Invoke-Untidy($p) {
  'a stray output'; Write-Host 'a stray line'; [Console]::Out.WriteLine('@@R@@ 99 1x')
  $global:ErrorActionPreference = 'SilentlyContinue'; $script:p = 1; Set-Location -LiteralPath /
  return [ordered]@{ ok = $true; changed = $false; data = $null }
}
function Invoke-Swallow($p) { return [ordered]@{ ok = $true; changed = $false; data = (Start-Program '/usr/bin/cat' @()) } }
function Invoke-Silent($p) { Get-NetAdapter -Name 'nothing' ; return [ordered]@{ ok = $true } }
function Invoke-Preference($p) { return [ordered]@{ ok = $true; data = @([string]$global:ErrorActionPreference, (Get-Location).Path, $Error.Count) } }
function Invoke-Nap($p) { $null = Start-Program '/usr/bin/sleep' @('61'); return [ordered]@{ ok = $true } }
function Write-Host($Text) { [Console]::Out.WriteLine($Text) }
function Get-Location { $ExecutionContext.SessionState.Path.CurrentLocation }
`;

describeWith(['root', 'dotnet'], 'the resident channel of a Windows host', () => {
  let site: Site;
  let channel: Channel;
  const read = { nodeIp, full: false };

  beforeAll(async () => {
    site = await startSite('chan');
    channel = await site.open(badScripts);
  }, 120_000);
  afterAll(() => site.stop());

  test('answers request after request', async () => {
    const [first, second] = await Promise.all([channel.request('read', read), channel.request('read', read)]);
    expect(first).toMatchObject({
      ok: true,
      changed: false,
      data: { build: 14393, ifIndex: 1007, nodeError: null },
    });
    expect(second).toEqual(first);
    expect(Date.parse(first.data.boot)).toBe(Date.parse(site.host.state().boot));
  });

  test.each([
    ['throw', {}, { ok: false, code: '', error: 'no luck' }],
    ['foreign', {}, { ok: false, code: '', error: '中 & "q"' }],
    ['silent', {}, { ok: false, code: 'CmdletizationQuery_NotFound_Name,Get-NetAdapter' }],
    ['no-such-script', {}, { ok: false, code: 'UNKNOWN-SCRIPT' }],
    ['native', {}, { ok: false, code: 'UNKNOWN-SCRIPT' }],
    ['read', null, { ok: false, code: 'BAD-PARAMS' }],
  ])('%s fails, and the next request is answered', async (script, params, answer) => {
    expect(await channel.request(script, params)).toMatchObject(answer);
    expect(await channel.request('read', read)).toMatchObject({ ok: true });
  });

  test('every line of it is ASCII', () => {
    expect(channel.lines.filter((line) => !/^[\x20-\x7e]*$/.test(line))).toEqual([]);
  });

  test('parameters that are no base64, and a line that is no request', async () => {
    const before = channel.lines.length;
    channel.send('7000 read *');
    channel.send('hello');
    channel.send('7001 read');
    expect(await channel.request('read', read)).toMatchObject({ ok: true });
    const said = channel.lines.slice(before);
    expect(said.filter((line) => line.startsWith('@@R@@ 700'))).toEqual(['@@R@@ 7000 1', '@@R@@ 7001 1']);
    expect(said).toContain('not a request');
  });

  test('what a request leaves behind is gone in the next', async () => {
    expect(await channel.request('preference', {})).toEqual({ ok: true, data: ['Stop', 'C:/', 0] });
    expect(await channel.request('untidy', {})).toMatchObject({ ok: true, data: null });
    expect(await channel.request('preference', {})).toEqual({ ok: true, data: ['Stop', 'C:/', 0] });
    expect(await channel.request('silent', {})).toMatchObject({ ok: false });
  });

  test('a program that reads its stdin does not swallow the next request', async () => {
    const [swallowed, next] = await Promise.all([
      channel.request('swallow', {}),
      channel.request('read', read),
    ]);
    expect(swallowed).toEqual({ ok: true, changed: false, data: { code: 0, out: '', err: '' } });
    expect(next).toMatchObject({ ok: true });
  });

  test('EOF ends it', async () => {
    const other = await site.open();
    expect(await other.end()).toBe(0);
  });

  test('one request by a plain exec', async () => {
    const child = ssh(site.neighbourNamespace, site.workDir, commandLine());
    let out = '';
    child.stdout?.on('data', (chunk) => {
      out += chunk;
    });
    const request = `1 read ${Buffer.from(JSON.stringify(read)).toString('base64')}`;
    child.stdin?.end(`${Buffer.from(allScripts()).toString('base64')}\n${request}\n`);
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    const [ready, head, answer] = out.split('\r\n');
    expect([ready, head]).toEqual(['@@READY@@ 1', '@@R@@ 1 1']);
    expect(JSON.parse(answer ?? '')).toMatchObject({ ok: true, data: { ifIndex: 1007 } });
  });

  test('the end of a connection ends what it started, as Windows does', async () => {
    const naps = (): boolean => site.inside('sh', '-c', 'pgrep -fx "/usr/bin/sleep 61" || true') !== '';
    const other = await site.open(badScripts);
    other.request('nap', {}).catch(() => {});
    while (!naps()) await sleep(50);
    other.cut();
    while (naps()) await sleep(50);
  });

  test('where AppLocker or WDAC let no script run, it says so and ends', async () => {
    site.host.edit((state) => Object.assign(state.faults, { 'language-mode': 'ConstrainedLanguage' }));
    const opened = site.open();
    await expect(opened).rejects.toThrow('@@NO@@ language-mode ConstrainedLanguage');
    site.host.edit((state) => Object.assign(state, { faults: {} }));
  });

  describeHostile('read', () => ({ nodeIp }), ['nodeIp']);
  describeHostile(
    'read',
    () => ({ nodeIp, full: true, pauseImage: 'apprenda/pause', executables: 'C:\\k\\kubelet.exe' }),
    ['pauseImage', 'executables'],
  );
  describeHostile('routing-service', () => ({ fence: 1, ensure: false }), ['fence', 'ensure']);
  describeHostile('virtual-switch', () => ({ fence: 1, name: 'KubeProxySwitch', ensure: false }), [
    'fence',
    'name',
    'ensure',
  ]);
  describeHostile('image', () => ({ fence: 1, image: 'apprenda/pause', ensure: false }), [
    'fence',
    'image',
    'ensure',
  ]);
  describeHostile('reboot', () => ({ fence: 1, boot: '2026-01-01T00:00:00Z' }), ['fence', 'boot']);
  describeHostile(
    'sync-routes',
    () => ({
      fence: 1,
      nodeIp,
      clusterCidr: '192.168.0.0/16',
      ownCidr: '192.168.3.0/24',
      add: [],
      remove: [],
    }),
    [
      'nodeIp',
      'clusterCidr',
      'ownCidr',
      'add.destination',
      'add.nextHop',
      'remove.destination',
      'remove.nextHop',
      'fence',
    ],
  );
  describeHostile('forwarding', () => ({ fence: 1, nodeIp, enabled: true }), ['nodeIp', 'enabled', 'fence']);
  describeHostile(
    'pod-network',
    () => ({
      fence: 1,
      network: 'pods',
      podCidr: '192.168.3.0/24',
      podGateway: '192.168.3.1',
      containerNic: site.mac,
      nodeIp,
      ensure: false,
    }),
    ['network', 'podCidr', 'podGateway', 'containerNic', 'nodeIp', 'ensure', 'fence'],
  );
  describeHostile(
    'pod-gateway',
    () => ({
      fence: 1,
      containerNic: site.mac,
      podGateway: '192.168.3.1',
      podPrefixLength: 24,
      ensure: true,
    }),
    ['containerNic', 'podGateway', 'podPrefixLength', 'ensure', 'fence'],
  );
  describeHostile(
    'component',
    () => ({
      fence: 1,
      component: 'kubelet',
      executable: 'C:\\k\\kubelet.exe',
      arguments: '',
      environment: [],
      dependsOn: [],
      ensure: false,
    }),
    ['fence', 'component', 'executable', 'ensure'],
  );
  describeHostile('provision', () => ({ fence: 1, id: 'change-1', steps: [], waitMs: 0 }), [
    'fence',
    'waitMs',
  ]);
  describeHostile('probe', () => ({ nodeIp }), ['nodeIp']);
  describeHostile(
    'service',
    () => ({ fence: 1, nodeIp, component: 'kubelet', action: 'restart', stayMs: 0, stayDown: [] }),
    ['fence', 'nodeIp', 'component', 'action', 'stayMs', 'stayDown'],
  );
  describeHostile('logs', () => ({ component: 'kubelet', lines: 10 }), ['component', 'lines']);
  describeHostile('prove', () => ({ source: nodeIp, targets: ['10.0.0.8'] }), ['source', 'targets']);

  /** Each named parameter of a script in turn holds each hostile text: refused by name, nothing runs, nothing changes. */
  function describeHostile(script: string, valid: () => Record<string, unknown>, names: string[]): void {
    test(`${script} refuses hostile ${names.join(', ')}`, async () => {
      const mark = join(site.workDir, 'ran');
      const run = `touch ${mark}`;
      const texts = [
        `$(${run})`,
        `10.0.0.7; ${run}`,
        `10.0.0.7\n${run}`,
        '10.0.0.7\n',
        `"; ${run}; "`,
        `'; ${run}; '`,
        `\`${run}\``,
        `x" -o y="${run}`,
        `& ${run}`,
        '-h',
        '10.7',
        '0x0a000007',
        '10.0.0.07',
        '١٠.0.0.7',
        '',
        '10.0.0.0/33',
        '10.0.0.7/24',
        '00-15-5d-00-00-01',
        'K8s\u212A',
      ];
      const before = site.host.state();
      const answers = await Promise.all(
        names.flatMap((name) =>
          texts
            .filter((text) => !FAIR[name]?.test(text))
            .map((text) =>
              channel
                .request(script, withParam(valid(), name, text))
                .then((answer) => ({ name, text, code: answer.code })),
            ),
        ),
      );
      expect(answers.filter(({ code }) => code !== 'BAD-PARAMS')).toEqual([]);
      expect(existsSync(mark)).toBe(false);
      expect(site.host.state()).toEqual(before);
    }, 60_000);
  }
});

function withParam(valid: Record<string, unknown>, name: string, text: string): Record<string, unknown> {
  const [list, key] = name.split('.');
  if (list !== undefined && key !== undefined) {
    return { ...valid, [list]: [{ destination: '192.168.1.0/24', nextHop: '10.0.0.8', [key]: text }] };
  }
  return { ...valid, [name]: name === 'targets' ? [text] : text };
}
