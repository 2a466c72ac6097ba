import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { readWish } from '../../sandbox/preflight.js';

const ROOT = resolve(__dirname, '../..');
const root = { platform: 'linux' as const, uid: 0 };

test('the command line', () => {
  expect(readWish([], root)).toEqual({ lab: false });
  expect(readWish(['--lab', '--script', __filename], root)).toEqual({ lab: true, script: __filename });
  expect(readWish([], { platform: 'win32', uid: undefined })).toEqual({ lab: false });
});

test.each([
  ['without root', ['--lab'], { platform: 'linux' as const, uid: 1000 }, /^--lab needs Linux and root/],
  ['on a Mac', ['--lab'], { platform: 'darwin' as const, uid: 0 }, /^--lab needs Linux and root/],
  ['a script that is not there', ['--script', '/nope'], root, /^--script \/nope: there is no such file$/],
  ['a folder for a script', ['--script', __dirname], root, /: it is a folder$/],
  ['an unknown option', ['--lba'], root, /Unknown option '--lba'/],
])('%s', (_what, args, machine, message) => {
  expect(() => readWish(args, machine)).toThrow(message);
});

test('is told in one line, before anything is started', async () => {
  const args = ['--import', 'tsx', 'sandbox/main.ts', '--script', '/nope'];
  const outcome = await new Promise((done) => {
    execFile(process.execPath, args, { cwd: ROOT }, (error, stdout, stderr) =>
      done({ code: error?.code, stdout, stderr }),
    );
  });
  expect(outcome).toEqual({ code: 1, stdout: '', stderr: '--script /nope: there is no such file\n' });
});
