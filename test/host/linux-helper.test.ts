/** The root helper on real hosts: what it does for a login that is not root, what it refuses, and what it brings back at boot. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { HostPool, HostRequest } from '../../src/host/host.js';
import { linux } from '../../src/host/linux.js';
import type { HostContext } from '../../src/host/platform.js';
import { rootHelper } from '../../src/host/scripts.js';
import { createSshPool } from '../../src/host/ssh.js';
import { linuxChecks } from '../../src/plan/check-linux.js';
import { lookedAt } from '../../src/plan/check-steps.js';
import { persistenceSteps } from '../../src/plan/linux-node.js';
import type { Observation, Step } from '../../src/plan/plan.js';
import { stepHolds } from '../../src/plan/step.js';
import { helperSnippet, sudoersLine } from '../../src/snippet/linux-helper.js';
import { checkLine } from '../../src/words/check.js';
import { bareVoice } from '../../src/words/voice.js';
import { createLab, type Lab } from '../lab/lab.js';
import { describeWith } from '../lab/requirements.js';
import { policyOf } from '../support/model-cluster.js';

const CLUSTER = '192.168.0.0/16';
const POD_CIDR = '192.168.0.0/24';
const USER = 'fairway';
const HELPER = '/usr/local/sbin/fairway-node';

const persistence: Step = { kind: 'persistence', action: 'ensure' };
const network: Step[] = [
  { kind: 'bridge', action: 'ensure', bridge: 'cbr0', podCidr: POD_CIDR, ownBridge: true },
  { kind: 'forwarding', action: 'ensure' },
  route('192.168.1.0/24'),
  route('192.168.2.0/24'),
];

function route(destination: string): Step {
  return { kind: 'route', action: 'ensure', peer: 'lin02', route: { destination, nextHop: '10.0.0.5' } };
}

/** What each line would touch, and the line. */
const HOSTILE: readonly (readonly [string, string])[] = [
  ['its own slice', 'route add 192.168.0.0/24 via 10.0.0.5 proto 155'],
  ['a part of it', 'route add 192.168.0.128/25 via 10.0.0.5 proto 155'],
  ['a prefix that covers it', 'route add 192.168.0.0/23 via 10.0.0.5 proto 155'],
  ['all of the cluster', 'route add 192.168.0.0/16 via 10.0.0.5 proto 155'],
  ['outside of the cluster', 'route add 192.169.1.0/24 via 10.0.0.5 proto 155'],
  ['everything', 'route add 0.0.0.0/0 via 10.0.0.5 proto 155'],
  ['a name for it', 'route add default via 10.0.0.5 proto 155'],
  ['host bits', 'route add 192.168.3.7/24 via 10.0.0.5 proto 155'],
  ['no length', 'route add 192.168.3.0 via 10.0.0.5 proto 155'],
  ['too long a length', 'route add 192.168.3.0/33 via 10.0.0.5 proto 155'],
  ['octal', 'route add 192.168.03.0/24 via 10.0.0.5 proto 155'],
  ['a next hop behind itself', 'route add 192.168.3.0/24 via 192.168.3.9 proto 155'],
  ['a next hop that is none', 'route add 192.168.3.0/24 via 10.5 proto 155'],
  ['another protocol', 'route add 192.168.3.0/24 via 10.0.0.5 proto static'],
  ['no protocol', 'route add 192.168.3.0/24 via 10.0.0.5'],
  ['another table', 'route add 192.168.3.0/24 via 10.0.0.5 table 7 proto 155'],
  ['more words', 'route add 192.168.3.0/24 via 10.0.0.5 onlink proto 155'],
  ['replacing', 'route replace 192.168.3.0/24 via 10.0.0.5 proto 155'],
  ['somebody else’s route', 'route del 10.0.0.0/24 dev eth0 proto kernel'],
  ['a route out of the cluster', 'route del 0.0.0.0/0 via 10.0.0.254 proto 155'],
  ['flushing', 'route flush table main'],
  ['another link', 'link set eth0 down'],
  ['another bridge', 'link add name cbr1 type bridge'],
  ['another kind of link', 'link add name cbr0 type dummy'],
  ['deleting a link', 'link delete eth0 type bridge'],
  ['another address', 'address add 192.168.0.7/24 dev cbr0'],
  ['another gateway', 'address add 192.168.9.1/24 dev cbr0'],
  ['an address elsewhere', 'address add 192.168.0.1/24 dev eth0'],
  ['a program', 'netns exec lin touch /tmp/was-here'],
  ['a word of the shell', 'route add $(id) via 10.0.0.5 proto 155'],
  ['a quote', 'route add "192.168.3.0/24" via 10.0.0.5 proto 155'],
  ['a pattern', 'route add * via 10.0.0.5 proto 155'],
  ['a comment', 'link set cbr0 up # down'],
  ['forwarding by a word', 'forwarding maybe'],
  ['nothing', ''],
  ['blanks', '   '],
];

