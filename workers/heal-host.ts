/** What policy does by itself about a host that was just looked at. */
import type { Component } from '../src/node/component.js';
import type { Node } from '../src/node/node.js';
import { policyId } from '../src/principal.js';
import { RESTARTS_AN_HOUR, type Watched } from '../src/watch/watched.js';
import type { WorkerDeps } from './deps.js';

/** Who acts, on the record. */
const HEAL_POLICY = policyId('HEAL=restart');

/** Restarts what is down, when policy says so. `expected`: what people stopped, or restart right now, is left to them. */
export async function healHost(
  deps: WorkerDeps,
  node: Node,
  watched: Watched,
  expected: ReadonlySet<Component>,
  now: string,
): Promise<void> {
  if (deps.config.watch.heal !== 'restart' || watched.silentSince !== undefined) return;
  const component = watched.incidents
    .filter(({ reason, state }) => reason === 'down' && state === 'bad')
    .flatMap((down) => down.component ?? [])
    .find((away) => !expected.has(away));
  if (component === undefined || watched.healed.length >= RESTARTS_AN_HOUR) return;
  const since = watched.healed.at(-1);
  // One restart at a time: its outcome is seen before the next one.
  if (since !== undefined && Date.parse(now) - Date.parse(since) < 60_000) return;
  const noted = await deps.watch.update(node.name, (stored) =>
    stored.healed.at(-1) === since ? { ...stored, healed: [...stored.healed, now] } : null,
  );
  if (noted) await deps.jobs.control({ host: node.name, component, action: 'restart', by: HEAL_POLICY });
}
