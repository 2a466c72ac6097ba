/** What both platforms do alike. Pure. */
import { z } from 'zod';
import { Ipv4Text } from '../node/node.js';
import type { Observation, Step } from '../plan/plan.js';
import { conflicts, forbidden, stepHolds } from '../plan/step.js';
import { HostError } from './host.js';
import type { HostContext } from './platform.js';

export const Proof = z.object({
  ok: z.literal(true),
  answers: z.record(Ipv4Text, z.enum(['icmp', 'tcp', 'none'])),
});

/** A host asks 64 targets at a time, and gives each at most 5 s (two pings, one TCP connection). */
export function proofTimeoutMs(targets: number): number {
  return 10_000 + 6_000 * Math.ceil(targets / 64);
}

/** Checks a host's answer. Throws HostError `garbled` with the first thing that is wrong. */
export function parseAnswer<T extends z.ZodType>(schema: T, data: unknown, host: string): z.output<T> {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new HostError(
    'garbled',
    host,
    `unexpected answer at ${issue?.path.join('.') || 'its top'}: ${issue?.message}`,
  );
}

/** The steps worth sending: not done yet, nothing foreign in the way. Throws HostError `script` for a route that may never be made. */
export function applicable(steps: readonly Step[], ctx: HostContext, observed: Observation): Step[] {
  const on = { address: ctx.target.address, podCidr: ctx.podCidr, clusterCidr: ctx.clusterCidr };
  for (const step of steps) {
    const why = forbidden(step, on);
    if (why !== null) throw new HostError('script', ctx.target.name, why, { code: 'REFUSED' });
  }
  return steps.filter((step) => !stepHolds(step, observed) && conflicts(step, observed) === null);
}

/** The most that is kept of a log; the scripts have these numbers too. */
const LOG_LINES = 200;
const LOG_BYTES = 65_536;

/** How many log lines to ask for. */
export function clampLines(lines: number): number {
  return Math.min(Math.max(Math.trunc(lines), 1), LOG_LINES);
}

/** The text of a log's end. Where bytes were cut off in front, so is what is left of that line. */
export function withoutFragment(bytes: Buffer): string {
  const text = bytes.toString('utf8').trimEnd();
  return bytes.length < LOG_BYTES ? text : text.slice(text.indexOf('\n') + 1);
}

/** An instant, in milliseconds since 1970, as ISO to the second. */
export function toSecond(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
