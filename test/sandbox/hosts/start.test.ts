import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SandboxHost } from '../../../sandbox/hosts/host.js';
import { newKey } from '../../../sandbox/hosts/server.js';
import { type SandboxHosts, startSandboxHosts } from '../../../sandbox/hosts/start.js';
import {
  base64,
  logIn,
  openResident,
  POWERSHELL,
  type Resident,
  run,
  SCRIPTS,
  SHELL,
} from './channel-client.js';

let workDir: string;
let sandbox: SandboxHosts;
const open: Resident[] = [];

beforeEach(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'fairway-hosts-'));
  sandbox = await startSandboxHosts({
    workDir,
    hosts: [
      { name: 'lin01', os: 'linux', address: '10.0.0.2' },
      { name: 'lin02', os: 'linux', address: '10.0.0.6' },
      { name: 'win01', os: 'windows', address: '10.0.0.3' },
      { name: 'win03', os: 'windows', address: '10.0.0.7' },
    ],
  });
});

afterEach(async () => {
  for (const resident of open.splice(0)) resident.close();
  await sandbox.close();
  rmSync(workDir, { recursive: true, force: true });
});

function host(name: string): SandboxHost {
  const found = sandbox.hosts.get(name);
  if (found === undefined) throw new Error(name);
  return found;
}

async function resident(name: string): Promise<Resident> {
  const channel = await openResident(host(name), sandbox.keyFile);
  open.push(channel);
  return channel;
}

const win01 = { fence: 1, containerNic: '00-15-5D-04-00-03', podGateway: '192.168.1.1' };
const readWin01 = { nodeIp: '10.0.0.3', full: false, network: 'fairway' };

/** Makes win01 the node of 192.168.1.0/24 and lin01 that of 192.168.0.0/24, routes in the given mode. */
async function joinTwo(mode: 'node-address' | 'pod-gateway') {
  const lin = await resident('lin01');
  const win = await resident('win01');
  const batch = [
    'link add name cbr0 type bridge',
    'link set dev cbr0 up',
    'address add 192.168.0.1/24 dev cbr0',
    'route add 192.168.1.0/24 via 10.0.0.3 proto 155',
    '',
  ].join('\n');
  await lin.ask('sync', { fence: 1, batch, forward: '1' });
  await win.ask('forwarding', { fence: 1, nodeIp: '10.0.0.3', enabled: true });
  await win.ask('pod-network', {
    ...win01,
    network: 'fairway',
    podCidr: '192.168.1.0/24',
    nodeIp: '10.0.0.3',
    ensure: true,
  });
  await win.ask('pod-gateway', { ...win01, podPrefixLength: 24, ensure: true });
  await win.ask('sync-routes', {
    fence: 1,
    nodeIp: '10.0.0.3',
    clusterCidr: '192.168.0.0/16',
    ownCidr: '192.168.1.0/24',
    add: [{ destination: '192.168.0.0/24', nextHop: mode === 'pod-gateway' ? '192.168.0.1' : '10.0.0.2' }],
    remove: [],
  });
  return { lin, win };
}

describe('the files', () => {
  test('an OpenSSH configuration finds each host by name and by address; the key is private', () => {
    const text = readFileSync(sandbox.sshConfigFile, 'utf8');
    expect(text).toContain(`Host win03 10.0.0.7\n  HostName 127.0.0.1\n  Port ${host('win03').port}\n`);
    expect(text.match(/IdentitiesOnly yes/g)).toHaveLength(4);
    expect(statSync(sandbox.keyFile).mode & 0o777).toBe(0o600);
  });
});

