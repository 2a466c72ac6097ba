/** Windows: steps as script requests, and what the scripts say as an Observation. Pure. */
import { z } from 'zod';
import { maskOf, podGateway, prefixLength } from '../ip.js';
import type { ObservedRoute, Route } from '../network/route.js';
import { Component } from '../node/component.js';
import { CidrText, Ipv4Text, Mac } from '../node/node.js';
import type { Observation, Step } from '../plan/plan.js';
import type { HostRequest } from './host.js';
import type { HostContext, Platform } from './platform.js';
import { applicable, Proof, parseAnswer, proofTimeoutMs } from './platform-parts.js';
import { parseProcesses, windowsProcesses } from './windows-processes.js';

/** The first request loads Windows' network modules, which takes seconds on a slow host. */
const READ_MS = 60_000;
const SYNC_MS = 90_000;
/** docker makes the virtual switch, which takes the NIC down and up; the script waits for it. */
const POD_NETWORK_MS = 300_000;

const IfIndex = z.int().positive();
const Forwarding = z.enum(['Enabled', 'Disabled']);
const StoredRoute = z.object({
  store: z.enum(['ActiveStore', 'PersistentStore']),
  dest: CidrText,
  nextHop: Ipv4Text,
  ifIndex: z.int().nonnegative(),
  metric: z.int().nonnegative(),
});
type StoredRoute = z.output<typeof StoredRoute>;
const Nic = z.object({
  name: z.string(),
  ifIndex: IfIndex,
  mac: Mac,
  status: z.string(),
  virtual: z.boolean(),
  addresses: z.array(Ipv4Text),
  busy: z.array(z.string()),
});
const Service = z.object({ runs: z.boolean(), atBoot: z.boolean() });
const Installed = Service.extend({
  manager: z.enum(['nssm', 'task', 'other']),
  executable: z.string(),
  arguments: z.string(),
  environment: z.array(z.string()),
});
const Machine = z.object({
  product: z.string(),
  isServer: z.boolean(),
  language: z.string(),
  codePage: z.int(),
  isAdministrator: z.boolean(),
  freeBytes: z.int().nonnegative(),
  ipHelper: Service.nullable(),
  docker: z.union([z.object({ version: z.string() }), z.object({ error: z.string() })]),
  pauseImage: z.string().nullable(),
  features: z.record(z.string(), z.string()).nullable(),
  routing: Service.extend({ isRouter: z.boolean(), isVpn: z.boolean() }).nullable(),
  rebootPending: z.boolean(),
  switches: z.array(z.object({ name: z.string(), type: z.string() })).nullable(),
  nssm: z.string().nullable(),
  binaries: z.record(Component, z.boolean()),
  components: z.record(Component, Installed.nullable()),
  clock: z.iso.datetime(),
});
const Read = z.object({
  ok: z.literal(true),
  data: z.object({
    build: z.int(),
    boot: z.string().min(1),
    ifIndex: IfIndex.nullable(),
    routes: z.array(StoredRoute),
    addresses: z.array(
      z.object({ address: Ipv4Text, prefixLength: z.int().min(0).max(32), ifIndex: IfIndex }),
    ),
    interfaces: z.array(z.object({ ifIndex: IfIndex, forwarding: Forwarding })),
    nics: z.array(Nic).optional(),
    podNetworks: z
      .array(z.object({ name: z.string(), driver: z.string(), subnet: CidrText, gateway: Ipv4Text }))
      .nullish(),
    machine: Machine.optional(),
    podNic: z.object({ ifIndex: IfIndex, forwarding: Forwarding }).nullish(),
  }),
});

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
    return { script: 'read', params, timeoutMs: READ_MS };
  },
  parseObservation,
  commands: (steps, ctx, observed) => steps.flatMap((step) => commandsOf(step, ctx, observed)),
  apply,
  prove: (ctx, source, targets) => ({
    script: 'prove',
    params: { source: source ?? ctx.target.address, targets },
    timeoutMs: READ_MS + proofTimeoutMs(targets.length),
  }),
  parseProof: (data) =>
    parseAnswer(z.object({ ok: z.literal(true), data: Proof.omit({ ok: true }) }), data, 'prove').data
      .answers,
  parseProbe: (data, ctx) => ({ observed: parseObservation(data, ctx), ...parseProcesses(data, ctx) }),
  ...windowsProcesses,
};

function parseObservation(data: unknown, ctx: HostContext): Observation {
  const { data: seen } = parseAnswer(Read, data, ctx.target.name);
  const common = {
    routes: mergeStores(seen.routes, seen.ifIndex, ctx.owned),
    addresses: seen.addresses.map(({ address, prefixLength: length, ifIndex }) => ({
      address,
      prefixLength: length,
      device: String(ifIndex),
    })),
    forwarding: seen.interfaces.some((nic) => nic.ifIndex === seen.ifIndex && nic.forwarding === 'Enabled'),
    nodeDevice: seen.ifIndex === null ? null : String(seen.ifIndex),
    bridges: [],
    boot: seen.boot,
  };
  const { machine } = seen;
  if (seen.nics === undefined || seen.podNetworks === undefined || machine === undefined) return common;
  const nics = seen.nics.map(({ virtual, ...nic }) => ({
    ...nic,
    kind: virtual ? ('virtual' as const) : ('physical' as const),
  }));
  const podNicForwarding = seen.podNic?.forwarding === 'Enabled';
  return {
    ...common,
    windows: { build: seen.build, nics, podNetworks: seen.podNetworks, podNicForwarding, machine },
  };
}

