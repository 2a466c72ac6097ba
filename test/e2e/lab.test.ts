import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ALICE, HOSTS, startWorld, type World } from '../../sandbox/world.js';
import { createLab, type Lab } from '../lab/lab.js';
import { describeWith, type Requirement } from '../lab/requirements.js';
import { nameOf, pidsIn } from '../lab/system.js';
import { hurryDebts } from '../support/debts.js';
import { type Team, teamOf } from '../support/team.js';

/** A real network: sshd in namespaces, kernel routes, packets. */
interface Field {
  lab: Lab;
  world: World;
  team: Team;
}

async function openField(names: readonly string[], env: Record<string, string> = {}): Promise<Field> {
  const hosts = HOSTS.filter((host) => names.includes(host.name));
  const lab = await createLab({
    hosts: hosts.map((host) => ({ ...host, wantsRestart: host.name === 'win02' })),
  });
  const world = await startWorld({ ssh: lab, workers: 1, env: { PROBE_EVERY: '1d', ...env } });
  return { lab, world, team: teamOf(world) };
}

async function closeField({ lab, world, team }: Field): Promise<void> {
  team.close();
  await world.close();
  await lab.close();
}

/** Whether `to`'s pod gateway answers `from`'s. */
async function pings(lab: Lab, from: string, source: string, gateway: string): Promise<boolean> {
  const answer = await lab.exec(
    from,
    `ping -n -c 1 -W 1 -I ${source} ${gateway} >/dev/null 2>&1 && echo yes || echo no`,
  );
  return answer.trim() === 'yes';
}

function routesOf(lab: Lab, host: string): Promise<string[]> {
  return lab.exec(host, 'ip -4 route show root 192.168.0.0/16').then((text) =>
    text
      .split('\n')
      .filter((line) => line.includes(' via '))
      .map((line) => line.split(' dev ')[0]?.trim() ?? '')
      .sort(),
  );
}

describeWith(['root'], 'Linux hosts, for real', () => {
  let field: Field;
  beforeAll(async () => {
    field = await openField(['lin01', 'lin02', 'lin03']);
  }, 60_000);
  afterAll(() => closeField(field));

  test('after the adds all pods’ gateways ping across all pairs; after a removal they don’t', async () => {
    const { lab, team } = field;
    const nodes = [];
    for (const [name, address] of [
      ['lin01', '10.0.0.4'],
      ['lin02', '10.0.0.8'],
      ['lin03', '10.0.0.9'],
    ]) {
      const change = await team.make(`add linux node ${name} ${address}`);
      expect(change).toMatchObject({ state: 'applied' });
      if (change.node) nodes.push(change.node);
    }
    const gateways = nodes.map((node) => ({ name: node.name, gateway: node.podCidr.replace('.0/24', '.1') }));
    const pairs = gateways.flatMap((from) =>
      gateways.filter((to) => to !== from).map((to) => ({ from, to })),
    );
    for (const { from, to } of pairs)
      expect(await pings(lab, from.name, from.gateway, to.gateway)).toBe(true);

    expect((await team.make('remove node lin02')).state).toBe('applied');
    for (const { from, to } of pairs) {
      const left = from.name === 'lin02' || to.name === 'lin02';
      if (from.name !== 'lin02') expect(await pings(lab, from.name, from.gateway, to.gateway)).toBe(!left);
    }
    expect(await lab.exec('lin02', 'ip -4 route show proto 155; ip link show type bridge')).toBe('');
  }, 90_000);

  test('a foreign route in the way is never overwritten', async () => {
    const { lab, team } = field;
    await lab.exec('lin01', 'ip route add 192.168.3.0/24 via 10.0.0.254');
    const change = await team.ask('add linux node lin02 10.0.0.8 pod-cidr 192.168.3.0/24');
    expect(change.state).toBe('refused');
    expect(await routesOf(lab, 'lin01')).toContain('192.168.3.0/24 via 10.0.0.254');
  });

  test('a host that hangs is owed, and shown; it is paid when it is back', async () => {
    const { lab, team, world } = field;
    await lab.exec('lin01', 'ip route del 192.168.3.0/24');
    // Connections to it are not refused: they hang, those from before too.
    await lab.cut('lin03');
    const change = await team.make('add linux node lin02 10.0.0.8 pod-cidr 192.168.3.0/24');
    expect(change.state).toBe('owing');
    expect(await routesOf(lab, 'lin01')).toContain('192.168.3.0/24 via 10.0.0.8');
    expect(await team.untilCard(change.id, 'hosts owed')).toContain('lin03');
    await lab.mend('lin03');
    await hurryDebts(world);
    expect((await team.until(change.id, 'applied')).state).toBe('applied');
    expect(await routesOf(lab, 'lin03')).toContain('192.168.3.0/24 via 10.0.0.8');
  }, 120_000);
});

