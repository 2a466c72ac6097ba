/** Refusals: the expected noes. A `Refusal` is the user's trouble and is told to them with the remedy; any other error is ours. Pure. */
import type { Cidr, Ipv4 } from './ip.js';

/** What each kind of refusal knows. The sentences are in `words/refusal.ts`. Instants are ISO texts, actors are actor ids. */
export interface RefusalFacts {
  /** `usage`: of the command that begins alike. */
  'unknown-command': { said: string; suggestion?: string; usage?: string };
  'extra-word': { word: string; usage: string };
  /** `got` is empty when the argument is missing; `argument` is as the usage writes it, without the brackets. */
  'bad-argument': { argument: string; got: string; takes: string; example?: string; usage?: string };
  /** `instead`: the same command without the option. */
  'windows-only': { option: string; instead: string };
  /** `who`: the configured principals that may. `unreadable`: user groups whose members Slack did not tell. */
  forbidden: { doing: string; role: string; who: readonly string[]; unreadable: readonly string[] };

  /** The name is a member's, or (`changeId`) held by an open change. */
  'node-exists': { name: string; address: Ipv4; podCidr: Cidr; changeId?: string };
  'node-unknown': { name: string; suggestion?: string };
  /** `changeId`: the removal that was given up before its peers had answered. */
  'node-still-owed': { name: string; podCidr: Cidr; peers: readonly string[]; changeId?: string };
  /** A node of that name or address is on its way out by an open change. */
  'node-leaving': { name: string; changeId: string };
  'address-taken': { address: Ipv4; holder: string; changeId?: string };
  'address-in-pod-cidr': { address: Ipv4; podCidr: Cidr; holder: string };
  'address-unusable': { address: Ipv4; because: string };

  /** `apiNode`, in these: it was not asked for, but is what the API server has for that node. */
  'pod-cidr-outside': { podCidr: Cidr; clusterCidr: Cidr; apiNode?: string };
  'pod-cidr-size': { podCidr: Cidr; prefixLength: number; apiNode?: string };
  /** Another than the one that the API server has for the node. */
  'pod-cidr-differs': { name: string; podCidr: Cidr; there: Cidr };
  /** `there`: the holder is a node of the API server's, whether or not it is one of ours. `restsUntil`, `owing`: the slice of a removed node, which is not free yet. */
  'pod-cidr-held': {
    podCidr: Cidr;
    holder: string;
    changeId?: string;
    restsUntil?: string;
    owing?: readonly string[];
    there?: boolean;
    apiNode?: string;
  };
  'pod-cidr-overlaps': {
    podCidr: Cidr;
    overlap: 'service-cidr' | 'reserved' | 'node-address' | 'host-route';
    /** The CIDR or address in the way. */
    with: Cidr | Ipv4;
    /** Whose address or route it is. */
    owner?: string;
    /** No other slice could be given either. */
    isLast?: boolean;
    apiNode?: string;
  };
  'cluster-full': { clusterCidr: Cidr; slices: number; resting: number; soonestFreeAt?: string };
  /** Slices are free, but every one of them lies in a route that some host has. `hosts` of them do, `host` is one. */
  'slices-routed': { clusterCidr: Cidr; free: number; host: string; destination: Cidr; hosts: number };

  'node-unreadable': { name: string; address: Ipv4; why: string };
  /** The host answers as one of the other operating system would. `os`: the one that was asked for. */
  'other-os': { name: string; address: Ipv4; os: 'linux' | 'windows' };
  /** The host answers, but none of its devices holds the address. */
  'address-not-there': { name: string; address: Ipv4 };
  /** A plain route needs its next hop on a subnet of the host's own. */
  'not-on-link': { from: string; to: string; address: Ipv4 };
  /** The host itself needs a person's hand first, in `count` things; the card lists them. */
  'node-not-ready': { name: string; os: 'linux' | 'windows'; address: Ipv4; ssh?: string; count: number };

