/** What a Windows node needs before it can carry pods: a NIC for the container network, the network, the gateway's address. Pure. */
import type { Node } from '../node/node.js';
import type { Step } from './plan.js';
import type { PlanPolicy } from './policy.js';

/** The guide's name for it (S10). */
export const KUBE_PROXY_SWITCH = 'KubeProxySwitch';

/**
 * The steps of the guide's profile on the node itself, in order, up to its routes. What may take a restart comes first: it would take
 * the rest along. (windows.md A14)
 */
export function windowsSteps(node: Node, policy: PlanPolicy): Step[] {
  const { containerNic, podCidr } = node;
  const steps: Step[] = [
    { kind: 'forwarding', action: 'ensure' },
    ...routingSteps(policy),
    { kind: 'image', action: 'ensure', image: policy.pauseImage },
    { kind: 'virtual-switch', action: 'ensure', name: KUBE_PROXY_SWITCH },
  ];
  // A member whose NIC nobody named: which one its network is on is not for us to guess.
  if (containerNic === undefined) return steps;
  return [
    ...steps,
    { kind: 'pod-network', action: 'ensure', network: policy.network, podCidr, containerNic },
    { kind: 'pod-gateway', action: 'ensure', podCidr, containerNic },
  ];
}

function routingSteps({ rras }: PlanPolicy): Step[] {
  if (rras === 'skip') return [];
  return [
    { kind: 'routing-service', action: 'ensure' },
    { kind: 'reboot', action: 'ensure' },
  ];
}

/** The guide's two processes, once the routes are there. */
export function windowsComponents(node: Node, policy: PlanPolicy): Step[] {
  const { apiServer, pauseImage, network } = policy;
  const executables = { ...policy.executables, ...node.executables };
  return [
    {
      kind: 'component',
      action: 'ensure',
      component: 'kubelet',
      executable: executables.kubelet,
      arguments: `--hostname-override=${node.name} --pod-infra-container-image="${pauseImage}" --resolv-conf="" --api_servers=${apiServer}`,
      // Without it the kubelet looks for a network named kubenet (kubernetes/kubernetes#39235).
      environment: [`CONTAINER_NETWORK=${network}`],
      dependsOn: ['docker'],
    },
    {
      kind: 'component',
      action: 'ensure',
      component: 'kube-proxy',
      executable: executables['kube-proxy'],
      arguments: `--v=3 --proxy-mode=userspace --hostname-override=${node.name} --master=${apiServer} --bind-address=${node.address}`,
      environment: [`INTERFACE_TO_ADD_SERVICE_IP=vEthernet (${KUBE_PROXY_SWITCH})`],
      dependsOn: ['kubelet'],
    },
  ];
}

/** Whether this Kubernetes takes the guide's flags: 1.8 took `--api-servers` from the kubelet (kubernetes/kubernetes#40050). */
export function hasGuideFlags({ kubernetesVersion }: Pick<PlanPolicy, 'kubernetesVersion'>): boolean {
  const [major = 0, minor = 0] = kubernetesVersion.split('.').map(Number);
  return major === 1 && minor < 8;
}
