/** Which kubectl lines go with a node that joined or leaves. Pure. */
import type { Node } from '../node/node.js';
import type { Snippet } from './kubectl.js';

/** What the lines depend on, of the cluster. */
export interface SnippetCluster {
  kubernetesVersion: string;
}

export function snippetsOf(_node: Node, _cluster: SnippetCluster, _when: 'joined' | 'leaving'): Snippet[] {
  return [];
}
