/** The `sync-routes` script of a Windows host. Pure. */
import { z } from 'zod';
import { contains } from '../../../src/ip.js';
import { CidrText, Ipv4Text } from '../../../src/node/node.js';
import { Fence, ScriptError } from '../script.js';
import type { WindowsHost } from '../state.js';
import { addRoute, interfaceOf, passFence, removeRoute } from './net.js';
import { readTables } from './read.js';
import type { Result } from './scripts.js';

const Route = z.object({ destination: CidrText, nextHop: Ipv4Text });
type Route = z.output<typeof Route>;

export const SyncParams = z.object({
  fence: Fence,
  nodeIp: Ipv4Text,
  clusterCidr: CidrText,
  ownCidr: CidrText,
  add: z.array(Route),
  remove: z.array(Route),
});
type Params = z.output<typeof SyncParams>;

/** Adds, then removes; then reads everything again. A foreign route in the way is a conflict and stays. */
export function syncRoutes(before: WindowsHost, params: Params): Result {
  for (const route of [...params.add, ...params.remove]) guard(route, params);
  const { ifIndex } = interfaceOf(before, params.nodeIp);
  const [actions, conflicts]: [string[], string[]] = [[], []];
  let host = passFence(before, params.fence);
  for (const route of params.add) {
    const foreign = foreignTo(before, route, params.remove);
    conflicts.push(...foreign);
    const verdict = verdictOn(host, route, ifIndex);
    if (foreign.length > 0 || verdict === 'nothing') continue;
    host = addRoute(host, route.destination, route.nextHop, ifIndex);
    actions.push(`${verdict} ${text(route)} on interface ${ifIndex}`);
  }
  for (const route of params.remove) {
    const wanted = params.add.some((other) => is(other, route));
    if (wanted || ![...host.active, ...host.persistent].some((held) => is(held, route))) continue;
    host = removeRoute(host, route.destination, route.nextHop);
    actions.push(`remove ${text(route)}`);
  }
  const data = { ...readTables(host, params.nodeIp), actions, conflicts, errors: [] };
  return { host, changed: actions.length > 0, data };
}

/** Never let a typo strand the host. */
function guard({ destination, nextHop }: Route, params: Params): void {
  const refuse = (why: string): never => {
    throw new ScriptError('REFUSED', `${destination} ${why}`);
  };
  if (nextHop === '0.0.0.0') refuse('is a connected route');
  if (destination === params.ownCidr) refuse("is this node's own pod CIDR");
  if (!contains(params.clusterCidr, destination)) refuse('is outside the cluster CIDR');
  if (contains(destination, params.nodeIp)) refuse("covers this node's own address");
}

/** Routes to the same place that nobody asked to remove. */
function foreignTo(host: WindowsHost, route: Route, remove: readonly Route[]): string[] {
  const stores = { ActiveStore: host.active, PersistentStore: host.persistent };
  return Object.entries(stores).flatMap(([store, routes]) =>
    routes
      .filter((held) => held.destination === route.destination && held.nextHop !== route.nextHop)
      .filter((held) => !remove.some((gone) => is(held, gone)))
      .map((held) => `${text(held)} on interface ${held.ifIndex}, ${store}`),
  );
}

/** `renew`: half there, or on another interface. */
function verdictOn(host: WindowsHost, route: Route, ifIndex: number): 'nothing' | 'add' | 'renew' {
  const active = host.active.filter((held) => is(held, route));
  const persistent = host.persistent.filter((held) => is(held, route));
  if (active.length + persistent.length === 0) return 'add';
  const whole =
    persistent.length > 0 && active.length > 0 && active.every((held) => held.ifIndex === ifIndex);
  return whole ? 'nothing' : 'renew';
}

function is(a: Route, b: Route): boolean {
  return a.destination === b.destination && a.nextHop === b.nextHop;
}

function text({ destination, nextHop }: Route): string {
  return `${destination} via ${nextHop}`;
}
