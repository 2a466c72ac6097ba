/** What a test needs of the machine, and the one place where a test may be skipped for want of it. */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';

/** `root`: network namespaces and sshd. `dotnet`: an SDK to build the PowerShell host with. `busybox`: its shell. `kubectl`: no cluster. `go`: with git and make. */
export type Requirement = 'root' | 'dotnet' | 'busybox' | 'kubectl' | 'go';

const CHECKS: Record<Requirement, { has: () => boolean; reason: string }> = {
  root: {
    has: () =>
      runs('unshare', '--net', '--mount', 'ip', 'link', 'add', 'type', 'veth') &&
      runs('test', '-x', '/usr/sbin/sshd'),
    reason: 'needs root, network namespaces and sshd (Debian: openssh-server iproute2)',
  },
  dotnet: { has: () => runs('dotnet', '--list-sdks'), reason: 'needs a .NET SDK' },
  kubectl: {
    has: () => runs('kubectl', 'version', '--client'),
    reason: 'needs kubectl (Debian: kubernetes-client)',
  },
  go: {
    has: () => runs('go', 'version') && runs('git', '--version') && runs('make', '--version'),
    reason: 'needs Go, git and make (Debian: golang-go git make)',
  },
  busybox: { has: () => runs('busybox', 'true'), reason: 'needs busybox (Debian: busybox)' },
};

const found = new Map<Requirement, boolean>();

/** Whether this machine has it. */
function has(requirement: Requirement): boolean {
  const known = found.get(requirement) ?? CHECKS[requirement].has();
  found.set(requirement, known);
  return known;
}

/**
 * `describe`, for tests that need more than Node. Without it they are skipped with one line that says why,
 * and with FAIRWAY_NO_SKIP=1 that is a failure.
 */
export function describeWith(needs: readonly Requirement[], name: string, body: () => void): void {
  const missing = needs.filter((requirement) => !has(requirement));
  if (missing.length === 0) {
    describe(name, body);
    return;
  }
  const why = missing.map((requirement) => CHECKS[requirement].reason).join('; ');
  if (process.env['FAIRWAY_NO_SKIP'] === '1') {
    describe(name, () => test('nothing is skipped', () => expect(why).toBe('')));
    return;
  }
  process.stderr.write(`skipped: ${name}: ${why}\n`);
  describe.skip(name, body);
}

function runs(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
