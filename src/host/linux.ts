/** Linux: steps as `ip` lines, and what `ip -j` says as an Observation. Pure. */
import { z } from 'zod';
import { type Cidr, type Ipv4, podGateway, prefixLength } from '../ip.js';
import type { ObservedRoute } from '../network/route.js';
import { CidrText, Ipv4Text } from '../node/node.js';
import type { Observation, Step } from '../plan/plan.js';
import { stepHolds } from '../plan/step.js';
import type { HostRequest } from './host.js';
import { LinuxFacts, machineOf } from './linux-machine.js';
import { persistenceCommands, persistenceRequest } from './linux-persistence.js';
import { linuxProcesses, parseProcesses } from './linux-processes.js';
import type { HostContext, Platform } from './platform.js';
import { applicable, Proof, parseAnswer, proofTimeoutMs } from './platform-parts.js';

/** The routing protocol number that marks our routes. No entry of iproute2's rt_protos uses it. */
const PROTO = '155';
const READ_MS = 10_000;
const SYNC_MS = 20_000;

const Destination = z
  .string()
  .transform((text) => (text === 'default' ? '0.0.0.0/0' : text.includes('/') ? text : `${text}/32`))
  .pipe(CidrText);
const Hop = z.object({ gateway: Ipv4Text.optional(), dev: z.string().default('') });
const IpRoute = Hop.extend({
  dst: Destination,
  protocol: z.string().optional(),
  metric: z.int().default(0),
  nexthops: z.array(Hop).optional(),
});
// `ip -4 -j` prints an empty object for a device without IPv4 addresses in some versions.
const IpDevice = z.object({
  ifname: z.string().default(''),
  addr_info: z.array(z.object({ local: Ipv4Text, prefixlen: z.int().min(0).max(32) })).default([]),
});
const Head = z.object({
  ok: z.literal(true),
  forward: z.enum(['0', '1']),
  boot: z.string().min(1),
  bridges: z.array(z.string()),
  linux: LinuxFacts.optional(),
});

export const linux: Platform = {
  observe: (_ctx, full) => ({ script: 'read', params: full ? { full: 1 } : {}, timeoutMs: READ_MS }),
  parseObservation,
  commands: (steps, ctx, observed) => steps.flatMap((step) => commandsOf(step, ctx, observed)),
  apply,
  // Nothing takes that long here.
  parseProgress: () => null,
  prove: (ctx, source, targets) => ({
    script: 'prove',
    params: { source: source ?? ctx.target.address, targets: targets.join(' ') },
    timeoutMs: proofTimeoutMs(targets.length),
  }),
  parseProof: (data) => parseAnswer(Proof, data, 'prove').answers,
  parseProbe: (data, ctx) => ({ observed: parseObservation(data, ctx), ...parseProcesses(data, ctx) }),
  ...linuxProcesses,
};

function parseObservation(data: unknown, ctx: HostContext): Observation {
  const { name } = ctx.target;
  const [first, routes, devices] = parseAnswer(z.array(z.unknown()), data, name);
  const head = parseAnswer(Head, first, name);
  const addresses = addressesOf(devices, name);
  const { bridges, linux: facts } = head;
  return {
    routes: routesOf(routes, name),
    addresses,
    forwarding: head.forward === '1',
    nodeDevice: addresses.find((held) => held.address === ctx.target.address)?.device ?? null,
    bridges,
    boot: head.boot,
    ...(facts ? { linux: machineOf(facts, ctx, { addresses, bridges }) } : {}),
  };
}

const routesOf = remembering((table, host) =>
  parseAnswer(z.array(IpRoute), table, host).flatMap(observedRoutes),
);

const addressesOf = remembering((table, host) =>
  parseAnswer(z.array(IpDevice), table, host).flatMap((device) =>
    device.addr_info.map((held) => ({
      address: held.local,
      prefixLength: held.prefixlen,
      device: device.ifname,
    })),
  ),
);

/** Understands each table once: as long as a host holds the same, its channel gives the very same document (hundreds of routes, twice a minute). */
function remembering<T>(understand: (table: unknown, host: string) => T): typeof understand {
  const known = new WeakMap<object, T>();
  return (table, host) => {
    if (typeof table !== 'object' || table === null) return understand(table, host);
    const understood = known.get(table) ?? understand(table, host);
    known.set(table, understood);
    return understood;
  };
}

