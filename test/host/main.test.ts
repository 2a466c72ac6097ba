import { execFile } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { nodeArgs } from '../../sandbox/program.js';
import { createLab, type Lab } from '../lab/lab.js';
import { describeWith } from '../lab/requirements.js';
import { caseList } from './case-list.js';

let lab: Lab;

function testHost(...args: string[]): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...nodeArgs('test/host/main.ts'), ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, out: stdout + stderr });
    });
  });
}

describeWith(['root'], 'npm run test:host', () => {
  beforeAll(async () => {
    lab = await createLab({ hosts: [{ name: 'lin01', os: 'linux', address: '10.0.0.4' }] });
  }, 60_000);
  afterAll(async () => await lab?.close());

  test('runs every reading case against a host of the user’s own, and changes nothing there', async () => {
    const before = await lab.exec(
      'lin01',
      'ip route; ip address; cat /proc/sys/net/ipv4/ip_forward; ls /run /tmp',
    );
    const { code, out } = await testHost('lin01', '--ssh-config', lab.sshConfigFile);
    expect(out).toContain('lin01 is a linux host at 10.0.0.4');
    expect(out.match(/^pass {2}/gm)).toHaveLength(caseList.filter(({ writes }) => !writes).length);
    expect(code).toBe(0);
    expect(
      await lab.exec('lin01', 'ip route; ip address; cat /proc/sys/net/ipv4/ip_forward; ls /run /tmp'),
    ).toBe(before);
  });

  test('says which case fails, and exits with 1', async () => {
    const { code, out } = await testHost(
      'lin01',
      '--os',
      'linux',
      '--address',
      '10.0.0.5',
      '--ssh-config',
      lab.sshConfigFile,
    );
    expect(out).toMatch(/^FAIL {2}a read finds the node’s device/m);
    expect(code).toBe(1);
  });

  test('says how it is used, and what ssh says of a host that is not there', async () => {
    expect(await testHost()).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^usage: npm run test:host/),
    });
    await lab.stop('lin01');
    const { code, out } = await testHost('lin01', '--ssh-config', lab.sshConfigFile);
    expect(out).toContain('10.0.0.4 port 22');
    expect(code).toBe(1);
  });
});