describeWith(['root'], 'a Linux host that lost what Fairway made, for real', () => {
  test('is repaired: bridge, forwarding and routes, what is foreign stays, and packets cross', async () => {
    const field = await openField(['lin01', 'lin02', 'lin03']);
    try {
      const { lab, team } = field;
      for (const text of [
        'add linux node lin01 10.0.0.4',
        'add linux node lin02 10.0.0.8',
        'add linux node lin03 10.0.0.9',
      ])
        expect((await team.make(text)).state).toBe('applied');
      const before = await routesOf(lab, 'lin01');
      await lab.exec('lin01', 'ip link del cbr0; ip route flush proto 155; sysctl -qw net.ipv4.ip_forward=0');
      await lab.exec('lin01', 'ip route add 192.168.2.0/24 via 10.0.0.8');
      await lab.exec(
        'lin02',
        'ip route del 192.168.0.0/24; ip route add 192.168.0.0/24 via 10.0.0.9 proto 155',
      );
      await lab.exec('lin03', 'ip route add 192.168.99.0/24 via 10.0.0.8 proto 155');
      const change = await team.make('repair');
      expect(change.state === 'applied' ? change.state : JSON.stringify(change)).toBe('applied');
      expect(await routesOf(lab, 'lin01')).toEqual([before[0], '192.168.2.0/24 via 10.0.0.8']);
      expect(await routesOf(lab, 'lin02')).toContain('192.168.0.0/24 via 10.0.0.4');
      expect(await routesOf(lab, 'lin03')).not.toContain('192.168.99.0/24 via 10.0.0.8');
      expect(await pings(lab, 'lin01', '192.168.0.1', '192.168.1.1')).toBe(true);
      // Back to how it was: the wrong route and the stray one stand again.
      await team.click(change.id, 'Roll back', ALICE);
      expect((await team.until(change.id, 'rolled-back', 'failed')).state).toBe('rolled-back');
      expect(await routesOf(lab, 'lin02')).toContain('192.168.0.0/24 via 10.0.0.9');
      expect(await routesOf(lab, 'lin03')).toContain('192.168.99.0/24 via 10.0.0.8');
      expect(await lab.exec('lin01', 'ip -4 route show proto 155; ip link show type bridge')).toBe('');
      await lab.exec('lin01', 'ip route del 192.168.2.0/24');
      expect((await team.make('repair')).state).toBe('applied');
      expect(await routesOf(lab, 'lin01')).toEqual(before);
    } finally {
      await closeField(field);
    }
  }, 90_000);
});

