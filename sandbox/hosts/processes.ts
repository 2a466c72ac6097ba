/** kubelet and kube-proxy of a sandbox host, and what they wrote. Pure. */
import { z } from 'zod';
import { Component } from '../../src/node/component.js';
import { Fence } from './script.js';

interface Running {
  pid: number;
  /** Milliseconds since 1970, by the host's clock. */
  startedMs: number;
}

/** The part of a host's state that is about its processes. */
export interface Processes {
  /** When the host booted, in milliseconds since 1970; a whole second. */
  bootedMs: number;
  /** The highest process id given so far. */
  lastPid: number;
  processes: Readonly<Record<Component, Running | null>>;
  /** Oldest line first, without what the host's journal puts before it. */
  log: Readonly<Record<Component, readonly LogLine[]>>;
}

export interface LogLine {
  atMs: number;
  pid: number;
  text: string;
}

export const ServiceParams = z.object({
  fence: Fence,
  component: Component,
  action: z.enum(['start', 'stop', 'restart']),
});
export const LogsParams = z.object({ component: Component, lines: z.int().min(1).max(200) });

const UPTIME_MS = 3 * 24 * 3_600_000;
/** From the boot to the first of the two, and to the second. */
const START_MS = 9_000;
const KEPT_LINES = 400;

/** What each says of itself at its start (Kubernetes 1.5's own words, as far as they have no address in them). */
const FIRST_WORDS: Readonly<Record<Component, readonly string[]>> = {
  kubelet: [
    'server.go:408] Version: v1.5.3',
    'docker.go:356] Connecting to docker',
    'kubelet.go:1724] Starting kubelet main sync loop.',
    'server.go:124] Starting to listen on 0.0.0.0:10250',
  ],
  'kube-proxy': [
    'server.go:215] Using userspace Proxier.',
    'server.go:227] Tearing down pure-iptables proxy rules.',
    'proxier.go:488] Adding new service "default/kubernetes:https"',
  ],
};

/** A host that has run for days, with both processes. `number` gives each host pids of its own. */
export function longRunning(number: number, now: number): Processes {
  return booted({ lastPid: 640 + number * 17, log: { kubelet: [], 'kube-proxy': [] } }, now - UPTIME_MS);
}

/** Everything ends and starts anew. */
export function booted<H extends Pick<Processes, 'lastPid' | 'log'>>(before: H, now: number): H & Processes {
  const bootedMs = Math.floor(now / 1000) * 1000;
  const nothing = { ...before, bootedMs, processes: { kubelet: null, 'kube-proxy': null } };
  const one = started(nothing, 'kubelet', bootedMs + START_MS);
  return started(one, 'kube-proxy', bootedMs + 2 * START_MS);
}

/** `kill -9`: it stays down. */
export function killed<H extends Processes>(host: H, component: Component): H {
  return { ...host, processes: { ...host.processes, [component]: null } };
}

/** A new process, whether there was one or not. */
export function started<H extends Processes>(host: H, component: Component, now: number): H {
  const pid = host.lastPid + 23;
  const words = FIRST_WORDS[component].map((text, index) => ({ atMs: now + index * 40, pid, text }));
  return {
    ...host,
    lastPid: pid,
    processes: { ...host.processes, [component]: { pid, startedMs: now } },
    log: { ...host.log, [component]: [...host.log[component], ...words].slice(-KEPT_LINES) },
  };
}

/** What the host's service manager does for it. */
export function serviced<H extends Processes>(
  host: H,
  { component, action }: Pick<z.output<typeof ServiceParams>, 'component' | 'action'>,
  now: number,
): H {
  if (action === 'stop') return killed(host, component);
  return action === 'start' && host.processes[component] !== null ? host : started(host, component, now);
}

/** The last lines as klog writes them. */
export function lastWords(host: Processes, { component, lines }: z.output<typeof LogsParams>): string[] {
  return host.log[component].slice(-lines).map(({ atMs, pid, text }) => {
    const [date = '', time = ''] = new Date(atMs).toISOString().slice(5, -1).split('T');
    return `I${date.replace('-', '')} ${time}000 ${String(pid).padStart(7)} ${text}`;
  });
}
