import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';

const ROOT = resolve(__dirname, '../..');

/** Processes whose environment holds a text. */
function processesWith(text: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text);
    } catch {
      return false;
    }
  });
}

describe('the sandbox', () => {
  let child: ChildProcess | undefined;
  afterAll(() => {
    child?.kill('SIGKILL');
  });

  test('interrupted, it leaves no process and no file behind', async () => {
    const mark = `FAIRWAY_TEST_MARK=${process.pid}-${Date.now()}`;
    const [name = '', value] = mark.split('=');
    // As in the prompt of a terminal: the input stays open.
    child = spawn(process.execPath, ['--import', 'tsx', 'sandbox/main.ts'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], [name]: value },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    while (!output.includes('adding win02')) await new Promise((done) => setTimeout(done, 50));
    const workDir = dirname(/Log: (\S+)/.exec(output)?.[1] ?? '');
    const children = processesWith(`REDIS_PREFIX={sandbox-${child.pid}-`);
    // The bot and two workers, and what tsx starts for each.
    expect(children.length).toBeGreaterThanOrEqual(3);
    child.kill('SIGINT');
    await once(child, 'exit');
    expect(existsSync(workDir)).toBe(false);
    await new Promise((done) => setTimeout(done, 500));
    expect(processesWith(`REDIS_PREFIX={sandbox-${child.pid}-`)).toEqual([]);
    expect(processesWith(mark)).toEqual([]);
  }, 60_000);
});
