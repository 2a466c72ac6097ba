/** Incidents: what happened to a host, told once, counted up when it comes again, and turned green when it is over. Pure types. */
import type { Component } from '../node/component.js';
import type { ProcessSeen } from '../plan/probe.js';
import type { Lost } from './watched.js';

/**
 *     restarted   a process has another identity than before      good from the start
 *     down        a process is not there                          good when it is back
 *     crash-loop  it starts again and again                       good after 20 quiet minutes
 *     rebooted    the host has another boot                       bad only while the boot's losses are not mended
 *     unreachable the host does not answer                        good when it does; says so when it came back by a reboot
 *     lost        routes, the pod gateway or forwarding are gone  good when they are back
 */
export type Reason = 'restarted' | 'down' | 'crash-loop' | 'rebooted' | 'unreachable' | 'lost';

/** Why nobody is told. */
export type Hush = 'muted' | 'maintenance';

export interface Incident {
  /** `i1`, `i2`, …: short, because people type it. */
  id: string;
  reason: Reason;
  /** restarted, down, crash-loop. */
  component?: Component;
  state: 'bad' | 'good';
  /** How often it happened since the first time. */
  count: number;
  /** ISO instants: of the first time, of the last one, and since when it is good. */
  firstAt: string;
  lastAt: string;
  goodSince?: string;
  /** The process before, and the one that took its place. */
  from?: ProcessSeen;
  to?: ProcessSeen;
  /** unreachable: the host's or the network's words. */
  why?: string;
  /** unreachable: it was a reboot. */
  rebooted?: boolean;
  lost?: Lost;
  hushed?: Hush;
  /** The notice that tells of it. */
  notice?: string;
  acknowledgedBy?: string;
}
