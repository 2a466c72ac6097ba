/**
 * One visit to the build host for one build. The build goes on there by itself: whoever visits starts it or joins it, follows its log, and
 * brings home what comes of it. So neither a connection that breaks nor a worker that dies loses anything.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostResult } from '../src/change/change.js';
import type { Work } from '../src/change/work.js';
import { type BuildNews, jobRequest, parseJob } from '../src/host/build.js';
import { HostError } from '../src/host/host.js';
import type { Held } from '../src/host/host-lease.js';
import { redact } from '../src/log.js';
import type { BuildSpec, Built } from '../src/plan/build.js';
import { buildFailed, building, buildLost, buildStarts, buildWaits, endOfLog } from '../src/words/build.js';
import { sayOutOfReach, sayStillAtIt } from '../src/words/trouble.js';
import { builderTarget } from './build-host.js';
import type { WorkerDeps } from './deps.js';
import { expectedKey } from './read-hosts.js';
import { Teller } from './teller.js';

const MINUTE = 60_000;
/** A machine that restarts, with updates to finish, is away for less. (windows.md H) */
const AWAY_MS = 15 * MINUTE;
/** Kubernetes on two cores takes below an hour; this is when a build that hangs is let go. */
const BUILD_MS = 4 * 60 * MINUTE;
/** Between two looks. */
const PAUSE_MS = 1_000;
/** Slack allows 50 edits a minute for a workspace: a log may have a third of them. */
const TELL_MS = 4_000;
/** Kept of the end of a log, for the card. */
const TAIL_BYTES = 4_096;

/** What the build host came to. Throws HostError when it can't be asked, or the build is lost. */
export async function buildOnHost(
  deps: WorkerDeps,
  work: Work,
  held: Held,
): Promise<Omit<HostResult, 'host' | 'at'>> {
  const [step] = work.steps;
  if (step?.kind !== 'build') throw new Error(`${work.changeId} has no build`);
  return new Follower(deps, work, step, held).follow();
}

class Follower {
  private from = 0;
  private tail = '';
  private toldAt = 0;
  private readonly teller: Teller;
  private readonly deps: WorkerDeps;
  private readonly work: Work;
  private readonly spec: BuildSpec;
  private readonly held: Held;

  constructor(deps: WorkerDeps, work: Work, spec: BuildSpec, held: Held) {
    this.deps = deps;
    this.work = work;
    this.spec = spec;
    this.held = held;
    this.teller = new Teller(deps, work.node.name, [work]);
  }

  async follow(): Promise<Omit<HostResult, 'host' | 'at'>> {
    const { name } = this.work.node;
    await this.takeUp();
    const until = Date.now() + BUILD_MS;
    let heardAt = Date.now();
    while (Date.now() < until) {
      try {
        const news = await this.ask();
        heardAt = Date.now();
        if (news.state !== 'running' && news.state !== 'waiting' && !news.more) return this.conclude(news);
        await this.tell(news.state === 'waiting' ? buildWaits : building(this.spec));
        if (!news.more) await sleep(PAUSE_MS);
      } catch (error) {
        if (isLost(error)) return { status: 'failed', error: buildLost, tail: redact(endOfLog(this.tail)) };
        if (!isAway(error)) throw error;
        if (Date.now() - heardAt > AWAY_MS)
          throw new HostError('unreachable', name, sayOutOfReach(AWAY_MS / MINUTE, error.message));
        await sleep(PAUSE_MS);
      }
    }
    // Left alone it would stand in the way of every other build.
    await this.ask(true);
    throw new HostError('timeout', name, sayStillAtIt(BUILD_MS / MINUTE));
  }

  /** Goes on where a visit before was; else this one is the first of its run. */
  private async takeUp(): Promise<void> {
    const { changeId, node } = this.work;
    const before = await this.deps.changes.result(changeId, node.name);
    if (before?.doing === undefined) await this.deps.builds.clearLog(changeId);
    this.from = await this.deps.builds.logSize(changeId);
    this.tail = await this.deps.builds.logEnd(changeId, TAIL_BYTES);
    // Said before it is begun: whoever cancels from now on has it ended there.
    if (before?.doing === undefined) await this.teller.tell(buildStarts);
  }

  /** `ends`: it is to be ended; else only when somebody cancelled the change. */
  private async ask(ends = false): Promise<BuildNews> {
    const { deps, work, spec, held } = this;
    const { changeId, node, run = '' } = work;
    const { cancelRequestedBy } = await deps.changes.get(changeId);
    const request = jobRequest(spec, {
      ...{ id: `${changeId}-${run}`, from: this.from, fence: held.fence },
      cancel: ends || cancelRequestedBy !== undefined,
    });
    const key = expectedKey(held.pinned ?? work.fingerprint);
    const { data } = await deps.hosts.request(builderTarget(node), request, key);
    const news = parseJob(data, node.name);
    await deps.builds.addLog(changeId, this.from, news.log);
    this.from += news.log.length;
    this.tail = (this.tail + news.log.toString('utf8')).slice(-TAIL_BYTES);
    return news;
  }

  private async tell(doing: string): Promise<void> {
    if (Date.now() - this.toldAt < TELL_MS) return;
    this.toldAt = Date.now();
    await this.teller.tell(doing, redact(endOfLog(this.tail)));
  }

  private async conclude({ state, made, code = '' }: BuildNews): Promise<Omit<HostResult, 'host' | 'at'>> {
    const tail = redact(endOfLog(this.tail));
    if (state === 'cancelled') return { status: 'cancelled', tail };
    if (made === undefined) return { status: 'failed', error: buildFailed(code), tail };
    const { changeId, node } = this.work;
    const { component, version, source, commit } = this.spec;
    const { reused, ...file } = made;
    const known = (await this.deps.builds.all()).find(
      (each) => each.sha256 === file.sha256 && each.commit === commit && each.component === component,
    );
    const askedAt = new Date().toISOString();
    const built: Built = {
      ...{ component, version, source, commit, host: node.address, ...file },
      // Whoever built it first has the honour.
      ...{ at: known?.at ?? askedAt, changeId: known?.changeId ?? changeId, askedAt },
    };
    await this.deps.builds.record(built);
    return { status: reused ? 'unchanged' : 'done', built: { ...built, reused } };
  }
}

/** It ended, and has not said how. */
function isLost(error: unknown): boolean {
  return error instanceof HostError && error.detail.code === 'JOB-LOST';
}

function isAway(error: unknown): error is HostError {
  return error instanceof HostError && (error.kind === 'unreachable' || error.kind === 'timeout');
}
