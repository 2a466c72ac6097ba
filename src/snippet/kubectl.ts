/** The kubectl lines that people run themselves (S23): Fairway changes nothing at the API server. Pure. */
import { isAtLeast, osLabel } from '../kube/version.js';
import type { Node } from '../node/node.js';

/** Something to copy and run. */
export interface Snippet {
  title: string;
  code: string;
  language: 'shell' | 'yaml';
}

/** What the lines depend on, of the cluster. */
export interface SnippetCluster {
  /** Such as `1.5` or `1.31.2`. */
  kubernetesVersion: string;
}

/** Checks that Kubernetes means the same pod CIDR as our routes do (S19), and puts the OS label on if the kubelet did not. */
export function labelSnippet(node: Node, cluster: SnippetCluster): Snippet {
  const name = quote(node.name);
  return {
    title: `Check and label ${node.name}`,
    language: 'shell',
    code: `# must print ${node.podCidr}: the routes lead there
kubectl get node ${name} -o jsonpath='{.spec.podCIDR}{"\\n"}'
kubectl label node ${name} ${osLabel(cluster.kubernetesVersion)}=${node.os} --overwrite=false`,
  };
}

/** A pod that can only run on this node: the guide's IIS on Windows, an idle one on Linux. */
export function podSnippet(node: Node, cluster: SnippetCluster): Snippet {
  const { app, container } = node.os === 'windows' ? iis(cluster) : idle;
  return {
    title: `Try a pod on ${node.name}`,
    language: 'shell',
    code: `kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata:
  name: ${app}-${node.name}
  labels:
    name: ${app}
spec:
  containers:
  - name: ${app}
${container}
  nodeSelector:
    ${osLabel(cluster.kubernetesVersion)}: ${node.os}
    kubernetes.io/hostname: ${JSON.stringify(node.name)}
EOF`,
  };
}

/** Comes before a removal: the pods move away, then Kubernetes forgets the node. */
export function drainSnippet(node: Node, cluster: SnippetCluster): Snippet {
  const name = quote(node.name);
  const emptyDirs = isAtLeast(cluster.kubernetesVersion, 20)
    ? '--delete-emptydir-data'
    : '--delete-local-data';
  return {
    title: `Drain and delete ${node.name}`,
    language: 'shell',
    code: `kubectl drain ${name} --ignore-daemonsets --force ${emptyDirs}
kubectl delete node ${name}`,
  };
}

function iis(cluster: SnippetCluster) {
  // Docker Hub's microsoft/* moved to Microsoft's own registry.
  const image = isAtLeast(cluster.kubernetesVersion, 14)
    ? 'mcr.microsoft.com/windows/servercore/iis'
    : 'microsoft/iis';
  return { app: 'iis', container: `    image: ${image}\n    ports:\n    - containerPort: 80` };
}

const idle = { app: 'idle', container: '    image: busybox\n    command: ["sleep", "3600"]' };

/** Node names need no quotes; whatever else got here would. */
export function quote(word: string): string {
  return /^[a-z0-9.-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
