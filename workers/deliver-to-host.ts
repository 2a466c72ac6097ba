/**
 * One visit to a node for one delivery: the file first, as far as it is not there yet; then the question; then, once it was answered, the
 * switch, looked at twice. Where the new one does not stay up, the former one is put back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ask, answerTo } from '../src/change/ask.js';
import type { HostResult } from '../src/change/change.js';
import type { Work } from '../src/change/work.js';
import { binaryRequest, parseBinary, partPath } from '../src/host/binary.js';
import { parseSum, sumRequest } from '../src/host/build.js';
import { HostError } from '../src/host/host.js';
import type { Held } from '../src/host/host-lease.js';
import { platformOf } from '../src/host/platform.js';
import { redact } from '../src/log.js';
import type { BinarySpec, DeliverPlan, Step } from '../src/plan/plan.js';
import { stepHolds } from '../src/plan/step.js';
import { FAIRWAY } from '../src/principal.js';
import {
  delivered,
  deliveredOnly,
  sayBrokenOff,
  sayCopied,
  sayNoRoom,
  sayNotKept,
  sayPutBack,
  sayUnstable,
  switching,
} from '../src/words/deliver.js';
import { sayOutOfReach } from '../src/words/trouble.js';
import { builderTarget } from './build-host.js';
import type { WorkerDeps } from './deps.js';
import { contextOf, expectedKey } from './read-hosts.js';
import { Teller } from './teller.js';
import { Visitor } from './visitor.js';

type ComponentStep = Extract<Step, { kind: 'component' }>;
type Result = Omit<HostResult, 'host' | 'at'>;

const MINUTE = 60_000;
/** For as long a node may be away in the midst of it. */
const AWAY_MS = 15 * MINUTE;
const PAUSE_MS = 2_000;
/** Slack allows 50 edits a minute for a workspace. */
const TELL_MS = 4_000;
/** What Windows itself needs to stay well, beside the file. */
const SPARE_BYTES = 512 * 1024 ** 2;
/** After the script has seen the process stable for 8 s; what waits for the API server ends later than what is broken. */
const SECOND_LOOK_MS = 5_000;

/** How the node stands then. Throws HostError. */
export async function deliverToHost(deps: WorkerDeps, work: Work, held: Held): Promise<Result> {
  const plan = await deps.changes.plan(work.changeId);
  if (plan?.kind !== 'deliver') throw new Error(`${work.changeId} has no delivery`);
  const delivery = new Delivery(deps, work, held, plan);
  let heardAt = Date.now();
  for (;;) {
    try {
      return await delivery.run(() => {
        heardAt = Date.now();
      });
    } catch (error) {
      if (!(error instanceof HostError) || !['unreachable', 'timeout'].includes(error.kind)) throw error;
      if (Date.now() - heardAt > AWAY_MS)
        throw new HostError('unreachable', error.host, sayOutOfReach(AWAY_MS / MINUTE, error.message));
      if (await delivery.isCancelled()) return { status: 'cancelled' };
      await sleep(PAUSE_MS);
    }
  }
}

class Delivery {
  private readonly teller: Teller;
  private toldAt = 0;
  private isCopied = false;
  private readonly deps: WorkerDeps;
  private readonly work: Work;
  private readonly held: Held;
  private readonly plan: DeliverPlan;

  constructor(deps: WorkerDeps, work: Work, held: Held, plan: DeliverPlan) {
    this.deps = deps;
    this.work = work;
    this.held = held;
    this.plan = plan;
    this.teller = new Teller(deps, work.node.name, [work]);
  }

  /** All of it, from wherever it is by now. `heard`: the node, or the build host, has answered. */
  async run(heard: () => void): Promise<Result> {
    const { work, plan } = this;
    const component = work.steps.find((step) => step.kind === 'component');
    if (work.direction === 'undo') {
      if (!component) return { status: 'unchanged' };
      const why = await this.switchTo(component);
      return why === null
        ? { status: 'done' }
        : { status: 'failed', error: sayUnstable(component.component, why) };
    }
    const binary = work.steps.find((step) => step.kind === 'binary');
    if (!binary) return { status: 'unchanged' };
    const copied = await this.bring(binary, heard);
    if (copied !== null) return copied;
    if (!component) return { status: 'done', note: deliveredOnly(plan.built) };
    const ask: Ask = { kind: 'switch', component: component.component, executable: component.executable };
    const answer = answerTo(ask, work.answers ?? []);
    const visitor = await this.open();
    const { machine } = visitor.observed.windows ?? {};
    const holds = stepHolds(component, visitor.observed);
    if (!holds && answer === null) return { status: 'asking', ask };
    if (answer === 'no') return { status: 'done', note: deliveredOnly(plan.built) };
    if (holds && answer === null) {
      await this.keep(component);
      return { status: this.isCopied ? 'done' : 'unchanged', note: delivered(plan.built) };
    }
    const former = plan.hosts
      .find(({ host }) => host === work.node.name)
      ?.undo.find((step) => step.kind === 'component');
    // Somebody took it away meanwhile: nothing is installed that nobody asked for.
    if (!machine?.components[component.component] || !former)
      return { status: 'failed', error: sayNotKept(component.component) };
    const why = await this.switchTo(component);
    if (why === null) return { status: 'done', note: delivered(plan.built) };
    const still = await this.switchTo(former);
    return { status: 'failed', error: sayPutBack(component.component, why, still) };
  }

