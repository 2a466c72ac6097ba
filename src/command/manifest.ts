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

/** The members, with the builds that they had when they were last read in full. */
async function knownNodes({ nodes }: DeskDeps): Promise<KnownNode[]> {
  const [{ nodes: members }, builds] = await Promise.all([nodes.read(), nodes.builds()]);
  return members.map(({ name, os }) => {
    const build = os === 'windows' ? builds.get(name) : undefined;
    return { name, os, ...(build === undefined ? {} : { build }) };
  });
}
