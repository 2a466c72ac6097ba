import { createSshPool } from '../../../src/host/ssh.js';
import { windows } from '../../../src/host/windows.js';
import { createLab } from '../../lab/lab.js';
import { describeWith } from '../../lab/requirements.js';
import { nameOf, pidsIn } from '../../lab/system.js';
import type { CaseHost } from '../case-list.js';
import { hostCases } from '../cases.js';
import { machineParams } from './site.js';

async function windowsHost(): Promise<CaseHost> {
  const lab = await createLab({
    hosts: [
      { name: 'win01', os: 'windows', address: '10.0.0.5', processes: true },
      { name: 'lin01', os: 'linux', address: '10.0.0.4' },
    ],
  });
  const pool = createSshPool({ sshConfigFile: lab.sshConfigFile, pinned: async () => null });
  const podCidr = '192.168.1.0/24';
  const mac = (await lab.exec('win01', 'cat /sys/class/net/eth1/address')).trim();
  const containerNic = mac.toUpperCase().replaceAll(':', '-');
  let fence = 0;
  return {
    pool,
    platform: windows,
    context: {
      target: lab.host('win01').target,
      clusterCidr: '192.168.0.0/16',
      podCidr,
      network: 'pods',
      bridge: '',
      containerNic,
      owned: [],
      ...machineParams,
    },
    writing: {
      peer: { name: 'lin01', address: '10.0.0.4', podCidr: '192.168.0.0/24' },
      silent: '10.0.0.99',
      podSteps: [
        { kind: 'pod-network', action: 'ensure', network: 'pods', podCidr, containerNic },
        { kind: 'pod-gateway', action: 'ensure', podCidr, containerNic },
      ],
      nextFence: () => ++fence,
      async addForeign({ destination, nextHop }) {
        await lab.exec('win01', `ip route add ${destination} via ${nextHop} proto static metric 20`);
      },
      kill: (component) => lab.kill('win01', component),
      start: (component) => lab.startComponent('win01', component),
      // Beside the resident interpreter.
      watchers: async () =>
        pidsIn([lab.host('win01').namespace]).filter((pid) => nameOf(pid) === 'powershell').length - 1,
    },
    async close() {
      await pool.close();
      await lab.close();
    },
  };
}

describeWith(['root', 'dotnet'], 'Windows, on the PowerShell engine', () => hostCases(windowsHost));
