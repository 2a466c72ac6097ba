/** A lab with a build host and Windows nodes whose kubelet Fairway keeps running, and a sandbox world over it: what deliveries are tried on. */
import { createHash } from 'node:crypto';
import { mkdirSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startWorld, type World } from '../../sandbox/world.js';
import type { Change } from '../../src/change/change.js';
import { windows } from '../../src/host/windows.js';
import type { Node } from '../../src/node/node.js';
import type { Built } from '../../src/plan/build.js';
import { deliveredPath } from '../../src/plan/deliver.js';
import type { Step } from '../../src/plan/plan.js';
import { makeBuildDir, makeKubeTree } from '../lab/kube-tree.js';
import { createLab, type Lab } from '../lab/lab.js';
import { nameOf, pidsIn, run } from '../lab/system.js';
import { inProcess } from './in-process.js';
import { PROGRAMS } from './programs.js';
import { type Team, teamOf } from './team.js';

const NODES: readonly Node[] = [
  { name: 'win01', os: 'windows', address: '10.0.0.5', podCidr: '192.168.1.0/24' },
  { name: 'win02', os: 'windows', address: '10.0.0.6', podCidr: '192.168.2.0/24' },
];
/** Where the kubelet lies that runs first. */
export const OLD = 'C:\\k\\kubelet.exe';

export interface DeliveryField {
  lab: Lab;
  world: World;
  team: Team;
  nodes: readonly Node[];
  /** The delivered file of a build, as the lab's machine has it. */
  fileOn(name: string, built: Built): string;
  /** The executables of each node's kubelet. */
  running(): string[];
  /** A version whose file runs in the lab: a copy of a shell, padded to `megabytes`. */
  recordBuild(version: string, megabytes: number): Promise<Built>;
  /** Waits for the end. A switch, and its way back, take longer than other changes. */
  until(id: string): Promise<Change>;
  close(): Promise<void>;
}

/** SHA-256 of a file, in hex. By a program: Slack's stand-in lives in this process, and is not to fall silent meanwhile. */
export async function sumOf(file: string): Promise<string> {
  return (await run('sha256sum', [file])).split(' ')[0] ?? '';
}

export async function openDeliveryField(count: 1 | 2): Promise<DeliveryField> {
  const nodes = NODES.slice(0, count);
  const lab = await createLab({
    hosts: [{ name: 'builder', os: 'linux', address: '10.0.0.20' }, ...nodes],
  });
  const tree = makeKubeTree(lab.dir);
  const dir = makeBuildDir(lab.dir);
  const env = {
    PROBE_EVERY: '1d',
    ...{ BUILD_HOST: 'builder', BUILD_DIR: dir, BUILD_SOURCE: tree.source, BUILD_WITH: 'go' },
  };
  const world = await startWorld({ ssh: lab, workers: 1, env });
  const team = teamOf(world);
  const own = inProcess(world, team.stores);
  await team.stores.hostKeys.pin('build@builder', lab.host('builder').fingerprint);
  for (const node of nodes) {
    await team.stores.nodes.add(node);
    await team.stores.hostKeys.pin(node.name, lab.host(node.name).fingerprint);
    await install(node);
  }

  /** A kubelet that Fairway keeps running, as adding the node would have made it. */
  async function install(node: Node): Promise<void> {
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

  return {
    ...{ lab, world, team, nodes },
    fileOn: (name, built) =>
      join(lab.dir, 'hosts', name, deliveredPath(built).slice(2).replaceAll('\\', '/')),
    running: () =>
      nodes.map(({ name }) => {
        const pids = pidsIn([lab.host(name).namespace]).filter((pid) => nameOf(pid) === 'kubelet.exe');
        return pids
          .map((pid) => readlinkSync(`/proc/${pid}/exe`).replace(join(lab.dir, 'hosts', name), 'C:'))
          .join();
      }),
    recordBuild: async (version, megabytes) => {
      const commit = createHash('sha1').update(version).digest('hex');
      const path = join(dir, 'builds/kubelet', version, commit, 'kubelet.exe');
      mkdirSync(dirname(path), { recursive: true });
      const make = 'cat /bin/sh >"$1"; yes "$2" | head -c "$3" >>"$1"; chmod 755 "$1"';
      await run('sh', ['-c', make, 'make', path, version, String(megabytes << 20)]);
      const built: Built = {
        ...{ component: 'kubelet', version, source: tree.source, commit, host: 'builder', path },
        ...{ size: statSync(path).size, sha256: await sumOf(path), go: '1.19.8' },
        ...{ at: new Date().toISOString(), changeId: 'c1' },
      };
      await team.stores.builds.record(built);
      return built;
    },
    until: async (id) => {
      for (let tries = 0; tries < 4; tries += 1) {
        const found = await team.until(id).catch(() => null);
        if (found) return found;
      }
      return team.until(id);
    },
    close: async () => {
      await own.close();
      team.close();
      await world.close();
      await lab.close();
    },
  };
}
