import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BOB } from '../../sandbox/world.js';
import { auditEvents } from '../support/audit.js';
import { openSite, podRoutes, type Site } from '../support/site.js';
import type { Team } from '../support/team.js';

describe.each(['node-address', 'pod-gateway'] as const)("the guide's example, next hop %s", (nextHop) => {
  let site: Site;
  let team: Team;
  const host = (name: string) => site.host(name);

  beforeAll(async () => {
    site = await openSite({ env: { NEXT_HOP: nextHop } });
    team = site.team;
  }, 60_000);
  afterAll(() => site.close());

  // S13: Windows leads to the peer's pod gateway when told so; Linux never can.
  const windowsHop = (address: string, gateway: string) => (nextHop === 'pod-gateway' ? gateway : address);

  test('three adds give exactly its CIDRs and its routes on all three hosts', async () => {
    for (const [name, os, address, podCidr] of [
      ['lin01', 'linux', '10.0.0.4', '192.168.0.0/24'],
      ['win01', 'windows', '10.0.0.5', '192.168.1.0/24'],
      ['win02', 'windows', '10.0.0.6', '192.168.2.0/24'],
    ]) {
      const change = await team.make(`add ${os} node ${name} ${address}`);
      expect(change).toMatchObject({ state: 'applied', node: { name, podCidr } });
      expect((change.proof ?? []).map((row) => row.answer).filter((answer) => answer !== 'icmp')).toEqual([]);
    }
    expect(podRoutes(host('lin01'))).toEqual(['192.168.1.0/24 via 10.0.0.5', '192.168.2.0/24 via 10.0.0.6']);
    expect(podRoutes(host('win01'))).toEqual([
      `192.168.0.0/24 via ${windowsHop('10.0.0.4', '192.168.0.1')}`,
      `192.168.2.0/24 via ${windowsHop('10.0.0.6', '192.168.2.1')}`,
    ]);
    expect(podRoutes(host('win02'))).toEqual([
      `192.168.0.0/24 via ${windowsHop('10.0.0.4', '192.168.0.1')}`,
      `192.168.1.0/24 via ${windowsHop('10.0.0.5', '192.168.1.1')}`,
    ]);
  });

  test('every decision and every command is on record, in a chain that holds', async () => {
    const events = await auditEvents(team.stores.audit);
    expect(await team.stores.audit.verify()).toMatchObject({ broken: null });
    expect(events.filter((event) => event.what === 'approve').map((event) => event.actor)).toEqual(
      Array(3).fill(`TSANDBOX:${BOB}`),
    );
    const onLin01 = events
      .filter((event) => event.host === 'lin01')
      .flatMap((event) => event.facts?.['commands']);
    expect(onLin01).toContain('ip route add 192.168.2.0/24 via 10.0.0.6 proto 155');
  });

  test('a removed node leaves nothing behind, and its slice rests', async () => {
    const before = podRoutes(host('lin01'));
    const change = await team.make('remove node win02');
    expect(change.state).toBe('applied');
    expect(podRoutes(host('win02'))).toEqual([]);
    expect(podRoutes(host('lin01'))).toEqual(before.slice(0, 1));
    expect(host('win02').state).toMatchObject({ networks: [] });
    expect(await team.say('nodes')).toMatch(/2 nodes, 253 pod CIDRs free, 1 resting/);
    const again = await team.ask('add linux node lin02 10.0.0.8');
    expect(again.node?.podCidr).toBe('192.168.3.0/24');
    await team.deny(again.id, 'not tonight');
    expect(await team.until(again.id)).toMatchObject({ state: 'denied', reason: 'not tonight' });
    // Nothing was routed: it is free at once, unlike the removed node's.
    const third = await team.ask('add linux node lin03 10.0.0.9');
    expect(third.node?.podCidr).toBe('192.168.3.0/24');
    expect(await team.say(`cancel ${third.id}`)).toMatch(third.id);
  });

  test('Slack never had to complain', () => {
    expect(site.world.slack.violations).toEqual([]);
  });
});
