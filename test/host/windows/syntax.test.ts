import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWith } from '../../lab/requirements.js';
import { windowsPrograms } from '../../lab/windows/build.js';
import { allScripts, commandLine } from './site.js';

interface Report {
  file: string;
  errors: string[];
  newer: string[];
  ascii: boolean;
  functions: string[];
  commands: { name: string; parameters: string[] }[];
  exits: number;
  globals: string[];
  outputs: string[];
  input: number;
}

/** Cmdlets of Windows PowerShell 5.1 on Server 2016, with those of their parameters that the scripts may use. */
const known: Record<string, string[]> = {
  'ConvertFrom-Json': [],
  'ConvertTo-Json': ['InputObject', 'Depth', 'Compress'],
  'ForEach-Object': [],
  'Get-Acl': ['LiteralPath', 'ErrorAction'],
  'Get-ChildItem': ['Path', 'ErrorAction'],
  'Get-CimInstance': ['ClassName', 'Filter', 'Property'],
  'Get-Command': ['Name', 'CommandType', 'ErrorAction'],
  'Get-Item': ['LiteralPath', 'ErrorAction'],
  'Get-ItemProperty': ['LiteralPath', 'Name', 'ErrorAction'],
  'Get-NetAdapter': ['Name', 'InterfaceIndex', 'IncludeHidden', 'ErrorAction'],
  'Get-NetIPAddress': ['AddressFamily', 'IPAddress', 'InterfaceIndex', 'PolicyStore', 'ErrorAction'],
  'Get-NetIPInterface': ['AddressFamily', 'InterfaceIndex', 'PolicyStore', 'ErrorAction'],
  'Get-NetRoute': ['AddressFamily', 'DestinationPrefix', 'NextHop', 'PolicyStore', 'ErrorAction'],
  'Get-Process': ['Id', 'ErrorAction'],
  'Get-RemoteAccess': ['ErrorAction'],
  'Get-ScheduledTask': ['TaskName', 'ErrorAction'],
  'Get-Service': ['Name', 'ErrorAction'],
  'Get-VMSwitch': ['ErrorAction'],
  'Get-WinEvent': ['FilterHashtable', 'MaxEvents', 'ErrorAction'],
  'Get-WindowsFeature': ['Name', 'ErrorAction'],
  'Install-RemoteAccess': ['VpnType', 'ErrorAction'],
  'Install-WindowsFeature': ['Name', 'ErrorAction'],
  'Invoke-CimMethod': ['ClassName', 'MethodName', 'Arguments'],
  'New-Item': ['Path', 'ItemType', 'Force', 'ErrorAction'],
  'New-ItemProperty': ['LiteralPath', 'Name', 'PropertyType', 'Value', 'Force', 'ErrorAction'],
  'New-NetRoute': ['DestinationPrefix', 'InterfaceIndex', 'NextHop', 'ErrorAction'],
  'New-Object': [],
  'New-ScheduledTaskAction': ['Execute', 'Argument'],
  'New-ScheduledTaskPrincipal': ['UserId', 'LogonType', 'RunLevel'],
  'New-ScheduledTaskSettingsSet': [
    'AllowStartIfOnBatteries',
    'DontStopIfGoingOnBatteries',
    'ExecutionTimeLimit',
    'MultipleInstances',
    'Priority',
    'RestartCount',
    'RestartInterval',
    'StartWhenAvailable',
  ],
  'New-ScheduledTaskTrigger': ['AtStartup'],
  'New-VMSwitch': ['Name', 'SwitchType', 'ErrorAction'],
  'Register-ScheduledTask': [
    'Action',
    'Description',
    'ErrorAction',
    'Force',
    'Principal',
    'Settings',
    'TaskName',
    'Trigger',
  ],
  'Remove-Item': ['LiteralPath', 'Recurse', 'ErrorAction'],
  'Remove-ItemProperty': ['LiteralPath', 'Name', 'ErrorAction'],
  'Remove-NetRoute': ['DestinationPrefix', 'NextHop', 'PolicyStore', 'Confirm', 'ErrorAction'],
  'Remove-VMSwitch': ['Name', 'Force', 'ErrorAction'],
  'Restart-Service': ['Name', 'Force', 'ErrorAction'],
  'Set-ItemProperty': ['LiteralPath', 'Name', 'Value', 'ErrorAction'],
  'Set-Location': ['LiteralPath'],
  'Set-NetIPInterface': ['InterfaceIndex', 'AddressFamily', 'Forwarding', 'ErrorAction'],
  'Set-Service': ['Name', 'StartupType', 'ErrorAction'],
  'Start-ScheduledTask': ['TaskName', 'ErrorAction'],
  'Start-Service': ['Name', 'ErrorAction'],
  'Start-Sleep': ['Milliseconds'],
  'Stop-Process': ['Id', 'Force', 'ErrorAction'],
  'Stop-ScheduledTask': ['TaskName', 'ErrorAction'],
  'Stop-Service': ['Name', 'Force', 'ErrorAction'],
  'Test-Path': ['LiteralPath'],
  'Uninstall-RemoteAccess': ['Force', 'ErrorAction'],
  'Uninstall-WindowsFeature': ['Name', 'Confirm', 'ErrorAction'],
  'Unregister-ScheduledTask': ['TaskName', 'Confirm', 'ErrorAction'],
  'Where-Object': [],
};