  async isCancelled(): Promise<boolean> {
    return (await this.deps.changes.get(this.work.changeId)).cancelRequestedBy !== undefined;
  }

  /** Copies what is missing of the file. Null once it is there with the right sum. */
  private async bring(binary: BinarySpec, heard: () => void): Promise<Result | null> {
    const { deps, work, plan } = this;
    const { name } = work.node;
    const seen = await this.binary(binary, 'look');
    heard();
    if (seen.sha256 === binary.sha256) return null;
    const free = (await this.open()).observed.windows?.machine.freeBytes ?? 0;
    if (free < binary.size - seen.partBytes + SPARE_BYTES)
      return { status: 'failed', error: sayNoRoom(name, free, binary.size) };
    let offset = await this.goodPart(binary, seen);
    heard();
    if (offset < binary.size) {
      const { target } = await contextOf(deps, work.node);
      const from = {
        target: builderTarget(plan.builder),
        key: await this.builderKey(),
        path: plan.built.path,
      };
      const to = { target, key: this.nodeKey(), path: partPath(binary) };
      try {
        const isWhole = await deps.hosts.copy(from, to, offset, (bytes) => {
          heard();
          offset = bytes;
          return this.told(bytes, binary.size);
        });
        if (!isWhole) return { status: 'cancelled' };
      } catch (error) {
        if (!(error instanceof HostError) || error.detail.code !== 'SFTP') throw error;
        const { message } = error;
        return {
          status: 'failed',
          error: sayBrokenOff(name, plan.builder.name, offset, binary.size, redact(message)),
        };
      }
    }
    await this.binary(binary, 'finish');
    this.isCopied = true;
    return null;
  }

  /** How many bytes are there already that are the file's own. */
  private async goodPart(
    { size }: BinarySpec,
    { partBytes, partSha256 }: { partBytes: number; partSha256: string | null },
  ) {
    if (partBytes === 0 || partBytes > size) return 0;
    const { deps, plan } = this;
    const request = sumRequest(plan.built.path, partBytes);
    const { data } = await deps.hosts.request(builderTarget(plan.builder), request, await this.builderKey());
    return parseSum(data, plan.builder.name) === partSha256 ? partBytes : 0;
  }

  private isEnding = false;

  /** Shows on the card how far it is. False: somebody wants it to end. */
  private told(bytes: number, size: number): boolean {
    if (Date.now() - this.toldAt >= TELL_MS) {
      this.toldAt = Date.now();
      void this.teller.tell(sayCopied(bytes, size)).catch(() => undefined);
      void this.isCancelled().then(
        (is) => {
          this.isEnding ||= is;
        },
        () => undefined,
      );
    }
    return !this.isEnding;
  }

  /** Null once the process of that executable runs and stays; else why not. */
  private async switchTo(step: ComponentStep): Promise<string | null> {
    const { deps, work } = this;
    const { name } = work.node;
    await this.teller.tell(switching(step.component, step.executable));
    await deps.watch.expect(name, step.component, 'restart', FAIRWAY);
    try {
      const visitor = await this.open();
      if (!stepHolds(step, visitor.observed)) await visitor.apply([step]);
      if (!stepHolds(step, visitor.observed)) return redact(visitor.printed) || step.executable;
      const first = await this.process(step);
      await sleep(SECOND_LOOK_MS);
      const second = await this.process(step);
      if (first === null || first !== second) return sayUnstable(step.component, '');
      await this.keep(step);
      return null;
    } catch (error) {
      if (!(error instanceof HostError) || error.kind !== 'script') throw error;
      return redact(error.message);
    } finally {
      await deps.watch.expectNoMore(name, step.component);
      await deps.jobs.look([name]);
    }
  }

  /** From now on this is what the inventory wants to run there, so no repair takes it back. */
  private async keep({ component, executable }: ComponentStep): Promise<void> {
    const { deps, work } = this;
    const node = (await deps.nodes.read()).nodes.find((member) => member.name === work.node.name);
    if (!node) return;
    await deps.nodes.add({ ...node, executables: { ...node.executables, [component]: executable } });
  }

  /** The running process, as one word; null when there is none. */
  private async process({ component }: ComponentStep): Promise<string | null> {
    const { deps, work } = this;
    const context = await contextOf(deps, work.node);
    const platform = platformOf(work.node.os);
    const { data } = await deps.hosts.request(context.target, platform.probe(context), this.nodeKey());
    const seen = platform.parseProbe(data, context).processes[component];
    return seen && `${seen.pid} ${seen.started}`;
  }

  private async binary(binary: BinarySpec, action: 'look' | 'finish') {
    const { deps, work, held } = this;
    const { target } = await contextOf(deps, work.node);
    const request = binaryRequest(binary, action, held.fence);
    const { data } = await deps.hosts.request(target, request, this.nodeKey());
    return parseBinary(data, work.node.name);
  }

  private open(): Promise<Visitor> {
    const { deps, work, held } = this;
    const tell = (doing: string) => this.teller.tell(doing);
    return Visitor.open(deps, { work, full: true, held, tell }, null, false);
  }

  private nodeKey(): { fingerprint: string } {
    return { fingerprint: this.held.pinned ?? this.work.fingerprint ?? 'none' };
  }

  private async builderKey(): Promise<{ fingerprint: string }> {
    const key = expectedKey(await this.deps.hostKeys.pinned(this.plan.builder.name));
    return key === 'any' ? { fingerprint: 'none' } : key;
  }
}
