/** One look at each of some hosts: what changed since the last one becomes incidents, and whoever waits for the host is told. */
import type { Change } from '../src/change/change.js';
import { slicesMoving } from '../src/change/subject.js';
import { HostError } from '../src/host/host.js';
import { platformOf } from '../src/host/platform.js';
import type { Component } from '../src/node/component.js';
import type { Inventory, Node } from '../src/node/node.js';
import { lookAgainAfter } from '../src/watch/cadence.js';
import type { Incident } from '../src/watch/incident.js';
import { judge } from '../src/watch/judge.js';
import { untold } from '../src/watch/notice.js';
import { hushOf, type Silence } from '../src/watch/silence.js';
import type { PastIncident } from '../src/watch/watch-store.js';
import { answered, type Look, remember, unseen, type Watched } from '../src/watch/watched.js';
import type { WorkerDeps } from './deps.js';
import { healHost } from './heal-host.js';
import { payHost } from './pay-debts.js';
import { contextOf, expectedKey, targetOf } from './read-hosts.js';

/** Hosts that one job looks at: enough that jobs cost little, few enough that workers share the sweep. */
const AT_ONCE = 16;
/** Of the interval, what a sweep is spread over. */
const SPREAD = 0.9;
/** A record that moves between reading and writing is judged again, this often. */
const ATTEMPTS = 10;

/** Processes `sweep`: spreads the looks at all members over the interval, and forgets who is no member any more. */
export async function sweep(deps: WorkerDeps): Promise<void> {
  const { nodes } = await deps.nodes.read();
  const names = nodes.map((node) => node.name);
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const delay = Math.floor((at / names.length) * deps.config.watch.everyMs * SPREAD);
    await deps.jobs.look(names.slice(at, at + AT_ONCE), delay);
  }
  await forget(deps, new Set(names));
  // In case that an asking got lost.
  await deps.jobs.tell();
}

async function forget(deps: WorkerDeps, members: ReadonlySet<string>): Promise<void> {
  const gone = (await deps.watch.all()).filter(({ host }) => !members.has(host));
  if (gone.length === 0) return;
  const past = gone.flatMap((host) => pastOf(host.host, host.incidents, new Date().toISOString()));
  await deps.watch.commit({ gone, past, told: gone.map(({ host }) => host), stale: noticesOf(...gone) });
}

/** What all looks of a job share. */
interface Scene {
  inventory: Inventory;
  /** Pod CIDRs that open changes are at work on, on that host. */
  inFlight(host: string): ReadonlySet<string>;
  silences: readonly Silence[];
  expected: ReadonlyMap<string, ReadonlySet<Component>>;
}

/** Processes `look`. Hosts that are no members are left out. */
export async function lookAtHosts(deps: WorkerDeps, names: readonly string[]): Promise<void> {
  const inventory = await deps.nodes.read();
  const nodes = inventory.nodes.filter((node) => names.includes(node.name));
  const hosts = nodes.map((node) => node.name);
  const [open, silences, expected, records, pinned] = await Promise.all([
    deps.changes.open(),
    deps.watch.silences(new Date()),
    deps.watch.expected(hosts),
    deps.watch.of(hosts),
    deps.hostKeys.pinnedAll(hosts),
  ]);
  const scene: Scene = { inventory, inFlight: await movingOn(deps, open, hosts), silences, expected };
  await Promise.all(
    nodes.map((node, index) =>
      lookAt(deps, scene, node, records[index] ?? unseen(node.name), pinned[index] ?? null),
    ),
  );
}

/** What is on its way moves on every host, what is merely owed on those alone that are owed it: the others hold it by now, or lost it. */
async function movingOn(
  deps: WorkerDeps,
  open: readonly Change[],
  hosts: readonly string[],
): Promise<Scene['inFlight']> {
  const moving = open.filter((change) => !['planning', 'pending', 'owing'].includes(change.state));
  const everywhere = moving.flatMap(slicesMoving);
  const owing = open.filter((change) => change.state === 'owing');
  const owed = await Promise.all(
    owing.map(async (change) => ({
      slices: slicesMoving(change),
      to: await deps.works.holding(change.id, hosts),
    })),
  );
  return (host) =>
    new Set([...everywhere, ...owed.flatMap(({ slices, to }) => (to.has(host) ? slices : []))]);
}