let lab: Lab;
let pool: HostPool;
let fence = 0;

function contextOf(name: string): HostContext {
  const executables = { kubelet: '', 'kube-proxy': '' };
  const common = { clusterCidr: CLUSTER, podCidr: POD_CIDR, network: '', bridge: 'cbr0', pauseImage: '' };
  return { target: lab.host(name).target, ...common, executables, owned: [] };
}

async function ask(name: string, request: HostRequest) {
  const { target, fingerprint } = lab.host(name);
  return await pool.request(target, request, { fingerprint });
}

async function read(name: string): Promise<Observation> {
  const ctx = contextOf(name);
  return linux.parseObservation((await ask(name, linux.observe(ctx, true))).data, ctx);
}

/** As a worker does it; what the last answer says, and what was printed. */
async function apply(name: string, steps: readonly Step[]) {
  const ctx = contextOf(name);
  const before = await read(name);
  let printed = '';
  let seen = before;
  for (const request of linux.apply(steps, ctx, before, ++fence)) {
    const reply = await ask(name, request);
    printed += reply.printed;
    seen = linux.parseObservation(reply.data, ctx);
  }
  return { seen, printed };
}

function inverse(steps: readonly Step[]): Step[] {
  return steps.map((step): Step => ({ ...step, action: 'remove' })).reverse();
}

/**
 * What sudo and the helper say to the login itself, which runs each of these in its own shell, and the exit code. Throws if anything of
 * the network is another one afterwards.
 */
async function asUser(...commands: string[]): Promise<string[]> {
  const each = commands.map((command) => `${command} 2>&1; echo "code $?"; echo ==; `).join('');
  const shell = `setpriv --reuid ${USER} --regid 61555 --clear-groups sh -c "$COMMANDS"`;
  const script = `COMMANDS='${each}'; ${HELD}; echo ==; ${shell}; ${HELD}`;
  const [before, ...said] = (await lab.exec('lin01', script)).split('==\n');
  expect(said.pop()).toBe(before);
  return said;
}

/** Everything that a boot would need, and nothing that changes by itself. */
const HELD = 'ip route; ip -4 -br address; cat /proc/sys/net/ipv4/ip_forward';

async function heldBy(name: string): Promise<string> {
  return await lab.exec(name, HELD);
}

