/** Windows: steps as script requests. Pure. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { podGateway, prefixLength } from '../ip.js';
import type { Observation, Step } from '../plan/plan.js';
import { HostError, type HostRequest } from './host.js';
import type { HostContext, Platform, Progress } from './platform.js';
import { applicable, Proof, parseAnswer, proofTimeoutMs } from './platform-parts.js';
import { windowsCommands } from './windows-commands.js';
import { parseProcesses, windowsProcesses } from './windows-processes.js';
import { parseWindowsReading } from './windows-reading.js';

/** The first request loads Windows' network modules, which takes seconds on a slow host. */
const READ_MS = 60_000;
const SYNC_MS = 90_000;
/** A request waits this long for work that goes on outside the session, and says then how far it is. Others wait behind it. */
const WAIT_MS = 10_000;

export const windows: Platform = {
  observe: (ctx, full) => {
    const { network, containerNic } = ctx;
    const nic = containerNic === undefined ? {} : { containerNic };
    const { pauseImage, executables } = ctx;
    const params = {
      nodeIp: ctx.target.address,
      full,
      network,
      ...nic,
      podGateway: podGateway(ctx.podCidr),
      pauseImage,
      executables,
    };
    return { script: 'read', params, timeoutMs: READ_MS, ...(full ? { anew: true as const } : {}) };
  },
  parseObservation: parseWindowsReading,
  commands: (steps, _ctx, observed) => steps.flatMap((step) => windowsCommands(step, observed)),
  apply,
  parseProgress,
  prove: (ctx, source, targets) => ({
    script: 'prove',
    params: { source: source ?? ctx.target.address, targets },
    timeoutMs: READ_MS + proofTimeoutMs(targets.length),
  }),
  parseProof: (data) =>
    parseAnswer(z.object({ ok: z.literal(true), data: Proof.omit({ ok: true }) }), data, 'prove').data
      .answers,
  parseProbe: (data, ctx) => ({ observed: parseWindowsReading(data, ctx), ...parseProcesses(data, ctx) }),
  ...windowsProcesses,
};

/**
 * All routes in one request. With anything else than forwarding among them, one request for all of it, which works outside the session:
 * some of it cuts connections, and some takes longer than a connection lives.
 */
function apply(
  steps: readonly Step[],
  ctx: HostContext,
  observed: Observation,
  fence: number,
): HostRequest[] {
  const todo = applicable(steps, ctx, observed);
  const kinds = [...new Set(todo.map((step) => step.kind))];
  const requests = kinds.flatMap((kind) => {
    const ofKind = todo.filter((step) => step.kind === kind);
    if (kind === 'route') return [syncRoutes(ofKind, ctx, observed, fence)];
    return ofKind.flatMap((step) => requestOf(step, ctx, observed, fence));
  });
  const isQuick = kinds.every((kind) => ['route', 'forwarding', 'reboot'].includes(kind));
  return isQuick || requests.length === 0 ? requests : [provision(requests, fence)];
}

function provision(requests: readonly HostRequest[], fence: number): HostRequest {
  const steps = requests.map(({ script, params }) => ({ script, params }));
  // The same work has the same name, whoever asks for it, so that it is joined and not begun twice.
  const work = steps.map(({ script, params: { fence: _fence, ...params } }) => [script, params]);
  const id = createHash('sha256').update(JSON.stringify(work)).digest('hex').slice(0, 24);
  return {
    script: 'provision',
    params: { fence, id, steps, waitMs: WAIT_MS },
    timeoutMs: WAIT_MS + SYNC_MS,
    goesOn: true,
    ...(steps.some(({ script }) => script === 'routing-service') ? { installs: true as const } : {}),
  };
}

const Provisioned = z.object({
  ok: z.literal(true),
  data: z.object({
    over: z.boolean(),
    done: z.int(),
    of: z.int(),
    doing: z.string().nullish(),
    progress: z.string().nullish(),
    failed: z.object({ script: z.string(), code: z.string(), error: z.string() }).nullish(),
    printed: z.string().nullish(),
  }),
});

/** That Windows waits for a restart is no failure: the reading that follows says so too. */
const AWAITS_RESTART = 'REBOOT';

function parseProgress(data: unknown, ctx: HostContext): Progress | null {
  const { name } = ctx.target;
  const { over, failed, printed, ...rest } = parseAnswer(Provisioned, data, name).data;
  if (!over) return { done: rest.done, of: rest.of, doing: rest.doing ?? '', progress: rest.progress ?? '' };
  if (!failed || failed.code === AWAITS_RESTART) return null;
  const detail = { code: failed.code, ...(printed ? { printed } : {}) };
  throw new HostError('script', name, `${failed.script}: ${failed.error}`, detail);
}

function syncRoutes(
  steps: readonly Step[],
  ctx: HostContext,
  observed: Observation,
  fence: number,
): HostRequest {
  const routes = steps.flatMap((step) => (step.kind === 'route' ? [step] : []));
  const add = routes.filter((step) => step.action === 'ensure').map((step) => step.route);
  const wrong = observed.routes.flatMap((seen) => {
    const { destination, nextHop } = seen;
    const replaced = add.some((route) => route.destination === destination && route.nextHop !== nextHop);
    return seen.ours && nextHop !== null && replaced ? [{ destination, nextHop }] : [];
  });
  const remove = [...routes.filter((step) => step.action === 'remove').map((step) => step.route), ...wrong];
  const params = {
    fence,
    nodeIp: ctx.target.address,
    clusterCidr: ctx.clusterCidr,
    ownCidr: ctx.podCidr,
    add,
    remove,
  };
  return { script: 'sync-routes', params, timeoutMs: SYNC_MS };
}

function requestOf(step: Step, ctx: HostContext, { boot }: Observation, fence: number): HostRequest[] {
  const ensure = step.action === 'ensure';
  const nodeIp = ctx.target.address;
  switch (step.kind) {
    case 'forwarding':
      return [{ script: 'forwarding', params: { fence, nodeIp, enabled: ensure }, timeoutMs: SYNC_MS }];
    case 'pod-network': {
      const { network, podCidr, containerNic } = step;
      const params = {
        fence,
        network,
        podCidr,
        podGateway: podGateway(podCidr),
        containerNic,
        nodeIp,
        ensure,
      };
      return [{ script: 'pod-network', params, timeoutMs: SYNC_MS }];
    }
    case 'pod-gateway': {
      const { podCidr, containerNic } = step;
      const podPrefixLength = prefixLength(podCidr);
      const params = { fence, containerNic, podGateway: podGateway(podCidr), podPrefixLength, ensure };
      return [{ script: 'pod-gateway', params, timeoutMs: SYNC_MS }];
    }
    case 'routing-service':
      return [{ script: 'routing-service', params: { fence, ensure }, timeoutMs: SYNC_MS }];
    case 'reboot':
      return [{ script: 'reboot', params: { fence, boot }, timeoutMs: SYNC_MS }];
    case 'virtual-switch':
      return [{ script: 'virtual-switch', params: { fence, name: step.name, ensure }, timeoutMs: SYNC_MS }];
    case 'image':
      return [{ script: 'image', params: { fence, image: step.image, ensure }, timeoutMs: SYNC_MS }];
    case 'component': {
      const { component, executable, environment, dependsOn } = step;
      const params = {
        fence,
        component,
        executable,
        arguments: step.arguments,
        environment,
        dependsOn,
        ensure,
      };
      return [{ script: 'component', params, timeoutMs: SYNC_MS }];
    }
    default:
      return [];
  }
}
