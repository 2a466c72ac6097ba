import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Built } from '../../src/plan/build.js';
import { deliveredPath } from '../../src/plan/deliver.js';
import { describeWith } from '../lab/requirements.js';
import { sshdIn } from '../lab/sshd.js';
import { killAll, until as untilHolds } from '../lab/system.js';
import { servicesKey } from '../lab/windows/services.js';
import { type DeliveryField, OLD, openDeliveryField, sumOf } from '../support/delivery-field.js';

describeWith(['root', 'dotnet', 'go'], 'deliveries that meet trouble, for real', () => {
  let field: DeliveryField;

  beforeAll(async () => {
    field = await openDeliveryField(1);
  }, 180_000);
  afterAll(() => field.close());

  /** A delivery that was not switched to. */
  let left = '';
  const partOf = (built: Built): string => `${field.fileOn('win01', built)}.part`;
  const bytesOf = (built: Built): number => statSync(partOf(built), { throwIfNoEntry: false })?.size ?? 0;

  test('cancelled while it copies: it ends there, and another time it goes on from there', async () => {
    const { lab, team, fileOn, recordBuild } = field;
    const built = await recordBuild('v1.5.1', 32);
    // 32 MB take 13 s then.
    await lab.exec('builder', 'tc qdisc add dev eth0 root tbf rate 20mbit burst 64k latency 400ms');
    const asked = await team.ask('deliver kubelet v1.5.1');
    await team.click(asked.id, 'Approve');
    await untilHolds('a part of it', () => bytesOf(built) > 1e6, 60_000);
    await team.say(`cancel ${asked.id}`);
    expect(await team.until(asked.id)).toMatchObject({ state: 'cancelled' });
    await lab.exec('builder', 'tc qdisc del dev eth0 root');
    const part = bytesOf(built);
    expect(part).toBeLessThan(built.size);
    expect(existsSync(fileOn('win01', built))).toBe(false);

    const again = await team.ask('deliver kubelet v1.5.1');
    await team.click(again.id, 'Approve');
    await untilHolds('more of it', () => {
      const bytes = existsSync(fileOn('win01', built)) ? built.size : bytesOf(built);
      expect(bytes).toBeGreaterThanOrEqual(part);
      return bytes === built.size;
    });
    await team.untilCard(again.id, 'Switch kubelet to it?');
    expect(await sumOf(fileOn('win01', built))).toBe(built.sha256);
    await team.click(again.id, 'Leave it as it is');
    await team.until(again.id);
  }, 120_000);

  test('a disk without room is not begun on; one that runs full says so, and Retry goes on once there is room', async () => {
    const { lab, team, fileOn, recordBuild, running } = field;
    const host = lab.host('win01');
    const built = await recordBuild('v1.5.2', 32);
    host.windows?.edit((state) => Object.assign(state, { free: 400_000_000 }));
    const asked = await team.ask('deliver kubelet v1.5.2');
    await team.click(asked.id, 'Approve');
    expect((await team.until(asked.id)).state).toBe('failed');
    expect(await team.untilCard(asked.id, 'of disk free')).toContain('Make room there, then Retry.');
    expect(bytesOf(built)).toBe(0);

    host.windows?.edit((state) => Object.assign(state, { free: 60_000_000_000 }));
    // The host has its own mounts: sshd, and what it starts, see this one.
    const { listener, sessions } = sshdIn(host.namespace);
    const folder = dirname(fileOn('win01', built));
    const inside = (...command: string[]) =>
      execFileSync('nsenter', ['-t', String(listener), '-m', ...command]);
    mkdirSync(folder, { recursive: true });
    inside('mount', '-t', 'tmpfs', '-o', 'size=8m', 'small', folder);
    // A session keeps the mounts that it began with.
    await killAll(sessions);
    await team.click(asked.id, 'Retry failed (1)');
    expect(await team.until(asked.id, 'failed')).toMatchObject({ state: 'failed' });
    await team.untilCard(asked.id, 'The copy ended at');
    expect(running()).toEqual([OLD.replaceAll('\\', '/')]);
    inside('mount', '-o', 'remount,size=64m', folder);
    await team.click(asked.id, 'Retry failed (1)');
    await team.untilCard(asked.id, 'Switch kubelet to it?');
    await team.click(asked.id, 'Leave it as it is');
    expect((await team.until(asked.id)).state).toBe('applied');
    left = asked.id;
  }, 120_000);

  test('the worker is killed while a node switches: another one brings it to its end', async () => {
    const { team, world, recordBuild, running, until } = field;
    const built = await recordBuild('v1.5.3', 1);
    const asked = await team.ask('deliver kubelet v1.5.3');
    await team.click(asked.id, 'Approve');
    await team.untilCard(asked.id, 'Switch kubelet to it?');
    await team.click(asked.id, 'Switch win01');
    await team.untilCard(asked.id, 'switches kubelet to');
    world.workers[0]?.child.kill('SIGKILL');
    world.startWorker();
    const { state } = await until(asked.id);
    const errors = [...(await team.stores.changes.results(asked.id)).values()].map(({ error }) => error);
    expect([state, ...errors]).toEqual(['applied', undefined]);
    expect(running()).toEqual([deliveredPath(built).replaceAll('\\', '/')]);
  }, 180_000);

  test('what others did to the kubelet since is neither overwritten by a switch, nor undone by a Roll back', async () => {
    const { lab, team, recordBuild, running, until } = field;
    const [before] = running();
    await team.click(left, 'Roll back');
    expect(await until(left)).toMatchObject({ state: 'rolled-back' });
    expect(await team.stores.changes.result(left, 'win01')).toMatchObject({ status: 'unchanged' });

    await recordBuild('v1.5.4', 1);
    const asked = await team.ask('deliver kubelet v1.5.4');
    await team.click(asked.id, 'Approve');
    await team.untilCard(asked.id, 'Switch kubelet to it?');
    lab.host('win01').windows?.edit(({ registry }) => {
      Object.assign(registry[`${servicesKey}\\kubelet\\Parameters`] ?? {}, { AppParameters: '--v=4' });
    });
    await team.click(asked.id, 'Switch win01');
    expect(await until(asked.id)).toMatchObject({ state: 'failed' });
    await team.untilCard(asked.id, 'was set up otherwise there after this was planned');
    expect(running()).toEqual([before]);
  }, 120_000);
});
