import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import ssh2 from 'ssh2';
import { recognise, shellWords } from '../../../sandbox/hosts/command.js';
import { rebooted, withForeignRoute, withoutRoute } from '../../../sandbox/hosts/events.js';
import { type Fabric, onTheWire, reachable } from '../../../sandbox/hosts/fabric.js';
import { runBatch } from '../../../sandbox/hosts/linux/ip.js';
import { newKey } from '../../../sandbox/hosts/server.js';
import { freshLinux, freshWindows, type HostState } from '../../../sandbox/hosts/state.js';
import { addRoute } from '../../../sandbox/hosts/windows/net.js';
import { plainLaunch, quote, residentLaunch, watchLaunch } from '../../../src/host/scripts.js';

describe('command lines', () => {
  test('quoted words come apart as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(shellWords(words.map(quote).join(' '))).toEqual(words);
      }),
    );
  });

  test('an open quote is no command', () => {
    expect(shellWords("echo 'a")).toBeNull();
    expect(recognise('linux', "exec /bin/sh -c 'true fairway")).toBeNull();
  });

  test("Fairway's own are recognised, each by its own OS only", () => {
    const params = Buffer.from('{}').toString('base64');
    const linux = residentLaunch({ os: 'linux' }).command;
    const windows = residentLaunch({ os: 'windows' }).command;
    expect(recognise('linux', linux)).toEqual({ form: 'resident' });
    expect(recognise('linux', plainLaunch({ os: 'linux' }, 'read', params).command)).toEqual({
      form: 'once',
      script: 'read',
      params,
    });
    const processes = ['kubelet=812', 'kube-proxy=815'];
    expect(recognise('linux', watchLaunch('linux', processes).command)).toEqual({ form: 'watch', processes });
    expect(recognise('windows', windows)).toEqual({ form: 'loader' });
    expect(watchLaunch('windows', processes).command).toBe(windows);
    expect(recognise('windows', linux)).toBeNull();
    expect(recognise('linux', windows)).toBeNull();
  });

  test('cmd.exe takes 8191 characters', () => {
    const loader = Buffer.from(`[Console]::In.ReadLine()${' '.repeat(4000)}`, 'utf16le').toString('base64');
    const command = `powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand ${loader}`;
    expect(command.length).toBeGreaterThan(8191);
    expect(recognise('windows', command)).toBeNull();
  });
});

test('every generated key can be read back', () => {
  // One in 256 could not, had it not been made again.
  for (let count = 0; count < 1000; count += 1) {
    expect(ssh2.utils.parseKey(newKey().private)).not.toBeInstanceOf(Error);
  }
});

describe('the wire', () => {
  const fabricOf = (...hosts: HostState[]): Fabric =>
    new Map(hosts.map((host) => [host.name, onTheWire(host, true)]));
  const linux = (number: number, ...lines: string[]) =>
    runBatch(
      { ...freshLinux(`lin0${number}`, `10.0.0.${number}`, number), forward: true },
      `${lines.join('\n')}\n`,
    ).host;

  test('neighbours answer each other; nobody else does', () => {
    const fabric = fabricOf(linux(1), linux(2));
    expect(reachable(fabric, 'lin01', '10.0.0.1', '10.0.0.2')).toBe(true);
    expect(reachable(fabric, 'lin01', '10.0.0.1', '10.0.0.3')).toBe(false);
    expect(reachable(fabric, 'lin01', '10.0.0.9', '10.0.0.2')).toBe(false);
    expect(reachable(fabric, 'lin09', '10.0.0.1', '10.0.0.2')).toBe(false);
  });

  test('a loop ends', () => {
    const fabric = fabricOf(
      linux(1, 'route add 192.168.9.0/24 via 10.0.0.2'),
      linux(2, 'route add 192.168.9.0/24 via 10.0.0.1'),
    );
    expect(reachable(fabric, 'lin01', '10.0.0.1', '192.168.9.1')).toBe(false);
  });

  test('a third host on the way forwards only when it may', () => {
    const bridge = [
      'link add name cbr0 type bridge',
      'address add 192.168.3.1/24 dev cbr0',
      'link set cbr0 up',
    ];
    const ends = [linux(1, 'route add 192.168.3.0/24 via 10.0.0.2'), linux(3, ...bridge)];
    const middle = linux(2, 'route add 192.168.3.0/24 via 10.0.0.3');
    const asks = (host: HostState): boolean =>
      reachable(fabricOf(...ends, host), 'lin01', '10.0.0.1', '192.168.3.1');
    expect(asks(middle)).toBe(true);
    expect(asks({ ...middle, forward: false })).toBe(false);
  });

  test('the longest prefix decides', () => {
    const bridge = [
      'link add name cbr0 type bridge',
      'address add 192.168.3.1/24 dev cbr0',
      'link set cbr0 up',
    ];
    const astray = linux(1, 'route add 192.168.0.0/16 via 10.0.0.2', 'route add 192.168.3.0/24 via 10.0.0.3');
    expect(reachable(fabricOf(astray, linux(3, ...bridge)), 'lin01', '10.0.0.1', '192.168.3.1')).toBe(true);
  });
});

describe('what happens without Fairway', () => {
  test('a reboot takes our routes, bridges and forwarding on Linux, what is not persistent on Windows, and every process', () => {
    const lin = runBatch(
      { ...freshLinux('lin01', '10.0.0.1', 1), forward: true, fence: 5 },
      'link add name cbr0 type bridge\naddress add 192.168.0.1/24 dev cbr0\nlink set cbr0 up\nroute add 192.168.1.0/24 via 10.0.0.2 proto 155\n',
    ).host;
    const after = rebooted(lin, 'next', 5_000);
    const { processes, lastPid, log } = after;
    const others = { boot: 'next', bootedMs: 5_000, processes, lastPid, log };
    expect(after).toEqual({ ...freshLinux('lin01', '10.0.0.1', 1), ...others });
    expect(processes.kubelet?.pid).toBeGreaterThan(lin.lastPid);
    expect(processes['kube-proxy']?.pid).toBe(lastPid);
    expect(log.kubelet.length).toBe(2 * lin.log.kubelet.length);
    const fresh = freshWindows('win01', '10.0.0.3', 3);
    const win = addRoute(fresh, '192.168.0.0/24', '10.0.0.1', 14);
    const half = { ...win, persistent: fresh.persistent };
    expect(rebooted(half, 'next')).toMatchObject({ boot: 'next', persistent: fresh.persistent });
    expect((rebooted(half, 'next') as typeof win).active.map(({ destination }) => destination)).not.toContain(
      '192.168.0.0/24',
    );
    expect((rebooted(win, 'next') as typeof win).active.map(({ destination }) => destination)).toContain(
      '192.168.0.0/24',
    );
  });

  test("somebody's route comes and goes", () => {
    for (const fresh of [freshLinux('a', '10.0.0.1', 1), freshWindows('b', '10.0.0.2', 2)]) {
      const route = { destination: '192.168.5.0/24', nextHop: '10.0.0.9' };
      const changed = withForeignRoute(fresh, route);
      expect(changed).not.toEqual(fresh);
      expect(withoutRoute(changed, route.destination)).toEqual(fresh);
    }
  });
});
