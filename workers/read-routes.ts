/** Answers `routes`: every host's table against the inventory, read now. */
import type { HostRoutes, Origin } from '../src/command/reply.js';
import { desiredRoutes, diffRoutes } from '../src/network/route.js';
import { clusterRoutes } from '../src/plan/reading.js';
import { clusterFacts } from '../src/slack/cluster.js';
import { replyMessage } from '../src/slack/reply.js';
import type { WorkerDeps } from './deps.js';
import { readHosts } from './read-hosts.js';

/** Processes `read-routes`: of one node, or of all. The result is the job's, and an answer to `origin` when there is one. */
export async function readRoutes(deps: WorkerDeps, origin?: Origin, name?: string): Promise<HostRoutes[]> {
  const { nodes } = await deps.nodes.read();
  const asked = name === undefined ? nodes : nodes.filter((node) => node.name === name);
  const readings = await readHosts(deps, asked, new Set());
  const hosts = asked.map((node): HostRoutes => {
    const desired = desiredRoutes(node, nodes, deps.config.cluster.nextHop);
    const reading = readings.get(node.name);
    if (!reading?.observed)
      return { host: node.name, desired, drift: null, ...(reading && { unreadable: reading.unreadable }) };
    return {
      host: node.name,
      desired,
      drift: diffRoutes(desired, clusterRoutes(reading.observed, deps.config.cluster.clusterCidr)),
    };
  });
  if (origin) {
    await deps.jobs.reply({
      name: 'reply',
      origin,
      message: replyMessage({ kind: 'routes', hosts }, clusterFacts(deps.config), new Date()),
    });
  }
  return hosts;
}
