/** What the scripts of both kinds of host share. Pure. */
import { z } from 'zod';
import type { Ipv4 } from '../../src/ip.js';
import { Ipv4Text } from '../../src/node/node.js';
import { type Fabric, reachable } from './fabric.js';

/** One request run to its end: the host afterwards, its answer's lines, and what else it printed. */
export interface Outcome<Host> {
  host: Host;
  lines: string[];
  printed: string;
}

/** A script's no, in the form that the real ones have. */
export class ScriptError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export const Fence = z.int().nonnegative();

/** The one line of a failure. `badParams` is the platform's code for parameters of another shape. */
export function failure(error: unknown, badParams: string): string {
  if (error instanceof z.ZodError) {
    return JSON.stringify({ ok: false, code: badParams, error: z.prettifyError(error) });
  }
  if (!(error instanceof ScriptError)) throw error;
  return JSON.stringify({ ok: false, code: error.code, error: error.message });
}

/** Who of `targets` answers `source`, an address of the host `from`. */
export function prove(fabric: Fabric, from: string, source: Ipv4, targets: readonly Ipv4[]) {
  return Object.fromEntries(
    targets.map((target) => [target, reachable(fabric, from, source, target) ? 'icmp' : 'none']),
  );
}

export const Addresses = z.array(Ipv4Text);
