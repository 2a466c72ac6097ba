import { statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Built } from '../../src/plan/build.js';
import { deliveredPath } from '../../src/plan/deliver.js';
import { describeWith } from '../lab/requirements.js';
import { sshdIn } from '../lab/sshd.js';
import { killAll, until as untilHolds } from '../lab/system.js';
import { type DeliveryField, OLD, openDeliveryField, sumOf } from '../support/delivery-field.js';

const AT_FIRST = OLD.replaceAll('\\', '/');

describeWith(['root', 'dotnet', 'go'], 'deliveries to Windows nodes, for real', () => {
  let field: DeliveryField;

  beforeAll(async () => {
    field = await openDeliveryField(2);
  }, 180_000);
  afterAll(() => field.close());

  test('a real build arrives with the right sum; declined, what ran runs on', async () => {
    const { team, fileOn, running } = field;
    expect((await team.make('build kubelet v1.5.0')).state).toBe('applied');
    const built = (await team.stores.builds.newest('kubelet', 'v1.5.0')) as Built;
    const asked = await team.ask('deliver kubelet v1.5.0 to win01');
    expect(await team.untilCard(asked.id, built.sha256)).toContain('asks once more');
    await team.click(asked.id, 'Approve');
    await team.untilCard(asked.id, 'Switch kubelet to it?');
    expect(await sumOf(fileOn('win01', built))).toBe(built.sha256);
    await team.click(asked.id, 'Leave it as it is');
    expect((await team.until(asked.id)).state).toBe('applied');
    expect(running()[0]).toBe(AT_FIRST);
  }, 120_000);

  test('one that does not stay up is put back by itself, and no other node is switched', async () => {
    const { team, running, until } = field;
    const before = running();
    // A real Windows program, which this lab can't run.
    const asked = await team.ask('deliver kubelet v1.5.0');
    await team.click(asked.id, 'Approve');
    await team.untilCard(asked.id, '`win02` has');
    await team.untilCard(asked.id, '`win01` has');
    await team.click(asked.id, 'Switch 2 hosts');
    expect(await until(asked.id)).toMatchObject({ state: 'failed' });
    const results = await team.stores.changes.results(asked.id);
    expect(results.get('win01')).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('The former one was put back, and runs.'),
    });
    expect(results.get('win02')).toMatchObject({ status: 'waiting' });
    expect(running()).toEqual(before);
  }, 240_000);

  test('cut at 10, 50 and 90 %: it goes on where it was; then both nodes switch, one after the other, and it is rolled back', async () => {
    const { lab, team, nodes, fileOn, running, recordBuild, until } = field;
    const built = await recordBuild('v1.5.1', 64);
    const asked = await team.ask('deliver kubelet v1.5.1');
    await team.click(asked.id, 'Approve');
    const part = `${fileOn('win01', built)}.part`;
    const bytes = (): number => statSync(part, { throwIfNoEntry: false })?.size ?? 0;
    let least = 0;
    for (const share of [0.1, 0.5, 0.9]) {
      const reached = (): boolean => {
        // What is over is not copied again.
        expect(bytes()).toBeGreaterThanOrEqual(least);
        return bytes() >= share * built.size;
      };
      await untilHolds(`${share} of the file`, reached, 60_000);
      await killAll(sshdIn(lab.host('win01').namespace).sessions);
      least = bytes();
    }
    await team.untilCard(asked.id, '`win01` has');
    await team.untilCard(asked.id, '`win02` has');
    for (const { name } of nodes) expect(await sumOf(fileOn(name, built))).toBe(built.sha256);
    await team.click(asked.id, 'Switch 2 hosts');
    const { state } = await until(asked.id);
    const errors = [...(await team.stores.changes.results(asked.id)).values()].map(({ error }) => error);
    expect([state, ...errors]).toEqual(['applied', undefined, undefined]);
    const path = deliveredPath(built);
    expect(running()).toEqual(nodes.map(() => path.replaceAll('\\', '/')));
    // The inventory wants it there from now on.
    const inventory = await team.stores.nodes.read();
    expect(inventory.nodes.map((node) => node.executables?.kubelet)).toEqual([path, path]);
    await team.click(asked.id, 'Roll back');
    expect(await until(asked.id)).toMatchObject({ state: 'rolled-back' });
    expect(running()).toEqual(nodes.map(() => AT_FIRST));
  }, 300_000);
});
