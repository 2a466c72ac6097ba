import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SandboxHosts, startSandboxHosts } from '../../sandbox/hosts/start.js';
import { closedSshConfig } from '../../sandbox/ssh-config.js';
import { createSshPool } from '../../src/host/ssh.js';
import { loadSshConfig } from '../../src/host/ssh-config.js';

const LAB = `Host lin01 10.0.0.4
  HostName 10.0.0.4
  User root
Host *
  BindAddress 10.0.0.1
  IdentitiesOnly yes
`;

describe('the way to a host', () => {
  let dir: string;
  let sandbox: SandboxHosts;
  let file: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'fairway hosts-'));
    sandbox = await startSandboxHosts({
      workDir: dir,
      hosts: [{ name: 'win03', os: 'windows', address: '10.0.0.7' }],
    });
    file = join(dir, 'closed');
    writeFileSync(file, closedSshConfig(sandbox.sshConfigFile, readFileSync(sandbox.sshConfigFile, 'utf8')));
  });
  afterAll(async () => {
    await sandbox.close();
    rmSync(dir, { recursive: true });
  });

  const resolve = (name: string, address: string, ssh?: string) =>
    loadSshConfig(file).resolve({ name, address, os: 'windows', ...(ssh ? { ssh } : {}) });

  test.each([
    ['by its name', 'win03', '10.0.0.99', undefined],
    ['by its address', 'another', '10.0.0.7', undefined],
    ['by a login of its name', 'another', '10.0.0.99', 'admin@win03'],
  ])('is open %s', (_how, name, address, ssh) => {
    const { host, port, jumps } = resolve(name, address, ssh);
    expect({ host, port, jumps }).toEqual({
      host: '127.0.0.1',
      port: sandbox.hosts.get('win03')?.port,
      jumps: [],
    });
  });

  test.each([
    ['an address of the real world', 'real', '192.0.2.7', undefined],
    ['a name of the real world', 'real', '192.0.2.7', 'root@real.example.com:2222'],
    ['this very machine', 'here', '10.0.0.99', 'root@127.0.0.1:22'],
  ])('is closed for %s', async (_what, name, address, ssh) => {
    expect(resolve(name, address, ssh).jumps).toMatchObject([
      { host: '127.0.0.1', port: 1, user: expect.any(String) },
    ]);
    const pool = createSshPool({
      sshConfigFile: file,
      privateKeyFile: sandbox.keyFile,
      pinned: async () => null,
    });
    const target = { name, address, os: 'linux' as const, ...(ssh ? { ssh } : {}) };
    const read = { script: 'read', params: {}, timeoutMs: 1000 };
    await expect(pool.request(target, read, 'any')).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED 127.0.0.1:1'),
    });
    await pool.close();
  });

  test('keeps what the lab’s hosts have in common, for them alone', () => {
    const lab = join(dir, 'lab');
    writeFileSync(lab, LAB);
    writeFileSync(file, closedSshConfig(lab, LAB));
    const { host, user, bindAddress, jumps } = resolve('lin01', '10.0.0.4');
    expect({ host, user, bindAddress, jumps }).toEqual({
      host: '10.0.0.4',
      user: 'root',
      bindAddress: '10.0.0.1',
      jumps: [],
    });
    expect(resolve('real', '192.0.2.7').jumps).toMatchObject([{ port: 1, bindAddress: '127.0.0.1' }]);
  });
});
