/** Checks a manifest against this cluster: its version of Kubernetes, its nodes, and what is known of their builds. */
import { checkManifest } from '../manifest/check.js';
import type { KnownNode } from '../manifest/target.js';
import type { DeskDeps } from './desk.js';
import type { ManifestCheck } from './reply.js';

/** No host is asked. Throws the Refusals of `readManifest`. */
export async function checkFor(deps: DeskDeps, text: string): Promise<ManifestCheck> {
  const { name: cluster, kubernetesVersion: version } = deps.config.cluster;
  return { ...checkManifest(text, { version, nodes: await knownNodes(deps) }), cluster, version };
}

/** The members, with the builds as they were read when each joined: a Windows Server keeps its own, but for an upgrade in place. */
async function knownNodes({ nodes, changes }: DeskDeps): Promise<KnownNode[]> {
  const [{ nodes: members }, addedBy] = await Promise.all([nodes.read(), nodes.addedBy()]);
  const windows = members.filter(({ os }) => os === 'windows');
  // One adoption may have added them all.
  const ids = new Set(windows.flatMap(({ name }) => addedBy.get(name) ?? []));
  const plans = await Promise.all([...ids].map((id) => changes.plan(id)));
  const builds = new Map(
    plans.flatMap((plan) => plan?.hosts ?? []).map(({ host, observed }) => [host, observed?.windows?.build]),
  );
  return members.map(({ name, os }) => {
    const build = os === 'windows' ? builds.get(name) : undefined;
    return { name, os, ...(build === undefined ? {} : { build }) };
  });
}
