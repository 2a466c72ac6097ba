/** Silences, and maintenance windows: when nobody is to be told. Pure. */
import type { Component } from '../node/component.js';
import { inWindow, type Window } from '../time.js';
import type { Hush } from './incident.js';

export interface Silence {
  host: string;
  /** Absent: the whole host. */
  component?: Component;
  /** ISO instant. */
  until: string;
  /** Actor id; of Fairway's own work the change's. */
  by: string;
  /** Fairway itself restarts the host, or its processes, as was approved. */
  atWork?: true;
}

/** Why nobody is to be told of a host, or of one of its processes; null: they are. */
export function hushOf(
  silences: readonly Silence[],
  windows: readonly Window[],
  host: string,
  component: Component | undefined,
  now: Date,
): Hush | null {
  if (inWindow(windows, now)) return 'maintenance';
  const isMuted = silences.some(
    (silence) =>
      silence.host === host &&
      (silence.component === undefined || silence.component === component) &&
      silence.until > now.toISOString(),
  );
  return isMuted ? 'muted' : null;
}
