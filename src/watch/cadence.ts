/** When to look at a host again before its regular turn. Pure. */
import { DOWN_AFTER_MS, SILENT_AFTER_MS } from './judge.js';
import type { Watched } from './watched.js';

/** How soon after a process went away it is looked for; each look waits about half as long as it has been away. */
const SOONEST_MS = 200;

/** Milliseconds until a further look would tell more; null: at its regular turn. */
export function lookAgainAfter(watched: Watched, now: string): number | null {
  const waits: number[] = [];
  const { silentSince, gone } = watched;
  if (silentSince !== undefined) {
    const silent = Date.parse(now) - Date.parse(silentSince);
    if (silent < SILENT_AFTER_MS) waits.push(Math.min(5_000, SILENT_AFTER_MS - silent));
  } else {
    for (const since of Object.values(gone)) {
      const away = Date.parse(now) - Date.parse(since);
      if (away < DOWN_AFTER_MS) waits.push(Math.min(Math.max(SOONEST_MS, away / 2), DOWN_AFTER_MS - away));
    }
  }
  return waits.length === 0 ? null : Math.ceil(Math.min(...waits));
}
