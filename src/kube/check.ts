/** What a look at the control plane found. Pure types. */
import type { Difference } from './compare.js';
import type { Answer } from './trouble.js';

export interface ClusterCheck {
  /** Where it was asked, without any login. */
  server: string;
  /** Whether there was a kubeconfig to ask with. */
  hasLogin: boolean;
  /** The version that the configuration names. */
  configured: string;
  version: Answer<string>;
  /** `ok`, or what is not healthy as trouble of the kind `status`. */
  health: Answer<string>;
  /** Null: not asked, for want of a kubeconfig. */
  nodes: Answer<NodesCheck> | null;
}

/** How many nodes there are on both sides, and how they differ. */
export interface NodesCheck {
  here: number;
  there: number;
  differences: Difference[];
}
