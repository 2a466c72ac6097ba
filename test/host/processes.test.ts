/** What only Linux has: process names that lie, systemd that isn't there, a login that may not, a reboot. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { HostError, HostPool, HostRequest } from '../../src/host/host.js';
import { linux } from '../../src/host/linux.js';
import type { HostContext } from '../../src/host/platform.js';
import { createSshPool } from '../../src/host/ssh.js';
import type { Component } from '../../src/node/component.js';
import type { Probe } from '../../src/plan/probe.js';
import { createLab, type Lab } from '../lab/lab.js';
import { describeWith } from '../lab/requirements.js';
import { nameOf, pidsIn, until } from '../lab/system.js';
import { PROGRAMS } from '../support/programs.js';

let lab: Lab;
let pool: HostPool;
let fence = 0;

function contextOf(name: string): HostContext {
  const { target } = lab.host(name);
  const podCidr = '192.168.0.0/24';
  return {
    target,
    clusterCidr: '192.168.0.0/16',
    podCidr,
    network: '',
    bridge: 'cbr0',
    ...PROGRAMS,
    owned: [],
  };
}

async function ask(name: string, request: HostRequest): Promise<unknown> {
  const { target, fingerprint } = lab.host(name);
  return (await pool.request(target, request, { fingerprint })).data;
}

async function probe(name: string): Promise<Probe> {
  const ctx = contextOf(name);
  return linux.parseProbe(await ask(name, linux.probe(ctx)), ctx);
}

async function pidOf(name: string, component: Component): Promise<number | undefined> {
  return (await probe(name)).processes[component]?.pid;
}

/** It has to stay for `stayS`, shorter than usual. */
function service(name: string, action: 'start' | 'stop' | 'restart', stayS = 0): Promise<unknown> {
  const { params, ...request } = linux.service(contextOf(name), 'kubelet', action, ++fence);
  return ask(name, { ...request, params: { ...params, stayS } });
}

async function logs(name: string, lines = 200): Promise<string> {
  return linux.parseLogs(await ask(name, linux.logs(contextOf(name), 'kubelet', lines)));
}

async function failure(work: Promise<unknown>): Promise<HostError> {
  return await work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: HostError) => error,
  );
}

/** Runs something on the host that goes on after this; its id there. */
async function startOn(name: string, command: string): Promise<number> {
  return Number(await lab.exec(name, `${command} </dev/null >/dev/null 2>&1 & echo $!`));
}

