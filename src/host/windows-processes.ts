/** kubelet and kube-proxy on Windows: the requests that look at them, start and stop them, and read their logs. Pure. */
import { z } from 'zod';
import type { Probe } from '../plan/probe.js';
import type { HostContext, Platform } from './platform.js';
import { clampLines, parseAnswer, toSecond } from './platform-parts.js';

/** The first request on a connection loads Windows’ modules, and a probe is often that. */
const PROBE_MS = 30_000;
const SERVICE_MS = 60_000;
const LOGS_MS = 20_000;
/** What nssm or the wrapper start anew comes every 5 s (windows.md H): what lives longer than this stays. */
const STAY_MS = 8_000;
/** -Force, since kube-proxy depends on kubelet: it takes the dependent service along, and a restart brings it back. */
const COMMANDS = {
  start: (service: string) => `Start-Service ${service}`,
  stop: (service: string) => `Stop-Service ${service} -Force`,
  restart: (service: string) => `Restart-Service ${service} -Force`,
};

const Running = z
  .object({ pid: z.int().positive(), started: z.iso.datetime() })
  .transform(({ pid, started }) => ({ pid, started, startedAt: toSecond(Date.parse(started)) }));
const Probed = z.object({
  data: z.object({
    processes: z.object({ kubelet: Running.nullable(), 'kube-proxy': Running.nullable() }),
    clock: z.iso.datetime(),
  }),
});
const Along = z.object({ data: z.object({ along: z.array(z.string()) }) });
const Log = z.object({ ok: z.literal(true), data: z.object({ log: z.string() }) });

export const windowsProcesses: Pick<
  Platform,
  'probe' | 'service' | 'parseAlong' | 'serviceCommand' | 'logs' | 'parseLogs'
> = {
  probe: (ctx) => ({ script: 'probe', params: { nodeIp: ctx.target.address }, timeoutMs: PROBE_MS }),
  service: (ctx, component, action, fence, stayDown = []) => ({
    script: 'service',
    params: { fence, nodeIp: ctx.target.address, component, action, stayMs: STAY_MS, stayDown },
    timeoutMs: SERVICE_MS,
  }),
  parseAlong: (data) => parseAnswer(Along, data, 'service').data.along,
  serviceCommand: (component, action) => COMMANDS[action](component),
  logs: (_ctx, component, lines) => ({
    script: 'logs',
    params: { component, lines: clampLines(lines) },
    timeoutMs: LOGS_MS,
  }),
  parseLogs: (data) => parseAnswer(Log, data, 'logs').data.log,
};

/** The part of a probe's answer that a read does not have. Throws HostError `garbled`. */
export function parseProcesses(data: unknown, ctx: HostContext): Omit<Probe, 'observed'> {
  return parseAnswer(Probed, data, ctx.target.name).data;
}
