import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startWorld, type World } from '../../sandbox/world.js';
import { windows } from '../../src/host/windows.js';
import type { Built } from '../../src/plan/build.js';
import { deliveredPath } from '../../src/plan/deliver.js';
import type { Step } from '../../src/plan/plan.js';
import { type KubeTree, makeBuildDir, makeKubeTree } from '../lab/kube-tree.js';
import { createLab, type Lab } from '../lab/lab.js';
import { describeWith } from '../lab/requirements.js';
import { killAll, nameOf, pidsIn, until as untilHolds } from '../lab/system.js';
import { type InProcess, inProcess } from '../support/in-process.js';
import { PROGRAMS } from '../support/programs.js';
import { type Team, teamOf } from '../support/team.js';

const NODES = [
  { name: 'win01', os: 'windows', address: '10.0.0.5', podCidr: '192.168.1.0/24' },
  { name: 'win02', os: 'windows', address: '10.0.0.6', podCidr: '192.168.2.0/24' },
] as const;
const OLD = 'C:\\k\\kubelet.exe';

describeWith(['root', 'dotnet', 'go'], 'deliveries to Windows nodes, for real', () => {
  let lab: Lab;
  let tree: KubeTree;
  let world: World;
  let team: Team;
  let own: InProcess;
  let dir: string;

  beforeAll(async () => {
    lab = await createLab({
      hosts: [{ name: 'builder', os: 'linux', address: '10.0.0.20' }, ...NODES],
    });
    tree = makeKubeTree(lab.dir);
    dir = makeBuildDir(lab.dir);
    const env = {
      PROBE_EVERY: '1d',
      ...{ BUILD_HOST: 'builder', BUILD_DIR: dir, BUILD_SOURCE: tree.source, BUILD_WITH: 'go' },
    };
    world = await startWorld({ ssh: lab, workers: 1, env });
    team = teamOf(world);
    own = inProcess(world, team.stores);
    await team.stores.hostKeys.pin('build@builder', lab.host('builder').fingerprint);
    for (const node of NODES) {
      await team.stores.nodes.add(node);
      await team.stores.hostKeys.pin(node.name, lab.host(node.name).fingerprint);
      await install(node);
    }
  }, 180_000);
  afterAll(async () => {
    await own.close();
    team.close();
    await world.close();
    await lab.close();
  });

  /** A kubelet that Fairway keeps running, as adding the node would have made it. */
  async function install(node: (typeof NODES)[number]): Promise<void> {
    const { target, fingerprint } = lab.host(node.name);
    const { podCidr } = node;
    const names = { network: 'transparent', bridge: 'cbr0', ...PROGRAMS };
    const context = { target, clusterCidr: '192.168.0.0/16', podCidr, ...names, owned: [] };
    const ask = (request: ReturnType<typeof windows.observe>) =>
      own.deps.hosts.request(target, request, { fingerprint });
    const observed = windows.parseObservation((await ask(windows.observe(context, true))).data, context);
    const step: Step = {
      ...{ kind: 'component', action: 'ensure', component: 'kubelet', executable: OLD },
      ...{ arguments: '--v=3', environment: ['CONTAINER_NETWORK=transparent'], dependsOn: ['docker'] },
    };
    for (const request of windows.apply([step], context, observed, 1))
      for (let over = false; !over; )
        over = windows.parseProgress((await ask(request)).data, context) === null;
  }

  const fileOn = (name: string, built: Built): string =>
    join(lab.dir, 'hosts', name, deliveredPath(built).slice(2).replaceAll('\\', '/'));
  const sumOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
  /** The executable of each node's kubelet. */
  const running = (): string[] =>
    NODES.map(({ name }) => {
      const pids = pidsIn([lab.host(name).namespace]).filter((pid) => nameOf(pid) === 'kubelet.exe');
      return pids
        .map((pid) => readlinkSync(`/proc/${pid}/exe`).replace(join(lab.dir, 'hosts', name), 'C:'))
        .join();
    });

  /** A version whose file runs in the lab: a copy of a shell, padded to `megabytes`. */
  async function recordBuild(version: string, megabytes: number): Promise<Built> {
    const commit = createHash('sha1').update(version).digest('hex');
    const path = join(dir, 'builds/kubelet', version, commit, 'kubelet.exe');
    mkdirSync(dirname(path), { recursive: true });
    const shell = readFileSync(realpathSync('/bin/sh'));
    writeFileSync(path, Buffer.concat([shell, Buffer.alloc(megabytes << 20, version)]));
    chmodSync(path, 0o755);
    const { size } = { size: readFileSync(path).length };
    const built: Built = {
      ...{ component: 'kubelet', version, source: tree.source, commit, host: 'builder', path, size },
      ...{ sha256: sumOf(path), go: '1.19.8', at: new Date().toISOString(), changeId: 'c1' },
    };
    await team.stores.builds.record(built);
    return built;
  }

  test('a real build arrives with the right sum; declined, what ran runs on', async () => {
    expect((await team.make('build kubelet v1.5.0')).state).toBe('applied');
    const built = (await team.stores.builds.newest('kubelet', 'v1.5.0')) as Built;
    const asked = await team.ask('deliver kubelet v1.5.0 to win01');
    expect(await team.untilCard(asked.id, built.sha256)).toContain('asks once more');
    await team.click(asked.id, 'Approve');
    await team.untilCard(asked.id, 'Switch kubelet to it?');
    expect(sumOf(fileOn('win01', built))).toBe(built.sha256);
    await team.click(asked.id, 'Leave it as it is');
    expect((await team.until(asked.id)).state).toBe('applied');
    expect(running()[0]).toBe('C:/k/kubelet.exe');
  }, 120_000);

  test('one that does not stay up is put back by itself, and no other node is switched', async () => {
    const before = running();
    // A real Windows program, which this lab can't run.
    const asked = await team.ask('deliver kubelet v1.5.0');
    await team.click(asked.id, 'Approve');
    await team.untilCard(asked.id, '`win02` has');
    await team.untilCard(asked.id, '`win01` has');
    await team.click(asked.id, 'Switch 2 hosts');
    expect(await until(asked.id)).toMatchObject({ state: 'failed' });
    const results = await team.stores.changes.results(asked.id);
    expect(results.get('win01')).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('The former one was put back, and runs.'),
    });
    expect(results.get('win02')).toMatchObject({ status: 'waiting' });
    expect(running()).toEqual(before);
  }, 240_000);

  /** A switch, and its way back, take longer than other changes. */
  async function until(id: string) {
    for (let tries = 0; tries < 4; tries += 1) {
      const found = await team.until(id).catch(() => null);
      if (found) return found;
    }
    return team.until(id);
  }

  test('cut at 10, 50 and 90 %: it goes on where it was; then both nodes switch, one after the other, and it is rolled back', async () => {
    const built = await recordBuild('v1.5.1', 64);
    const asked = await team.ask('deliver kubelet v1.5.1');
    await team.click(asked.id, 'Approve');
    const part = `${fileOn('win01', built)}.part`;
    const bytes = (): number => statSync(part, { throwIfNoEntry: false })?.size ?? 0;
    let least = 0;
    for (const share of [0.1, 0.5, 0.9]) {
      const reached = (): boolean => {
        // What is over is not copied again.
        expect(bytes()).toBeGreaterThanOrEqual(least);
        return bytes() >= share * built.size;
      };
      await untilHolds(`${share} of the file`, reached, 60_000);
      const sessions = pidsIn([lab.host('win01').namespace]).filter((pid) => nameOf(pid) === 'sshd');
      // All but the one that listens.
      await killAll(sessions.slice(1));
      least = bytes();
    }
    await team.untilCard(asked.id, '`win01` has');
    await team.untilCard(asked.id, '`win02` has');
    for (const { name } of NODES) expect(sumOf(fileOn(name, built))).toBe(built.sha256);
    await team.click(asked.id, 'Switch 2 hosts');
    const { state } = await until(asked.id);
    const errors = [...(await team.stores.changes.results(asked.id)).values()].map(({ error }) => error);
    expect([state, ...errors]).toEqual(['applied', undefined, undefined]);
    const path = deliveredPath(built);
    expect(running()).toEqual(NODES.map(() => path.replaceAll('\\', '/')));
    // The inventory wants it there from now on.
    const { nodes } = await team.stores.nodes.read();
    expect(nodes.map((node) => node.executables?.kubelet)).toEqual([path, path]);
    await team.click(asked.id, 'Roll back');
    expect(await until(asked.id)).toMatchObject({ state: 'rolled-back' });
    expect(running()).toEqual(NODES.map(() => 'C:/k/kubelet.exe'));
  }, 300_000);
});
