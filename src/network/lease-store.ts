/** Holding a pod CIDR: claims, and rests after removal, in Redis. Every operation is one call of one Lua script. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { Refusal } from '../errors.js';
import { baseOf, type Cidr, overlaps } from '../ip.js';
import { Node, NodeSpec } from '../node/node.js';
import { type Keys, prepareScript } from '../redis.js';
import {
  checkAddress,
  checkPodCidr,
  countFree,
  type NetworkPolicy,
  neverGiven,
  sliceCount,
  toRanges,
} from './allocation.js';

/**
 *     claim ─▶ claimed ─ confirm ─▶ held ─ quarantine ─▶ resting ─ all peers settled, and `restsUntil` past ─▶ free
 *                 └──── release ─▶ free
 */
export interface Lease {
  podCidr: Cidr;
  node: NodeSpec;
  /** The change that claimed it. */
  changeId: string;
  state: 'claimed' | 'held' | 'resting';
  /** ISO instants. */
  claimedAt: string;
  restsUntil?: string;
  /** Resting: peers that may still route it. */
  owing: string[];
}

export interface Claim {
  changeId: string;
  node: NodeSpec;
  /** The slice that the user asked for; without it, the lowest free one. */
  explicit?: Cidr;
  /** Ranges that some host routes already. */
  excluded: readonly Cidr[];
  /** Take another slice than the one that this change has, in one stroke. Only before it is confirmed. */
  another?: boolean;
  now: Date;
}

export interface LeaseStore {
  /**
   * Takes a slice for a change, or gives back the one that this change has. `others` are all other leases at that
   * moment: whatever is `claimed` or `held` there came first. Throws a Refusal when the name, the address or the slice
   * is taken, or none is left.
   */
  claim(claim: Claim): Promise<{ lease: Lease; others: Lease[] }>;
  /**
   * Takes for an adoption the very slices that these nodes have already: all of them or none. Safe to repeat. Throws a Refusal when
   * a name, an address or a slice is taken.
   */
  adopt(adoption: { changeId: string; nodes: readonly Node[]; now: Date }): Promise<Lease[]>;
  /** Approved: from now on the slice goes through quarantine before anybody else gets it. Null: this change has no claim. */
  confirm(changeId: string): Promise<Lease | null>;
  /** The same for an adoption: every slice that it took, less those that were given up since. */
  confirmAll(changeId: string): Promise<Lease[]>;
  /**
   * Denied or expired, nothing was ever routed: free at once. `held`: refused, it may be routed; quarantine it. A change that is over and
   * never touched a host (`untouched`) gives back even what was confirmed for it.
   */
  release(changeId: string, untouched?: 'untouched'): Promise<'released' | 'held' | 'none'>;
  /** Puts a removed node's slice to rest. Repeating it changes nothing; null when the slice is not this node's. */
  quarantine(rest: {
    podCidr: Cidr;
    node: string;
    peersOwing: readonly string[];
    until: Date;
  }): Promise<Lease | null>;
  /** A peer has confirmed that it routes the slice no more, or no more to this node. Null when the slice (of this node) does not rest. */
  settle(podCidr: Cidr, peer: string, node?: string): Promise<Lease | null>;
  /** The removal was rolled back: the node has its slice again. Null when it is another's by now. */
  restore(node: Node, changeId: string, now: Date): Promise<Lease | null>;
  /** How many slices could be given now to a node whose address lies in none of them; `routed`: ranges that some host routes already. */
  freeCount(routed: readonly Cidr[], now: Date): Promise<number>;
  /** How many slices are neither held nor free yet. */
  restingCount(now: Date): Promise<number>;
  /** All leases, lowest slice first. Those that have rested enough are left out. */
  list(now: Date): Promise<Lease[]>;
}

/** A member whose lease was lost is kept with its whole node. */
const LeasedNode = z.object(NodeSpec.shape);

const lua = readFileSync(new URL('./lease.lua', import.meta.url), 'utf8');

/** The nodes that these leases are claimed for: not members yet. */
export function claimedNodes(leases: readonly Lease[]): Node[] {
  return leases.flatMap(({ state, node, podCidr }) => (state === 'claimed' ? [{ ...node, podCidr }] : []));
}

