/**
 * One visit to one host: read it, see which approved steps do not hold, apply those in one go, read it again. It serves every
 * change that has work there, and decides by what the host holds, never by exit codes. A reading that the gate took a moment ago
 * serves for the first one, so that most visits are one request; whatever differs from it is seen in the last.
 */
import type { HostResult, HostStatus } from '../src/change/change.js';
import { routesOf, type Work, wantedSteps } from '../src/change/work.js';
import type { Outcome } from '../src/change/work-store.js';
import { type ExpectedKey, HostError, type HostRequest } from '../src/host/host.js';
import type { Held } from '../src/host/host-lease.js';
import { platformOf } from '../src/host/platform.js';
import { redact } from '../src/log.js';
import type { Route } from '../src/network/route.js';
import { inverse } from '../src/plan/pair.js';
import type { Observation, Step } from '../src/plan/plan.js';
import { conflicts, stepHolds } from '../src/plan/step.js';
import { sayConflict, sayNotHolding } from '../src/words/trouble.js';
import type { WorkerDeps } from './deps.js';
import { contextOf, expectedKey } from './read-hosts.js';
import { unreached } from './unreached.js';

/** Processes `sync-host`. Returns false when another worker has the host in hand: come back later. */
export async function syncHost(deps: WorkerDeps, host: string): Promise<boolean> {
  const visited = await deps.hostLeases.hold(host, async (held) => {
    await settle(deps, host, held, await visit(deps, host, held));
    return true;
  });
  return visited === true;
}

/** A work, as its text and as what the inventory still wants of it. */
interface Wanted {
  taken: string;
  work: Work;
  steps: Step[];
}

async function visit(deps: WorkerDeps, host: string, held: Held): Promise<Outcome[]> {
  if (held.works.length === 0) return [];
  const inventory = await deps.nodes.read(held.revision);
  const all = held.works.map((taken): Wanted => {
    const work = JSON.parse(taken) as Work;
    return { taken, work, steps: wantedSteps(work, inventory) };
  });
  const wanted = all.filter(({ steps }) => steps.length > 0);
  // What nobody wants any more is not worth a connection, which may never come about.
  const idle = all.filter(({ steps }) => steps.length === 0).map((each) => outcomeOf(each, 'unchanged'));
  return wanted.length === 0 ? idle : [...idle, ...(await attend(deps, host, held, wanted))];
}

function outcomeOf({ taken, work }: Wanted, status: HostStatus, extra: Partial<HostResult> = {}): Outcome {
  const at = new Date().toISOString();
  return {
    changeId: work.changeId,
    taken,
    result: { host: work.node.name, status, visited: true, at, ...extra },
  };
}

async function attend(
  deps: WorkerDeps,
  host: string,
  held: Held,
  wanted: readonly Wanted[],
): Promise<Outcome[]> {
  const works = wanted.map(({ work }) => work);
  const [first] = works;
  if (!first) return [];
  try {
    const full = needsFullRead(works);
    const recent = full ? null : deps.recent.take(host);
    const visitor = await Visitor.open(deps, first, full, held, recent);
    let todo = missing(wanted, visitor.observed);
    // Nothing is concluded from a reading that is not this visit's own: not that there is nothing to do, nor that it can't be done.
    if (recent && (todo.length === 0 || wanted.some(({ steps }) => inTheWay(steps, recent).length > 0))) {
      await visitor.look();
      todo = missing(wanted, visitor.observed);
    }
    const before = visitor.observed;
    if (todo.length > 0) await visitor.apply(todo);
    const after = visitor.observed;
    // A foreign route that came meanwhile, with another metric: ours does not stay beside it.
    const shadowing = todo.filter((step) => conflicts(step, after) !== null);
    if (shadowing.some((step) => stepHolds(step, after))) await visitor.apply(shadowing.map(inverse));
    return wanted.map((each) => {
      const { steps } = each;
      const found = [...new Set([...inTheWay(steps, before), ...inTheWay(steps, after)])];
      if (found.length > 0) return outcomeOf(each, 'failed', { error: sayConflict(found) });
      const broken = steps.filter((step) => !stepHolds(step, after));
      const printed = visitor.printed === '' ? {} : { printed: redact(visitor.printed) };
      if (broken.length > 0) {
        const error = sayNotHolding(broken.length, redact(visitor.printed));
        return outcomeOf(each, 'failed', { error, ...printed });
      }
      const changed = steps.some((step) => !stepHolds(step, before));
      return outcomeOf(each, changed ? 'done' : 'unchanged', printed);
    });
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return Promise.all(
      wanted.map(async (each): Promise<Outcome> => {
        const isKnown = held.pinned !== null || each.work.fingerprint !== null;
        const { status, ...rest } = await unreached(deps, each.work, isKnown, error);
        return outcomeOf(each, status, rest);
      }),
    );
  }
}

/** One host in hand: its context, what it held last, and how to make steps hold. */
class Visitor {
  observed: Observation;
  printed = '';
  private readonly deps: WorkerDeps;
  private readonly work: Work;
  private readonly full: boolean;
  private readonly held: Held;