async function lookAt(
  deps: WorkerDeps,
  scene: Scene,
  node: Node,
  known: Watched,
  pinned: string | null,
): Promise<void> {
  const look = await take(deps, scene, node, pinned);
  const { before, after } = await save(deps, scene, node, known, look);
  const isNews = after !== before && (untold([after]).length > 0 || noticesOf(after, before).length > 0);
  if (isNews) await deps.jobs.tell();
  // Back again: what it is owed is paid at once.
  if (before.silentSince !== undefined && after.silentSince === undefined) await payHost(deps, node.name);
  // A process that is away looks the same at every look, and still is to be looked for and healed.
  const again = lookAgainAfter(after, look.at);
  if (again !== null) await deps.jobs.lookAgain(node.name, again);
  await healHost(deps, node, after, scene.expected.get(node.name) ?? new Set(), look.at);
  // Last: until a host listens takes seconds, and nobody waits for it.
  if ('probe' in look) await deps.pushes.keep(targetOf(node), expectedKey(pinned), look.probe.processes);
}

/** Asks the host. Whatever keeps it from answering is no answer: unknown, not empty. */
async function take(deps: WorkerDeps, scene: Scene, node: Node, pinned: string | null): Promise<Look> {
  const { inventory, inFlight } = scene;
  const since = new Date().toISOString();
  try {
    const context = await contextOf(deps, node);
    const platform = platformOf(node.os);
    const reply = await deps.hosts.request(context.target, platform.probe(context), expectedKey(pinned));
    const probe = platform.parseProbe(reply.data, context);
    const at = new Date().toISOString();
    return answered(probe, node, inventory.nodes, deps.config.cluster.nextHop, inFlight(node.name), at);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { at: new Date().toISOString(), since, failure: error.message };
  }
}

/** Judges and writes; `after` is `before` when nothing changed. Another worker that looked meanwhile is built upon, never overwritten. */
async function save(
  deps: WorkerDeps,
  scene: Scene,
  node: Node,
  known: Watched,
  look: Look,
): Promise<{ before: Watched; after: Watched }> {
  const expected = scene.expected.get(node.name) ?? new Set();
  let before = known;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const remembered = remember(before, look);
    const { incidents, over } = judge({
      before,
      after: remembered,
      now: look.at,
      expected,
      hush: (component) =>
        hushOf(scene.silences, deps.config.watch.maintenance, node.name, component, new Date(look.at)),
    });
    const after = { ...remembered, incidents: await deps.watch.named(incidents) };
    if (JSON.stringify(after) === JSON.stringify(before)) return { before, after: before };
    const written = await deps.watch.commit({
      hosts: [after],
      past: pastOf(node.name, over, look.at),
      untold: untold([after]).length > 0 ? [node.name] : [],
      stale: noticesOf(before, after),
    });
    if (written) {
      for (const component of expected)
        if (after.running[component] && !after.gone[component])
          await deps.watch.runsAgain(node.name, component);
      deps.log.debug({ host: node.name, incidents: after.incidents.length, over: over.length }, 'looked');
      return { before, after: { ...after, version: after.version + 1 } };
    }
    [before = unseen(node.name)] = (await deps.watch.of([node.name])).filter((each) => each !== null);
  }
  throw new Error(`the record of ${node.name} kept moving`);
}

function pastOf(host: string, incidents: readonly Incident[], overAt: string): PastIncident[] {
  return incidents.map((incident) => ({ ...incident, host, overAt }));
}

/** The cards on which these records' incidents are told. */
function noticesOf(...records: readonly Watched[]): string[] {
  const all = records.flatMap(({ incidents }) => incidents.flatMap(({ notice }) => notice ?? []));
  return [...new Set(all)];
}
