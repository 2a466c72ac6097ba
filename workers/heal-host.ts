/** What policy does by itself about a host that was just looked at. */
import type { Node } from '../src/node/node.js';
import { RESTARTS_AN_HOUR, type Watched } from '../src/watch/watched.js';
import type { WorkerDeps } from './deps.js';

/** Who acts, on the record. */
export const HEAL_POLICY = 'policy:HEAL=restart';

/** Restarts what is down, when policy says so. */
export async function healHost(deps: WorkerDeps, node: Node, watched: Watched, now: string): Promise<void> {
  if (deps.config.watch.heal !== 'restart' || watched.silentSince !== undefined) return;
  const down = watched.incidents.find(({ reason, state }) => reason === 'down' && state === 'bad');
  if (down?.component === undefined || watched.healed.length >= RESTARTS_AN_HOUR) return;
  const since = watched.healed.at(-1);
  // One restart at a time: its outcome is seen before the next one.
  if (since !== undefined && Date.parse(now) - Date.parse(since) < 60_000) return;
  const { component } = down;
  const noted = await deps.watch.update(node.name, (stored) =>
    stored.healed.at(-1) === since ? { ...stored, healed: [...stored.healed, now] } : null,
  );
  if (noted) await deps.jobs.control({ host: node.name, component, action: 'restart', by: HEAL_POLICY });
}
