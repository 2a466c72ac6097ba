/** Answers `check`: one full read of a host, and what a node needs of it. */
import type { HostCheck } from '../src/command/reply.js';
import type { Cidr } from '../src/ip.js';
import type { CheckHost } from '../src/job/job.js';
import type { Machine } from '../src/node/node.js';
import { checksOf } from '../src/plan/checks.js';
import { heldPodCidr } from '../src/plan/held-pod-cidr.js';
import type { Observation } from '../src/plan/plan.js';
import { clusterFacts } from '../src/slack/cluster.js';
import { replyMessage } from '../src/slack/reply.js';
import type { WorkerDeps } from './deps.js';
import { planPolicy, readHosts } from './read-hosts.js';

/** Processes `check-host`. The result is the job's, and an answer to `origin` when there is one. */
export async function checkHost(deps: WorkerDeps, job: CheckHost): Promise<HostCheck> {
  const found = await lookAt(deps, job);
  if (job.origin) {
    const message = replyMessage({ kind: 'check', found }, clusterFacts(deps.config), new Date());
    await deps.jobs.reply({ name: 'reply', origin: job.origin, message });
  }
  return found;
}

async function lookAt(deps: WorkerDeps, { machine, node: name }: CheckHost): Promise<HostCheck> {
  const policy = planPolicy(deps);
  const member = (await deps.nodes.read()).nodes.find((node) => node.name === name);
  // Nothing that is read of a host depends on its slice.
  const host = member ?? { ...machine, name: machine.address, podCidr: policy.clusterCidr };
  const reading = (await readHosts(deps, [host], new Set([host.name]))).get(host.name);
  const at = new Date().toISOString();
  const found = { ...machine, member: member?.name ?? null, podCidr: member?.podCidr ?? null };
  if (!reading?.observed)
    return { ...found, checks: null, hostKey: null, ...(reading && { unreadable: reading }) };
  const { observed, fingerprint, firstContact } = reading;
  const podCidr = member?.podCidr ?? heldBy(deps, machine, observed);
  const checks = checksOf({
    node: { ...host, podCidr },
    isMember: member !== undefined,
    observed,
    policy,
    at,
  });
  return { ...found, podCidr: podCidr ?? null, checks, hostKey: { fingerprint, firstContact } };
}

/** The slice that a host holds before it is a node here: of a cluster that somebody else set up. */
function heldBy(deps: WorkerDeps, machine: Machine, observed: Observation): Cidr | undefined {
  const held = heldPodCidr(
    { ...machine, name: machine.address },
    observed,
    deps.config.cluster,
    planPolicy(deps),
  );
  return 'podCidr' in held ? held.podCidr : undefined;
}
