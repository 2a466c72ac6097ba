import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';

const ROOT = resolve(__dirname, '../..');
const { PATH, HOME, FAIRWAY_COMPILED } = process.env;

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
  const temporary = mkdtempSync(join(tmpdir(), 'fairway-interrupt-'));
  const folders = () => readdirSync(temporary).filter((folder) => folder.startsWith('fairway-'));
  afterEach(() => {
    child?.kill('SIGTERM');
  });
  afterAll(() => {
    rmSync(temporary, { recursive: true, force: true });
  });

  test.each<[NodeJS.Signals, number]>([
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ])(
    'ended by %s, it leaves no process and no file behind',
    async (signal, code) => {
      const mark = `FAIRWAY_TEST_MARK=${process.pid}-${Date.now()}`;
      const [name = '', value] = mark.split('=');
      // As in the prompt of a terminal: the input stays open.
      child = spawn(process.execPath, ['--import', 'tsx', 'sandbox/main.ts'], {
        cwd: ROOT,
        env: { PATH, HOME, FAIRWAY_COMPILED, TMPDIR: temporary, [name]: value },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      while (!output.includes('adding win02')) await new Promise((done) => setTimeout(done, 50));
      // Hosts and programs each have a folder; Redis may, too.
      expect(folders().length).toBeGreaterThanOrEqual(2);
      const children = processesWith(`REDIS_PREFIX={sandbox-${child.pid}-`);
      // The bot and two workers.
      expect(children.length).toBeGreaterThanOrEqual(3);
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([code, null]);
      await new Promise((done) => setTimeout(done, 500));
      expect(processesWith(`REDIS_PREFIX={sandbox-${child.pid}-`)).toEqual([]);
      expect(processesWith(mark)).toEqual([]);
      expect(folders()).toEqual([]);
    },
    60_000,
  );
});
