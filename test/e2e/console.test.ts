import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
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
    const env = { PATH: process.env['PATH'], ...site.world.env, ...over };
    return new Promise((done) => {
      execFile(
        process.execPath,
        ['--import', 'tsx', 'src/console.ts', ...words],
        { cwd: ROOT, env },
        (error, stdout, stderr) => {
          done({ code: error === null ? 0 : 1, text: stdout + stderr });
        },
      );
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
});
