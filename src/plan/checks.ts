/** All checks of a node, or of a host that is to be one, from one full read; and what of them keeps it from being added. Pure. */
import { Refusal } from '../errors.js';
import type { Cidr } from '../ip.js';
import type { Node } from '../node/node.js';
import { SKEWED_S } from '../time.js';
import { blocks, type Check, check } from './check.js';
import { linuxChecks } from './check-linux.js';
import { type Looked, lookedAt, withCard } from './check-steps.js';
import { windowsChecks } from './check-windows.js';
import type { Observation } from './plan.js';
import type { PlanPolicy } from './policy.js';

/** In bytes, as images are counted. */
const GB = 1_000_000_000;
const MIB = 1_048_576;
/** Below this the guide's kubelet takes no pods (`--low-diskspace-threshold-mb`). */
const KUBELET_LEAST = 256 * MIB;
/** microsoft/nanoserver of 2016 unpacked, on which pause images are built. */
const PAUSE_LEAST = 1.02 * GB;
/** microsoft/windowsservercore of 2016 unpacked, below the guide's IIS pod (S23). */
const SERVER_CORE = 10.2 * GB;

export interface CheckInput {
  /** Without a pod CIDR: a host that is no node yet, and holds none. */
  node: Omit<Node, 'podCidr'> & { podCidr?: Cidr | undefined };
  isMember: boolean;
  observed: Observation;
  policy: PlanPolicy;
  /** ISO instant by our clock, at which the host's answer came. */
  at: string;
}

/** Every check, in the order in which a node is made. */
export function checksOf({ node, isMember, observed, policy, at }: CheckInput): Check[] {
  const { address, os } = node;
  const machine = observed.windows?.machine ?? observed.linux;
  return [
    check('address', observed.nodeDevice === null ? 'fix' : 'ok', { address }),
    ...ofMachine(lookedAt(node, isMember, observed, policy)),
    ...(machine === undefined ? [] : [disk(machine.freeBytes, observed), clock(machine.clock, at, os)]),
  ];
}

function ofMachine(on: Looked): Check[] {
  return on.node.os === 'windows' ? windowsChecks(on) : linuxChecks(on);
}

function disk(free: number, { windows }: Observation): Check {
  const least = windows?.machine.pauseImage === null ? PAUSE_LEAST : KUBELET_LEAST;
  if (free < least) return check('disk', 'fix', { free, least });
  return windows !== undefined && free < SERVER_CORE
    ? check('disk', 'note', { free, image: SERVER_CORE })
    : check('disk', 'ok', { free });
}

function clock(theirs: string, ours: string, os: Node['os']): Check {
  const skew = Math.round((Date.parse(theirs) - Date.parse(ours)) / 1000);
  return Math.abs(skew) > SKEWED_S ? check('clock', 'fix', { skew, os }) : check('clock', 'ok', {});
}

/** The Refusal `node-not-ready`, with all that a person has to see to first. */
export class NotReady extends Refusal<'node-not-ready'> {
  readonly checks: readonly Check[];

  constructor({ name, os, address, ssh }: Node, checks: readonly Check[]) {
    super('node-not-ready', { name, os, address, ...(ssh ? { ssh } : {}), count: checks.length });
    this.checks = checks;
  }
}

/**
 * The node as it can be added: with the network card for its containers chosen. Throws NotReady with everything at once that would make
 * the change fail or the node useless, and the Refusal `node-unreadable` when a Windows host told nothing of itself.
 */
export function readyNode(node: Node, observed: Observation, policy: PlanPolicy): Node {
  const { name, address, os } = node;
  if (os === 'windows' && observed.windows === undefined)
    throw new Refusal('node-unreadable', { name, address, why: 'no Windows facts' });
  const inTheWay = ofMachine(lookedAt(node, false, observed, policy)).filter(blocks);
  if (inTheWay.length > 0) throw new NotReady(node, inTheWay);
  return os === 'windows' ? withCard(node, observed) : node;
}
