/** A Linux host's machine as the guide asks for it. */
import type { LinuxMachine } from '../../src/plan/machine.js';

export const LINUX_MACHINE: LinuxMachine = {
  privilege: 'root',
  mayInstall: false,
  iproute: '6.1.0',
  cniPlugins: ['bridge', 'host-local', 'loopback', 'ptp'],
  forwardChain: { policy: 'ACCEPT', from: [], to: [] },
  networkManagers: [],
  keepsForeignRoutes: null,
  helper: null,
  restoresAtBoot: false,
  kubelet: 'kubelet --network-plugin=kubenet --non-masquerade-cidr=192.168.0.0/16 --v=2',
  freeBytes: 40e9,
  clock: '2026-11-27T03:00:00.000Z',
};
