/** Answers `check cluster`: the API server as it is now, against configuration and inventory. */
import type { Origin } from '../src/command/reply.js';
import { attempt } from '../src/kube/api-server.js';
import { askHealth, askNodes, askVersion } from '../src/kube/ask.js';
import type { ClusterCheck, NodesCheck } from '../src/kube/check.js';
import { compareNodes } from '../src/kube/compare.js';
import type { ClusterLogin } from '../src/kube/kubeconfig.js';
import { clusterFacts } from '../src/slack/cluster.js';
import { replyMessage } from '../src/slack/reply.js';
import type { WorkerDeps } from './deps.js';

/** Processes `check-cluster`. The result is the job's, and an answer to `origin` when there is one. */
export async function checkCluster(deps: WorkerDeps, origin?: Origin): Promise<ClusterCheck> {
  const { apiServer, kubernetesVersion } = deps.config.cluster;
  const login = deps.login ?? { server: new URL(apiServer) };
  const [version, health, nodes] = await Promise.all([
    attempt(() => askVersion(login)),
    attempt(() => askHealth(login)),
    deps.login && attempt(() => compared(deps, login)),
  ]);
  const check = {
    server: `${login.server.origin}${login.server.pathname.replace(/\/$/, '')}`,
    hasLogin: deps.login !== null,
    configured: kubernetesVersion,
    ...{ version, health, nodes },
  };
  if (origin) {
    const message = replyMessage({ kind: 'cluster', check }, clusterFacts(deps.config), new Date());
    await deps.jobs.reply({ name: 'reply', origin, message });
  }
  return check;
}

async function compared(deps: WorkerDeps, login: ClusterLogin): Promise<NodesCheck> {
  const theirs = await askNodes(login);
  const { nodes } = await deps.nodes.read();
  const differences = compareNodes(nodes, theirs, deps.config.cluster.clusterCidr);
  return { here: nodes.length, there: theirs.length, differences };
}