  /** `name`: the node asked for, absent for all. `read`: how many hosts were; `why` is a host's own word. */
  'nothing-to-repair': {
    name?: string;
    read: number;
    unread: readonly { host: string; why: string }[];
    /** Routes in the way that are not Fairway's. */
    foreign: readonly { host: string; destination: Cidr }[];
  };
  /** A list of nodes was asked for, and nothing came. */
  'list-missing': Record<string, never>;
  /** `most`: characters. */
  'list-too-long': { most: number };
  /** No YAML, for the reason that its parser gives, or more than a list may use: what was `got`. */
  'list-broken': { line: number; got?: string; why?: string };
  'list-wrong': { problems: readonly ListProblem[]; more: number };
  /** How many of the list are members already; the others were left out, each for a reason on the card. */
  'nothing-to-adopt': { unchanged: number; leftOut: number };
  /** The setting that is missing. */
  'no-build-host': Record<string, never>;
  'not-built': { component: string; version: string };
  'no-windows-node': Record<string, never>;
  'not-windows': { name: string };
  'build-host-unreadable': { host: string; why: string };
  'build-host-unfit': { host: string; lacks: readonly BuildLack[] };
  /** `why`: what git said. */
  'tag-unknown': { version: string; source: string; why: string };
  /** A manifest was to be checked, and nothing came. */
  'manifest-missing': Record<string, never>;
  /** `most`: characters. */
  'manifest-too-long': { most: number };
  /** No YAML, as its parser says, or something that is refused: what was `got`. `first`: the line of the same key before. */
  'manifest-broken': { line: number; got?: string; why?: string; first?: number };
  /** YAML, and no object of Kubernetes. */
  'manifest-other': { line: number };
  /** Slack did not give the file. `why`: its own word. */
  'file-unreadable': { name: string; why: string };
  /** `most`: bytes. */
  'file-too-big': { name: string; most: number };
  /** Another change of the same node is open; or another build or delivery, and `name` is its command. */
  'change-in-the-way': { id: string; name: string; kind: string; state: string; requester: string };
  'incident-unknown': { id: string };
  'change-unknown': { id: string };
  /** Its hosts are still being read. */
  'change-not-sealed': { id: string };
  /** `by`: who decided, where somebody did. `command` asks for the same once more. */
  'change-not-pending': { id: string; state: string; by: string; at: string; command: string };
  'change-expired': { id: string; command: string };
  /** The card that was clicked shows an older plan. */
  'plan-outdated': { id: string };
  'own-request': { id: string };
  'already-decided-by-you': { id: string };
  'nothing-asked': { id: string };
  'not-cancellable': { id: string; state: string };
  'not-retryable': { id: string; state: string };
  'not-rollbackable': { id: string; state: string };
  /** Rolling back a removal: nodes that joined since, and that no plan of it leads to. */
  'joined-since': { id: string; name: string; joined: readonly string[] };
  /** Rolling back a removal: the node's slice, name or address is in use again. */
  'node-replaced': { id: string; name: string; podCidr: Cidr };
  /** Rolling back an adoption: these changes came after it. */
  'built-on': { id: string; by: readonly string[] };
}

/** What keeps a build host from building. */
export type BuildLack =
  | { what: 'git' | 'make' | 'go' | 'disk-unknown' }
  | { what: 'go-old'; has: string; needs: string }
  | { what: 'go-new'; has: string; version: string; newest: string }
  | { what: 'disk'; freeBytes: number; needsBytes: number };

/** What is wrong in a list of nodes. Lines count from 1; `first` is the line of the other one. */
export type ListProblem = { line: number; key: string } & (
  | { what: 'missing' | 'form' }
  | { what: 'unknown'; known: readonly string[] }
  | { what: 'twice'; first: number }
  | { what: 'takes'; takes: string; got: string }
  /** Two nodes have the same. */
  | { what: 'shared'; got: string; first: number }
  /** The list is of another cluster. */
  | { what: 'differs'; got: string; ours: string }
);

export type RefusalCode = keyof RefusalFacts;

/** An expected no. Thrown, caught at the door (Slack, console), and answered with `sayRefusal`. */
export class Refusal<C extends RefusalCode = RefusalCode> extends Error {
  readonly code: C;
  readonly facts: RefusalFacts[C];

  constructor(code: C, facts: RefusalFacts[C]) {
    super(`${code} ${JSON.stringify(facts)}`);
    this.name = 'Refusal';
    this.code = code;
    this.facts = facts;
  }
}

/** True for a refusal, of the given kind when one is named. */
export function isRefusal<C extends RefusalCode = RefusalCode>(
  error: unknown,
  code?: C,
): error is Refusal<C> {
  return error instanceof Refusal && (code === undefined || error.code === code);
}
