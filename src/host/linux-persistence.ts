/** What makes a Linux node's routes outlive a boot: the root helper that is installed there, and how it is asked for. Pure. */
import { bridgeOf } from '../plan/linux-node.js';
import type { Observation, Step } from '../plan/plan.js';
import type { HostRequest } from './host.js';
import type { HostContext } from './platform.js';

/** Where it is installed. */
export const HELPER = '/usr/local/sbin/fairway-node';
const TIMEOUT_MS = 20_000;

type Action = Step['action'];

/** The request that installs the helper, which does the rest by itself; or lets it take everything away. Its answer is a full read. */
export function persistenceRequest(
  action: Action,
  ctx: HostContext,
  observed: Observation,
  fence: number,
): HostRequest {
  if (action === 'remove') return { script: 'persistence', params: { fence, action }, timeoutMs: TIMEOUT_MS };
  const params = {
    fence,
    action,
    cluster: ctx.clusterCidr,
    bridge: bridgeOn(ctx, observed),
    own: ctx.podCidr,
  };
  return { script: 'persistence', params, takes: 'root-helper', timeoutMs: TIMEOUT_MS };
}

/** What a person would do, with the files that come of it. */
export function persistenceCommands(
  action: Action,
  ctx: HostContext,
  observed: Observation | null,
): string[] {
  if (action === 'remove') return [`${HELPER} uninstall`];
  const hasNetworkd = observed?.linux?.keepsForeignRoutes !== null;
  return [
    `install -m 755 fairway-node ${HELPER}`,
    `${HELPER} install ${ctx.clusterCidr} ${bridgeOn(ctx, observed)} ${ctx.podCidr}`,
    '# writes /etc/fairway/node.conf and boot; /etc/sysctl.d/90-fairway.conf while the host forwards',
    '# enables /etc/systemd/system/fairway-routes.service: fairway-node restore, at boot',
    ...(hasNetworkd ? ['# writes /etc/systemd/networkd.conf.d/10-fairway.conf: ManageForeignRoutes=no'] : []),
  ];
}

function bridgeOn(ctx: HostContext, observed: Observation | null): string {
  return (observed && bridgeOf(ctx, observed)) ?? ctx.bridge;
}
