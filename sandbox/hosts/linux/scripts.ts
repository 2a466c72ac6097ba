/** A Linux host's answers to the resident channel's requests (docs/host-protocol.md). Pure. */
import { z } from 'zod';
import { Ipv4Text } from '../../../src/node/node.js';
import type { Fabric } from '../fabric.js';
import { LogsParams, lastWords, ServiceParams, serviced } from '../processes.js';
import { Addresses, Fence, failure, type Outcome, prove, ScriptError } from '../script.js';
import type { LinuxHost } from '../state.js';
import { runBatch } from './ip.js';
import { machineFacts, noted, PersistenceParams, persisted } from './machine.js';
import { showAddresses, showRoutes } from './show.js';

const ReadParams = z.object({ full: z.literal(1).optional() });
const SyncParams = ReadParams.extend({
  fence: Fence,
  batch: z.string(),
  forward: z.enum(['0', '1', '']).default(''),
});
const ProveParams = z.object({
  source: Ipv4Text,
  targets: z
    .string()
    .transform((text) => text.split(' ').filter((word) => word !== ''))
    .pipe(Addresses),
});

/** What `sync` lets through to `ip`, which could run any program. */
const LINES = [
  /^route (add|del) .+ proto 155$/,
  /^link (add name|delete) .+ type bridge$/,
  /^link set .+ (up|down)$/,
  /^address (add|del) .+ dev .+$/,
];

/** Runs one request, at `now` by the host's clock. Never throws for what a client sent. */
export function runLinuxScript(
  host: LinuxHost,
  script: string,
  params: unknown,
  fabric: Fabric,
  now: number,
): Outcome<LinuxHost> {
  try {
    switch (script) {
      case 'read':
        return { host, lines: readAsked(host, ReadParams.parse(params), now), printed: '' };
      case 'sync':
        return sync(host, SyncParams.parse(params), now);
      case 'persistence': {
        const asked = PersistenceParams.parse(params);
        const after = persisted(passFence(host, asked.fence), asked);
        return { host: after, lines: readAsked(after, { full: 1 }, now), printed: '' };
      }
      case 'prove': {
        const { source, targets } = ProveParams.parse(params);
        const answers = prove(fabric, host.name, source, targets);
        return { host, lines: [JSON.stringify({ ok: true, answers })], printed: '' };
      }
      case 'probe':
        return { host, lines: probe(host, now), printed: '' };
      case 'service': {
        const asked = ServiceParams.parse(params);
        const after = serviced(passFence(host, asked.fence), asked, now);
        return { host: after, lines: probe(after, now), printed: '' };
      }
      case 'logs':
        return { host, lines: [logs(host, LogsParams.parse(params))], printed: '' };
      default:
        throw new ScriptError('SCRIPT', 'no such script');
    }
  } catch (error) {
    return { host, lines: [failure(error, 'PARAMS')], printed: '' };
  }
}

function readAsked(host: LinuxHost, { full }: z.output<typeof ReadParams>, now: number): string[] {
  return read(host, full ? { linux: machineFacts(host, now) } : {});
}

function read(host: LinuxHost, more: object = {}): string[] {
  const bridges = host.interfaces.filter(({ kind }) => kind === 'bridge').map(({ name }) => name);
  const head = { ok: true, forward: host.forward ? '1' : '0', boot: host.boot, bridges, ...more };
  return [JSON.stringify(head), showRoutes(host), showAddresses(host)];
}

function probe(host: LinuxHost, now: number): string[] {
  const ticks = (ms: number): string => String(Math.round(ms / 10));
  const entries = Object.entries(host.processes).map(([component, process]) => [
    component,
    process && { pid: process.pid, start: ticks(process.startedMs - host.bootedMs) },
  ]);
  return read(host, {
    processes: Object.fromEntries(entries),
    btime: host.bootedMs / 1000,
    uptime: (now - host.bootedMs) / 1000,
  });
}

/** As journald has them. */
function logs(host: LinuxHost, params: z.output<typeof LogsParams>): string {
  const lines = host.log[params.component].slice(-params.lines);
  const text = lastWords(host, params).map((words, index) => {
    const { atMs = 0, pid = 0 } = lines[index] ?? {};
    const at = new Date(atMs).toISOString().replace(/\.\d+Z$/, '+0000');
    return `${at} ${host.name} ${params.component}[${pid}]: ${words}\n`;
  });
  return JSON.stringify({ ok: true, log: Buffer.from(text.join('')).toString('base64') });
}

function passFence(host: LinuxHost, fence: number): LinuxHost {
  if (fence < host.fence) throw new ScriptError('FENCED', `token ${fence} is older than ${host.fence}`);
  return { ...host, fence };
}

function sync(host: LinuxHost, params: z.output<typeof SyncParams>, now: number): Outcome<LinuxHost> {
  const { fence, batch } = params;
  for (const line of batch.split('\n').slice(0, -1)) {
    if (!LINES.some((form) => form.test(line))) {
      throw new ScriptError('PARAMS', `not a line that I run: ${line}`);
    }
  }
  const { host: changed, printed } = runBatch(passFence(host, fence), batch);
  const after = noted(params.forward === '' ? changed : { ...changed, forward: params.forward === '1' });
  return { host: after, lines: readAsked(after, params, now), printed };
}
