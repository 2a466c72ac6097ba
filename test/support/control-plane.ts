import type { ControlPlane } from '../../src/snippet/control-plane.js';

/** The guide's control plane. */
export const CONTROL_PLANE: ControlPlane = {
  kubernetesVersion: '1.5',
  clusterCidr: '192.168.0.0/16',
  nodePrefixLength: 24,
  serviceCidr: '10.96.0.0/12',
  dns: '10.96.0.10',
  apiServer: 'http://10.0.0.1:8080',
  network: 'transparent',
};
