/** The build host: what it is asked, and how its answers are understood. Pure. */
import { z } from 'zod';
import type { BuildAsked, BuildCheck, BuildSpec } from '../plan/build.js';
import type { HostRequest } from './host.js';
import { parseAnswer } from './platform-parts.js';

/** Looking for programs takes no time; the git server has 60 s. */
const CHECK_MS = 75_000;
/** For how long the host waits for news of a build before it answers. */
const WAIT_S = 3;
/** Above that: ending a build's processes by force takes up to 12 s, and a sum over the file some seconds on a slow disk. */
const JOB_MS = 60_000;
/** The script's own; a log that fills it goes on. */
const LOG_BYTES = 49_152;

const known = z.string().transform((text) => (text === '' ? null : text));
const Check = z.object({
  ok: z.literal(true),
  git: known,
  go: known,
  make: z.boolean(),
  freeKib: z.number().nullable(),
  commit: known.pipe(
    z
      .string()
      .regex(/^[0-9a-f]{40}$/)
      .nullable(),
  ),
  built: z.boolean(),
});

const Result = z.object({
  size: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  go: z.string(),
  path: z.string().startsWith('/'),
});
const log = z.base64().transform((text) => Buffer.from(text, 'base64'));
const Job = z.union([
  z.object({ ok: z.literal(true), over: z.literal(false), waits: z.boolean(), log }),
  Result.extend({
    ok: z.literal(true),
    over: z.literal(true),
    code: z.literal('0'),
    reused: z.boolean(),
    log,
  }),
  z.object({ ok: z.literal(true), over: z.literal(true), code: z.string(), log }),
]);

/** How far a build is. */
export interface BuildNews {
  /** What came to the log since. */
  log: Buffer;
  /** More of it is there already. */
  more: boolean;
  /** `waiting`: for another build to end. */
  state: 'waiting' | 'running' | 'built' | 'failed' | 'cancelled';
  /** Once it is built. */
  made?: z.output<typeof Result> & { reused: boolean };
  /** What the build ended with, when it failed. */
  code?: string;
}

/** Asks whether the host can build this, and for the commit that the version is. It only reads. */
export function checkRequest({ component, version, source }: BuildAsked, dir: string): HostRequest {
  return { script: 'check-build', params: { component, version, source, dir }, timeoutMs: CHECK_MS };
}

export function parseCheck(data: unknown, host: string): BuildCheck {
  const { git, go, make, freeKib, commit, built } = parseAnswer(Check, data, host);
  return { git, go, make, freeBytes: freeKib === null ? null : freeKib * 1024, commit, built };
}

/** Starts the build, or joins it: `id` names it for good. `from`: bytes of its log that are known. `cancel` ends it. */
export function jobRequest(
  { component, version, source, commit, by, dir }: BuildSpec,
  job: { id: string; from: number; fence: number; cancel: boolean },
): HostRequest {
  const { id, from, fence, cancel } = job;
  const params = {
    ...{ component, version, source, commit, by, dir },
    ...{ id, from, waitS: WAIT_S, fence, cancel: cancel ? 'yes' : 'no' },
  };
  return { script: 'build', params, timeoutMs: JOB_MS };
}

/** Throws HostError `garbled`. */
export function parseJob(data: unknown, host: string): BuildNews {
  const job = parseAnswer(Job, data, host);
  const news = { log: job.log, more: job.log.length >= LOG_BYTES };
  if (!job.over) return { ...news, state: job.waits ? 'waiting' : 'running' };
  if ('sha256' in job) {
    const { size, sha256, go, path, reused } = job;
    return { ...news, state: 'built', made: { size, sha256, go, path, reused } };
  }
  return { ...news, state: job.code === 'cancelled' ? 'cancelled' : 'failed', code: job.code };
}

/** Asks for the SHA-256 of the first bytes of a file there. */
export function sumRequest(path: string, bytes: number): HostRequest {
  return { script: 'sum', params: { path, bytes }, timeoutMs: JOB_MS };
}

export function parseSum(data: unknown, host: string): string {
  return parseAnswer(z.object({ ok: z.literal(true), sha256: z.string() }), data, host).sha256;
}

/** What a person would type for it, on the build host. */
export function buildCommands({ component, version, source, commit, by, dir }: BuildSpec): string[] {
  return [
    `git fetch --depth 1 ${source} refs/tags/${version}`,
    `git checkout --detach ${commit}`,
    by === 'make'
      ? `KUBE_BUILD_PLATFORMS=windows/amd64 make WHAT=cmd/${component}`
      : `CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build -o ${component}.exe ./cmd/${component}`,
    `# ${dir}/builds/${component}/${version}/${commit}/${component}.exe`,
  ];
}
