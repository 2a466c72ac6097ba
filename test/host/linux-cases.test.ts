import { readFileSync } from 'node:fs';
import { linux } from '../../src/host/linux.js';
import { createSshPool } from '../../src/host/ssh.js';
import { createLab } from '../lab/lab.js';
import { describeWith } from '../lab/requirements.js';
import type { LinuxOptions } from '../lab/sshd.js';
import { nameOf, pidsIn } from '../lab/system.js';
import { PROGRAMS } from '../support/programs.js';
import type { CaseHost } from './case-list.js';
import { hostCases } from './cases.js';

/** The README's own lines. */
const SUDOERS =
  readFileSync('README.md', 'utf8')
    .match(/^fairway ALL=.*$/gm)
    ?.join('\n') ?? '';

async function linuxHost(options: LinuxOptions): Promise<CaseHost> {
  const lab = await createLab({
    hosts: [
      { name: 'lin01', os: 'linux', address: '10.0.0.4', processes: true, ...options },
      { name: 'lin02', os: 'linux', address: '10.0.0.5' },
    ],
  });
  const pool = createSshPool({ sshConfigFile: lab.sshConfigFile, pinned: async () => null });
  const podCidr = '192.168.0.0/24';
  let fence = 0;
  return {
    pool,
    platform: linux,
    context: {
      target: lab.host('lin01').target,
      clusterCidr: '192.168.0.0/16',
      podCidr,
      network: '',
      bridge: 'cbr0',
      ...PROGRAMS,
      owned: [],
    },
    writing: {
      peer: { name: 'lin02', address: '10.0.0.5', podCidr: '192.168.1.0/24' },
      silent: '10.0.0.99',
      podSteps: [{ kind: 'bridge', action: 'ensure', bridge: 'cbr0', podCidr, ownBridge: true }],
      nextFence: () => ++fence,
      async addForeign({ destination, nextHop }) {
        await lab.exec('lin01', `ip route add ${destination} via ${nextHop} proto static metric 20`);
      },
      kill: (component) => lab.kill('lin01', component),
      start: (component) => lab.startComponent('lin01', component),
      watchers: async () =>
        pidsIn([lab.host('lin01').namespace]).filter((pid) => nameOf(pid) === 'perl').length,
    },
    async close() {
      await pool.close();
      await lab.close();
    },
  };
}

describeWith(['root'], 'Linux, as root, dash', () => hostCases(() => linuxHost({ sh: 'dash' })));
describeWith(['root'], 'Linux, as root, bash', () => hostCases(() => linuxHost({ sh: 'bash' })));
describeWith(['root', 'busybox'], 'Linux, as root, busybox', () =>
  hostCases(() => linuxHost({ sh: 'busybox' })),
);
describeWith(['root'], 'Linux, by sudo', () =>
  hostCases(() => linuxHost({ user: { name: 'fairway', sudoers: SUDOERS } })),
);
