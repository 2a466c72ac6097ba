/** A Linux host's answers to the resident channel's requests (docs/host-protocol.md). Pure. */
import { z } from 'zod';
import { Ipv4Text } from '../../../src/node/node.js';
import type { Fabric } from '../fabric.js';
import { Addresses, Fence, failure, type Outcome, prove, ScriptError } from '../script.js';
import type { LinuxHost } from '../state.js';
import { runBatch } from './ip.js';
import { showAddresses, showRoutes } from './show.js';

const SyncParams = z.object({ fence: Fence, batch: z.string(), forward: z.enum(['0', '1', '']).default('') });
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

/** Runs one request. Never throws for what a client sent. */
export function runLinuxScript(
  host: LinuxHost,
  script: string,
  params: unknown,
  fabric: Fabric,
): Outcome<LinuxHost> {
  try {
    switch (script) {
      case 'read':
        return { host, lines: read(host), printed: '' };
      case 'sync':
        return sync(host, SyncParams.parse(params));
      case 'prove': {
        const { source, targets } = ProveParams.parse(params);
        const answers = prove(fabric, host.name, source, targets);
        return { host, lines: [JSON.stringify({ ok: true, answers })], printed: '' };
      }
      default:
        throw new ScriptError('SCRIPT', 'no such script');
    }
  } catch (error) {
    return { host, lines: [failure(error, 'PARAMS')], printed: '' };
  }
}

function read(host: LinuxHost): string[] {
  const bridges = host.interfaces.filter(({ kind }) => kind === 'bridge').map(({ name }) => name);
  const head = { ok: true, forward: host.forward ? '1' : '0', boot: host.boot, bridges };
  return [JSON.stringify(head), showRoutes(host), showAddresses(host)];
}

function sync(host: LinuxHost, params: z.output<typeof SyncParams>): Outcome<LinuxHost> {
  const { fence, batch } = params;
  for (const line of batch.split('\n').slice(0, -1)) {
    if (!LINES.some((form) => form.test(line))) {
      throw new ScriptError('PARAMS', `not a line that I run: ${line}`);
    }
  }
  if (fence < host.fence) throw new ScriptError('FENCED', `token ${fence} is older than ${host.fence}`);
  const { host: changed, printed } = runBatch({ ...host, fence }, batch);
  const after = params.forward === '' ? changed : { ...changed, forward: params.forward === '1' };
  return { host: after, lines: read(after), printed };
}
