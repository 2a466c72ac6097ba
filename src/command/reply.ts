/** What a command answers, as data. `words/reply.ts` says it, `slack/reply.ts` lays it out; nothing here is a sentence. Pure types. */
import type { AuditCheck, AuditEvent } from '../change/audit-record.js';
import type { Change, Debt, HostResult, HostStatus } from '../change/change.js';

import type { Control } from '../job/job.js';

export type { Origin } from '../job/job.js';

import type { Cidr } from '../ip.js';
import type { ClusterCheck } from '../kube/check.js';
import type { Checked } from '../manifest/check.js';
import type { Part } from '../network/address-map.js';
import type { Drift, Route } from '../network/route.js';
import type { Component } from '../node/component.js';
import type { Machine, Node } from '../node/node.js';
import type { Built } from '../plan/build.js';
import type { Check } from '../plan/check.js';
import type { Plan } from '../plan/plan.js';
import type { Unreadable } from '../plan/reading.js';
import type { Snippet } from '../snippet/kubectl.js';
import type { Incident } from '../watch/incident.js';
import type { Silence } from '../watch/silence.js';
import type { PastIncident } from '../watch/watch-store.js';

/** A change with what belongs to it. `plan` is null until it is sealed; `hosts` is in the plan's order. */
export interface ChangeView {
  change: Change;
  plan: Plan | null;
  hosts: HostResult[];
  snippets: Snippet[];
}

/** What an absent host is owed of a change; `debt`: for how long. */
export interface OwedPart {
  host: string;
  changeId: string;
  debt?: Debt;
}

export interface NodeRow {
  node: Node;
  state: 'member' | 'joining' | 'leaving';
  /** Hosts that have yet to learn of (or forget) this node, because they did not answer. */
  owedBy: OwedPart[];
  /** What this node itself is owed. */
  owes: OwedPart[];
  /** A member whose adding change ended before it was through. */
  unfinished?: { id: string; state: 'failed' | 'cancelled' };
}

/** One host's table against the inventory. `unreadable` is why it could not be read: unknown, not empty. */
export interface HostRoutes {
  host: string;
  desired: Route[];
  drift: Drift | null;
  unreadable?: string;
}

/** A host's checks, or why there are none: unknown, not fine. */
export interface HostCheck extends Machine {
  /** The member that it is; null: none yet. */
  member: string | null;
  /** A member's slice; another host's is the one that it holds already, as of a cluster that somebody else set up. */
  podCidr: Cidr | null;
  checks: Check[] | null;
  /** SHA-256 of the key that it showed; `firstContact`: none was pinned for it. */
  hostKey: { fingerprint: string; firstContact: boolean } | null;
  unreadable?: Pick<Unreadable, 'unreadable' | 'otherOs' | 'outOfReach'>;
}

/** The channel for notices, when Slack did not let the last one in; `why` is its error code. */
export interface ClosedChannel {
  channel: string;
  why: string;
}

export interface OpenIncident {
  host: string;
  incident: Incident;
}

/** The end of a process's log. */
export interface LogTail {
  host: string;
  component: Component;
  text: string;
}

/** What was found in a manifest, and what it was checked against. */
export interface ManifestCheck extends Checked {
  cluster: string;
  /** Of Kubernetes. */
  version: string;
  /** The name of the file that it was in. */
  file?: string;
}

/** A line of the history: an event, and of the hosts of one run all that settled together; null: nobody can read that record. */
export interface HistoryEntry {
  event: AuditEvent | null;
  settled: { host: string; status: HostStatus }[];
}

export type Reply =
  /** A change was made or moved: its card says the rest, wherever it is. */
  | { kind: 'change-card'; id: string }
  /** Another change answers this already (Q21): where to look. */
  | { kind: 'already-running'; id: string }
  /** The decision was taken; `approved` of `required` when more approvals are needed. */
  | { kind: 'decided'; id: string; verdict: 'approve' | 'deny'; approved: number; required: number }
  /** The request was taken. `withdraw`: a plan that nobody had approved; `give-up`: what absent hosts are owed. */
  | {
      kind: 'accepted';
      id: string;
      what: 'withdraw' | 'confirm' | 'decline' | 'cancel' | 'give-up' | 'retry' | 'rollback';
    }
  | {
      kind: 'nodes';
      cluster: string;
      rows: NodeRow[];
      free: number;
      resting: number;
      closed?: ClosedChannel;
    }
  | { kind: 'map'; cluster: string; clusterCidr: Cidr; nodePrefixLength: number; parts: Part[] }
  | { kind: 'node'; row: NodeRow; gateway: string; hostKey: string | null; changes: Change[] }
  /** Reading hosts takes a moment: the routes follow as a reply of their own. */
  | { kind: 'reading'; hosts: number }
  | { kind: 'routes'; hosts: HostRoutes[] }
  /** Its checks follow as a reply of their own. */
  | { kind: 'checking'; host: string }
  | { kind: 'check'; found: HostCheck }
  | {
      kind: 'incidents';
      cluster: string;
      open: OpenIncident[];
      past: PastIncident[];
      silences: Silence[];
      closed?: ClosedChannel;
    }
  | { kind: 'acknowledged'; host: string; id: string }
  | { kind: 'muted'; silence: Silence }
  | { kind: 'unmuted'; host: string; component?: Component; count: number }
  /** The worker's answer follows as a reply of its own. */
  | { kind: 'controlling'; action: Control['action']; component: Component; host: string }
  | { kind: 'fetching-logs'; component: Component; host: string }
  | ({ kind: 'logs' } & LogTail)
  /** What a worker answered, in words already. */
  | { kind: 'told'; text: string }
  /** What was asked for takes more than words: a form. */
  | { kind: 'form'; form: 'adopt' | 'manifest' }
  | ({ kind: 'manifest' } & ManifestCheck)
  | { kind: 'export'; cluster: string; nodes: number; text: string }
  /** Newest first. */
  | { kind: 'builds'; builds: Built[] }
  /** `open`: all of them, oldest first; `others`: the newest of the rest, newest first. */
  | { kind: 'changes'; open: Change[]; others: Change[] }
  | { kind: 'change'; view: ChangeView }
  /** The API server is asked: what it says follows as a reply of its own. */
  | { kind: 'checking-cluster' }
  | { kind: 'cluster'; check: ClusterCheck }
  | { kind: 'control-plane'; snippets: Snippet[] }
  | { kind: 'kubectl'; node: string; snippets: Snippet[] }
  /** The newest first. `older`: there are more; `looked`: how many records were looked at, when not all were. */
  | {
      kind: 'history';
      cluster: string;
      node?: string;
      entries: HistoryEntry[];
      older: boolean;
      looked?: number;
    }
  /** What the walk over the log finds follows as a reply of its own. */
  | { kind: 'verifying' }
  | { kind: 'audit-check'; check: AuditCheck }
  /** Nothing is in the way of the log as a file. */
  | { kind: 'audit-file' }
  | { kind: 'help'; text: string }
  | { kind: 'whoami'; actor: string; roles: string[]; may: string[] }
  /** `who`: the principals that have the role. */
  | { kind: 'can-i'; command: string; yes: boolean; role: string | null; who: string[] }
  | { kind: 'refused'; text: string };
