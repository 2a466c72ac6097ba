/** The `provision` script of a Windows host: steps that go on whether or not somebody is connected. Pure. */
import { z } from 'zod';
import { Fence, ScriptError } from '../script.js';
import type { WindowsHost } from '../state.js';
import type { Job } from './machine.js';
import { passFence } from './net.js';
import { HalfDone } from './node.js';

export const ProvisionParams = z.object({
  fence: Fence,
  id: z.string().min(1),
  steps: z.array(z.object({ script: z.string(), params: z.record(z.string(), z.unknown()) })).min(1),
  waitMs: z.int().nonnegative(),
});

/** Runs one script of the table, and throws as it does. */
export type RunScript = (host: WindowsHost, script: string, params: unknown) => WindowsHost;

/** How long a step takes here, in milliseconds; a pull is the slow one. */
const STEP_MS = 150;
const PULL_MS = 1_200;
const LAYERS = 7;

/** The work as far as it has come by `now`. Whatever is asked of a host, this comes first. */
export function advanced(host: WindowsHost, now: number, run: RunScript): WindowsHost {
  const { job } = host.machine;
  if (job === null || isOver(job)) return host;
  const step = job.steps[job.done];
  const endMs = job.sinceMs + durationOf(step);
  if (step === undefined || now < endMs) return host;
  return advanced(stepped(host, job, endMs, run), now, run);
}

function stepped(host: WindowsHost, job: Job, endMs: number, run: RunScript): WindowsHost {
  const step = job.steps[job.done] ?? { script: '', params: {} };
  try {
    const after = run(host, step.script, { ...step.params, fence: job.fence });
    return withJob(after, { ...job, done: job.done + 1, sinceMs: endMs });
  } catch (error) {
    const code = error instanceof ScriptError ? error.code : 'BAD-PARAMS';
    const said = error instanceof Error ? error.message : String(error);
    const after = error instanceof HalfDone ? error.host : host;
    return withJob(after, { ...job, failed: { script: step.script, code, error: said } });
  }
}

/** What `provision` answers at `now`; `again`: ask once more in this many milliseconds, before anything is said. */
export interface Progress {
  host: WindowsHost;
  data: object;
  again: number;
}

/** Begins the work, or looks how far it is and takes it over. A result is given once. Throws `JOB-LOST` once when the machine went down over it. */
export function provision(
  before: WindowsHost,
  params: z.output<typeof ProvisionParams>,
  now: number,
): Progress {
  const passed = passFence(before, params.fence);
  const seen = passed.machine.job;
  const job = seen?.id === params.id ? { ...seen, fence: params.fence } : seen;
  const host = withJob(passed, job);
  // Others' work: the one who asks waits for its end, and nobody is left to be told the result.
  if (job === null || (job.id !== params.id && (isOver(job) || job.isLost))) return begin(host, params, now);
  if (job.id !== params.id) return { host, data: dataOf(job, now), again: left(job, now) };
  if (job.isLost) throw new HalfDone('JOB-LOST', 'the work ended without a result', withJob(host, null));
  const data = dataOf(job, now);
  return isOver(job) ? { host: withJob(host, null), data, again: 0 } : { host, data, again: left(job, now) };
}

function begin(host: WindowsHost, params: z.output<typeof ProvisionParams>, now: number): Progress {
  const { id, fence, steps } = params;
  const job: Job = { id, fence, steps, done: 0, sinceMs: now, failed: null, isLost: false };
  return { host: withJob(host, job), data: dataOf(job, now), again: left(job, now) };
}

function dataOf(job: Job, now: number): object {
  const { done, steps, failed } = job;
  const step = steps[done];
  const over = isOver(job);
  const said = {
    over,
    done,
    of: steps.length,
    doing: over ? '' : (step?.script ?? ''),
    progress: !over && step?.script === 'image' ? layers(now - job.sinceMs) : '',
  };
  return over ? { ...said, failed, printed: '' } : said;
}

function layers(elapsedMs: number): string {
  return `${Math.min(LAYERS, Math.floor((LAYERS * elapsedMs) / PULL_MS))} of ${LAYERS} layers`;
}

function isOver({ done, steps, failed }: Job): boolean {
  return failed !== null || done === steps.length;
}

/** Milliseconds until the step in hand ends. */
function left(job: Job, now: number): number {
  return Math.max(1, job.sinceMs + durationOf(job.steps[job.done]) - now);
}

function durationOf(step: Job['steps'][number] | undefined): number {
  return step?.script === 'image' && step.params['ensure'] === true ? PULL_MS : STEP_MS;
}

function withJob(host: WindowsHost, job: Job | null): WindowsHost {
  return { ...host, machine: { ...host.machine, job } };
}
