/** The flags that control plane, kubelets and kube-proxies need so that pods and routes agree (S1, S19), as text to paste. Pure. */
import type { Cidr, Ipv4 } from '../ip.js';
import { isAtLeast } from '../kube/version.js';
import type { Node } from '../node/node.js';
import { quote, type Snippet, type SnippetCluster } from './kubectl.js';

export interface ControlPlane extends SnippetCluster {
  clusterCidr: Cidr;
  nodePrefixLength: number;
  serviceCidr: Cidr;
  dns: Ipv4;
  apiServer: string;
  /** The transparent docker network of Windows nodes. */
  network: string;
}

/** So many nodes' lines fit a Slack message beside the flags. */
const NODES_SHOWN = 15;

/** In the order to set them. `nodes`: the members, whose pod CIDRs the API server has to know. */
export function controlPlaneSnippets(cluster: ControlPlane, nodes: readonly Node[]): Snippet[] {
  return [
    flags('kube-apiserver', [
      "# the range of all services, outside the pods'",
      `--service-cluster-ip-range=${cluster.serviceCidr}`,
    ]),
    controllerManager(cluster),
    linuxKubelet(cluster),
    windowsKubelet(cluster),
    kubeProxy(cluster),
    podCidrs(nodes),
  ];
}

function flags(title: string, lines: readonly string[]): Snippet {
  return { title, language: 'shell', code: lines.join('\n') };
}

/** With `true` it numbers nodes by itself, and stops working over a podCIDR outside its --cluster-cidr (kubernetes#82773). */
function controllerManager({ clusterCidr, nodePrefixLength, serviceCidr }: ControlPlane): Snippet {
  return flags('kube-controller-manager', [
    '# Fairway gives each node its pod CIDR: two that give would give one twice',
    '--allocate-node-cidrs=false',
    `--cluster-cidr=${clusterCidr}`,
    '# If it has to stay true, set KUBECONFIG_FILE, so that Fairway takes node.spec.podCIDR, and here:',
    `# --allocate-node-cidrs=true --cluster-cidr=${clusterCidr} --node-cidr-mask-size=${nodePrefixLength} --service-cluster-ip-range=${serviceCidr}`,
  ]);
}

/** kubenet, its flags and --non-masquerade-cidr left with dockershim, in 1.24 (kubernetes#106907, kubernetes#107096). */
function hasKubenet({ kubernetesVersion }: ControlPlane): boolean {
  return !isAtLeast(kubernetesVersion, 24);
}

function linuxKubelet(cluster: ControlPlane): Snippet {
  const { clusterCidr } = cluster;
  return flags('kubelet on each Linux node', [
    ...toApiServer(cluster, '--api-servers'),
    '--hostname-override=<node>',
    '--node-ip=<its address>',
    ...dnsFlags(cluster),
    ...(hasKubenet(cluster)
      ? [
          '# makes cbr0 with the pod CIDR that the API server has; --pod-cidr counts only without an API server',
          '--network-plugin=kubenet',
          "# without it packets to pods outside 10.0.0.0/8 leave with the node's address, and answers miss the pod",
          `--non-masquerade-cidr=${clusterCidr}`,
        ]
      : [
          '# kubenet and --non-masquerade-cidr are gone since 1.24. In their place a CNI configuration of type bridge:',
          "# bridge cbr0, isGateway, host-local with the node's pod CIDR; ipMasq false, so that pods keep their address",
          `# within ${clusterCidr} (what leaves the cluster is for ip-masq-agent, nonMasqueradeCIDRs: [${clusterCidr}])`,
        ]),
  ]);
}

/** Without CONTAINER_NETWORK a kubelet with Docker looks for a network named kubenet (kubernetes#39235). */
function windowsKubelet(cluster: ControlPlane): Snippet {
  return flags('kubelet on each Windows node', [
    ...(hasKubenet(cluster) ? [`$env:CONTAINER_NETWORK = '${cluster.network}'`] : []),
    ...toApiServer(cluster, '--api-servers'),
    '--hostname-override=<node>',
    '--resolv-conf=""',
    ...dnsFlags(cluster),
    '# nothing is masqueraded here, so there is no --non-masquerade-cidr',
  ]);
}

/** Old versions take the address as a flag; the kubelet's `--api-servers` was removed in 1.8 (kubernetes#40050). */
function toApiServer({ apiServer, kubernetesVersion }: ControlPlane, old: string): string[] {
  return isAtLeast(kubernetesVersion, 8)
    ? [`# a kubeconfig with server: ${apiServer}`, '--kubeconfig=<file>']
    : [`${old}=${apiServer}`];
}

function dnsFlags({ dns }: ControlPlane): string[] {
  return [`--cluster-dns=${dns}`, '--cluster-domain=cluster.local'];
}

/** Windows: `kernelspace` is stable since 1.14, as Windows nodes are; `userspace` is gone since 1.26 (kubernetes#112133). */
function kubeProxy(cluster: ControlPlane): Snippet {
  const mode = isAtLeast(cluster.kubernetesVersion, 14)
    ? 'kernelspace'
    : 'userspace --bind-address=<its address>';
  return flags('kube-proxy on each node', [
    ...toApiServer(cluster, '--master'),
    '--hostname-override=<node>',
    '# what reaches a service from outside this range is masqueraded; pods keep their address',
    `--cluster-cidr=${cluster.clusterCidr}`,
    `# on Windows also: --proxy-mode=${mode}`,
  ]);
}

/** A podCIDR can be set where there is none, and never changed: a line that is refused has found a disagreement. */
function podCidrs(nodes: readonly Node[]): Snippet {
  const more = nodes.length - NODES_SHOWN;
  return flags('Pod CIDRs, as the routes have them', [
    '# once a node has registered; refused where it has another: `check cluster` says what then',
    ...nodes.slice(0, NODES_SHOWN).map((node) => patch(quote(node.name), node.podCidr)),
    ...(nodes.length === 0 || more > 0 ? [patch('<node>', '<its pod CIDR>')] : []),
    ...(more > 0 ? [`# for ${more} more nodes, which \`nodes\` lists`] : []),
  ]);
}

function patch(name: string, podCidr: string): string {
  return `kubectl patch node ${name} -p '{"spec":{"podCIDR":"${podCidr}"}}'`;
}
