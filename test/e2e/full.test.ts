import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openSite, type Site } from '../support/site.js';

describe('a small cluster', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({ env: { CLUSTER_CIDR: '192.168.0.0/22', RESERVED_CIDRS: '192.168.3.0/24' } });
  }, 60_000);
  afterAll(() => site.close());

  test('says how many pod CIDRs could really be given', async () => {
    const { team } = site;
    expect(await team.say('nodes')).toMatch(/3 pod CIDRs free/);
    await team.make('add linux node lin01 10.0.0.4');
    expect(await team.say('nodes')).toMatch(/2 pod CIDRs free/);
  });

  test('whose free slices some host routes names host and route, and the remedy works', async () => {
    const { team, host } = site;
    host('lin01').addForeignRoute({ destination: '192.168.0.0/22', nextHop: '10.0.0.254' });
    const refused = await team.ask('add linux node lin02 10.0.0.8');
    expect(refused.state).toBe('refused');
    expect(refused.reason).toMatch(/2 free .*lin01.* 192\.168\.0\.0\/22/);
    expect(refused.reason).not.toMatch(/full|taken/);
    // As if the worker had not come to give its slice back yet.
    await team.untilCard(refused.id, 'lin01');
    const node = { name: 'lin02', os: 'linux', address: '10.0.0.8' } as const;
    await team.stores.leases.claim({ changeId: refused.id, node, excluded: [], now: new Date() });
    // Asking for a certain one is no way out, and is not called one.
    const explicit = await team.ask('add linux node lin02 10.0.0.8 pod-cidr 192.168.2.0/24');
    expect(explicit.state).toBe('refused');
    expect(explicit.reason).toMatch(/lin01/);
    expect(explicit.reason).not.toMatch(/pick a free one/);
    host('lin01').removeRoute('192.168.0.0/22');
    host('lin01').addForeignRoute({ destination: '192.168.2.0/25', nextHop: '10.0.0.254' });
    const other = await team.ask('add linux node lin02 10.0.0.8 pod-cidr 192.168.2.0/24');
    expect(other.reason).toMatch(/pick a free one/);
    expect(await team.ask('add linux node lin02 10.0.0.8')).toMatchObject({ state: 'pending' });
  });

  test('that is full says so before any host is asked', async () => {
    const { team, host } = site;
    host('lin01').removeRoute('192.168.2.0/25');
    await team.ask('add windows node win01 10.0.0.5');
    expect(await team.say('nodes')).toMatch(/0 pod CIDRs free/);
    expect(await team.say('add windows node win02 10.0.0.6')).toMatch(/is full/);
  });
});
