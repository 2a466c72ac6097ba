/** Requests about a Windows host's pod network, with the values that all these tests use. */

import { PROGRAMS } from '../../support/programs.js';
import { type Answer, type Channel, nodeIp, type Site } from './site.js';

export const pods = { name: 'pods', driver: 'transparent', subnet: '192.168.3.0/24', gateway: '192.168.3.1' };

export function podNetwork(on: Channel, site: Site, ensure: boolean, more: object = {}): Promise<Answer> {
  const { name: network, subnet: podCidr, gateway: podGateway } = pods;
  return on.request('pod-network', {
    fence: 10,
    network,
    podCidr,
    podGateway,
    containerNic: site.mac,
    nodeIp,
    ensure,
    ...more,
  });
}

export function podGateway(on: Channel, site: Site, ensure: boolean, more: object = {}): Promise<Answer> {
  return on.request('pod-gateway', {
    fence: 10,
    containerNic: site.mac,
    podGateway: pods.gateway,
    podPrefixLength: 24,
    ensure,
    ...more,
  });
}

export function readFull(on: Channel, site: Site): Promise<Answer> {
  const params = { nodeIp, full: true, network: pods.name, containerNic: site.mac, ...PROGRAMS };
  return on.request('read', params);
}
