/** What a Linux node needs so that its routes outlive a boot, and what of it Fairway may do by itself. Pure. */
import { podGateway } from '../ip.js';
import type { Node } from '../node/node.js';
import type { Observation, Step } from './plan.js';

/**
 * The step that installs the root helper and its unit. None where the login may not install anything (then it's by hand, see
 * docs/linux-host.md), without systemd, or when the host was not read in full.
 */
export function persistenceSteps({ linux }: Observation): Step[] {
  if (!linux?.mayInstall || linux.restoresAtBoot === null) return [];
  return [{ kind: 'persistence', action: 'ensure' }];
}

/** Whether nothing of it is there yet, so that whoever makes it may take it away. */
export function lacksPersistence({ linux }: Observation): boolean {
  return linux?.helper === null && linux.restoresAtBoot !== true;
}

/** The bridge that holds the pod gateway: an adopted node's may have another name than the policy's, and needs no second one. */
export function bridgeOf(
  { podCidr }: Pick<Node, 'podCidr'>,
  { addresses, bridges }: Pick<Observation, 'addresses' | 'bridges'>,
): string | undefined {
  const gateway = podGateway(podCidr);
  return addresses.find(({ address, device }) => address === gateway && bridges.includes(device))?.device;
}
