/** What a full read of a Linux host says of the machine. Pure. */
import { z } from 'zod';
import { parseCidr } from '../ip.js';
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
  /** What `iptables -S FORWARD` says of the policy, and of rules that accept; empty when that could not be asked. */
  forwardChain: z.base64(),
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
  const commandLine = decoded(facts.kubelet).trim();
  return {
    privilege,
    mayInstall,
    iproute: /iproute2-(?:ss)?([\d.]+)/.exec(facts.iproute)?.[1] ?? '',
    cniPlugins,
    forwardChain: chainOf(decoded(facts.forwardChain)),
    networkManagers,
    keepsForeignRoutes: networkManagers.includes('systemd-networkd') ? isOff : null,
    helper: facts.helper && (isOurs(facts.helper, ctx, observed) ? 'current' : 'other'),
    restoresAtBoot: atBoot,
    kubelet: commandLine === '' ? null : redact(commandLine),
    freeBytes: facts.freeKib * 1024,
    clock,
  };
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

/** A rule that asks for nothing but a source or a destination, if that. */
const ACCEPTS =
  /^-A FORWARD(?: -([sd]) (\S+))?(?: -m comment --comment (?:"(?:\\.|[^"\\])*"|\S+))? -j ACCEPT$/;
const EVERYWHERE = '0.0.0.0/0';

/** What a rule further up does first is not looked at: `iptables -I` puts those that are asked for before all others. */
function chainOf(text: string): LinuxMachine['forwardChain'] {
  const [first = '', ...lines] = text.split('\n');
  const policy = /^-P FORWARD (ACCEPT|DROP)$/.exec(first)?.[1];
  if (policy !== 'ACCEPT' && policy !== 'DROP') return null;
  const rules = lines.flatMap((line) => {
    const found = ACCEPTS.exec(line);
    const range = found && parseCidr(found[2] ?? EVERYWHERE);
    return found && range !== null ? [{ end: found[1] ?? 'sd', range }] : [];
  });
  const accepted = (end: 's' | 'd') =>
    rules.filter((rule) => rule.end.includes(end)).map(({ range }) => range);
  return { policy, from: accepted('s'), to: accepted('d') };
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