describe('logging in', () => {
  test("only with the generated key, only as the host's user", async () => {
    const stranger = newKey().private;
    await expect(logIn(host('lin01'), sandbox.keyFile, { privateKey: stranger })).rejects.toThrow(
      /authentication/,
    );
    await expect(logIn(host('lin01'), sandbox.keyFile, { username: 'root' })).rejects.toThrow(
      /authentication/,
    );
    const client = await logIn(host('lin01'), sandbox.keyFile);
    client.end();
  });

  test('changeHostKey: the next connection meets another key', async () => {
    const fingerprintSeen = async (): Promise<string> => {
      let seen = '';
      const client = await logIn(host('win03'), sandbox.keyFile, {
        hostHash: 'sha256',
        hostVerifier: (hash: string) => {
          seen = `SHA256:${Buffer.from(hash, 'hex').toString('base64').replace(/=+$/, '')}`;
          return true;
        },
      });
      client.end();
      return seen;
    };
    const before = await fingerprintSeen();
    expect(before).toBe(host('win03').fingerprint);
    host('win03').changeHostKey();
    const after = await fingerprintSeen();
    expect(after).toBe(host('win03').fingerprint);
    expect(after).not.toBe(before);
  });

  test('down: connections break and new ones are refused; up: same port, same state', async () => {
    const channel = await resident('lin01');
    await channel.ask('sync', { fence: 3, batch: '', forward: '1' });
    const waiting = channel.ask('read', {});
    await host('lin01').down();
    await expect(waiting).rejects.toThrow('the channel ended');
    await expect(logIn(host('lin01'), sandbox.keyFile)).rejects.toThrow(/ECONNREFUSED/);
    await host('lin01').up();
    const again = await resident('lin01');
    expect((await again.ask('read', {}))[0]).toMatchObject({ ok: true, forward: '1' });
  });

  test('a request that waits while the host goes down is never run', async () => {
    const channel = await resident('lin01');
    host('lin01').delay(100);
    const waiting = channel.ask('sync', {
      fence: 1,
      batch: 'route add 192.168.9.0/24 via 10.0.0.6\n',
      forward: '1',
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await host('lin01').down();
    await expect(waiting).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(host('lin01').state).toMatchObject({ forward: false, fence: 0 });
  });
});

describe('a Linux host', () => {
  test('reads as ip prints it', async () => {
    const channel = await resident('lin01');
    const [head, routes, addresses] = await channel.ask('read', {});
    expect(head).toEqual({ ok: true, forward: '0', boot: expect.any(String), bridges: [] });
    expect(routes).toEqual([
      { dst: 'default', gateway: '10.0.0.254', dev: 'eth0', protocol: 'static', flags: [] },
      { dst: '10.0.0.0/24', dev: 'eth0', protocol: 'kernel', scope: 'link', prefsrc: '10.0.0.2', flags: [] },
    ]);
    expect(addresses).toMatchObject([
      { ifname: 'lo', addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8 }] },
      { ifname: 'eth0', addr_info: [{ family: 'inet', local: '10.0.0.2', prefixlen: 24 }] },
    ]);
  });

  test('runs a batch to its end: what fails is printed, what works is in the tables', async () => {
    const channel = await resident('lin01');
    host('lin01').addForeignRoute({ destination: '192.168.5.0/24', nextHop: '10.0.0.6' });
    const batch =
      'route add 192.168.5.0/24 via 10.0.0.3 proto 155\nroute add 192.168.6.0/24 via 10.0.0.3 proto 155\n';
    const [, routes] = await channel.ask('sync', { fence: 7, batch, forward: '' });
    expect(routes).toContainEqual(
      expect.objectContaining({ dst: '192.168.5.0/24', gateway: '10.0.0.6', protocol: 'static' }),
    );
    expect(routes).toContainEqual({
      dst: '192.168.6.0/24',
      gateway: '10.0.0.3',
      dev: 'eth0',
      protocol: '155',
      flags: [],
    });
    expect(channel.printed()).toEqual(['RTNETLINK answers: File exists', 'Command failed -:1']);
  });

  test('a lower fencing token is refused and changes nothing', async () => {
    const channel = await resident('lin01');
    await channel.ask('sync', { fence: 7, batch: '', forward: '' });
    const answer = await channel.ask('sync', { fence: 6, batch: '', forward: '1' });
    expect(answer).toEqual([{ ok: false, code: 'FENCED', error: expect.stringContaining('7') }]);
    expect(host('lin01').state).toMatchObject({ forward: false });
  });

  test('plain exec: the request in two more words', async () => {
    const client = await logIn(host('lin01'), sandbox.keyFile);
    const out = await run(client, `${SHELL} read ${base64({})}`);
    client.end();
    expect(out.code).toBe(0);
    expect(out.stdout).toMatch(/^@@READY@@ 1\n@@R@@ \d+ 3\n\{"ok":true,.*\}\n\[.*\]\n\[.*\]\n$/);
  });

  test('knows nothing else', async () => {
    const client = await logIn(host('lin01'), sandbox.keyFile);
    expect(await run(client, 'reboot')).toMatchObject({ code: 127, stdout: '' });
    expect(await run(client, POWERSHELL)).toMatchObject({ code: 127, stdout: '' });
    expect(await run(client, `${SHELL} read`)).toMatchObject({ code: 127 });
    client.end();
  });
});

