/** The gate of an adoption: what would be recorded now has to be what was approved. */
import type { AdoptChange } from '../src/change/change.js';
import { isRefusal } from '../src/errors.js';
import { noLongerAdopted } from '../src/plan/adopt-nodes.js';
import type { AdoptPlan } from '../src/plan/plan.js';
import type { HostReading } from '../src/plan/reading.js';
import { canonicalJson, planHash } from '../src/plan/seal.js';
import { leftOutLine, sayAdoptStale, sayNotAsSealed, sayOtherKey } from '../src/words/adopt.js';
import { sayJoinedSince, sayPlanAltered } from '../src/words/trouble.js';
import { bareVoice } from '../src/words/voice.js';
import { begin, changedSince } from './admit-changes.js';
import type { WorkerDeps } from './deps.js';
import { makeStale, withdraw } from './end-untouched.js';
import { planOf } from './plan-adopt.js';
import { planPolicy } from './read-hosts.js';

/**
 * Plans once more, on hosts read now, and compares. Then the slices are taken, all of them or none, and what was approved is recorded.
 * After a crash in between it is done again.
 */
export async function admitAdoption(deps: WorkerDeps, change: AdoptChange): Promise<void> {
  if (change.cancelRequestedBy !== undefined) return withdraw(deps, change);
  const sealed = await deps.changes.sealedPlan(change.id);
  if (sealed?.kind !== 'adopt' || planHash(sealed, planPolicy(deps)) !== change.planHash)
    return makeStale(deps, change, sayPlanAltered());
  const names = new Set([...sealed.nodes.map((node) => node.name), ...sealed.unchanged]);
  const asked = change.asked.filter((entry) => names.has(entry.name));
  const now = await planOf(deps, change, asked);
  const known = new Set([...sealed.hosts, ...sealed.unread].map(({ host }) => host));
  const inventory = await deps.nodes.read();
  const stranger = inventory.nodes.find((member) => !known.has(member.name));
  if (stranger) return makeStale(deps, change, sayJoinedSince(stranger.name));
  const detail = [
    ...notAsSealed(sealed, now),
    ...(await changedSince(deps, change, sealed, inventory, readingsOf(now))),
    ...otherKeys(sealed, now),
  ];
  if (detail.length > 0 || ownOf(sealed) !== ownOf(now))
    return makeStale(deps, change, sayAdoptStale(), detail);
  try {
    await deps.leases.adopt({ changeId: change.id, nodes: sealed.nodes, now: new Date() });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // Somebody was faster, within milliseconds.
    return makeStale(deps, change, sayAdoptStale());
  }
  await begin(deps, change, sealed, []);
}

function notAsSealed(sealed: AdoptPlan, now: AdoptPlan): string[] {
  return noLongerAdopted(sealed, now).map(({ name, conflict }) => {
    const node = sealed.nodes.find((each) => each.name === name);
    return node && conflict
      ? leftOutLine({ name, address: node.address, conflict }, bareVoice)
      : sayNotAsSealed(name);
  });
}

/** Hosts that show another key than the one approved. */
function otherKeys(sealed: AdoptPlan, now: AdoptPlan): string[] {
  const shown = new Map(now.hosts.map(({ host, hostKey }) => [host, hostKey?.fingerprint]));
  return sealed.hosts.flatMap(({ host, hostKey }) => {
    const fingerprint = shown.get(host);
    return fingerprint === undefined || fingerprint === hostKey?.fingerprint
      ? []
      : [sayOtherKey(host, fingerprint)];
  });
}

function readingsOf({ hosts }: AdoptPlan): Map<string, HostReading> {
  return new Map(
    hosts.flatMap(({ host, observed, hostKey }) =>
      observed && hostKey ? [[host, { observed, ...hostKey }] as const] : [],
    ),
  );
}

/** Which routes would go into the journal. */
function ownOf({ routes }: AdoptPlan): string {
  return canonicalJson(routes.flatMap(({ host, own }) => (own.length > 0 ? [{ host, own }] : [])));
}