/** A multipath route counts once for each of its hops, so that one good hop doesn't hide a foreign other. */
function observedRoutes(route: z.output<typeof IpRoute>): ObservedRoute[] {
  return (route.nexthops ?? [route]).map((hop) => ({
    destination: route.dst,
    nextHop: hop.gateway ?? null,
    device: hop.dev,
    ours: route.protocol === PROTO,
    metric: route.metric,
  }));
}

/**
 * One request for any number of steps: one `ip -batch`, and the tables read back. Another one installs the root helper before that, since
 * it notes what a boot is to restore; or takes it away after, since it may be what does the rest.
 */
function apply(
  steps: readonly Step[],
  ctx: HostContext,
  observed: Observation,
  fence: number,
): HostRequest[] {
  const todo = applicable(steps, ctx, observed);
  const lines = todo.flatMap((step) => batchLines(step, observed));
  const forwarding = todo.findLast((step) => step.kind === 'forwarding');
  const forward = forwarding && { forward: forwarding.action === 'ensure' ? '1' : '0' };
  // The batch last: the script looks for the others from the front, and how long that takes grows with the square of the way.
  // And no word too many: a shell takes 2 µs to decode a character.
  const full = observed.linux ? { full: 1 } : {};
  const params = { fence, ...forward, ...full, batch: lines.map((line) => `${line}\n`).join('') };
  const sync: HostRequest = { script: 'sync', params, timeoutMs: SYNC_MS };
  const persistence = todo.findLast((step) => step.kind === 'persistence');
  if (persistence === undefined) return [sync];
  const request = persistenceRequest(persistence.action, ctx, observed, fence);
  return persistence.action === 'ensure' ? [request, sync] : [sync, request];
}

function commandsOf(step: Step, ctx: HostContext, observed: Observation | null): string[] {
  if (step.kind === 'forwarding')
    return [`sysctl -w net.ipv4.ip_forward=${step.action === 'ensure' ? 1 : 0}`];
  if (step.kind === 'persistence') return persistenceCommands(step.action, ctx, observed);
  return allLines(step, observed).map((line) => `ip ${line}`);
}

/** The lines that a step still needs on this host. */
function batchLines(step: Step, observed: Observation): string[] {
  if (step.kind !== 'bridge') return allLines(step, observed);
  const exists = observed.bridges.includes(step.bridge);
  const addressed = stepHolds({ ...step, action: 'remove', ownBridge: false }, observed) === false;
  const done =
    step.action === 'ensure'
      ? [exists && linkAdd(step.bridge), addressed && addressLine('add', step)]
      : [
          !exists && linkDelete(step.bridge),
          !exists && linkDown(step.bridge),
          !addressed && addressLine('del', step),
        ];
  return allLines(step, observed).filter((line) => !done.includes(line));
}

function allLines(step: Step, observed: Observation | null): string[] {
  const ensure = step.action === 'ensure';
  switch (step.kind) {
    case 'route': {
      const { destination, nextHop } = step.route;
      if (!ensure) return [`route del ${destination} via ${nextHop} proto ${PROTO}`];
      const wrong = (observed?.routes ?? []).filter(
        (seen) => seen.ours && seen.destination === destination && seen.nextHop !== nextHop,
      );
      // `add`, never `replace`: a foreign route that came in the meantime makes the kernel say no.
      return [...wrong.map(deleteLine), `route add ${destination} via ${nextHop} proto ${PROTO}`];
    }
    case 'bridge': {
      const { bridge, ownBridge } = step;
      if (ensure) {
        return [...(ownBridge ? [linkAdd(bridge)] : []), addressLine('add', step), `link set ${bridge} up`];
      }
      return ownBridge
        ? [linkDown(bridge), addressLine('del', step), linkDelete(bridge)]
        : [addressLine('del', step)];
    }
    default:
      return [];
  }
}

const linkAdd = (bridge: string): string => `link add name ${bridge} type bridge`;
const linkDown = (bridge: string): string => `link set ${bridge} down`;
const linkDelete = (bridge: string): string => `link delete ${bridge} type bridge`;

function addressLine(verb: 'add' | 'del', step: { bridge: string; podCidr: Cidr }): string {
  const gateway: Ipv4 = podGateway(step.podCidr);
  return `address ${verb} ${gateway}/${prefixLength(step.podCidr)} dev ${step.bridge}`;
}

function deleteLine(route: ObservedRoute): string {
  const by = route.nextHop === null ? `dev ${route.device}` : `via ${route.nextHop}`;
  return `route del ${route.destination} ${by} proto ${PROTO}`;
}
