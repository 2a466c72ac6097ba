/** What this machine has of what the lab needs: root for namespaces, and the .NET SDK for Windows hosts. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface Requirements {
  root: boolean;
  dotnet: boolean;
  /** Why something of the lab can't run here; null when all of it can. */
  reason: string | null;
}

export const lab: Requirements = look();

function look(): Requirements {
  const root = process.getuid?.() === 0 && has('ip', '-V') && existsSync('/usr/sbin/sshd');
  const dotnet = has('dotnet', '--version');
  const missing = [
    ...(root ? [] : ['root, iproute2 and sshd (network namespaces)']),
    ...(dotnet ? [] : ['the .NET SDK (PowerShell)']),
  ];
  const reason = missing.length === 0 ? null : `needs ${missing.join(' and ')}`;
  if (reason !== null && process.env['FAIRWAY_NO_SKIP'] === '1')
    throw new Error(`the lab ${reason}, and FAIRWAY_NO_SKIP is set`);
  return { root, dotnet, reason };
}

function has(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
