import { expect, test } from '@jest/globals';
import { freshWindows } from '../../sandbox/hosts/state.js';
import { ReadParams, readData } from '../../sandbox/hosts/windows/read.js';
import type { HostRequest, HostTarget } from '../../src/host/host.js';
import type { Node } from '../../src/node/node.js';
import type { WorkerDeps } from '../../workers/deps.js';
import { readHosts } from '../../workers/read-hosts.js';
import { PROGRAMS } from '../support/programs.js';

const node: Node = { name: 'win03', os: 'windows', address: '10.0.0.7', podCidr: '192.168.3.0/24' };
const cluster = { clusterCidr: '192.168.0.0/16', network: 'transparent', bridge: 'cbr0', ...PROGRAMS };

/** A full read of a host whose account is an administrator, or is not; and who was logged out after it. */
async function read(isAdministrator: boolean): Promise<{ sees: boolean | undefined; loggedOut: string[] }> {
  const loggedOut: string[] = [];
  const host = freshWindows(node.name, node.address, 1);
  const deps = {
    config: { cluster },
    hostKeys: { pinnedAll: async () => [null] },
    works: { owned: async () => [] },
    nodes: { noteBuilds: async () => undefined },
    hosts: {
      request: async (_target: HostTarget, { params }: HostRequest) => {
        const data = readData(host, ReadParams.parse(params), Date.now()) as { machine: object };
        const machine = { ...data.machine, isAdministrator };
        return { data: { ok: true, data: { ...data, machine } }, printed: '', fingerprint: 'SHA256:x' };
      },
      logOut: ({ name }: HostTarget) => loggedOut.push(name),
    },
  } as unknown as WorkerDeps;
  const reading = (await readHosts(deps, [node], new Set([node.name]))).get(node.name);
  return { sees: reading?.observed?.windows?.machine.isAdministrator, loggedOut };
}

test('a host whose account is no administrator is logged in to anew the next time: whoever mends it is to see it', async () => {
  expect(await read(false)).toEqual({ sees: false, loggedOut: ['win03'] });
  expect(await read(true)).toEqual({ sees: true, loggedOut: [] });
});
