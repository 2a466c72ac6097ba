/** Which kubectl lines go with a node that joined or leaves. Pure. */
import type { Node } from '../node/node.js';
import { drainSnippet, labelSnippet, podSnippet, type Snippet, type SnippetCluster } from './kubectl.js';

export type { SnippetCluster } from './kubectl.js';

/** In the order to run them. */
export function snippetsOf(node: Node, cluster: SnippetCluster, when: 'joined' | 'leaving'): Snippet[] {
  return when === 'leaving'
    ? [drainSnippet(node, cluster)]
    : [labelSnippet(node, cluster), podSnippet(node, cluster)];
}