describeWith(['root'], 'kubelet and kube-proxy on Linux', () => {
  beforeAll(async () => {
    lab = await createLab({
      hosts: [
        { name: 'lin01', os: 'linux', address: '10.0.0.4', processes: true },
        {
          name: 'lin02',
          os: 'linux',
          address: '10.0.0.5',
          processes: true,
          user: { name: 'fairway', sudoers: '# nothing' },
        },
        { name: 'lin03', os: 'linux', address: '10.0.0.6' },
      ],
    });
    pool = createSshPool({ sshConfigFile: lab.sshConfigFile, pinned: async () => null });
  }, 60_000);
  afterEach(async () => {
    await lab.startComponent('lin01', 'kubelet');
  });
  afterAll(async () => {
    await pool?.close();
    await lab?.close();
  });

  test('a probe forks nothing while both run', async () => {
    await probe('lin01');
    // The last process id given in the host's own namespace.
    const given = async () => Number((await lab.exec('lin01', 'cat /proc/loadavg')).split(' ').at(-1));
    const before = await given();
    const perLook = (await given()) - before;
    for (let n = 0; n < 20; n += 1) await probe('lin01');
    expect((await given()) - before).toBe(2 * perLook);
  });

  test('of several with the name it is the oldest that none of them started', async () => {
    await service('lin01', 'stop');
    await lab.exec('lin01', 'mkdir -p /tmp/x && cp /usr/bin/bash /tmp/x/kubelet');
    const parent = await startOn('lin01', `/tmp/x/kubelet -c '/tmp/x/kubelet -c "sleep 600; :"; :'`);
    await until('its child', () => ownPids('lin01', 'kubelet').length === 2);
    expect(await pidOf('lin01', 'kubelet')).toBe(parent);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const younger = await startOn('lin01', '/tmp/x/kubelet -c "sleep 600; :"');
    expect(await pidOf('lin01', 'kubelet')).toBe(parent);
    await lab.exec('lin01', `kill -9 ${parent}; while [ -e /proc/${parent} ]; do sleep 0.01; done`);
    // Its child is an orphan now, and older than the other.
    const now = await pidOf('lin01', 'kubelet');
    expect(now).toBeGreaterThan(parent);
    expect(now).toBeLessThan(younger);
    await lab.kill('lin01', 'kubelet');
    expect(await pidOf('lin01', 'kubelet')).toBeUndefined();
  });

  test('a name that only looks like it, and a process that has ended but was not buried, are none', async () => {
    await service('lin01', 'stop');
    await lab.exec('lin01', `mkdir -p /tmp/y && cp /usr/bin/sleep '/tmp/y/kubelet) S 1 ('`);
    const odd = await startOn('lin01', `'/tmp/y/kubelet) S 1 (' 600`);
    expect(await pidOf('lin01', 'kubelet')).toBeUndefined();
    await lab.exec('lin01', `cp /usr/bin/sleep /tmp/y/kubelet; kill ${odd}`);
    const careless = await startOn('lin01', `perl -e 'fork || exec "/tmp/y/kubelet", 600; sleep 600'`);
    await until('the child', () => ownPids('lin01', 'kubelet').length === 1);
    expect(await pidOf('lin01', 'kubelet')).toBeGreaterThan(careless);
    await lab.kill('lin01', 'kubelet');
    expect(await pidOf('lin01', 'kubelet')).toBeUndefined();
    await lab.exec('lin01', `kill ${careless}`);
  });

  test('without systemd, or without the unit, nothing can be started, and the answer says so', async () => {
    expect(await failure(service('lin03', 'restart'))).toMatchObject({
      kind: 'script',
      detail: { code: 'NO-SYSTEMD' },
    });
    // The lab's own systemctl knows two units; systemd has those that have a file.
    await lab.exec(
      'lin01',
      `echo 'echo LoadState=not-found' >/tmp/none; chmod +x /tmp/none; mount --bind /tmp/none /usr/bin/systemctl`,
    );
    expect(await failure(service('lin01', 'restart'))).toMatchObject({
      message: 'there is no kubelet.service',
      detail: { code: 'NO-SERVICE' },
    });
    await lab.exec('lin01', 'umount /usr/bin/systemctl');
    expect((await probe('lin03')).processes).toEqual({ kubelet: null, 'kube-proxy': null });
  });

  test('what comes and goes does not run; its last words are told', async () => {
    const quoted = String.raw`kubelet[1]: failed: "no such\\path", not — ever`;
    const loop = await startOn(
      'lin01',
      `sh -c 'while sleep 1.3; do systemctl restart kubelet.service; echo '"'"'${quoted}'"'"' >>/run/log/journal/kubelet.service; done'`,
    );
    const error = await failure(service('lin01', 'restart', 4));
    await lab.exec('lin01', `kill ${loop}`);
    expect(error).toMatchObject({ kind: 'script', detail: { code: 'SERVICE' } });
    expect(error.message).toMatch(/^kubelet does not stay up; its last words: .* \/ /);
    expect(error.message).toContain("failed: 'no such/path', not  ever");
    expect(await service('lin01', 'restart', 2)).toBeTruthy();
  });

  test('a login that may not is told so by sudo; nothing has changed', async () => {
    const before = (await probe('lin02')).processes;
    expect(before.kubelet).not.toBeNull();
    const error = await failure(service('lin02', 'restart'));
    expect(error).toMatchObject({
      kind: 'script',
      detail: { code: 'NO-RIGHTS', printed: expect.stringMatching(/sudo: .*password is required/) },
    });
    expect((await probe('lin02')).processes).toEqual(before);
    expect(await failure(logs('lin02'))).toMatchObject({
      message: 'the journal has nothing of kubelet.service',
      detail: { code: 'NO-LOG', printed: expect.stringContaining('insufficient permissions') },
    });
  });

  test('where others’ processes are hidden, none is called down', async () => {
    await lab.exec('lin02', 'mount -o remount,hidepid=2 /proc');
    expect(await failure(probe('lin02'))).toMatchObject({ kind: 'script', detail: { code: 'HIDDEN' } });
    await lab.exec('lin02', 'mount -o remount,hidepid=0 /proc');
    expect((await probe('lin02')).processes.kubelet).not.toBeNull();
  });

  test('a log is cut in front, at a line', async () => {
    const line = `2026-11-01T00:00:00+0000 lab kubelet[1]: ${'x'.repeat(960)}`;
    await lab.exec('lin01', `yes '${line}' | head -n 300 >>/run/log/journal/kubelet.service`);
    const text = await logs('lin01');
    const lines = text.split('\n');
    expect(new Set(lines)).toEqual(new Set([line]));
    expect(text.length).toBeGreaterThan(60_000);
    expect(lines.length).toBe(Math.floor(65_536 / (line.length + 1)));
    expect((await logs('lin01', 3)).split('\n')).toEqual([line, line, line]);
  });

  test('a reboot gives another boot id and other processes, takes our routes, and ends the watch', async () => {
    await lab.exec('lin01', 'ip route add 192.168.9.0/24 via 10.0.0.5 proto 155');
    await lab.exec('lin01', 'ip link add cbr0 type bridge; echo 1 >/proc/sys/net/ipv4/ip_forward');
    const before = await probe('lin01');
    const { target, fingerprint } = lab.host('lin01');
    const heard: string[] = [];
    const kubelet = before.processes.kubelet?.pid ?? 0;
    await pool.watch(target, { fingerprint }, { kubelet }, (what) => heard.push(what));
    await lab.reboot('lin01');
    await until('word of it', () => heard.length === 1);
    const after = await probe('lin01');
    expect(after.observed).toMatchObject({ bridges: [], forwarding: false, nodeDevice: 'eth0' });
    expect(after.observed.routes.map(({ destination }) => destination)).toEqual(['0.0.0.0/0', '10.0.0.0/24']);
    expect(after.observed.boot).not.toBe(before.observed.boot);
    expect(after.processes.kubelet?.started).not.toBe(before.processes.kubelet?.started);
    expect(after.processes['kube-proxy']).not.toBeNull();
    expect(heard).toHaveLength(1);
  });

  test('when its connection ends, a watcher ends, and its owner is told that nobody watches', async () => {
    const { target, fingerprint } = lab.host('lin02');
    const other = createSshPool({ sshConfigFile: lab.sshConfigFile, pinned: async () => null });
    await other.request(target, linux.probe(contextOf('lin02')), { fingerprint });
    const heard: string[] = [];
    const pids = { kubelet: (await pidOf('lin02', 'kubelet')) ?? 0 };
    const watch = (p: HostPool) => p.watch(target, { fingerprint }, pids, (what) => heard.push(what));
    expect(await watch(other)).not.toBeNull();
    expect(ownPids('lin02', 'perl')).toHaveLength(1);
    await other.close();
    await until('the watcher to end', () => ownPids('lin02', 'perl').length === 0);
    await until('word of it', () => heard.length > 0);
    expect(heard).toEqual(['channel']);
    expect(await watch(other)).toBeNull();
  });

  test('a host without perl does not watch, and is not asked a third time', async () => {
    await lab.exec('lin02', 'mount --bind /dev/null /usr/bin/perl');
    const { target, fingerprint } = lab.host('lin02');
    const pids = { kubelet: (await pidOf('lin02', 'kubelet')) ?? 0 };
    for (let n = 0; n < 3; n += 1)
      expect(await pool.watch(target, { fingerprint }, pids, () => undefined)).toBeNull();
    await lab.exec('lin02', 'umount /usr/bin/perl');
    expect(await pool.watch(target, { fingerprint }, pids, () => undefined)).toBeNull();
  });
});

/** The host's processes of that name, by the machine's ids. */
function ownPids(host: string, name: string): number[] {
  return pidsIn([lab.host(host).namespace]).filter((pid) => nameOf(pid) === name);
}