describe('a Windows host', () => {
  test('reads both stores; one NIC is free for containers', async () => {
    const channel = await resident('win03');
    const [answer] = (await channel.ask('read', {
      nodeIp: '10.0.0.7',
      full: true,
      network: 'fairway',
      pauseImage: 'apprenda/pause',
      executables: { kubelet: 'C:\\k\\kubelet.exe', 'kube-proxy': 'C:\\k\\kube-proxy.exe' },
    })) as [{ ok: boolean; data: Record<string, unknown> }];
    expect(answer).toMatchObject({ ok: true, changed: false, data: { build: 14393, nodeError: null } });
    const { routes, nics } = answer.data;
    expect(routes).toEqual([
      expect.objectContaining({ store: 'ActiveStore', dest: '0.0.0.0/0', nextHop: '10.0.0.254' }),
      expect.objectContaining({ store: 'ActiveStore', dest: '10.0.0.0/24', nextHop: '0.0.0.0' }),
      expect.objectContaining({ store: 'PersistentStore', dest: '0.0.0.0/0' }),
    ]);
    expect(nics).toEqual([
      expect.objectContaining({ name: 'Ethernet', busy: expect.arrayContaining([expect.any(String)]) }),
      expect.objectContaining({ name: 'Ethernet 2', busy: [], virtual: false }),
    ]);
  });

  test('an address that no interface holds is said, not guessed', async () => {
    const channel = await resident('win03');
    const [answer] = await channel.ask('read', { ...readWin01, nodeIp: '10.0.0.8' });
    expect(answer).toMatchObject({
      data: { ifIndex: null, nodeError: "the node's address 10.0.0.8 is on 0 interfaces" },
    });
  });

  test('a foreign route in the way is a conflict; our route is in both stores', async () => {
    const channel = await resident('win01');
    host('win01').addForeignRoute({ destination: '192.168.5.0/24', nextHop: '10.0.0.99' });
    const [answer] = await channel.ask('sync-routes', {
      fence: 1,
      nodeIp: '10.0.0.3',
      clusterCidr: '192.168.0.0/16',
      ownCidr: '192.168.1.0/24',
      add: [
        { destination: '192.168.5.0/24', nextHop: '10.0.0.2' },
        { destination: '192.168.0.0/24', nextHop: '10.0.0.2' },
      ],
      remove: [],
    });
    expect(answer).toMatchObject({ ok: true, changed: true });
    const { data } = answer as { data: { conflicts: string[]; routes: { store: string; dest: string }[] } };
    expect(data.conflicts).toEqual([
      expect.stringMatching(/^192\.168\.5\.0\/24 via 10\.0\.0\.99 on interface \d+, ActiveStore$/),
      expect.stringContaining('PersistentStore'),
    ]);
    expect(data.routes.filter(({ dest }) => dest === '192.168.0.0/24').map(({ store }) => store)).toEqual([
      'ActiveStore',
      'PersistentStore',
    ]);
  });

  test('refuses a route that would strand it', async () => {
    const channel = await resident('win01');
    const params = {
      fence: 1,
      nodeIp: '10.0.0.3',
      clusterCidr: '192.168.0.0/16',
      ownCidr: '192.168.1.0/24',
      remove: [],
    };
    const add = async (destination: string): Promise<unknown> =>
      (await channel.ask('sync-routes', { ...params, add: [{ destination, nextHop: '10.0.0.2' }] }))[0];
    expect(await add('192.168.1.0/24')).toMatchObject({
      ok: false,
      error: expect.stringContaining('own pod CIDR'),
    });
    expect(await add('172.16.0.0/24')).toMatchObject({
      ok: false,
      error: expect.stringContaining('outside'),
    });
  });

  test('the container network takes the free NIC only, and leaves nothing behind', async () => {
    const channel = await resident('win01');
    const before = host('win01').state;
    const network = { ...win01, network: 'fairway', podCidr: '192.168.1.0/24', nodeIp: '10.0.0.3' };
    const [busy] = await channel.ask('pod-network', {
      ...network,
      containerNic: '00-15-5D-03-00-03',
      ensure: true,
    });
    expect(busy).toMatchObject({ ok: false, error: expect.stringContaining("the node's address") });
    expect((await channel.ask('pod-network', { ...network, ensure: true }))[0]).toMatchObject({
      changed: true,
    });
    expect((await channel.ask('pod-network', { ...network, ensure: true }))[0]).toMatchObject({
      changed: false,
    });
    const gateway = await channel.ask('pod-gateway', { ...win01, podPrefixLength: 24, ensure: true });
    expect(gateway[0]).toMatchObject({ ok: true, data: { state: 'Preferred', forwarding: 'Enabled' } });
    const [other] = await channel.ask('pod-network', { ...network, network: 'second', ensure: true });
    expect(other).toMatchObject({ ok: false, code: 'CONFLICT' });
    await channel.ask('pod-gateway', { ...win01, podPrefixLength: 24, ensure: false });
    await channel.ask('pod-network', { ...network, ensure: false });
    expect(host('win01').state).toEqual({ ...before, fence: 1 });
  });

  test('plain exec: scripts, one request, end of input', async () => {
    const client = await logIn(host('win01'), sandbox.keyFile);
    const out = await run(client, POWERSHELL, `${SCRIPTS}\n1 read ${base64(readWin01)}\n`);
    client.end();
    expect(out.code).toBe(0);
    expect(out.stdout).toMatch(
      /^@@READY@@ 1\r\n@@R@@ 1 1\r\n\{"ok":true,"changed":false,"data":\{.*\}\}\r\n$/,
    );
  });
});

