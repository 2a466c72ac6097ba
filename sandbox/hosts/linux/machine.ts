/** A Linux host's machine as a full read tells of it, and the root helper that may be installed there. Pure. */
import { z } from 'zod';
import type { LinuxFacts } from '../../../src/host/linux-machine.js';
import { rootHelper } from '../../../src/host/scripts.js';
import { podGateway } from '../../../src/ip.js';
import { CidrText } from '../../../src/node/node.js';
import { Fence, ScriptError } from '../script.js';
import type { LinuxHost, RootHelper } from '../state.js';

export const PersistenceParams = z.discriminatedUnion('action', [
  z.object({
    fence: Fence,
    action: z.literal('ensure'),
    cluster: CidrText,
    bridge: z.string(),
    own: CidrText,
    helper: z.base64(),
  }),
  z.object({ fence: Fence, action: z.literal('remove') }),
]);

const FREE_KIB = 40 * 1024 * 1024;

/** `now` is in milliseconds since 1970, by the host's clock. */
export function machineFacts(host: LinuxHost, now: number): LinuxFacts {
  const { helper, mayInstall, processes } = host;
  const kubelet = processes.kubelet && `/usr/bin/kubelet --hostname-override=${host.name}`;
  return {
    privilege: helper ? 'helper' : 'sudo',
    mayInstall,
    iproute: 'ip utility, iproute2-6.1.0, libbpf 1.1.2',
    cniPlugins: ['bridge', 'host-local', 'loopback'],
    // Its login is not root.
    forwardChain: '',
    networkManagers: ['ifupdown'],
    foreignRoutes: '',
    helper: helper && {
      isCurrent: helper.text === rootHelper().text,
      clusterCidr: helper.clusterCidr,
      bridge: helper.bridge,
      podCidr: helper.podCidr,
    },
    atBoot: helper !== null,
    kubelet: Buffer.from(kubelet ?? '').toString('base64'),
    freeKib: FREE_KIB,
    clock: new Date(now).toISOString(),
  };
}

/** Installs the helper, or takes it away. */
export function persisted(host: LinuxHost, asked: z.output<typeof PersistenceParams>): LinuxHost {
  if (!host.mayInstall)
    throw new ScriptError('NO-RIGHTS', 'this login is not root, and sudo does not let it install anything');
  if (asked.action === 'remove') return { ...host, helper: null };
  const text = Buffer.from(asked.helper, 'base64').toString();
  const { cluster: clusterCidr, bridge, own: podCidr } = asked;
  return noted({
    ...host,
    helper: { text, clusterCidr, bridge, podCidr, saved: { forward: false, batch: '' } },
  });
}

/** What the helper notes after each sync: what a boot would lose. */
export function noted(host: LinuxHost): LinuxHost {
  const { helper, forward } = host;
  return helper ? { ...host, helper: { ...helper, saved: { forward, batch: batchOf(host, helper) } } } : host;
}

function batchOf({ interfaces, routes }: LinuxHost, { bridge, podCidr }: RootHelper): string {
  const gateway = podGateway(podCidr);
  const held = interfaces
    .find(({ name }) => name === bridge)
    ?.addresses.find(({ address }) => address === gateway);
  const lines = [
    ...(held
      ? [
          `link add name ${bridge} type bridge`,
          `address add ${gateway}/${held.prefixLength} dev ${bridge}`,
          `link set ${bridge} up`,
        ]
      : []),
    ...routes
      .filter(({ protocol, nextHop }) => protocol === '155' && nextHop !== null)
      .map(({ destination, nextHop }) => `route add ${destination} via ${nextHop} proto 155`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
