import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { linux } from '../../src/host/linux.js';
import { rootHelper } from '../../src/host/scripts.js';
import { createSshPool } from '../../src/host/ssh.js';
import type { Step } from '../../src/plan/plan.js';
import { helperSnippet, sudoersLine } from '../../src/snippet/linux-helper.js';
import { createLab } from '../lab/lab.js';
import { describeWith } from '../lab/requirements.js';
import type { LinuxOptions } from '../lab/sshd.js';
import { nameOf, pidsIn } from '../lab/system.js';
import { PROGRAMS } from '../support/programs.js';
import type { CaseHost } from './case-list.js';
import { hostCases } from './cases.js';

const CLUSTER = '192.168.0.0/16';
const BRIDGE = 'cbr0';

/** The README's own lines: the helper's, and those that do without it. */
const SUDOERS = readFileSync('README.md', 'utf8').match(/^fairway ALL=.*$/gm) ?? [];
const isHelpers = (line: string): boolean => line.includes('/fairway-node ');

const USER = 'fairway';
const BY_HELPER: LinuxOptions = { user: { name: USER, sudoers: '# nothing' } };

/** `isByHand`: somebody has pasted what Fairway says. */
async function linuxHost(options: LinuxOptions, isByHand = false): Promise<CaseHost> {
  const lab = await createLab({
    hosts: [
      { name: 'lin01', os: 'linux', address: '10.0.0.4', processes: true, ...options },
      { name: 'lin02', os: 'linux', address: '10.0.0.5' },
    ],
  });
  const pool = createSshPool({ sshConfigFile: lab.sshConfigFile, pinned: async () => null });
  const podCidr = '192.168.0.0/24';
  const bridge: Step = { kind: 'bridge', action: 'ensure', bridge: BRIDGE, podCidr, ownBridge: true };
  if (isByHand) {
    const { text } = rootHelper();
    const by = { user: USER, text, clusterCidr: CLUSTER, bridge: BRIDGE };
    await lab.exec('lin01', helperSnippet(by).code);
  }
  let fence = 0;
  return {
    pool,
    platform: linux,
    context: {
      target: lab.host('lin01').target,
      clusterCidr: CLUSTER,
      podCidr,
      network: '',
      bridge: BRIDGE,
      ...PROGRAMS,
      owned: [],
    },
    writing: {
      peer: { name: 'lin02', address: '10.0.0.5', podCidr: '192.168.1.0/24' },
      silent: '10.0.0.99',
      podSteps: options.user ? [bridge] : [bridge, { kind: 'persistence', action: 'ensure' }],
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
  hostCases(() => {
    const sudoers = SUDOERS.filter((line) => !isHelpers(line)).join('\n');
    return linuxHost({ user: { name: USER, sudoers } });
  }),
);
describeWith(['root'], 'Linux, by the root helper', () => {
  hostCases(() => linuxHost(BY_HELPER, true));

  test('README and docs have its line for sudoers', () => {
    expect(SUDOERS.filter(isHelpers)).toEqual([sudoersLine(USER)]);
    expect(readFileSync('docs/linux-host.md', 'utf8').split('\n')).toContain(sudoersLine(USER));
  });
});