describe.each(['node-address', 'pod-gateway'] as const)('packets with next hop %s', (mode) => {
  const fromLin = { source: '192.168.0.1', targets: '192.168.1.1 192.168.2.1' };
  const fromWin = { source: '192.168.1.1', targets: ['192.168.0.1'] };

  test('go both ways once both ends hold their routes', async () => {
    const { lin, win } = await joinTwo(mode);
    expect(await lin.ask('prove', fromLin)).toEqual([
      { ok: true, answers: { '192.168.1.1': 'icmp', '192.168.2.1': 'none' } },
    ]);
    expect(await win.ask('prove', fromWin)).toMatchObject([{ data: { answers: { '192.168.0.1': 'icmp' } } }]);
  });

  test('are lost when either end lacks its route, does not forward, or is down', async () => {
    const { lin, win } = await joinTwo(mode);
    const works = async (): Promise<string | undefined> => {
      const [answer] = (await lin.ask('prove', fromLin)) as [{ answers: Record<string, string> }];
      return answer.answers['192.168.1.1'];
    };
    const forward = (enabled: boolean) => win.ask('forwarding', { fence: 1, nodeIp: '10.0.0.3', enabled });
    expect(await works()).toBe('icmp');
    await forward(false);
    expect(await works()).toBe('none');
    await forward(true);
    expect(await works()).toBe('icmp');
    host('win01').removeRoute('192.168.0.0/24');
    expect(await works()).toBe('none');
    await host('win01').down();
    expect(await works()).toBe('none');
  });
});
