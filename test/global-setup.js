// Jest: one Redis for all test files, the same as the sandbox's; the programs, compiled; and the PowerShell host, so that no test waits for its build.
import { execFileSync } from 'node:child_process';
import { tsImport } from 'tsx/esm/api';
import { compilePrograms } from './compile.js';

export default async function globalSetup() {
  const { startRedis } = await tsImport('../sandbox/redis/start.ts', import.meta.url);
  const redis = await startRedis();
  process.env.REDIS_URL = redis.url;
  globalThis.fairwayRedis = redis;
  process.env.FAIRWAY_COMPILED = await compilePrograms();
  if (process.getuid?.() === 0 && hasDotnet()) {
    const { windowsPrograms } = await tsImport('./lab/windows/build.ts', import.meta.url);
    windowsPrograms();
  }
}

function hasDotnet() {
  try {
    return execFileSync('dotnet', ['--list-sdks'], { encoding: 'utf8' }).trim() !== '';
  } catch {
    return false;
  }
}
