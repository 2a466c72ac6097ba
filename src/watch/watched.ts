/** What is remembered of a watched host, and how one more look changes it. Pure. */
import { podGateway } from '../ip.js';
import { type Drift, desiredRoutes, diffRoutes, type NextHopMode, type Route } from '../network/route.js';
import { Component } from '../node/component.js';
import type { Node } from '../node/node.js';
import type { Probe, ProcessSeen } from '../plan/probe.js';
import type { Incident } from './incident.js';

/** What the inventory wants of a host and the host does not hold. */
export interface Lost {
  routes: Route[];
  /** The pod gateway's address: with it the bridge or the pod network is gone. */
  gateway: boolean;
  forwarding: boolean;
}

export interface Watched {
  host: string;
  /** Grows with every write; a write that names an older one is refused. */
  version: number;
  /** As the host names its boot; null while it never answered. */
  boot: string | null;
  /** ISO instant of the look that found the last reboot. */
  rebootedAt?: string;
  /** Each as it was last seen running; absent while it never was. */
  running: Partial<Record<Component, ProcessSeen>>;
  /** ISO instants: since when each is not running. */
  gone: Partial<Record<Component, string>>;
  /** ISO instants of the starts seen lately. */
  starts: Partial<Record<Component, string[]>>;
  /** ISO instant of the first look, since the last answer, that got none; with the host's or the network's words. */
  silentSince?: string;
  why?: string;
  /** Looks in a row without an answer. */
  misses: number;
  /** How many routes the inventory wants of it. */
  desired: number;
  lost: Lost;
  /** Ours to nobody's pods, and others' in the way: for the daily digest. */
  stray: string[];
  foreign: string[];
  /** Seconds that its clock is ahead of ours. */
  skew: number;
  /** ISO instants of the restarts that policy made within the last hour. */
  healed: string[];
  /** Those that are not over. */
  incidents: Incident[];
}

/** One look at a host: an answer held against the inventory, or why there was none. */
export type Look =
  | { at: string; probe: Probe; drift: Drift; desired: number; lost: Lost }
  /** `since`: when it was asked. */
  | { at: string; since: string; failure: string };

/** Starts older than this count no more: node-problem-detector takes 5 starts in 20 minutes for a crash loop. */
export const LATELY_MS = 20 * 60_000;
const HOUR_MS = 3_600_000;
/** Restarts that policy makes on one host within an hour: what does not stay up after that needs a person. */
export const RESTARTS_AN_HOUR = 3;
/** Windows computes its boot time from the clock: a step of less than this is no reboot. */
const BOOT_JITTER_MS = 5_000;

export const NOTHING_LOST: Lost = { routes: [], gateway: false, forwarding: false };

/** A host that was never looked at. */
export function unseen(host: string): Watched {
  return {
    host,
    version: 0,
    boot: null,
    running: {},
    gone: {},
    starts: {},
    misses: 0,
    desired: 0,
    lost: NOTHING_LOST,
    stray: [],
    foreign: [],
    skew: 0,
    healed: [],
    incidents: [],
  };
}

/** Holds an answer against the inventory. What open changes are at work on (`inFlight`: pod CIDRs) is not missed. */
export function answered(
  probe: Probe,
  node: Node,
  nodes: readonly Node[],
  mode: NextHopMode,
  inFlight: ReadonlySet<string>,
  at: string,
): Look {
  const desired = desiredRoutes(node, nodes, mode).filter((route) => !inFlight.has(route.destination));
  const { routes, addresses, forwarding } = probe.observed;
  const drift = diffRoutes(
    desired,
    routes.filter((route) => !inFlight.has(route.destination)),
  );
  const isMoving = inFlight.has(node.podCidr);
  const gateway = podGateway(node.podCidr);
  const lost: Lost = isMoving
    ? NOTHING_LOST
    : {
        routes: drift.missing,
        gateway: !addresses.some((held) => held.address === gateway),
        forwarding: !forwarding,
      };
  return { at, probe, drift, desired: desired.length, lost };
}

/** True when something of it is gone. */
export function isLost(lost: Lost | undefined): boolean {
  return lost !== undefined && (lost.routes.length > 0 || lost.gateway || lost.forwarding);
}

/** What is known after a look. Incidents are judged apart, from before and after. */
export function remember(before: Watched, look: Look): Watched {
  if ('failure' in look) {
    const { silentSince = look.since } = before;
    return { ...before, misses: before.misses + 1, silentSince, why: look.failure };
  }
  const { silentSince: _silent, why: _why, ...rest } = before;
  const { at, probe, drift, desired, lost } = look;
  const rebooted = isReboot(before, probe);
  const after: Watched = {
    ...rest,
    misses: 0,
    boot: probe.observed.boot,
    ...(rebooted ? { rebootedAt: at } : {}),
    running: {},
    gone: {},
    starts: {},
    desired,
    lost,
    stray: drift.stray.map(routeText),
    foreign: drift.foreign.map(routeText),
    skew: steady(before.skew, Math.round((Date.parse(probe.clock) - Date.parse(at)) / 1000)),
    healed: lately(before.healed, at, HOUR_MS),
  };
  for (const component of Component.options) {
    const seen = probe.processes[component];
    const known = before.running[component];
    // Kept as first seen: what the host works out of its clock wavers by a second.
    const running = seen && known && isSame(seen, known) ? known : (seen ?? known);
    if (running) after.running[component] = running;
    if (!seen && known) after.gone[component] = (rebooted ? undefined : before.gone[component]) ?? at;
    const starts = rebooted ? [] : lately(before.starts[component] ?? [], at);
    const isStart = seen && known && !rebooted && !isSame(seen, known);
    if (isStart || starts.length > 0) after.starts[component] = isStart ? [...starts, at] : starts;
  }
  return after;
}

/** Whether an answer comes from another boot than the one before. */
function isReboot(before: Watched, { observed, processes }: Probe): boolean {
  if (before.boot === null || before.boot === observed.boot) return false;
  const step = Math.abs(Date.parse(observed.boot) - Date.parse(before.boot));
  if (!(step < BOOT_JITTER_MS)) return true;
  const survivors = Component.options.some((component) => {
    const [seen, known] = [processes[component], before.running[component]];
    return seen && known && isSame(seen, known);
  });
  return !survivors;
}

/** Whether both are one and the same process. */
export function isSame(a: ProcessSeen, b: ProcessSeen): boolean {
  return a.pid === b.pid && a.started === b.started;
}

/** Seconds; a difference of the answer's own way is none. */
function steady(before: number, now: number): number {
  return Math.abs(now - before) <= 2 ? before : now;
}

function lately(instants: readonly string[], now: string, ms = LATELY_MS): string[] {
  return instants.filter((each) => Date.parse(now) - Date.parse(each) < ms);
}

function routeText({ destination, nextHop }: { destination: string; nextHop: string | null }): string {
  return nextHop === null ? destination : `${destination} via ${nextHop}`;
}
