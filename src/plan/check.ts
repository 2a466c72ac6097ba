/** The checks of a node, or of a host that is to be one, as data: each says one thing, and how it stands. `words/check.ts` says it in words. Pure. */
import type { Cidr, Ipv4 } from '../ip.js';
import type { Os } from '../node/node.js';
import type { NicChoice } from './container-nic.js';
import type { LinuxMachine } from './machine.js';

/** Of what a step of the plan sees to; `note`: it is missing, and somebody else's to keep. */
interface Stands<F extends object = object> {
  ok: F;
  will: F;
  note: F;
}

/** How kubelet or kube-proxy stands on a Windows host. `fix`: its executable is not there. */
interface ComponentFacts {
  ok: { executable: string };
  will: { state: 'missing' | 'differs' | 'stopped' };
  fix: { executable: string };
  note: { state: 'missing' | 'differs' | 'stopped' };
}

/**
 * Every check, its verdicts, and what it knows at each.
 *
 *     ok       it is as it should be
 *     will     a step of the plan sees to it
 *     fix      a person has to see to it, on the host
 *     note     worth knowing; nothing stops by it
 *     unknown  the host did not tell
 */
export interface CheckFacts {
  address: { ok: { address: Ipv4 }; fix: { address: Ipv4 } };
  /** `skew`: seconds that its clock is ahead of ours. */
  clock: { ok: object; fix: { skew: number; os: Os } };
  /** In bytes. */
  disk: { ok: { free: number }; note: { free: number; image: number }; fix: { free: number; least: number } };
  forwarding: { ok: object; will: object };
  /** A full read that has no facts of the machine itself. */
  machine: { unknown: object };

  windows: {
    ok: { product: string; build: number };
    fix: { product: string; build: number; oldest: number };
  };
  administrator: { ok: object; fix: object };
  docker: { ok: { version: string }; fix: { version: string; oldest: string } | { error: string } };
  'container-dns': { ok: object; note: { from: string } };
  'container-nic': {
    ok: { name: string; mac: string };
    fix: Extract<NicChoice, { mac: null }>;
    note: object;
  };
  'routing-service': Stands & { fix: object; unknown: object };
  restart: Stands;
  'pause-image': Stands<{ image: string }> & { unknown: { image: string } };
  /** `types`: of the switches of that name; `error`: what Hyper-V's cmdlets say, null when they are missing. */
  'virtual-switch': Stands<{ name: string }> & {
    fix: { name: string; types: string[] } | { name: string; error: string | null };
    unknown: { name: string };
  };
  'pod-network': {
    ok: { network: string; podCidr: Cidr };
    will: { network: string };
    /** `other`: a network in the way; null: there is none, and the plan can't make one. */
    fix:
      | { network: string; podCidr: Cidr | null; other: { name: string; subnet: Cidr; gateway: Ipv4 } }
      | { network: string; podCidr: Cidr; other: null };
    unknown: { network: string };
  };
  'pod-gateway': { ok: object; will: object };
  'ip-helper': { ok: object; fix: { isThere: boolean } };
  /** `language`: an LCID. */
  language: { ok: { isEnglish: boolean }; fix: { language: number } };
  'kubernetes-flags': { note: { version: string } };
  'service-manager': { ok: object; note: object };
  /** `path`: the first, from above, that everybody may change, and whether that is a file. */
  permissions: { ok: object; fix: { path: string; isFile: boolean }; unknown: { path: string } };
  kubelet: ComponentFacts;
  'kube-proxy': ComponentFacts;

  privilege: { ok: { by: LinuxMachine['privilege'] }; fix: object };
  iproute: {
    ok: { version: string };
    fix: { version: string; oldest: string };
    unknown: object;
  };
  bridge: { ok: { bridge: string }; will: { bridge: string } };
  cni: { ok: object; fix: { missing: string[] } };
  'forward-policy': { ok: object; fix: { clusterCidr: Cidr }; unknown: object };
  'network-manager': {
    ok: object;
    will: object;
    fix: object;
    note: { managers: LinuxMachine['networkManagers'] };
  };
  persistence: Stands;
  masquerade: { ok: object; fix: { clusterCidr: Cidr }; note: { why: 'no-kubelet' | 'no-kubenet' } };
}

export type CheckId = keyof CheckFacts;
export type Verdict = 'ok' | 'will' | 'fix' | 'unknown' | 'note';

/** One check with its verdict; `row` is the guide's, as `S4`. */
export type Check = {
  [I in CheckId]: {
    [V in keyof CheckFacts[I]]: { id: I; row?: string; verdict: V; facts: CheckFacts[I][V] };
  }[keyof CheckFacts[I]];
}[CheckId];

/** What each checks of the guide. */
const ROWS: Partial<Record<CheckId, string>> = {
  windows: 'S3',
  docker: 'S4',
  bridge: 'S7',
  persistence: 'S7',
  'container-nic': 'S8',
  forwarding: 'S9',
  'routing-service': 'S9',
  restart: 'S9',
  'virtual-switch': 'S10',
  'pod-network': 'S11',
  'pod-gateway': 'S12',
  'pause-image': 'S14',
  'container-dns': 'S15',
  kubelet: 'S20',
  'kube-proxy': 'S21',
  cni: 'S2',
  masquerade: 'S2',
};

export function check<I extends CheckId, V extends keyof CheckFacts[I]>(
  id: I,
  verdict: V,
  facts: CheckFacts[I][V],
): Check {
  const row = ROWS[id];
  return { id, ...(row === undefined ? {} : { row }), verdict, facts } as unknown as Check;
}

/** `fix` of these makes an addition fail, or a node that carries nothing: it is refused before anybody is asked. */
const BLOCKING: ReadonlySet<CheckId> = new Set<CheckId>([
  'windows',
  'administrator',
  'docker',
  'container-nic',
  'routing-service',
  'virtual-switch',
  'pod-network',
  'kubelet',
  'kube-proxy',
  'privilege',
]);

/** Whether nothing may be added while this check stands so. */
export function blocks({ id, verdict }: Check): boolean {
  return verdict === 'fix' && BLOCKING.has(id);
}

/** The order in which checks are shown: what a person has to do first, what is fine last. */
export const URGENCY: readonly Verdict[] = ['fix', 'unknown', 'will', 'note', 'ok'];