const needs: readonly Requirement[] = ['root', 'dotnet'];
describeWith(needs, "the guide's three hosts, for real", () => {
  /** A Kubernetes that takes other flags than the guide's gets no kubelet from Fairway: that half is quicker, and tried too. */
  const ways = [
    { nextHop: 'node-address', env: {} },
    { nextHop: 'pod-gateway', env: { RRAS: 'skip', KUBERNETES_VERSION: '1.9' } },
  ] as const;
  for (const { nextHop, env } of ways) {
    test(`next hop ${nextHop}: exactly its CIDRs and routes, and packets cross`, async () => {
      const field = await openField(['lin01', 'win01', 'win02'], { NEXT_HOP: nextHop, ...env });
      try {
        const { lab, team } = field;
        // Windows takes its time to go down, and docker to come up.
        const slow = { linger: '3000', 'docker-late': '20000' };
        lab.host('win02').windows?.edit(({ faults }) => void Object.assign(faults, slow));
        const boots = () =>
          ['win01', 'win02'].map((name) => Date.parse(lab.host(name).windows?.state().boot ?? ''));
        const atFirst = boots();
        for (const text of [
          'add linux node lin01 10.0.0.4',
          'add windows node win01 10.0.0.5',
          'add windows node win02 10.0.0.6',
        ]) {
          const change = await team.make(text);
          expect(change.state === 'applied' ? change.state : JSON.stringify(change)).toBe('applied');
        }
        // The features that one of them needs take a restart there, and somebody agreed to it.
        const restarted = boots().map((boot, index) => boot !== atFirst[index]);
        expect(restarted).toEqual([false, nextHop === 'node-address']);
        const wanted = nextHop === 'node-address' ? ['kube-proxy.exe', 'kubelet.exe'] : [];
        for (const name of ['win01', 'win02']) {
          const running = pidsIn([lab.host(name).namespace]).map(nameOf);
          expect([...new Set(running.filter((each) => each.startsWith('kube')))].sort()).toEqual(wanted);
        }
        const hop = (address: string, gateway: string) => (nextHop === 'pod-gateway' ? gateway : address);
        expect(await routesOf(lab, 'lin01')).toEqual([
          '192.168.1.0/24 via 10.0.0.5',
          '192.168.2.0/24 via 10.0.0.6',
        ]);
        expect(await routesOf(lab, 'win01')).toEqual([
          `192.168.0.0/24 via ${hop('10.0.0.4', '192.168.0.1')}`,
          `192.168.2.0/24 via ${hop('10.0.0.6', '192.168.2.1')}`,
        ]);
        expect(await routesOf(lab, 'win02')).toEqual([
          `192.168.0.0/24 via ${hop('10.0.0.4', '192.168.0.1')}`,
          `192.168.1.0/24 via ${hop('10.0.0.5', '192.168.1.1')}`,
        ]);
        expect(await pings(lab, 'lin01', '192.168.0.1', '192.168.2.1')).toBe(true);

        // As after a boot: the bridge and the docker network are gone, and a route from the active store alone.
        const before = await Promise.all(['lin01', 'win01', 'win02'].map((name) => routesOf(lab, name)));
        await lab.exec(
          'lin01',
          'ip link del cbr0; ip route flush proto 155; sysctl -qw net.ipv4.ip_forward=0',
        );
        await lab.exec('win01', `${lab.dir}/hosts/win01/programs/docker.exe network rm transparent`);
        await lab.exec('win02', 'ip route del 192.168.0.0/24');
        expect(await pings(lab, 'lin01', '192.168.0.1', '192.168.2.1')).toBe(false);
        const repaired = await team.make('repair');
        expect(repaired.state === 'applied' ? repaired.state : JSON.stringify(repaired)).toBe('applied');
        expect(await Promise.all(['lin01', 'win01', 'win02'].map((name) => routesOf(lab, name)))).toEqual(
          before,
        );
        expect(await pings(lab, 'lin01', '192.168.0.1', '192.168.2.1')).toBe(true);
        expect(await pings(lab, 'lin01', '192.168.0.1', '192.168.1.1')).toBe(true);

        expect((await team.make('remove node win02')).state).toBe('applied');
        expect(await routesOf(lab, 'win02')).toEqual([]);
        expect(await pings(lab, 'lin01', '192.168.0.1', '192.168.2.1')).toBe(false);
      } finally {
        await closeField(field);
      }
    }, 240_000);
  }
});
