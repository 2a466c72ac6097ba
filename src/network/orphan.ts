/** Claims that nobody will come back for, because whoever was to died on the way. Pure. */
import type { Lease } from './lease-store.js';

/** How long somebody may be on the way between taking a slice and storing the change that it is for. */
const ON_THE_WAY_MS = 60_000;

/** What is known of whom a lease belongs to. */
export interface Claimant {
  /** How the change that claimed it stands; absent when there is none. */
  change: 'open' | 'over' | 'absent';
  /** Whether that change passed its gate: from then on the slice may be routed. */
  admitted: boolean;
  /** Whether the node is a member. */
  member: boolean;
  /** Whether some open change is about the node. */
  moving: boolean;
}

/**
 * What becomes of a lease.
 *
 *     lease    | its change         | the node              | verdict
 *     ---------|--------------------|-----------------------|----------------------------------------------
 *     claimed  | open               |                       | keep
 *     claimed  | over, or absent    |                       | free: it was never confirmed, so never routed (absent: in a minute)
 *     held     |                    | a member, or moving   | keep
 *     held     | over, not admitted | neither               | free: it was confirmed, but never routed
 *     held     | else               | neither               | rest: it may be routed
 *     resting  |                    |                       | keep
 */
export function fateOf(lease: Lease, claimant: Claimant, now: Date): 'keep' | 'free' | 'rest' {
  const { change, admitted, member, moving } = claimant;
  const isNew = now.getTime() - Date.parse(lease.claimedAt) < ON_THE_WAY_MS;
  if (lease.state === 'resting' || (change === 'absent' && isNew)) return 'keep';
  if (lease.state === 'claimed') return change === 'open' ? 'keep' : 'free';
  if (change === 'open' || member || moving) return 'keep';
  return change === 'over' && !admitted ? 'free' : 'rest';
}
