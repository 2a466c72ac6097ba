/** What a full read of a Linux host says of the machine. Pure. */
import { z } from 'zod';
import { bridgeOf } from '../plan/linux-node.js';
import type { LinuxMachine } from '../plan/machine.js';
import type { Observation } from '../plan/plan.js';
import { redact } from '../redact.js';
import type { HostContext } from './platform.js';

export const LinuxFacts = z.object({
  privilege: z.enum(['root', 'helper', 'sudo', 'none']),
  mayInstall: z.boolean(),
  /** As `ip -V` has it; empty when it has odd characters. */
  iproute: z.string(),
  cniPlugins: z.array(z.string()).nullable(),
  /** As `iptables -S FORWARD` begins; empty when that could not be asked. */
  forwardPolicy: z.string(),
  networkManagers: z.array(z.enum(['systemd-networkd', 'NetworkManager', 'ifupdown'])),
  /** What networkd's configuration says of `ManageForeignRoutes`; empty when nothing. */
  foreignRoutes: z.string(),
  /** Whether it is this Fairway's own, and what node.conf says. */
  helper: z
    .object({ isCurrent: z.boolean(), clusterCidr: z.string(), bridge: z.string(), podCidr: z.string() })
    .nullable(),
  atBoot: z.boolean().nullable(),
  /** The running kubelet's command line; empty when none runs. */
  kubelet: z.base64(),
  freeKib: z.int().nonnegative(),
  clock: z.iso.datetime(),
});
export type LinuxFacts = z.output<typeof LinuxFacts>;

export function machineOf(
  facts: LinuxFacts,
  ctx: HostContext,
  observed: Pick<Observation, 'addresses' | 'bridges'>,
): LinuxMachine {
  const { privilege, mayInstall, cniPlugins, networkManagers, foreignRoutes, atBoot, clock } = facts;
  const isOff = ['no', 'false', 'off', '0'].includes(foreignRoutes.trim().toLowerCase());
  const policy = /^-P FORWARD (ACCEPT|DROP)$/.exec(facts.forwardPolicy)?.[1];
  const commandLine = Buffer.from(facts.kubelet, 'base64').toString('utf8').trim();
  return {
    privilege,
    mayInstall,
    iproute: /iproute2-(?:ss)?([\d.]+)/.exec(facts.iproute)?.[1] ?? '',
    cniPlugins,
    forwardPolicy: policy === 'ACCEPT' || policy === 'DROP' ? policy : null,
    networkManagers,
    keepsForeignRoutes: networkManagers.includes('systemd-networkd') ? isOff : null,
    helper: facts.helper && (isOurs(facts.helper, ctx, observed) ? 'current' : 'other'),
    restoresAtBoot: atBoot,
    kubelet: commandLine === '' ? null : redact(commandLine),
    freeBytes: facts.freeKib * 1024,
    clock,
  };
}

/** One that was told of another cluster, bridge or slice would refuse what is asked of it. Without a slice it takes the bridge's. */
function isOurs(
  { isCurrent, clusterCidr, bridge, podCidr }: NonNullable<LinuxFacts['helper']>,
  ctx: HostContext,
  observed: Pick<Observation, 'addresses' | 'bridges'>,
): boolean {
  return (
    isCurrent &&
    clusterCidr === ctx.clusterCidr &&
    bridge === (bridgeOf(ctx, observed) ?? ctx.bridge) &&
    (podCidr === '' || podCidr === ctx.podCidr)
  );
}