/**
 * One route for each destination, next hop and active interface. A static route has to be in both stores: active, or it
 * does not route; persistent, or it is gone after a reboot. A connected one (next hop 0.0.0.0) lives in the active store only.
 */
function mergeStores(
  stored: readonly StoredRoute[],
  nodeIndex: number | null,
  owned: readonly Route[],
): ObservedRoute[] {
  const same = (a: StoredRoute, b: StoredRoute): boolean => a.dest === b.dest && a.nextHop === b.nextHop;
  const active = stored.filter((route) => route.store === 'ActiveStore');
  const persistent = stored.filter((route) => route.store === 'PersistentStore');
  const merged = active.map((route) => {
    const whole =
      route.nextHop === '0.0.0.0' ||
      (route.ifIndex === nodeIndex && persistent.some((other) => same(route, other)));
    return observedRoute(route, whole, owned);
  });
  const halves = persistent.filter((route) => !active.some((other) => same(route, other)));
  return [...merged, ...halves.map((route) => observedRoute(route, false, owned))];
}

function observedRoute(route: StoredRoute, whole: boolean, owned: readonly Route[]): ObservedRoute {
  return {
    destination: route.dest,
    nextHop: route.nextHop === '0.0.0.0' ? null : route.nextHop,
    device: String(route.ifIndex),
    ours: owned.some((own) => own.destination === route.dest && own.nextHop === route.nextHop),
    metric: route.metric,
    ...(whole ? {} : { partial: true }),
  };
}

/** One request for each kind of step, in the order in which the kinds first come; all routes in one. */
function apply(
  steps: readonly Step[],
  ctx: HostContext,
  observed: Observation,
  fence: number,
): HostRequest[] {
  const todo = applicable(steps, ctx, observed);
  const kinds = [...new Set(todo.map((step) => step.kind))];
  return kinds.flatMap((kind) => {
    const ofKind = todo.filter((step) => step.kind === kind);
    if (kind === 'route') return [syncRoutes(ofKind, ctx, observed, fence)];
    return ofKind.flatMap((step) => requestOf(step, ctx, fence));
  });
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

function requestOf(step: Step, ctx: HostContext, fence: number): HostRequest[] {
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
      return [{ script: 'pod-network', params, timeoutMs: POD_NETWORK_MS }];
    }
    case 'pod-gateway': {
      const { podCidr, containerNic } = step;
      const podPrefixLength = prefixLength(podCidr);
      const params = { fence, containerNic, podGateway: podGateway(podCidr), podPrefixLength, ensure };
      return [{ script: 'pod-gateway', params, timeoutMs: SYNC_MS }];
    }
    default:
      return [];
  }
}

function commandsOf(step: Step, _ctx: HostContext, observed: Observation | null): string[] {
  const ensure = step.action === 'ensure';
  const node = observed?.nodeDevice ?? '<ifIndex>';
  switch (step.kind) {
    case 'route': {
      const { destination, nextHop } = step.route;
      if (!ensure) return [removeRoute(destination, node, nextHop)];
      const wrong = (observed?.routes ?? []).flatMap((seen) =>
        seen.ours && seen.destination === destination && seen.nextHop !== null && seen.nextHop !== nextHop
          ? [removeRoute(destination, seen.device, seen.nextHop)]
          : [],
      );
      return [
        ...wrong,
        `New-NetRoute -DestinationPrefix ${destination} -InterfaceIndex ${node} -NextHop ${nextHop}`,
      ];
    }
    case 'forwarding':
      return [forwarding(node, ensure)];
    case 'pod-network': {
      if (!ensure) return [`docker network rm ${step.network}`];
      const nic =
        observed?.windows?.nics.find(({ mac, kind }) => mac === step.containerNic && kind === 'physical')
          ?.name ?? step.containerNic;
      const address = `--subnet ${step.podCidr} --gateway ${podGateway(step.podCidr)}`;
      return [
        `docker network create -d transparent ${address} -o com.docker.network.windowsshim.interface="${nic}" ${step.network}`,
      ];
    }
    case 'pod-gateway': {
      // The index is not known before docker has made the adapter; the script finds it by the NIC's MAC.
      const adapter = '"vEthernet (HNSTransparent)"';
      const address = podGateway(step.podCidr);
      const set = 'netsh interface ipv4';
      return ensure
        ? [
            `${set} set address name=${adapter} source=static address=${address} mask=${maskOf(step.podCidr)} gateway=none store=persistent`,
            forwarding(adapter, true),
          ]
        : [`${set} delete address name=${adapter} address=${address}`];
    }
    default:
      return [];
  }
}

function removeRoute(destination: string, ifIndex: string, nextHop: string): string {
  return `Remove-NetRoute -DestinationPrefix ${destination} -InterfaceIndex ${ifIndex} -NextHop ${nextHop} -Confirm:$false`;
}

function forwarding(adapter: string, enabled: boolean): string {
  return `netsh interface ipv4 set interface ${adapter} forwarding=${enabled ? 'enabled' : 'disabled'} store=persistent`;
}