export function createLeaseStore(redis: Redis, keys: Keys, policy: NetworkPolicy): LeaseStore {
  const script = prepareScript(redis, lua);
  async function run(...args: (string | number)[]): Promise<string[]> {
    return (await script([keys.leases, keys.inventory], args)) as string[];
  }

  async function list(now: Date): Promise<Lease[]> {
    const records = Object.entries(await redis.hgetall(keys.leases));
    return records
      .map(([podCidr, record]) => toLease(podCidr, record))
      .filter((lease) => !isRested(lease, now))
      .sort((a, b) => baseOf(a.podCidr) - baseOf(b.podCidr));
  }

  return {
    list,
    async claim({ changeId, node, explicit, excluded, another, now }) {
      const refusal =
        checkAddress(node.address, policy, []) ?? checkExplicit(explicit, node, excluded, policy);
      if (refusal !== null) throw refusal;
      const answer = await run(
        'claim',
        changeId,
        node.name,
        node.address,
        JSON.stringify(node),
        now.getTime(),
        explicit ?? '',
        baseOf(policy.clusterCidr),
        2 ** (32 - policy.nodePrefixLength),
        sliceCount(policy),
        policy.nodePrefixLength,
        another ? 1 : 0,
        ...toRanges([...neverGiven(policy, [node.address]), ...excluded]),
      );
      const [verdict = '', ...rest] = answer;
      if (verdict !== 'lease') throw refusalOf(verdict, rest, node, explicit, policy);
      const [lease, ...others] = toLeases(rest);
      if (lease === undefined) throw new Error('The lease script answered without a lease');
      return { lease, others };
    },
    async adopt({ changeId, nodes, now }) {
      for (const node of nodes) {
        const refusal =
          checkAddress(node.address, policy, []) ?? checkPodCidr(node.podCidr, policy, [], [node]);
        if (refusal !== null) throw refusal;
      }
      const [verdict = '', ...rest] = await run(
        'adopt',
        changeId,
        now.getTime(),
        ...nodes.flatMap((node) => [node.name, node.address, node.podCidr, JSON.stringify(specOf(node))]),
      );
      if (verdict === 'lease') return toLeases(rest);
      const [name, ...holder] = rest;
      const node = nodes.find((each) => each.name === name);
      if (node === undefined) throw new Error(`The lease script answered ${verdict} of ${name}`);
      throw refusalOf(verdict, holder, specOf(node), node.podCidr, policy);
    },
    async confirm(changeId) {
      return toLeaseOrNull(await run('confirm', changeId));
    },
    async confirmAll(changeId) {
      const [verdict, ...pairs] = await run('confirm', changeId);
      return verdict === 'lease' ? toLeases(pairs) : [];
    },
    async release(changeId, untouched) {
      const [verdict] = await run('release', changeId, untouched ? 1 : 0);
      return verdict === 'released' || verdict === 'held' ? verdict : 'none';
    },
    async quarantine({ podCidr, node, peersOwing, until }) {
      return toLeaseOrNull(await run('quarantine', podCidr, node, until.getTime(), peersOwing.join(',')));
    },
    async settle(podCidr, peer, node = '') {
      return toLeaseOrNull(await run('settle', podCidr, peer, node));
    },
    async restore(node, changeId, now) {
      const answer = await run(
        'restore',
        node.podCidr,
        node.name,
        changeId,
        node.address,
        JSON.stringify(specOf(node)),
        now.getTime(),
      );
      return toLeaseOrNull(answer);
    },
    async freeCount(routed, now) {
      const [leases, members] = await Promise.all([list(now), redis.hvals(keys.inventory)]);
      // Members block their slice even if their lease were lost, as the script has it.
      const holders = members.map((json) => Node.parse(JSON.parse(json)));
      const addresses = [
        ...holders.map((member) => member.address),
        ...leases.filter((lease) => lease.state !== 'resting').map((lease) => lease.node.address),
      ];
      const taken = [...leases, ...holders].map(({ podCidr }) => podCidr);
      return countFree(policy, taken, [...neverGiven(policy, addresses), ...routed]);
    },
    async restingCount(now) {
      return (await list(now)).filter((lease) => lease.state === 'resting').length;
    },
  };
}

