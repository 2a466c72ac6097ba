/** One host in hand: what it held last, and how to make steps hold there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { routesOf, type Work } from '../src/change/work.js';
import {
  type ExpectedKey,
  HostError,
  type HostErrorKind,
  type HostReply,
  type HostRequest,
} from '../src/host/host.js';
import type { Held } from '../src/host/host-lease.js';
import { type HostContext, type Platform, platformOf } from '../src/host/platform.js';
import type { Route } from '../src/network/route.js';
import type { Observation, Step } from '../src/plan/plan.js';
import { stepHolds } from '../src/plan/step.js';
import { restarting, sayProgress } from '../src/words/result.js';
import { sayNotBack, sayOutOfReach, sayStillAtIt } from '../src/words/trouble.js';
import type { WorkerDeps } from './deps.js';
import { lookAtHosts } from './look-at-hosts.js';
import { contextOf, expectedKey } from './read-hosts.js';

const MINUTE = 60_000;
/** A switch that takes the network down does so for seconds; a host that is away longer than this has another trouble. (windows.md F) */
const AWAY_MS = 5 * MINUTE;
/** Pulling an image takes up to an hour. (windows.md H) */
const WORK_MS = 90 * MINUTE;
/** A restart with updates to finish. (windows.md H) */
const RESTART_MS = 15 * MINUTE;
/** Between two tries to reach it. */
const PAUSE_MS = 3_000;

/** What a visit is for. */
interface Visit {
  work: Work;
  /** Whether it takes readings in full. */
  full: boolean;
  held: Held;
  /** Shows on the cards what is being done. */
  tell(doing: string): Promise<void>;
}

export class Visitor {
  observed: Observation;
  printed = '';
  private readonly deps: WorkerDeps;
  private readonly visit: Visit;

  private constructor(deps: WorkerDeps, visit: Visit, observed: Observation) {
    this.deps = deps;
    this.visit = visit;
    this.observed = observed;
  }

