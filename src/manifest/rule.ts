/** What a check of a manifest finds, and what a rule is. Pure. */
import type { Place } from './place.js';
import type { Pod } from './read.js';
import type { Cluster, KnownNode } from './target.js';

export const RULES = [
  'no-os',
  'early-field',
  'annotation',
  'os-label',
  'one-container',
  'secret',
  'config-map',
  'dns-tcp',
  'udp-service',
  'stateful-set',
  'host-network',
  'host-namespace',
  'dns-policy',
  'privileged',
  'security-field',
  'linux-path',
  'linux-command',
  'memory-volume',
  'raw-device',
  'mount-propagation',
  'sub-path',
  'nfs',
  'huge-pages',
  'image-build',
] as const;
export type RuleId = (typeof RULES)[number];

/** `fails`: the pod does not start, or not where it should. `differs`: it runs, and not as it says there. */
export type Severity = 'fails' | 'differs';

/** What a rule found at one place. */
export interface Hit {
  place: Place;
  /** What stands there: a field, a path, a name, an image. */
  what: string;
  /** Where it is another than the rule's. */
  severity?: Severity;
  /** Of an image: the build it is made for. */
  build?: number;
  /** The nodes that it is about. */
  nodes?: readonly KnownNode[];
}

export interface Finding extends Omit<Hit, 'place'> {
  /** From 1. */
  line: number;
  rule: RuleId;
  severity: Severity;
  /** What it was found in, as `Deployment` and its name, which may be empty. */
  kind: string;
  name: string;
}

/** A limit of Windows pods, in Kubernetes before 1.`until`; where that is absent, in every version. */
export interface Rule {
  id: RuleId;
  severity: Severity;
  until?: number;
  find(pod: Pod, cluster: Cluster): Hit[];
}
