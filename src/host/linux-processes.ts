/** kubelet and kube-proxy on Linux: the requests that look at them, start and stop them, and read their logs. Pure. */
import { z } from 'zod';
import type { Probe, ProcessSeen } from '../plan/probe.js';
import type { HostContext, Platform, ServiceAction } from './platform.js';
import { clampLines, parseAnswer, toSecond, withoutFragment } from './platform-parts.js';

const PROBE_MS = 10_000;
const SERVICE_MS = 60_000;
const LOGS_MS = 20_000;
/** What ends at once is started anew by systemd, after 0.1 s or, in kubeadm's unit, 10 s. In s. */
const STAY_S = 8;
/** What the kernel counts a process's start in: USER_HZ, 100 a second on every architecture that runs Kubernetes. */
const TICK_MS = 10;

const Running = z.object({ pid: z.int().positive(), start: z.string().regex(/^\d{1,15}$/) });
type Running = z.output<typeof Running>;
const Head = z.object({
  processes: z.object({ kubelet: Running.nullable(), 'kube-proxy': Running.nullable() }),
  /** When the host booted, in seconds since 1970, and how long ago that is. */
  btime: z.int().positive(),
  uptime: z.number().nonnegative(),
});
const Log = z.object({ ok: z.literal(true), log: z.base64() });

export const linuxProcesses: Pick<
  Platform,
  'probe' | 'service' | 'parseAlong' | 'serviceCommand' | 'logs' | 'parseLogs'
> = {
  probe: () => ({ script: 'probe', params: {}, timeoutMs: PROBE_MS }),
  service: (_ctx, component, action, fence) => ({
    script: 'service',
    params: { fence, component, action, stayS: STAY_S },
    timeoutMs: SERVICE_MS,
  }),
  // systemd stops nothing along that Kubernetes' own units name.
  parseAlong: () => [],
  serviceCommand: (component, action: ServiceAction) => `systemctl ${action} ${component}.service`,
  logs: (_ctx, component, lines) => ({
    script: 'logs',
    params: { component, lines: clampLines(lines) },
    timeoutMs: LOGS_MS,
  }),
  parseLogs: (data) => withoutFragment(Buffer.from(parseAnswer(Log, data, 'logs').log, 'base64')),
};

/** The part of a probe's answer that a read does not have. Throws HostError `garbled`. */
export function parseProcesses(data: unknown, ctx: HostContext): Omit<Probe, 'observed'> {
  const [head] = parseAnswer(z.tuple([Head]).rest(z.unknown()), data, ctx.target.name);
  const bootMs = head.btime * 1000;
  const seen = (process: Running | null): ProcessSeen | null =>
    process && {
      pid: process.pid,
      started: process.start,
      startedAt: toSecond(bootMs + Number(process.start) * TICK_MS),
    };
  return {
    processes: { kubelet: seen(head.processes.kubelet), 'kube-proxy': seen(head.processes['kube-proxy']) },
    clock: new Date(bootMs + head.uptime * 1000).toISOString(),
  };
}