  /**
   * Reads the host, unless a recent reading is at hand. Where a visit before was in the midst of something that takes a host away, this
   * one waits for it to come back. Throws HostError, as all of it does.
   */
  static async open(
    deps: WorkerDeps,
    visit: Visit,
    recent: Observation | null,
    inTheMidst: boolean,
  ): Promise<Visitor> {
    const until = Date.now() + (inTheMidst ? RESTART_MS : 0);
    for (;;) {
      try {
        return new Visitor(deps, visit, recent ?? (await observe(deps, visit)));
      } catch (error) {
        const passes = inTheMidst ? mayBeRestarting : isAway;
        if (!passes(error) || Date.now() >= until) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }

  async look(): Promise<void> {
    this.observed = await observe(this.deps, this.visit);
  }

  async apply(steps: readonly Step[]): Promise<void> {
    const stirs = steps.some(({ kind }) => kind === 'component');
    await (stirs ? this.quietly(WORK_MS, () => this.make(steps)) : this.make(steps));
  }

  private async make(steps: readonly Step[]): Promise<void> {
    const { deps, visit } = this;
    const { work, held, full } = visit;
    const host = work.node.name;
    const journal = work.node.os === 'windows';
    // Noted before they are made: after a crash in between we still know them for ours.
    if (journal) await deps.works.own(host, routesOf(steps, 'ensure'));
    const { context, platform } = await this.means();
    for (const request of platform.apply(steps, context, this.observed, held.fence)) {
      const reply = await (request.goesOn ? this.untilOver(request) : this.ask(request));
      this.printed += reply.printed;
      // Both OSes read the tables again in the call that changes them; Windows leaves the machine's facts out.
      if (['sync', 'persistence'].includes(request.script) || (request.script === 'sync-routes' && !full))
        this.observed = platform.parseObservation(reply.data, context);
    }
    if (!steps.every((step) => stepHolds(step, this.observed))) await this.look();
    if (journal) {
      const done = steps.filter((step) => stepHolds(step, this.observed));
      await deps.works.disown(host, [...routesOf(done, 'remove'), ...replacedBy(done, context.owned)]);
    }
  }

  /** Restarts the machine and waits until it is back. */
  async restart(step: Step): Promise<void> {
    await this.visit.tell(restarting);
    await this.quietly(RESTART_MS, () => this.untilBack(step));
  }

  /** What Fairway itself takes away and brings back is no news. The look that sees what came of it is still within the silence. */
  private async quietly(ms: number, work: () => Promise<void>): Promise<void> {
    const { deps, visit } = this;
    const { name: host } = visit.work.node;
    const until = new Date(Date.now() + ms).toISOString();
    await deps.watch.mute({ host, until, by: visit.work.changeId, atWork: true });
    try {
      await work();
    } finally {
      await lookAtHosts(deps, [host]);
      await deps.watch.workOver(host);
    }
  }

  /**
   * Told once more as long as it is up with the old boot: the first word may not have arrived. With another boot it heeds none. Before it
   * heard any, its no is a no; after that, it may say anything while it goes down and comes up.
   */
  private async untilBack(step: Step): Promise<void> {
    const { name } = this.visit.work.node;
    const { boot } = this.observed;
    const { context, platform } = await this.means();
    const until = Date.now() + RESTART_MS;
    let why = '';
    let isTold = false;
    while (this.observed.boot === boot) {
      if (Date.now() > until) throw new HostError('timeout', name, sayNotBack(RESTART_MS / MINUTE, why));
      try {
        for (const request of platform.apply([step], context, this.observed, this.visit.held.fence))
          await this.ask(request);
        isTold = true;
        await sleep(PAUSE_MS);
        await this.look();
      } catch (error) {
        const passes = isTold ? mayBeRestarting : isAway;
        if (!passes(error)) throw error;
        isTold = true;
        why = error.message;
        await sleep(PAUSE_MS);
      }
    }
  }

  /** Asks again until what goes on there is over; a connection that breaks meanwhile is no matter. */
  private async untilOver(request: HostRequest): Promise<HostReply> {
    const { name } = this.visit.work.node;
    const { context, platform } = await this.means();
    const until = Date.now() + WORK_MS;
    let heardAt = Date.now();
    while (Date.now() < until) {
      try {
        const reply = await this.ask(request);
        heardAt = Date.now();
        const progress = platform.parseProgress(reply.data, context);
        if (progress === null) return reply;
        await this.visit.tell(sayProgress(progress));
      } catch (error) {
        if (!isAway(error)) throw error;
        if (Date.now() - heardAt > AWAY_MS)
          throw new HostError('unreachable', name, sayOutOfReach(AWAY_MS / MINUTE, error.message));
        await sleep(PAUSE_MS);
      }
    }
    throw new HostError('timeout', name, sayStillAtIt(WORK_MS / MINUTE));
  }

  private async ask(request: HostRequest): Promise<HostReply> {
    const { context } = await this.means();
    return this.deps.hosts.request(context.target, request, keyOf(this.visit));
  }

  private async means(): Promise<{ context: HostContext; platform: Platform }> {
    const { node } = this.visit.work;
    return { context: await contextOf(this.deps, node), platform: platformOf(node.os) };
  }
}

async function observe(deps: WorkerDeps, visit: Visit): Promise<Observation> {
  const { work, full } = visit;
  const context = await contextOf(deps, work.node);
  const platform = platformOf(work.node.os);
  const reply = await deps.hosts.request(context.target, platform.observe(context, full), keyOf(visit));
  return platform.parseObservation(reply.data, context);
}

/** The pinned key; else the one that the approved plan trusted. A host that no plan ever met has none, and is met with none. */
function keyOf({ held, work }: Visit): ExpectedKey {
  return expectedKey(held.pinned ?? work.fingerprint ?? null);
}

function isAway(error: unknown): error is HostError {
  return error instanceof HostError && (error.kind === 'unreachable' || error.kind === 'timeout');
}

/** Of a host that was told to restart: nothing that says that it won't come back as the host that we know, or that another worker has it. */
function mayBeRestarting(error: unknown): error is HostError {
  const passing: readonly HostErrorKind[] = ['unreachable', 'timeout', 'script', 'garbled'];
  return error instanceof HostError && passing.includes(error.kind) && error.detail.code !== 'FENCED';
}

/** Journalled routes that led elsewhere, where one now leads as it should. */
function replacedBy(steps: readonly Step[], owned: readonly Route[]): Route[] {
  const made = new Map(routesOf(steps, 'ensure').map((route) => [route.destination, route.nextHop]));
  return owned.filter(
    ({ destination, nextHop }) => made.has(destination) && made.get(destination) !== nextHop,
  );
}
