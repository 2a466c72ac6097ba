import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type BuildNews, checkRequest, jobRequest, parseCheck, parseJob } from '../../src/host/build.js';
import type { HostError, HostPool, HostRequest, HostTarget } from '../../src/host/host.js';
import { createSshPool } from '../../src/host/ssh.js';
import { type BuildSpec, lacks } from '../../src/plan/build.js';
import { type KubeTree, makeBuildDir, makeKubeTree } from '../lab/kube-tree.js';
import { createLab, type Lab } from '../lab/lab.js';
import { describeWith } from '../lab/requirements.js';
import { sshdIn } from '../lab/sshd.js';
import { killAll } from '../lab/system.js';

const ADDRESS = '10.0.0.20';
const SPACE = 4 * 1024 ** 3;

describeWith(['root', 'go'], 'a build host, for real', () => {
  let lab: Lab;
  let tree: KubeTree;
  let pool: HostPool;
  let spec: BuildSpec;
  const target: HostTarget = { name: 'build@builder', address: ADDRESS, os: 'linux', builds: true };

  beforeAll(async () => {
    lab = await createLab({ hosts: [{ name: 'builder', os: 'linux', address: ADDRESS }] });
    tree = makeKubeTree(lab.dir);
    pool = createSshPool({ sshConfigFile: lab.sshConfigFile, pinned: async () => null });
    const { source, commit } = tree;
    spec = { component: 'kubelet', version: 'v1.5.0', source, commit, by: 'go', dir: makeBuildDir(lab.dir) };
  }, 60_000);
  afterAll(async () => {
    await pool.close();
    await lab.close();
  });

  const request = async (of: HostRequest): Promise<unknown> =>
    (await pool.request(target, of, { fingerprint: lab.host('builder').fingerprint })).data;
  const check = async (of: Partial<BuildSpec> = {}) =>
    parseCheck(await request(checkRequest({ ...spec, ...of }, of.dir ?? spec.dir)), 'builder');
  let fence = 0;
  const ask = async (id: string, of: Partial<BuildSpec> = {}, from = 0, cancel = false) => {
    fence += 1;
    const job = jobRequest({ ...spec, ...of }, { id, from, fence, cancel });
    // A connection that is cut is opened again, as a worker does.
    const again = (error: HostError) => (error.kind === 'unreachable' ? request(job) : Promise.reject(error));
    return parseJob(await request(job).catch(again), 'builder');
  };
  /** Asks until it is over, and gives the whole log too. */
  async function build(id: string, of: Partial<BuildSpec> = {}): Promise<BuildNews & { text: string }> {
    let text = '';
    for (;;) {
      const news = await ask(id, of, text.length);
      text += news.log.toString('latin1');
      if (!['running', 'waiting'].includes(news.state) && !news.more) return { ...news, text };
    }
  }
  /** Waits until the log has the text. */
  async function reach(id: string, text: string, of: Partial<BuildSpec> = {}): Promise<void> {
    for (let log = ''; !log.includes(text); ) log += (await ask(id, of, log.length)).log.toString('latin1');
  }
  const code = async (work: Promise<unknown>): Promise<string | undefined> =>
    work.then(
      () => undefined,
      (error: HostError) => error.detail.code,
    );
  /** The build's processes, by the mark that all of them bear. */
  const left = async (): Promise<string> =>
    (await lab.exec('builder', "grep -lz '^FAIRWAY_JOB=' /proc/[0-9]*/environ 2>/dev/null || true")).trim();

  test('is looked at without a trace: its programs, its room, the commit behind an annotated tag', async () => {
    const found = await check({ dir: join(lab.dir, 'other') });
    expect(found).toMatchObject({ make: true, commit: tree.commit, built: false });
    expect(found.git).toMatch(/^2\.\d+/);
    expect(found.go).toMatch(/^1\.\d+/);
    expect(found.freeBytes).toBeGreaterThan(1e8);
    expect((await check({ version: 'v1.5.99' })).commit).toBeNull();
    expect(await lab.exec('builder', `ls -d ${lab.dir}/other ${spec.dir}/go 2>/dev/null || echo none`)).toBe(
      'none\n',
    );
  });

  test('too old a Go, a full disk, no git: each is said, and nothing else is asked then', async () => {
    await lab.exec(
      'builder',
      'printf "#!/bin/sh\\necho go version go1.6.3 linux/amd64\\n" >/tmp/go; chmod +x /tmp/go',
    );
    await lab.exec(
      'builder',
      'cp -L "$(command -v go)" /tmp/kept 2>/dev/null; mount --bind /tmp/go "$(command -v go)"',
    );
    await lab.exec('builder', 'mkdir /tmp/small; mount -t tmpfs -o size=16m small /tmp/small');
    try {
      const found = await check({ dir: '/tmp/small/build' });
      expect(lacks(found, 'go', 'v1.5.0')).toEqual([
        { what: 'go-old', has: '1.6.3', needs: '1.7.1' },
        { what: 'disk', freeBytes: 16 * 1024 ** 2, needsBytes: SPACE },
      ]);
    } finally {
      await lab.exec('builder', 'umount "$(command -v go)"');
    }
  });

  test('what is not of the form is not asked of git, whatever it holds', async () => {
    for (const source of [
      'ext::sh -c id',
      '--upload-pack=id',
      'file:///etc',
      '/srv/$(id)',
      'https://h/../x',
      'ssh://-x/y',
    ])
      expect(await code(check({ source }))).toBe('PARAMS');
    for (const version of ['v1.5.0;id', '-v1.5.0', 'v1.5.0..1'])
      expect(await code(check({ version }))).toBe('PARAMS');
    expect(await code(ask('c1-a', { commit: 'HEAD' }))).toBe('PARAMS');
  });

  test('go build: the .exe, its sum and its commit; built again it is the same file', async () => {
    const { state, made, text } = await build('c1-a');
    expect([state, text]).toEqual(['built', expect.stringContaining('go build ./cmd/kubelet')]);
    const path = `${spec.dir}/builds/kubelet/v1.5.0/${tree.commit}/kubelet.exe`;
    expect(made).toMatchObject({ path, reused: false, go: expect.stringMatching(/^1\./) });
    const [sum] = (await lab.exec('builder', `sha256sum ${path}`)).split(' ');
    expect(made?.sha256).toBe(sum);
    expect(await lab.exec('builder', `head -c 2 ${path}; stat -c %s ${path}`)).toBe(`MZ${made?.size}\n`);
    expect((await check()).built).toBe(true);
    expect(await build('c2-b')).toMatchObject({ state: 'built', made: { sha256: sum, reused: true } });
    // Somebody's hand on the file: it is not taken for the build any more.
    await lab.exec('builder', `echo x >>${path}`);
    expect(await build('c3-c')).toMatchObject({ state: 'built', made: { sha256: sum, reused: false } });
  }, 180_000);

  /** Ends every session of its sshd. */
  const cutAll = () => killAll(sshdIn(lab.host('builder').namespace).sessions);
  const slow = { component: 'kube-proxy', by: 'make' } as const;

  test('cut at 10, 50 and 90 %: the build goes on, and its log is whole', async () => {
    await reach('c4-d', '1 of 10', slow);
    await cutAll();
    // Another one is told to wait, and starts nothing.
    expect(
      await ask('c9-z', { ...slow, component: 'kubelet', version: 'v1.5.0', commit: 'a'.repeat(40) }),
    ).toMatchObject({ state: 'waiting' });
    for (const at of ['5 of 10', '9 of 10']) {
      await reach('c4-d', at, slow);
      await cutAll();
    }
    const { state, text } = await build('c4-d', slow);
    expect([state, text.match(/\d+ of 10/g)?.length]).toEqual(['built', 10]);
  }, 180_000);

  test('cancel ends every process, one too that made a session of its own', async () => {
    const commit = tree.tag('v1.5.1', 'straggler');
    const next = { ...slow, version: 'v1.5.1', commit };
    await reach('c5-e', '2 of 10', next);
    // make, its shell, and the one that got away.
    expect((await left()).split('\n').length).toBeGreaterThan(2);
    expect(await ask('c5-e', next, 0, true)).toMatchObject({ state: 'cancelled' });
    expect(await left()).toBe('');
    expect(await ask('c5-e', next)).toMatchObject({ state: 'cancelled' });
    // The next one finds nothing in its way.
    expect((await build('c6-f', next)).state).toBe('built');
  }, 180_000);

  test('an earlier run of the same change that was given up is ended for the next one, and by its cancel', async () => {
    const commit = tree.tag('v1.5.3');
    const next = { ...slow, version: 'v1.5.3', commit };
    await reach('c11-j', '2 of 10', next);
    expect((await ask('c11-k', next)).state).toBe('running');
    expect((await left()).split('\n')).not.toEqual(['']);
    expect(await lab.exec('builder', `grep -lzx FAIRWAY_JOB=c11-j /proc/[0-9]*/environ || true`)).toBe('');
    expect(await ask('c12-l', next)).toMatchObject({ state: 'waiting' });
    expect(await ask('c12-l', next, 0, true)).toMatchObject({ state: 'cancelled' });
    expect(await left()).not.toBe('');
    expect(await ask('c11-m', next, 0, true)).toMatchObject({ state: 'cancelled' });
    expect(await left()).toBe('');
  }, 60_000);

  test('without modules, as Kubernetes before 1.15: make finds its packages where Go looked for them then', async () => {
    const commit = tree.tag('v1.5.4', 'no-module');
    const { state, text } = await build('c13-n', { ...slow, version: 'v1.5.4', commit });
    expect([state, text]).toEqual(['built', expect.stringContaining('10 of 10')]);
  }, 60_000);

  test('rebooted in the midst of it: lost, and said so; another run builds', async () => {
    const commit = tree.tag('v1.5.2');
    const next = { ...slow, version: 'v1.5.2', commit };
    await reach('c7-g', '3 of 10', next);
    await lab.reboot('builder');
    expect(await code(ask('c7-g', next))).toBe('JOB-LOST');
    expect((await build('c8-h', next)).state).toBe('built');
  }, 180_000);

  test('a disk that runs full: the build fails by its own words, and the result is there', async () => {
    await lab.exec('builder', 'mkdir -p /tmp/full; mount -t tmpfs -o size=8m full /tmp/full');
    const { state, text } = await build('c10-i', { dir: '/tmp/full/build' });
    expect([state, text]).toEqual(['failed', expect.stringMatching(/no space left/i)]);
  }, 120_000);
});