describeWith(['root'], 'the root helper of Linux nodes', () => {
  beforeAll(async () => {
    lab = await createLab({
      hosts: [
        {
          name: 'lin01',
          os: 'linux',
          address: '10.0.0.4',
          processes: true,
          user: { name: USER, sudoers: sudoersLine(USER) },
        },
        { name: 'lin02', os: 'linux', address: '10.0.0.5', processes: true },
      ],
    });
    pool = createSshPool({ sshConfigFile: lab.sshConfigFile, pinned: async () => null });
    await lab.exec('lin01', 'rm /etc/sudoers.d/fairway');
  }, 60_000);
  afterAll(async () => {
    await pool?.close();
    await lab?.close();
  });

  test('sudo takes its line', () => {
    const dir = mkdtempSync('/var/tmp/fairway-sudoers-');
    const file = join(dir, 'fairway');
    writeFileSync(file, `${sudoersLine(USER)}\n`, { mode: 0o440 });
    execFileSync('visudo', ['-cf', file]);
    rmSync(dir, { recursive: true });
  });

  describe('by hand, for a login that is not root', () => {
    test('before that it may change nothing, and nothing is planned that would need it', async () => {
      const seen = await read('lin01');
      expect(seen.linux).toMatchObject({ privilege: 'none', mayInstall: false, helper: null });
      expect(persistenceSteps(seen)).toEqual([]);
      const failed = apply('lin01', [persistence]);
      await expect(failed).rejects.toMatchObject({ kind: 'script', detail: { code: 'NO-RIGHTS' } });
    });

    test('what Fairway says to paste makes it a helper that counts, twice as well as once', async () => {
      const { text } = rootHelper();
      const { code } = helperSnippet({ user: USER, text, clusterCidr: CLUSTER, bridge: 'cbr0' });
      for (let n = 0; n < 2; n += 1) await lab.exec('lin01', code);
      const seen = await read('lin01');
      expect(seen.linux).toMatchObject({ privilege: 'helper', mayInstall: false, helper: 'current' });
      expect(stepHolds(persistence, seen)).toBe(true);
      expect(await lab.exec('lin01', 'cat /etc/sudoers.d/fairway')).toBe(`${sudoersLine(USER)}\n`);
    });

    test('it makes a node’s network, services and logs', async () => {
      const { seen, printed } = await apply('lin01', network);
      expect(printed).toBe('');
      for (const step of network) expect(`${step.kind} ${stepHolds(step, seen)}`).toBe(`${step.kind} true`);
      const before = await ask('lin01', linux.probe(contextOf('lin01')));
      const { data } = await ask('lin01', linux.service(contextOf('lin01'), 'kubelet', 'restart', ++fence));
      const pidOf = (answer: unknown) =>
        linux.parseProbe(answer, contextOf('lin01')).processes.kubelet?.pid ?? 0;
      expect(pidOf(data)).toBeGreaterThan(pidOf(before.data));
      const log = await ask('lin01', linux.logs(contextOf('lin01'), 'kubelet', 3));
      expect(linux.parseLogs(log.data).split('\n')).toHaveLength(3);
    });

    test('sudo lets the login run nothing else', async () => {
      const commands = [
        'ip route',
        'sysctl -w net.ipv4.ip_forward=0',
        'systemctl restart kubelet.service',
        `${HELPER} save`,
        `${HELPER} uninstall`,
        `${HELPER} install 0.0.0.0/0 cbr0`,
        `${HELPER} service restart sshd`,
        `${HELPER} logs sshd`,
        `${HELPER} apply more`,
        HELPER,
      ];
      const said = await asUser(...commands.map((command) => `sudo -n ${command} </dev/null`));
      expect(said).toHaveLength(commands.length);
      for (const words of said) expect(words).toMatch(/^sudo: .*\ncode 1\n$/);
    });

    test('of lines that Fairway does not make it runs none, nor the good ones before', async () => {
      const good = ['route del 192.168.1.0/24 via 10.0.0.5 proto 155', 'forwarding off'];
      const commands = HOSTILE.map(([, line]) => {
        const words = [...good, line].map((each) => `"${each.replace(/["$*]/g, String.raw`\$&`)}"`);
        return `printf "%s\\n" ${words.join(' ')} | sudo -n ${HELPER} apply`;
      });
      const said = await asUser(...commands);
      const ran = HOSTILE.filter((_, n) => !/^fairway-node: line 3 .*\ncode 2\n$/.test(said[n] ?? ''));
      expect(ran).toEqual([]);
    });

    test.each([
      ['is a link', 'mv node.conf real; ln -s real node.conf', 'rm node.conf; mv real node.conf'],
      ['is the login’s', `chown ${USER} node.conf`, 'chown root node.conf'],
      ['anybody may write', 'chmod 666 node.conf', 'chmod 644 node.conf'],
      ['lies where anybody may write', 'chmod 777 .', 'chmod 755 .'],
      ['names a device that is no bridge', 'sed -i s/cbr0/eth0/ node.conf', 'sed -i s/eth0/cbr0/ node.conf'],
      ['names no cluster', 'sed -i s,/16,/6, node.conf', 'sed -i s,/6,/16, node.conf'],
      ['names another cluster', 'sed -i s/168/169/ node.conf', 'sed -i s/169/168/ node.conf'],
      ['says more', 'echo proto 4 >>node.conf', 'sed -i /proto/d node.conf'],
      ['is not there', 'mv node.conf away', 'mv away node.conf'],
    ])('it does nothing by a node.conf that %s', async (_name, spoil, mend) => {
      await lab.exec('lin01', `cd /etc/fairway && ${spoil}`);
      const line = 'route del 192.168.1.0/24 via 10.0.0.5 proto 155';
      const [said] = await asUser(`echo "${line}" | sudo -n ${HELPER} apply`);
      await lab.exec('lin01', `cd /etc/fairway && ${mend}`);
      expect(said).toMatch(/^fairway-node: .*\ncode 2\n$/);
    });

    test('a boot brings all of it back, and what was taken away by then stays away', async () => {
      const gone = inverse([route('192.168.2.0/24')]);
      await apply('lin01', gone);
      const before = await heldBy('lin01');
      expect(before).toContain('192.168.1.0/24 via 10.0.0.5 dev eth0 proto 155');
      await lab.reboot('lin01');
      expect(await heldBy('lin01')).toBe(before);
      const seen = await read('lin01');
      for (const step of [...network.slice(0, 3), ...gone]) expect(stepHolds(step, seen)).toBe(true);
    });

    test('a route that stands in the way at boot is left alone, and the rest comes back', async () => {
      await lab.exec('lin01', 'ip route del 192.168.1.0/24; ip route add 192.168.1.0/24 via 10.0.0.9');
      await lab.exec('lin01', 'ip link del cbr0');
      const restored = lab.exec('lin01', `timeout 2 ${HELPER} restore`);
      await expect(restored).rejects.toThrow('File exists');
      expect(await heldBy('lin01')).toContain('192.168.1.0/24 via 10.0.0.9 dev eth0');
      expect(await heldBy('lin01')).toContain('192.168.0.1/24');
    });
  });

  describe('by Fairway, where it may', () => {
    test('networkd is told to let routes be, and an older helper is replaced', async () => {
      await lab.exec('lin02', 'mkdir -p /run/units; echo systemd-networkd.service >>/run/units/active');
      expect((await read('lin02')).linux).toMatchObject({ privilege: 'root', keepsForeignRoutes: false });
      const { seen, printed } = await apply('lin02', [...network.slice(0, 2), persistence]);
      expect(printed).toBe('');
      expect(seen.linux).toMatchObject({ helper: 'current', restoresAtBoot: true, keepsForeignRoutes: true });
      await lab.exec('lin02', `echo >>${HELPER}`);
      const older = await read('lin02');
      expect(older.linux?.helper).toBe('other');
      expect(stepHolds(persistence, older)).toBe(false);
      expect((await apply('lin02', [persistence])).seen.linux?.helper).toBe('current');
    });

    test('one that was told of another slice counts as another', async () => {
      await lab.exec('lin02', 'sed -i s/192.168.0.0.24/192.168.7.0\\\\/24/ /etc/fairway/node.conf');
      expect((await read('lin02')).linux?.helper).toBe('other');
      expect((await apply('lin02', [persistence])).seen.linux?.helper).toBe('current');
    });

    test('what root changes is noted too; a boot brings it back', async () => {
      await apply('lin02', [route('192.168.5.0/24')]);
      await lab.exec('lin02', 'ip route flush proto 155');
      await lab.exec('lin02', `${HELPER} restore`);
      expect(await heldBy('lin02')).toContain('192.168.5.0/24');
    });

    test('taken back, nothing of it is left, and what was there before stays', async () => {
      await lab.exec(
        'lin02',
        'mkdir -p /etc/systemd/networkd.conf.d; touch /etc/systemd/networkd.conf.d/own.conf',
      );
      const { seen, printed } = await apply(
        'lin02',
        inverse([...network, persistence, route('192.168.5.0/24')]),
      );
      expect(printed).toBe('');
      expect(seen.linux).toMatchObject({ helper: null, restoresAtBoot: false, keepsForeignRoutes: false });
      expect(seen).toMatchObject({ forwarding: false, bridges: [] });
      const files = await lab.exec(
        'lin02',
        `find /etc/fairway /usr/local/sbin /etc/systemd /etc/sysctl.d -type f`,
      );
      expect(files).toBe('/etc/systemd/networkd.conf.d/own.conf\n');
    });
  });

  describe('what iptables does with forwarded packets', () => {
    const DROPS = { policy: 'DROP', from: [], to: [] };
    const chainOn = async (name: string) => (await read(name)).linux?.forwardChain;
    const verdict = async (): Promise<string> => {
      const observed = await read('lin02');
      const node = { name: 'lin02', os: 'linux' as const, address: '10.0.0.5', podCidr: POD_CIDR };
      const on = lookedAt(node, false, observed, policyOf('node-address'));
      const found = linuxChecks(on).find(({ id }) => id === 'forward-policy');
      return found ? `${found.verdict}: ${checkLine(found, null, bareVoice)}` : '';
    };

    beforeAll(async () => {
      const fake = readFileSync(join(process.cwd(), 'test/lab/linux/iptables')).toString('base64');
      for (const name of ['lin01', 'lin02']) {
        const put = `mkdir -p /run/sbin; echo ${fake} | base64 -d >/run/sbin/iptables; chmod 755 /run/sbin/iptables`;
        const chain = 'echo -P FORWARD DROP >/run/forward-chain';
        await lab.exec(
          name,
          `${put}; ${chain}; mount -t overlay -o lowerdir=/run/sbin:/usr/sbin overlay /usr/sbin`,
        );
      }
    });

    test('is told to root, and to a login that sudo lets ask; to others it is unknown', async () => {
      expect(await chainOn('lin02')).toEqual(DROPS);
      expect(await chainOn('lin01')).toBeNull();
      const line = `${USER} ALL=(root) NOPASSWD: /usr/sbin/iptables -w -S FORWARD`;
      await lab.exec('lin01', `echo '${line}' >/etc/sudoers.d/forward; chmod 440 /etc/sudoers.d/forward`);
      expect(await chainOn('lin01')).toEqual(DROPS);
      const [said] = await asUser('sudo -n /usr/sbin/iptables -I FORWARD -j ACCEPT');
      expect(said).toMatch(/^sudo: .*\ncode 1\n$/);
      await lab.exec('lin02', 'mv /run/forward-chain /run/away');
      expect(await verdict()).toMatch(/^unknown: /);
      await lab.exec('lin02', 'mv /run/away /run/forward-chain');
    });

    test('is put right by the very command that the check names, once and for all', async () => {
      const before = await verdict();
      const [command = ''] = /for .*; done/.exec(before) ?? [];
      expect(before).toMatch(/^fix: /);
      for (let n = 0; n < 2; n += 1) await lab.exec('lin02', command);
      expect(await verdict()).toBe('ok: iptables lets forwarded packets of pods pass.');
      expect((await lab.exec('lin02', 'cat /run/forward-chain')).split('\n')).toHaveLength(4);
    });
  });
});
