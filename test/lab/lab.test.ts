import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createSshPool } from '../../src/host/ssh.js';
import { createLab, type Lab } from './lab.js';
import { describeWith } from './requirements.js';
import { pidsIn, run, startTime } from './system.js';

const HOSTS = [
  { name: 'lin01', os: 'linux' as const, address: '10.0.0.4' },
  { name: 'lin02', os: 'linux' as const, address: '10.0.0.5' },
];

/** Makes a lab and says where; its caller kills it. */
const CRASHING = `
import { createLab } from './test/lab/lab.ts';
const lab = await createLab({ hosts: ${JSON.stringify(HOSTS)} });
process.stdout.write(lab.dir + ' ' + lab.host('lin01').namespace);
setInterval(() => undefined, 1000);
`;

async function fingerprintSeen(lab: Lab): Promise<string> {
  const pool = createSshPool({ sshConfigFile: lab.sshConfigFile, pinned: async () => null });
  const request = { script: 'read', params: {}, timeoutMs: 10_000 };
  const { fingerprint } = await pool.request(lab.host('lin01').target, request, 'any');
  await pool.close();
  return fingerprint;
}

interface Mark {
  dir: string;
  namespace: string;
}

interface Identity {
  key: string | null;
  /** Process ids and when they started. */
  processes: string[];
}

/** Other tests' labs may take the same place at once; its key and its processes tell one lab from another. */
function identityOf({ dir, namespace }: Mark): Identity {
  const key = join(dir, 'id.pub');
  return {
    key: existsSync(key) ? readFileSync(key, 'utf8') : null,
    processes: pidsIn([namespace]).map((pid) => `${pid} ${startTime(pid)}`),
  };
}

function expectGone(mark: Mark, before: Identity | undefined): void {
  const now = identityOf(mark);
  if (now.key !== null) expect(now.key).not.toBe(before?.key);
  for (const old of before?.processes ?? []) expect(now.processes).not.toContain(old);
}

describeWith(['root'], 'the lab', () => {
  test('labs with the same addresses run side by side, each with hosts of its own, and leave nothing', async () => {
    const labs = await Promise.all([createLab({ hosts: HOSTS }), createLab({ hosts: HOSTS })]);
    const [a, b] = labs;
    expect(await fingerprintSeen(a)).toBe(a.host('lin01').fingerprint);
    expect(await fingerprintSeen(b)).toBe(b.host('lin01').fingerprint);
    expect(a.host('lin01').fingerprint).not.toBe(b.host('lin01').fingerprint);
    await a.exec('lin01', 'ip route add 192.168.1.0/24 via 10.0.0.5');
    expect(await b.exec('lin01', 'ip route show 192.168.1.0/24')).toBe('');
    expect(
      await run('ssh', ['-F', a.sshConfigFile, 'lin01', 'ip', 'route', 'show', '192.168.1.0/24']),
    ).toContain('via 10.0.0.5');
    const marks = labs.map((lab) => ({ dir: lab.dir, namespace: lab.host('lin01').namespace }));
    const before = marks.map(identityOf);
    await Promise.all(labs.map((lab) => lab.close()));
    for (const [index, mark] of marks.entries()) expectGone(mark, before[index]);
  });

  test('what a killed run left is swept away by the next', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', CRASHING], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said = await new Promise<string>((resolve) =>
      child.stdout.once('data', (data) => resolve(String(data))),
    );
    const [dir = '', namespace = ''] = said.split(' ');
    const before = identityOf({ dir, namespace });
    expect(before).toEqual({ key: expect.any(String), processes: [expect.any(String), expect.any(String)] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    const next = await createLab({ hosts: HOSTS.slice(0, 1) });
    expectGone({ dir, namespace }, before);
    expect(await fingerprintSeen(next)).toBe(next.host('lin01').fingerprint);
    await next.close();
  });
});
