import { describe, expect, test } from '@jest/globals';
import { otherOsLine } from '../../src/host/other-os.js';

const CMD = `'exec' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n`;

describe('asked for Linux, a Windows host answers by', () => {
  test.each([
    ['cmd.exe', CMD, `'exec' is not recognized as an internal or external command`],
    ['cmd.exe at its limit', 'The command line is too long.\r\n', 'The command line is too long'],
    [
      'PowerShell, in German',
      `exec : Die Benennung "exec" wurde nicht als Name eines Cmdlet erkannt.\r\n    + FullyQualifiedErrorId : CommandNotFoundException\r\n`,
      '+ FullyQualifiedErrorId : CommandNotFoundException',
    ],
  ])('%s', (_shell, printed, line) => {
    expect(otherOsLine('linux', `welcome\n${printed}`)).toBe(line);
    expect(otherOsLine('windows', printed)).toBeNull();
  });
});

describe('asked for Windows, a Linux host answers by', () => {
  test.each([
    ['dash', 'sh: 1: powershell.exe: not found'],
    ['bash', 'bash: line 1: powershell.exe: command not found'],
    ['bash, in German', 'bash: Zeile 1: powershell.exe: Kommando nicht gefunden.'],
    ['zsh', 'zsh:1: command not found: powershell.exe'],
    ['fish', 'fish: Unknown command: powershell.exe'],
    ['tcsh', 'powershell.exe: Command not found.'],
  ])('%s', (_shell, printed) => {
    expect(otherOsLine('windows', `welcome\n${printed}\n`)).toBe(printed.replace(/\.$/, ''));
    expect(otherOsLine('linux', printed)).toBeNull();
  });
});

test('other trouble is no hint', () => {
  for (const printed of ['', 'Permission denied', 'sh: 1: ip: not found', 'powershell.exe : The term']) {
    expect([printed, otherOsLine('linux', printed), otherOsLine('windows', printed)]).toEqual([
      printed,
      null,
      null,
    ]);
  }
});
