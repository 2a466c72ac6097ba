/** What one look at a watched host saw. Pure types. */
import type { Component } from '../node/component.js';
import type { Observation } from './plan.js';

/** A running process. An id may be given again; with its start, and the host's boot, it names one process for good. */
export interface ProcessSeen {
  pid: number;
  /** As the host counts it: clock ticks since boot on Linux, an ISO instant on Windows. To be compared, not read. */
  started: string;
  /** ISO instant, by the host's clock, to the second. */
  startedAt: string;
}

export interface Probe {
  /** As a read that is not full. */
  observed: Observation;
  /** null: not running. */
  processes: Readonly<Record<Component, ProcessSeen | null>>;
  /** The host's clock at the moment of the answer, ISO. */
  clock: string;
}