function specOf({ podCidr: _slice, made: _made, ...spec }: Node): NodeSpec {
  return spec;
}

/** What can be said of an explicit slice without asking who holds what. */
function checkExplicit(
  explicit: Cidr | undefined,
  node: NodeSpec,
  excluded: readonly Cidr[],
  policy: NetworkPolicy,
): Refusal | null {
  if (explicit === undefined) return null;
  const refusal = checkPodCidr(explicit, policy, [], [node]);
  if (refusal !== null) return refusal;
  const routed = excluded.find((range) => overlaps(range, explicit));
  return routed === undefined
    ? null
    : new Refusal('pod-cidr-overlaps', { podCidr: explicit, overlap: 'host-route', with: routed });
}

function refusalOf(
  verdict: string,
  rest: string[],
  node: NodeSpec,
  explicit: Cidr | undefined,
  policy: NetworkPolicy,
): Error {
  if (verdict === 'full') {
    const [resting = '0', soonest = '0'] = rest;
    return new Refusal('cluster-full', {
      clusterCidr: policy.clusterCidr,
      slices: sliceCount(policy),
      resting: Number(resting),
      ...(soonest === '0' ? {} : { soonestFreeAt: iso(soonest) }),
    });
  }
  const [podCidr = '', record = ''] = rest;
  const { name, address, changeId, state, restsUntil, owing } = factsOf(record);
  // A member is named by its name alone: the change that once added it says nothing to the user.
  const by = changeId === '' || state !== 'claimed' ? {} : { changeId };
  switch (verdict) {
    case 'name':
      return new Refusal('node-exists', { name, address, podCidr, ...by });
    case 'address':
      return new Refusal('address-taken', { address, holder: name, ...by });
    case 'inside':
      return new Refusal('address-in-pod-cidr', { address: node.address, podCidr, holder: name });
    case 'owed':
      return new Refusal('node-still-owed', { name, podCidr, peers: owing });
    case 'covers':
      return new Refusal('pod-cidr-overlaps', {
        podCidr: explicit ?? '',
        overlap: 'node-address',
        with: address,
        owner: name,
      });
    case 'held':
      return new Refusal('pod-cidr-held', {
        podCidr: explicit ?? podCidr,
        holder: name,
        ...by,
        ...(state === 'resting' ? { restsUntil: iso(restsUntil), owing } : {}),
      });
    default:
      return new Error(`The lease script answered ${verdict}`);
  }
}

/** A record's fields as the script writes them; see lease.lua. */
function factsOf(record: string) {
  const [
    state = '',
    changeId = '',
    name = '',
    address = '',
    claimedAt = '0',
    restsUntil = '0',
    owing = '',
    spec = '',
  ] = record.split('\n');
  return {
    state,
    changeId,
    name,
    address,
    claimedAt,
    restsUntil,
    owing: owing.split(',').filter(Boolean),
    spec,
  };
}

function toLease(podCidr: Cidr, record: string): Lease {
  const { state, changeId, claimedAt, restsUntil, owing, spec } = factsOf(record);
  if (state !== 'claimed' && state !== 'held' && state !== 'resting')
    throw new Error(`Lease of ${podCidr}: state ${state}`);
  return {
    podCidr,
    node: LeasedNode.parse(JSON.parse(spec)),
    changeId,
    state,
    claimedAt: iso(claimedAt),
    ...(state === 'resting' ? { restsUntil: iso(restsUntil) } : {}),
    owing,
  };
}

function toLeases(pairs: readonly string[]): Lease[] {
  return pairs.flatMap((podCidr, i) => (i % 2 === 0 ? [toLease(podCidr, pairs[i + 1] ?? '')] : []));
}

function toLeaseOrNull([verdict, ...rest]: string[]): Lease | null {
  return verdict === 'lease' ? (toLeases(rest)[0] ?? null) : null;
}

function isRested(lease: Lease, now: Date): boolean {
  return lease.restsUntil !== undefined && lease.owing.length === 0 && lease.restsUntil <= now.toISOString();
}

function iso(ms: string): string {
  return new Date(Number(ms)).toISOString();
}
