/** What Windows' `read` says, as an Observation. Pure. */
import { z } from 'zod';
import type { ObservedRoute, Route } from '../network/route.js';
import { Component } from '../node/component.js';
import { CidrText, Ipv4Text, Mac } from '../node/node.js';
import type { Observation } from '../plan/plan.js';
import type { HostContext } from './platform.js';
import { parseAnswer } from './platform-parts.js';

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
  ours: z.boolean(),
  executable: z.string(),
  arguments: z.string(),
  environment: z.array(z.string()),
});
const Machine = z.object({
  product: z.string(),
  isServer: z.boolean(),
  language: z.int(),
  codePage: z.int(),
  isAdministrator: z.boolean(),
  freeBytes: z.int().nonnegative(),
  ipHelper: Service.nullable(),
  docker: z.union([z.object({ version: z.string() }), z.object({ error: z.string() })]),
  pauseImage: z.string().nullable(),
  features: z.record(z.string(), z.string()).nullable(),
  routing: Service.extend({ isRouter: z.boolean(), isVpn: z.boolean() }).nullable(),
  rebootPending: z.boolean(),
  switches: z
    .union([z.array(z.object({ name: z.string(), type: z.string() })), z.object({ error: z.string() })])
    .nullable(),
  nssm: z.string().nullable(),
  binaries: z.record(Component, z.boolean()),
  permissions: z.record(z.string(), z.string().nullable()),
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

/** Understands a full reading, and one that is not. Throws HostError `garbled`. */
export function parseWindowsReading(data: unknown, ctx: HostContext): Observation {
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
