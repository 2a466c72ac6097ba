import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { nodeArgs } from '../../sandbox/program.js';
import { ALICE, BOB } from '../../sandbox/world.js';
import { openSite, podRoutes, type Site } from '../support/site.js';

const ROOT = resolve(__dirname, '../..');
const ME = `console:${userInfo().username}`;

describe('the console', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({ env: { APPROVERS: ME } });
  }, 60_000);
  afterAll(() => site.close());

  /** Runs `npm run console -- <words>`'s program. */
  function type(...words: string[]): Promise<{ code: number; text: string }> {
    return typeWith({}, ...words);
  }

  function typeWith(
    over: Readonly<Record<string, string>>,
    ...words: string[]
  ): Promise<{ code: number; text: string }> {
    return pipe('', over, ...words);
  }

  /** The same with something piped in. */
  function pipe(
    piped: string,
    over: Readonly<Record<string, string>>,
    ...words: string[]
  ): Promise<{ code: number; text: string }> {
    const env = { PATH: process.env['PATH'], ...site.world.env, ...over };
    return new Promise((done) => {
      const { stdin } = execFile(
        process.execPath,
        [...nodeArgs('src/console.ts'), ...words],
        { cwd: ROOT, env },
        (error, stdout, stderr) => {
          done({ code: error === null ? 0 : 1, text: stdout + stderr });
        },
      );
      // It may not wait for all of it.
      stdin?.on('error', () => undefined);
      stdin?.end(piped);
    });
  }

  test('approves what was asked in Slack, by the same authorize(), and Slack’s card follows', async () => {
    const { team, host } = site;
    const change = await team.ask('add linux node lin01 10.0.0.4');
    await team.untilCard(change.id, 'Approve');
    expect(await type('approve', change.id)).toMatchObject({ code: 0 });
    expect((await team.until(change.id)).state).toBe('applied');
    await team.untilCard(change.id, `${userInfo().username} (console)`);
    expect((await type('nodes')).text).toContain('lin01');
    const second = await team.ask('add linux node lin02 10.0.0.8', ALICE);
    await type('approve', second.id);
    await team.until(second.id);
    expect((await type('routes')).text).toMatch(/2 hosts: every route is there/);
    expect((await type('check', 'node', 'lin01')).text).toMatch(/check of lin01[\s\S]*It holds 10\.0\.0\.4/);
    expect(podRoutes(host('lin02'))).toEqual(['192.168.0.0/24 via 10.0.0.4']);
  }, 60_000);

  test('a login without a role may do nothing but ask who may', async () => {
    const nobody = { VIEWERS: BOB, OPERATORS: ALICE, APPROVERS: BOB };
    const asked = ['nodes', 'add linux node lin03 10.0.0.9', 'approve c1', 'restart kubelet on lin01'];
    const before = (await site.team.stores.changes.latest(1)).map(({ id }) => id);
    for (const words of asked)
      expect(await typeWith(nobody, ...words.split(' '))).toMatchObject({
        code: 1,
        text: expect.stringMatching(/^Only an? (viewer|operator|approver) may .*Ask U/),
      });
    expect((await site.team.stores.changes.latest(1)).map(({ id }) => id)).toEqual(before);
    expect(await typeWith(nobody, 'whoami')).toMatchObject({
      code: 0,
      text: expect.stringContaining('You have no role.'),
    });
  }, 60_000);

  test('refuses with the same words, and with exit 1', async () => {
    expect(await type('approve', 'c99')).toMatchObject({ code: 1, text: expect.stringContaining('c99') });
    expect(await type('nods')).toMatchObject({ code: 1, text: expect.stringContaining('nodes') });
    expect(await type('add', 'linux', 'node', 'lin03', '10.0.0.9;reboot')).toMatchObject({
      code: 1,
      text: expect.stringContaining('address'),
    });
  }, 60_000);

  test('a list goes out and, after Redis was lost, comes in again', async () => {
    const { team } = site;
    const exported = (await type('export')).text;
    expect(exported).toContain(
      '\n  - { name: lin02, os: linux, address: 10.0.0.8, podCidr: 192.168.1.0/24 }\n',
    );
    expect(await pipe(exported, {}, 'adopt')).toMatchObject({ code: 0 });
    const [known] = await team.stores.changes.latest(1);
    expect(await team.until(known?.id ?? '')).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('Nothing to adopt'),
    });
    await site.loseRedis();
    expect((await type('nodes')).text).toContain('No node yet');
    const bad = await pipe(exported.replace('10.0.0.8', '10.0.0'), {}, 'import');
    expect(bad).toMatchObject({ code: 1, text: expect.stringContaining("`address` can't be `10.0.0`") });
    expect(await pipe('', {}, 'adopt')).toMatchObject({
      code: 1,
      text: expect.stringContaining('adopt < nodes.yaml'),
    });
    expect(await pipe('x'.repeat(3_000_000), {}, 'adopt')).toMatchObject({
      code: 1,
      text: expect.stringContaining('too long'),
    });
    expect(await pipe(exported, { OPERATORS: ALICE, APPROVERS: BOB, VIEWERS: BOB }, 'adopt')).toMatchObject({
      code: 1,
      text: expect.stringContaining('Only an operator may'),
    });
    expect(await pipe(exported, {}, 'adopt')).toMatchObject({
      code: 0,
      text: expect.stringContaining('`c1` is on its way'),
    });
    await team.until('c1', 'pending');
    expect((await type('change', 'c1')).text).toContain('Nothing is changed on any host');
    expect(await typeWith({ APPROVE_OWN: 'true' }, 'approve', 'c1')).toMatchObject({ code: 0 });
    expect((await team.until('c1')).state).toBe('applied');
    expect((await type('export')).text).toBe(exported);
  }, 120_000);

  test('reads, checks and exports what is on record, without a worker', async () => {
    const { records } = await site.team.stores.audit.verify();
    expect(records).toBeGreaterThan(3);
    expect((await type('history', 'lin02')).text).toMatch(/UTC · .* \(console\) · approved the plan/);
    expect((await type('audit', 'verify')).text).toContain(`The audit log holds: ${records} records`);
    const { code, text } = await type('audit', 'export');
    const lines = text.trimEnd().split('\n');
    expect([code, lines.length]).toEqual([0, records]);
    expect(lines.map((line) => JSON.parse(line).record)).toEqual(lines.map((_line, index) => index + 1));
    const nobody = { VIEWERS: BOB, OPERATORS: ME, APPROVERS: BOB };
    expect(await typeWith(nobody, 'audit', 'export')).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^Only an approver may/),
    });
  }, 60_000);

  test('checks a manifest that is piped in', async () => {
    const pod = 'kind: Pod\nspec:\n  nodeName: lin02\n---\nkind: Pod\nspec:\n  containers: [{}]';
    expect(await pipe(pod, {}, 'check', 'manifest')).toMatchObject({
      code: 0,
      text: expect.stringMatching(
        /1 failure on Windows.*\n.*\n.*line 6: Nothing says which operating system/,
      ),
    });
    expect(await type('check', 'manifest')).toMatchObject({
      code: 1,
      text: expect.stringContaining('check manifest < pod.yaml'),
    });
  }, 30_000);
});
