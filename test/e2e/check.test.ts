import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, BOB } from '../../sandbox/world.js';
import { auditEvents } from '../support/audit.js';
import { openSite, type Site } from '../support/site.js';

const CAROL = 'UCAROL';

describe('checks', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({ env: { VIEWERS: CAROL } });
    await site.team.make('add linux node lin01 10.0.0.4');
  }, 60_000);
  afterAll(() => site.close());

  test('of hosts that are no nodes yet: what is missing, at first contact, for who may add them', async () => {
    const { team, host } = site;
    expect(await team.say('check linux host 10.0.0.8', ALICE)).toContain('Checking `10.0.0.8`');
    const linux = await team.hears('check of 10.0.0.8', ALICE);
    expect(linux).toContain(`First contact. It shows the host key \`${host('lin02').fingerprint}\``);
    expect(linux).toContain('`cbr0` does not hold the pod gateway: `add` sees to it.');
    await team.say('check windows host 10.0.0.7', ALICE);
    const windows = await team.hears('check of 10.0.0.7', ALICE);
    expect(windows).toContain('There is no virtual switch `KubeProxySwitch`: `add` sees to it.');
    expect(windows).toContain('`add windows node &lt;name&gt; 10.0.0.7` plans the rest.');
    // Looking pins nothing.
    expect(await team.stores.hostKeys.pinned('10.0.0.7')).toBeNull();
    const asked = (await auditEvents(team.stores.audit)).filter(({ what }) => what === 'host-checked');
    expect(asked).toMatchObject([
      { actor: `TSANDBOX:${ALICE}`, host: '10.0.0.8' },
      { actor: `TSANDBOX:${ALICE}`, host: '10.0.0.7' },
    ]);
    expect(await team.say('check linux host 10.0.0.8', CAROL)).toMatch(/^Only an operator may/);
    expect(await team.say('check linux host 127.0.0.1', ALICE)).toContain('loopback');
  }, 60_000);

  test('of a member: fine, then what it lost, with the repair that brings it back; its address leads to it, too', async () => {
    const { team, host } = site;
    await team.say('check node lin01', CAROL);
    const fine = await team.hears('check of lin01', CAROL);
    expect(fine).toContain('`cbr0` holds the pod gateway.');
    expect(fine).not.toMatch(/First contact|missing/);
    host('lin01').alter((state) => (state.os === 'linux' ? { ...state, forward: false } : state));
    await team.say('check windows host 10.0.0.4', ALICE);
    expect(await team.hears('check of lin01', ALICE)).toContain(
      'It forwards no packets: `repair lin01` sees to it.',
    );
    expect(await team.say('check node lin09', CAROL)).toContain('There is no node `lin09`');
  }, 60_000);

  test('of a host that is down, or of the other kind, say so and are never fine', async () => {
    const { team, host } = site;
    await team.say('check windows host 10.0.0.9', BOB);
    expect(await team.hears('check of 10.0.0.9', BOB)).toContain('Ask `check linux host 10.0.0.9`');
    await host('win02').down();
    await team.say('check windows host 10.0.0.6', BOB);
    const down = await team.hears('check of 10.0.0.6', BOB);
    expect(down).toContain('It could not be read.');
    expect(down).toContain('Look whether it is up');
    await host('win02').up();
  }, 60_000);

  test('an addition is refused with all that is in the way on the host, and nothing is kept of it', async () => {
    const { team, host } = site;
    host('win03').alter((state) => (state.os === 'windows' ? { ...state, build: 9600 } : state));
    const change = await team.ask('add windows node win03 10.0.0.7');
    expect(change).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('`check windows host 10.0.0.7` looks again'),
      detail: [expect.stringContaining('is build 9600; containers need 14393')],
    });
    expect(await team.untilCard(change.id, 'build 9600')).toContain('one thing has to be put right');
    expect(await team.stores.leases.list(new Date())).not.toContainEqual(
      expect.objectContaining({ changeId: change.id }),
    );
  }, 60_000);
});
