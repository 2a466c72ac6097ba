/**
 * One visit to one host: read it, see which approved steps do not hold, apply those in one go, read it again. It serves every
 * change that has work there, and decides by what the host holds, never by exit codes. A reading that the gate took a moment ago
 * serves for the first one, so that most visits are one request; whatever differs from it is seen in the last.
 */
import { type Ask, answerTo, askOf } from '../src/change/ask.js';
import type { HostResult, HostStatus } from '../src/change/change.js';
import { type Work, wantedSteps } from '../src/change/work.js';
import type { Outcome } from '../src/change/work-store.js';
import { HostError } from '../src/host/host.js';
import type { Held } from '../src/host/host-lease.js';
import { redact } from '../src/log.js';
import { inverse } from '../src/plan/pair.js';
import type { Observation, Step } from '../src/plan/plan.js';
import { conflicts, stepHolds } from '../src/plan/step.js';
import { personOf } from '../src/principal.js';
import { say } from '../src/slack/reply.js';
import { sayAsking } from '../src/words/result.js';
import { sayConflict, sayNotHolding } from '../src/words/trouble.js';
import { buildOnHost } from './build-on-host.js';
import { deliverToHost } from './deliver-to-host.js';
import type { WorkerDeps } from './deps.js';
import { PROGRESS_DELAY_MS, Teller } from './teller.js';
import { unreached } from './unreached.js';
import { Visitor } from './visitor.js';

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
  const apart = held.works.filter(isApart);
  // What takes long goes by itself, and after what is quick.
  if (apart.length === held.works.length) return [await alone(deps, host, held, apart)];
  await leave(deps, host, apart);
  const inventory = await deps.nodes.read(held.revision);
  const all = held.works
    .filter((taken) => !isApart(taken))
    .map((taken): Wanted => {
      const work = JSON.parse(taken) as Work;
      return { taken, work, steps: wantedSteps(work, inventory, deps.config.cluster.nextHop) };
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

/** Builds and deliveries: they take long, and share nothing. */
function isApart(taken: string): boolean {
  return ['build', 'deliver'].includes((JSON.parse(taken) as Work).kind);
}

/** Of such works this visit takes the first; the others are not in its hand. */
async function alone(
  deps: WorkerDeps,
  host: string,
  held: Held,
  [taken = '', ...others]: readonly string[],
): Promise<Outcome> {
  await leave(deps, host, others);
  const work = JSON.parse(taken) as Work;
  const each = {
    taken,
    work,
    steps: wantedSteps(work, await deps.nodes.read(held.revision), deps.config.cluster.nextHop),
  };
  if (each.steps.length === 0) return outcomeOf(each, 'unchanged');
  try {
    const { status, ...rest } = await (work.kind === 'build' ? buildOnHost : deliverToHost)(deps, work, held);
    return outcomeOf(each, status, rest);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const { status, ...rest } = await unreached(deps, work, held.pinned !== null, error);
    return outcomeOf(each, status, rest);
  }
}

async function leave(deps: WorkerDeps, host: string, works: readonly string[]): Promise<void> {
  await deps.works.leave(
    host,
    works.map((taken) => (JSON.parse(taken) as Work).changeId),
  );
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
    const before = full ? await deps.changes.result(first.changeId, host) : null;
    const teller = new Teller(deps, host, works);
    const tell = (doing: string) => teller.tell(doing);
    const visitor = await Visitor.open(
      deps,
      { work: first, full, held, tell },
      recent,
      before?.doing !== undefined,
    );
    return await work(visitor, wanted, recent);
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

async function work(
  visitor: Visitor,
  all: readonly Wanted[],
  recent: Observation | null,
): Promise<Outcome[]> {
  const wanted = all.map((each) => ({ ...each, steps: agreed(each, visitor.observed) }));
  let todo = missing(wanted, visitor.observed);
  // Nothing is concluded from a reading that is not this visit's own: not that there is nothing to do, nor that it can't be done.
  if (recent && (todo.length === 0 || wanted.some(({ steps }) => inTheWay(steps, recent).length > 0))) {
    await visitor.look();
    todo = missing(wanted, visitor.observed);
  }
  const before = visitor.observed;
  if (todo.length > 0) await visitor.apply(todo);
  const restart = todo.length > 0 || recent === null ? restartFor(all, visitor.observed) : null;
  if (restart !== null) {
    await visitor.restart(restart);
    return work(visitor, all, null);
  }
  const after = visitor.observed;
  // A foreign route that came meanwhile, with another metric: ours does not stay beside it.
  const shadowing = todo.filter((step) => conflicts(step, after) !== null);
  if (shadowing.some((step) => stepHolds(step, after))) await visitor.apply(shadowing.map(inverse));
  return wanted.map((each, index) => outcomeAfter(each, all[index] ?? each, visitor, before, after));
}

/** How a work came out: `steps` are those that may be done, `whole` has those too that ask first. */
function outcomeAfter(
  each: Wanted,
  whole: Wanted,
  visitor: Visitor,
  before: Observation,
  after: Observation,
): Outcome {
  const { steps } = each;
  const printed = visitor.printed === '' ? {} : { printed: redact(visitor.printed) };
  const found = [...new Set([...inTheWay(steps, before), ...inTheWay(steps, after)])];
  if (found.length > 0) return outcomeOf(each, 'failed', { error: sayConflict(found) });
  const ask = openAsk(whole, after);
  if (ask !== null) return outcomeOf(each, 'asking', { ask, ...printed });
  const broken = steps.filter((step) => !stepHolds(step, after));
  if (broken.length > 0)
    return outcomeOf(each, 'failed', {
      error: sayNotHolding(
        broken.map((step) => step.kind),
        redact(visitor.printed),
      ),
      ...printed,
    });
  const changed = steps.some((step) => !stepHolds(step, before));
  return outcomeOf(each, changed ? 'done' : 'unchanged', printed);
}

/** The steps that need nobody's word any more. A restart is none of them: it is made between two applications. */
function agreed({ steps, work }: Wanted, observed: Observation): Step[] {
  return steps.filter((step) => {
    const ask = askOf(step, observed);
    return ask === null || (step.kind !== 'reboot' && answerTo(ask, work.answers ?? []) === 'yes');
  });
}

/** What a work asks on the host as it is, and has no answer to; null: nothing. */
function openAsk({ steps, work }: Wanted, observed: Observation): Ask | null {
  const open = steps.filter((step) => !stepHolds(step, observed));
  const asks = open.flatMap((step) => askOf(step, observed) ?? []);
  return asks.find((ask) => answerTo(ask, work.answers ?? []) === null) ?? null;
}

/** The restart that the host waits for and somebody agreed to; null: none. */
function restartFor(wanted: readonly Wanted[], observed: Observation): Step | null {
  for (const { steps, work } of wanted) {
    const step = steps.find(({ kind }) => kind === 'reboot');
    const ask = step && !stepHolds(step, observed) ? askOf(step, observed) : null;
    if (step && ask && answerTo(ask, work.answers ?? []) === 'yes') return step;
  }
  return null;
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
    if (result.status === 'asking' && result.ask) await announce(deps, changeId, host, result.ask);
    // A debt that was paid, or given up, shows on the card of a change at rest, too.
    const isDebt = left < 0 && result.status !== 'owed';
    if (isDebt || (left > 0 && showProgress)) await deps.jobs.card(changeId, PROGRESS_DELAY_MS);
    deps.log.info({ change: changeId, host, visit: held.fence, status, error }, 'host settled');
  }
  if (advance) await deps.jobs.advance();
}

/** An edited card rings nobody: whoever asked for the change hears in its thread that it asks something. */
async function announce(deps: WorkerDeps, changeId: string, host: string, ask: Ask): Promise<void> {
  await deps.jobs.card(changeId);
  const { cards, thread, requester } = await deps.changes.get(changeId);
  const [card] = cards;
  if (!card) return;
  const origin = { channel: card.channel, thread: thread ?? card.ts, user: personOf(requester) };
  await deps.jobs.reply({ name: 'reply', origin, message: say(sayAsking(changeId, requester, host, ask)) });
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
  const isQuick = ({ kind }: Step) => kind === 'route' || kind === 'forwarding' || kind === 'bridge';
  return works.some((work) => work.role === 'node' || !work.steps.every(isQuick));
}

function unique(steps: readonly Step[]): Step[] {
  return [...new Map(steps.map((step) => [JSON.stringify(step), step])).values()];
}
