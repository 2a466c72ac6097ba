/** What is checked of a Linux host: what lets Fairway work there, and what kubenet needs (S2, S7). Pure. */
import { type Cidr, contains, parseCidr } from '../ip.js';
import { type Check, check } from './check.js';
import { type Looked, restored, standing } from './check-steps.js';
import { isBefore } from './check-version.js';
import type { LinuxMachine } from './machine.js';

/** The first iproute2 whose `ip -j route` answers in JSON. */
const OLDEST_IPROUTE = '4.17';
/** Until 2020 ip called itself by the day of its snapshot, such as 190107; Linux 4.17, and its iproute2 after it, came out on this day. */
const OLDEST_SNAPSHOT = 180603;
/** What kubenet runs (pkg/kubelet/network/kubenet). */
const CNI = ['bridge', 'host-local', 'loopback'];
/** What the kubelet takes for inside when it is not told (`--non-masquerade-cidr`). */
const DEFAULT_INSIDE: Cidr = '10.0.0.0/8';
/** From it on there is no kubenet, and no such flag. */
const NO_KUBENET = '1.24';

export function linuxChecks(on: Looked): Check[] {
  const { linux } = on.observed;
  if (linux === undefined) return [check('machine', 'unknown', {})];
  const missing = CNI.filter((name) => !linux.cniPlugins?.includes(name));
  return [
    linux.privilege === 'none'
      ? check('privilege', 'fix', {})
      : check('privilege', 'ok', { by: linux.privilege }),
    iproute(linux.iproute),
    bridge(on),
    check('forwarding', restored(on, 'forwarding'), {}),
    missing.length > 0 ? check('cni', 'fix', { missing }) : check('cni', 'ok', {}),
    forwardPolicy(on, linux),
    ...persistence(on, linux),
    masquerade(on, linux.kubelet),
  ];
}

function iproute(version: string): Check {
  const [, day] = /^(?:.*\bss)?(\d{6})$/.exec(version) ?? [];
  if (!/\d/.test(version)) return check('iproute', 'unknown', {});
  const isOld = day === undefined ? isBefore(version, OLDEST_IPROUTE) : Number(day) < OLDEST_SNAPSHOT;
  return isOld
    ? check('iproute', 'fix', { version, oldest: OLDEST_IPROUTE })
    : check('iproute', 'ok', { version });
}

function bridge(on: Looked): Check {
  const step = on.steps.find((each) => each.kind === 'bridge');
  return check('bridge', restored(on, 'bridge'), { bridge: step?.bridge ?? on.policy.bridge });
}

/** Pods are asked from outside the cluster's range too, nodes among it: packets from it and to it have to pass, each whatever its other end. */
function forwardPolicy({ policy: { clusterCidr } }: Looked, { forwardChain: chain }: LinuxMachine): Check {
  if (chain === null) return check('forward-policy', 'unknown', {});
  const pass = (ranges: readonly Cidr[]): boolean => ranges.some((range) => contains(range, clusterCidr));
  return chain.policy === 'ACCEPT' || (pass(chain.from) && pass(chain.to))
    ? check('forward-policy', 'ok', {})
    : check('forward-policy', 'fix', { clusterCidr });
}

/** Whether the routes outlive what manages the network, and a boot. */
function persistence(on: Looked, machine: LinuxMachine): Check[] {
  const stands = standing(on, 'persistence');
  const byHand = machine.restoresAtBoot === true && machine.helper !== 'other';
  const others = machine.networkManagers.filter((each) => each !== 'systemd-networkd');
  const manager =
    machine.keepsForeignRoutes === false
      ? check('network-manager', stands === 'will' ? 'will' : 'fix', {})
      : others.length > 0
        ? check('network-manager', 'note', { managers: others })
        : check('network-manager', 'ok', {});
  return [check('persistence', stands ?? (byHand ? 'ok' : 'note'), {}), manager];
}

/** Pods' packets to other nodes' pods must keep their source, or nothing that answers finds its way back (kubernetes/website#1759). */
function masquerade({ policy: { clusterCidr, kubernetesVersion } }: Looked, kubelet: string | null): Check {
  if (kubelet === null) return check('masquerade', 'note', { why: 'no-kubelet' });
  const isKubenet = flag(kubelet, 'network-plugin') === 'kubenet' && isBefore(kubernetesVersion, NO_KUBENET);
  if (!isKubenet) return check('masquerade', 'note', { why: 'no-kubenet' });
  const inside = parseCidr(flag(kubelet, 'non-masquerade-cidr') ?? DEFAULT_INSIDE);
  return inside !== null && contains(inside, clusterCidr)
    ? check('masquerade', 'ok', {})
    : check('masquerade', 'fix', { clusterCidr });
}

/** The last value of a flag on a command line, `--name=value` or `--name value`. */
function flag(line: string, name: string): string | undefined {
  return [...line.matchAll(new RegExp(`(?:^|\\s)--?${name}(?:=|\\s+)"?([^\\s"]+)`, 'g'))].at(-1)?.[1];
}
