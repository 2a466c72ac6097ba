/** What the gate read of hosts a moment ago, so that the visit that follows need not read them once more before it changes them. */
import type { Observation } from '../src/plan/plan.js';

/** Within this a change goes from its gate to its last host, unless hosts don't answer; then they are read anew. */
const FRESH_MS = 10_000;

/** One worker's own memory, and only a short cut: without it, after a restart or on another worker, hosts are read. */
export class RecentReadings {
  private readonly readings = new Map<string, { observed: Observation; at: number }>();

  note(host: string, observed: Observation): void {
    this.readings.set(host, { observed, at: Date.now() });
  }

  /** Gives it away: what a host held before a visit says nothing after it. */
  take(host: string): Observation | null {
    const reading = this.readings.get(host);
    this.readings.delete(host);
    return reading && Date.now() - reading.at < FRESH_MS ? reading.observed : null;
  }
}
