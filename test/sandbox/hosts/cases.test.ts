/** The sandbox hosts as Fairway's own pool and platforms meet them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type SandboxHosts, startSandboxHosts } from '../../../sandbox/hosts/start.js';
import { platformOf } from '../../../src/host/platform.js';
import { createSshPool } from '../../../src/host/ssh.js';
import { podGateway } from '../../../src/ip.js';
import { desiredRoutes, type NextHopMode, nextHopTo } from '../../../src/network/route.js';
import { Node, type Os } from '../../../src/node/node.js';
import type { Step } from '../../../src/plan/plan.js';
import { type CaseHost, read, send } from '../../host/case-list.js';
import { hostCases } from '../../host/cases.js';
import { PROGRAMS } from '../../support/programs.js';

const CLUSTER = '192.168.0.0/16';
/** What a full read of a Windows host is asked beside the network. */
const EXTRA = {
  pauseImage: 'apprenda/pause',
  executables: { kubelet: 'C:\\k\\kubelet.exe', 'kube-proxy': 'C:\\k\\kube-proxy.exe' },
};

interface Running {
  sandbox: SandboxHosts;
  pool: CaseHost['pool'];
  close(): Promise<void>;
}

async function start(hosts: readonly { name: string; os: Os; address: string }[]): Promise<Running> {
  const workDir = mkdtempSync(join(tmpdir(), 'fairway-hosts-'));
  const sandbox = await startSandboxHosts({ workDir, hosts });
  const pool = createSshPool({ sshConfigFile: sandbox.sshConfigFile, pinned: async () => null });
  const close = async (): Promise<void> => {
    await pool.close();
    await sandbox.close();
    rmSync(workDir, { recursive: true, force: true });
  };
  return { sandbox, pool, close };
}

/** The MAC of the NIC that a Windows host can spare. */
function spareNic({ sandbox }: Running, name: string): string {
  const nic = sandbox.hosts.get(name)?.state.interfaces.find((each) => each.name === 'Ethernet 2');
  if (nic === undefined) throw new Error(`${name} has no NIC to spare`);
  return nic.mac;
}

function podSteps(os: Os, podCidr: string, containerNic: string): Step[] {
  if (os === 'linux')
    return [
      { kind: 'bridge', action: 'ensure', bridge: 'cbr0', podCidr, ownBridge: true },
      { kind: 'persistence', action: 'ensure' },
    ];
  return [
    { kind: 'pod-network', action: 'ensure', network: 'transparent', podCidr, containerNic },
    { kind: 'pod-gateway', action: 'ensure', podCidr, containerNic },
  ];
}

async function caseHost(os: Os): Promise<CaseHost> {
  const target = { name: 'node1', os, address: '10.0.0.4' };
  const peer = { name: 'node2', os: 'linux' as const, address: '10.0.0.5', podCidr: '192.168.1.0/24' };
  const running = await start([target, peer]);
  const podCidr = '192.168.0.0/24';
  const containerNic = os === 'windows' ? spareNic(running, 'node1') : undefined;
  const node1 = running.sandbox.hosts.get('node1');
  node1?.alter((state) => (state.os === 'linux' ? { ...state, mayInstall: true } : state));
  let fence = 0;
  return {
    pool: running.pool,
    platform: platformOf(os),
    context: {
      target,
      clusterCidr: CLUSTER,
      podCidr,
      network: 'transparent',
      bridge: 'cbr0',
      ...PROGRAMS,
      owned: [],
      ...EXTRA,
      ...(containerNic === undefined ? {} : { containerNic }),
    },
    writing: {
      peer,
      silent: '10.0.0.99',
      podSteps: podSteps(os, podCidr, containerNic ?? ''),
      nextFence: () => ++fence,
      addForeign: async (route) => node1?.addForeignRoute(route),
      kill: async (component) => node1?.kill(component),
      start: async (component) => node1?.restart(component),
      watchers: async () => node1?.watchers ?? 0,
    },
    close: running.close,
  };
}

describe('Linux, sandbox', () => hostCases(() => caseHost('linux')));
describe('Windows, sandbox', () => hostCases(() => caseHost('windows')));

describe.each<NextHopMode>(['node-address', 'pod-gateway'])(
  "the guide's three hosts, next hop %s",
  (mode) => {
    const guide = [
      { name: 'lin01', os: 'linux' as const, address: '10.0.0.4', podCidr: '192.168.0.0/24' },
      { name: 'win01', os: 'windows' as const, address: '10.0.0.5', podCidr: '192.168.1.0/24' },
      { name: 'win02', os: 'windows' as const, address: '10.0.0.6', podCidr: '192.168.2.0/24' },
    ].map((node) => Node.parse(node));

    test('every pod gateway answers every other, and none before', async () => {
      const running = await start(guide);
      try {
        const hosts = guide.map((node): CaseHost => {
          const nic = node.os === 'windows' ? { containerNic: spareNic(running, node.name) } : {};
          const context = {
            target: { name: node.name, os: node.os, address: node.address },
            clusterCidr: CLUSTER,
            podCidr: node.podCidr,
            network: 'transparent',
            bridge: 'cbr0',
            ...PROGRAMS,
            owned: [],
            ...EXTRA,
            ...nic,
          };
          return { pool: running.pool, platform: platformOf(node.os), context, close: async () => undefined };
        });
        const proofs = async () =>
          await Promise.all(
            hosts.map(async (host) => {
              const others = guide.filter(({ name }) => name !== host.context.target.name);
              const targets = others.map(({ podCidr }) => podGateway(podCidr));
              const request = host.platform.prove(host.context, podGateway(host.context.podCidr), targets);
              return Object.values(host.platform.parseProof((await send(host, request)).data));
            }),
          );
        const make = async (host: CaseHost, steps: Step[]): Promise<void> => {
          const requests = host.platform.apply(steps, host.context, await read(host), 1);
          for (const request of requests) await send(host, request);
        };
        for (const host of hosts) {
          const { podCidr, containerNic = '', target } = host.context;
          const own = podSteps(target.os, podCidr, containerNic).filter(({ kind }) => kind !== 'persistence');
          await make(host, [...own, { kind: 'forwarding', action: 'ensure' }]);
        }
        expect((await proofs()).flat()).toEqual(Array(6).fill('none'));
        for (const [index, host] of hosts.entries()) {
          const node = guide[index] as Node;
          const steps = guide
            .filter((peer) => peer !== node)
            .map((peer): Step => {
              const route = { destination: peer.podCidr, nextHop: nextHopTo(peer, node.os, mode) };
              return { kind: 'route', action: 'ensure', peer: peer.name, route };
            });
          await make(host, steps);
          const seen = (await read(host)).routes.filter(({ nextHop }) => nextHop !== null);
          expect(seen.map(({ destination, nextHop }) => ({ destination, nextHop }))).toEqual(
            expect.arrayContaining(desiredRoutes(node, guide, mode)),
          );
        }
        expect((await proofs()).flat()).toEqual(Array(6).fill('icmp'));
      } finally {
        await running.close();
      }
    });
  },
);