  private constructor(deps: WorkerDeps, work: Work, full: boolean, held: Held, observed: Observation) {
    this.deps = deps;
    this.work = work;
    this.full = full;
    this.held = held;
    this.observed = observed;
  }

  /** Reads the host, unless a recent reading is at hand. */
  static async open(
    deps: WorkerDeps,
    work: Work,
    full: boolean,
    held: Held,
    recent: Observation | null,
  ): Promise<Visitor> {
    return new Visitor(deps, work, full, held, recent ?? (await observe(deps, work, full, held)));
  }

  async look(): Promise<void> {
    this.observed = await observe(this.deps, this.work, this.full, this.held);
  }

  async apply(steps: readonly Step[]): Promise<void> {
    const { deps, work, held } = this;
    const host = work.node.name;
    const journal = work.node.os === 'windows';
    // Noted before they are made: after a crash in between we still know them for ours.
    if (journal) await deps.works.own(host, routesOf(steps, 'ensure'));
    const context = await contextOf(deps, work.node);
    const platform = platformOf(work.node.os);
    for (const request of platform.apply(steps, context, this.observed, held.fence)) {
      const reply = await deps.hosts.request(context.target, request, keyOf(held, work));
      this.printed += reply.printed;
      if (this.carriesReading(request)) this.observed = platform.parseObservation(reply.data, context);
    }
    if (!steps.every((step) => stepHolds(step, this.observed)))
      this.observed = await observe(deps, work, this.full, held);
    if (journal) {
      const done = steps.filter((step) => stepHolds(step, this.observed));
      await deps.works.disown(host, [...routesOf(done, 'remove'), ...replacedBy(done, context.owned)]);
    }
  }

  /** Both OSes read the tables again in the call that changes them; Windows leaves the node's NICs and networks out. */
  private carriesReading(request: HostRequest): boolean {
    return (
      ['sync', 'persistence'].includes(request.script) || (request.script === 'sync-routes' && !this.full)
    );
  }
}

async function observe(deps: WorkerDeps, work: Work, full: boolean, held: Held): Promise<Observation> {
  const context = await contextOf(deps, work.node);
  const platform = platformOf(work.node.os);
  const reply = await deps.hosts.request(context.target, platform.observe(context, full), keyOf(held, work));
  return platform.parseObservation(reply.data, context);
}

/** The pinned key; else the one that the approved plan trusted. A host that no plan ever met has none, and is met with none. */
function keyOf(held: Held, work: Work): ExpectedKey {
  return expectedKey(held.pinned ?? work.fingerprint ?? null);
}

async function settle(
  deps: WorkerDeps,
  host: string,
  held: Held,
  outcomes: readonly Outcome[],
): Promise<void> {
  const settled = await deps.works.settle(host, held.holder, outcomes);
  held.isOver = true;
  let advance = outcomes.length === 0;
  for (const [index, recorded] of settled.entries()) {
    const { changeId, result } = outcomes[index] as Outcome;
    const { status, error } = result;
    if (recorded === null) {
      deps.log.warn({ change: changeId, host, visit: held.fence, status }, 'too late: not recorded');
      continue;
    }
    const { left, showProgress } = recorded;
    if (left <= 0) advance = true;
    // A debt that was paid, or given up, shows on the card of a change at rest, too.
    const isDebt = left < 0 && result.status !== 'owed';
    if (isDebt || (left > 0 && showProgress)) await deps.jobs.card(changeId, PROGRESS_DELAY_MS);
    deps.log.info({ change: changeId, host, visit: held.fence, status, error }, 'host settled');
  }
  if (advance) await deps.jobs.advance();
}

/** What is in the way of these steps. */
function inTheWay(steps: readonly Step[], observed: Observation): string[] {
  return steps.flatMap((step) => conflicts(step, observed) ?? []);
}

/** The steps, each once, that do not hold, of works that nothing is in the way of. */
function missing(wanted: readonly Wanted[], observed: Observation): Step[] {
  const clear = wanted.filter(({ steps }) => inTheWay(steps, observed).length === 0);
  return unique(clear.flatMap(({ steps }) => steps)).filter((step) => !stepHolds(step, observed));
}

function needsFullRead(works: readonly Work[]): boolean {
  const isPodSide = (step: Step) => ['pod-network', 'pod-gateway', 'persistence'].includes(step.kind);
  return works.some((work) => work.role === 'node' || work.steps.some(isPodSide));
}

/** Journalled routes that led elsewhere, where one now leads as it should. */
function replacedBy(steps: readonly Step[], owned: readonly Route[]): Route[] {
  const made = new Map(routesOf(steps, 'ensure').map((route) => [route.destination, route.nextHop]));
  return owned.filter(
    ({ destination, nextHop }) => made.has(destination) && made.get(destination) !== nextHop,
  );
}

function unique(steps: readonly Step[]): Step[] {
  return [...new Map(steps.map((step) => [JSON.stringify(step), step])).values()];
}

/** Late enough that many hosts share an edit. */
const PROGRESS_DELAY_MS = 500;
