/** A change: a plan on its way from a request to its result. Types and the pure state machine. */
import type { Cidr } from '../ip.js';
import type { Node } from '../node/node.js';
import type { Built } from '../plan/build.js';
import type { Subject } from '../plan/plan.js';
import type { Answer, Ask } from './ask.js';

/** Who did something, and through which door. */
export interface Actor {
  /** `team:user`, as Slack ids; `console:<login>` from the console; `fairway` for the bot itself. Never a display name. */
  id: string;
  via: 'slash' | 'mention' | 'button' | 'modal' | 'console' | 'policy';
}

/**
 *     planning → pending → approved → applying → applied | owing | failed | cancelled → rolling-back → rolled-back
 *         ↓         ↓          ↓
 *      refused   denied    stale          (owing: done but for hosts that did not answer; it becomes applied by itself)
 *                expired
 *                stale
 */
export type ChangeState =
  | 'planning'
  | 'refused'
  | 'pending'
  | 'denied'
  | 'expired'
  | 'stale'
  | 'approved'
  | 'applying'
  | 'proving'
  | 'applied'
  | 'owing'
  | 'failed'
  | 'cancelled'
  | 'rolling-back'
  | 'rolled-back';

export interface Decision {
  actor: string;
  verdict: 'approve' | 'deny';
  /** ISO instant. */
  at: string;
  planHash: string;
  reason?: string;
}

/** One Slack message that shows this change. Every copy is edited when the change moves (Q4). */
export interface Card {
  channel: string;
  ts: string;
}

interface ChangeBase {
  id: string;
  /** Grows by one with every write; a write that names an older one is refused. */
  version: number;
  state: ChangeState;
  requester: string;
  /** The command as typed, normalized. */
  command: string;
  /** Why Fairway itself asked for it: what it saw. */
  why?: string;
  /** Where the card goes: the channel of the command, and the thread when it was a mention in one. */
  channel: string;
  thread?: string;
  /** ISO instants. */
  requestedAt: string;
  sealedAt?: string;
  expiresAt?: string;
  finishedAt?: string;
  /** 12 hex digits of SHA-256 over the plan's inputs and what every host held. */
  planHash?: string;
  approvalsRequired: number;
  /** ISO instant at which the gate let it through. Until then no host was touched and nothing of it can be routed. */
  admittedAt?: string;
  /** The pod CIDR that the requester asked for, if any; else the lowest free one was taken. */
  podCidrAsked?: string;
  /** Nodes of other open changes that had claimed their slice earlier: this plan covers the pairs with them. */
  together?: Node[];
  decisions: Decision[];
  cards: Card[];
  /** Why it was refused, denied, went stale or failed: one sentence for people, and lines of detail. */
  reason?: string;
  detail?: string[];
  /** `undo` while rolling back. */
  direction: 'do' | 'undo';
  /** The run that is to start: set by the gate, Retry and Roll back until the inventory and the hosts' results are ready for it. */
  starts?: 'first' | 'retry' | 'undo';
  /** What was answered where it asked on its way. */
  answers?: Answer[];
  cancelRequestedBy?: string;
  rolledBackBy?: string;
  /** The host key that was pinned for the node that left; once it left, the pin is gone. */
  unpinned?: string;
  /** Pairs proved with packets (N3). */
  proof?: ProofRow[];
}

/** A node joins or leaves. */
export type MembershipChange = ChangeBase & Extract<Subject, { node: Node }>;

/** `moves`: once sealed, the slices to or in which it moves routes. */
export type RepairChange = ChangeBase & Extract<Subject, { kind: 'repair' }> & { moves?: Cidr[] };

/** `moves`: once sealed, the slices of the nodes that it records. */
export type AdoptChange = ChangeBase & Extract<Subject, { kind: 'adopt' }> & { moves?: Cidr[] };

export type BuildChange = ChangeBase & Extract<Subject, { kind: 'build' }>;

export type DeliverChange = ChangeBase & Extract<Subject, { kind: 'deliver' }>;

export type Change = MembershipChange | RepairChange | AdoptChange | BuildChange | DeliverChange;

/** `asking`: it goes on once somebody has answered `ask`. */
export type HostStatus = 'waiting' | 'asking' | 'done' | 'unchanged' | 'owed' | 'failed' | 'cancelled';

/** For how long an absent host is kept its part. ISO instants. */
export interface Debt {
  since: string;
  until: string;
}

/** How one host of a change stands. */
export interface HostResult {
  host: string;
  status: HostStatus;
  /** It was given work in some run, so something may have been done there, whatever became of it. */
  visited?: true;
  /** The host's own words when it failed, or why it is owed. */
  error?: string;
  /** What the host printed, redacted. */
  printed?: string;
  /** What is being done there right now, while it waits for that. */
  doing?: string;
  /** The last lines of the log of that. */
  tail?: string;
  ask?: Ask;
  /** What there is to say of it, though it is well. */
  note?: string;
  /** What was built there; `reused`: it was there already. */
  built?: Built & { reused: boolean };
  /** While it is owed; and once that was given up, when it is `failed`. */
  debt?: Debt;
  /** ISO instant. */
  at: string;
}

export interface ProofRow {
  from: string;
  to: string;
  /** The pod gateway that was asked. */
  gateway: string;
  answer: 'icmp' | 'tcp' | 'none' | 'unknown';
}