describeWith(['dotnet'], 'the scripts as Windows PowerShell 5.1 reads them', () => {
  const folder = join(process.cwd(), 'src/host/windows');
  let reports: Report[] = [];
  let scratch = '';

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'fairway-syntax-'));
    writeFileSync(
      join(scratch, 'modern.ps1'),
      "$a ? 1 : 2; $b ?? 3; dir && dir; ConvertFrom-Json -AsHashtable '{}'; exit 1; $input\nfunction F { $r = Start-Program 'netsh.exe' @(); $r.out -match 'Enabled'; \"$($r.out)\" }\n",
    );
    const names = readdirSync(folder).filter((name) => name.endsWith('.ps1'));
    const files = [...names.map((name) => join(folder, name)), join(scratch, 'modern.ps1')];
    reports = JSON.parse(
      execFileSync(windowsPrograms().powershell, ['check-syntax', ...files], { encoding: 'utf8' }),
    ) as Report[];
  }, 120_000);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  const shipped = (): Report[] => reports.filter(({ file }) => !file.endsWith('modern.ps1'));

  test('every script is among them', () => {
    const shippedNames = readdirSync(folder).filter((name) => name.endsWith('.ps1'));
    expect(shippedNames.length).toBeGreaterThan(8);
    expect(reports.map(({ file }) => file.split('/').at(-1))).toEqual([...shippedNames, 'modern.ps1']);
  });

  test('the check sees what 5.1 lacks', () => {
    const modern = reports.find(({ file }) => file.endsWith('modern.ps1'));
    expect(modern?.newer).toEqual(['1: QuestionMark', '1: QuestionQuestion', '1: AndAnd']);
    expect(modern).toMatchObject({ exits: 1, input: 1, outputs: ["2: 'netsh.exe'"] });
  });

  test('they parse, in ASCII, without a token that 5.1 lacks', () => {
    for (const { file, errors, newer, ascii } of shipped())
      expect({ file, errors, newer, ascii }).toEqual({ file, errors: [], newer: [], ascii: true });
  });

  test('they call nothing but one another and 5.1 cmdlets, with 5.1 parameters', () => {
    const own = new Set(shipped().flatMap(({ functions }) => functions));
    const unknown = shipped().flatMap(({ file, commands }) =>
      commands
        .filter(({ name }) => !own.has(name))
        .flatMap(({ name, parameters }) =>
          known[name] === undefined
            ? [name]
            : parameters.filter((p) => !known[name]?.includes(p)).map((p) => `${name} -${p}`),
        )
        .map((what) => `${file}: ${what}`),
    );
    expect(unknown).toEqual([]);
  });

  test("what a program prints is read of docker's alone: Windows' own speak the host's language", () => {
    const read = shipped().flatMap(({ outputs }) => outputs.map((output) => output.replace(/^\d+: /, '')));
    expect(new Set(read)).toEqual(new Set(["'docker.exe'"]));
  });

  test('none exits, none reads the channel by $input, and only the loop sets globals', () => {
    for (const { file, exits, input, globals } of shipped()) {
      expect({ file, exits, input }).toEqual({ file, exits: 0, input: 0 });
      if (!file.endsWith('loop.ps1')) expect({ file, globals }).toEqual({ file, globals: [] });
    }
  });

  test('no two scripts define the same function', () => {
    const all = shipped().flatMap(({ functions }) => functions);
    expect(all.filter((name, i) => all.indexOf(name) !== i)).toEqual([]);
  });

  test('the command line fits cmd.exe, and the loader 1 KB', () => {
    expect(commandLine().length).toBeLessThan(1024);
    // Far below what a line of redirected stdin may hold; each new channel has to send it.
    expect(Buffer.from(allScripts()).toString('base64').length).toBeLessThan(98_304);
  });
});
