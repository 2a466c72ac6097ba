/** What cards and replies need to know of the cluster. Pure. */
import type { Config } from '../config.js';
import type { Cidr } from '../ip.js';

export interface ClusterFacts {
  /** In every card's title: one workspace may hold several clusters (Q27). */
  name: string;
  /** The range that all pod CIDRs are cut from. */
  cidr: Cidr;
}

export function clusterFacts(config: Pick<Config, 'cluster'>): ClusterFacts {
  return { name: config.cluster.name, cidr: config.cluster.clusterCidr };
}
