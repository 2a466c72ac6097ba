/**
 * One visit to a node for one delivery: the file first, as far as it is not there yet; then the question; then, once it was answered, the
 * switch, looked at twice. Where the new one does not stay up, the former one is put back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ask, answerTo } from '../src/change/ask.js';
import type { HostResult } from '../src/change/change.js';
import type { Work } from '../src/change/work.js';
import { HostError } from '../src/host/host.js';
import type { Held } from '../src/host/host-lease.js';
import { platformOf } from '../src/host/platform.js';
import { redact } from '../src/log.js';
import { deliveredPath } from '../src/plan/deliver.js';
import type { InstalledComponent } from '../src/plan/machine.js';
import type { DeliverPlan, Observation, Step } from '../src/plan/plan.js';
import { isSetUpAs, stepHolds } from '../src/plan/step.js';
import {
  delivered,
  deliveredOnly,
  sayNotKept,
  sayOtherSince,
  sayPutBack,
  sayUnstable,
  switching,
} from '../src/words/deliver.js';
import { sayOutOfReach } from '../src/words/trouble.js';
import { bringBinary, type Errand, isCancelled } from './bring-binary.js';
import type { WorkerDeps } from './deps.js';
import { contextOf } from './read-hosts.js';
import { Teller } from './teller.js';
import { Visitor } from './visitor.js';

type ComponentStep = Extract<Step, { kind: 'component' }>;
type Result = Omit<HostResult, 'host' | 'at'>;

const MINUTE = 60_000;
/** For as long a node may be away in the midst of it. */
const AWAY_MS = 15 * MINUTE;
const PAUSE_MS = 2_000;
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
      if (await isCancelled(deps, work)) return { status: 'cancelled' };
      await sleep(PAUSE_MS);
    }
  }
}

class Delivery {
  private readonly teller: Teller;
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
      const visitor = await this.open();
      if (!this.isSwitched(component, visitor.observed)) return { status: 'unchanged' };
      // First: whoever takes over from here on may find the host switched back already, and nothing left to do.
      await this.keep(component);
      const why = await this.switchTo(component, visitor);
      return why === null
        ? { status: 'done' }
        : { status: 'failed', error: sayUnstable(component.component, why) };
    }
    const binary = work.steps.find((step) => step.kind === 'binary');
    if (!binary) return { status: 'unchanged' };
    const brought = await bringBinary(this.deps, this.errand(heard), binary);
    if (typeof brought !== 'string') return brought;
    this.isCopied ||= brought === 'copied';
    if (!component) return { status: 'done', note: deliveredOnly(plan.built) };
    const ask: Ask = { kind: 'switch', component: component.component, executable: component.executable };
    const answer = answerTo(ask, work.answers ?? []);
    const visitor = await this.open();
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
    const installed = installedOf(visitor.observed, component);
    // Somebody took it away meanwhile: nothing is installed that nobody asked for. Nor is undone what somebody else did to it.
    if (!installed || !former) return { status: 'failed', error: sayNotKept(component.component) };
    if (!isSetUpAs(former, installed) && !isSetUpAs(component, installed))
      return { status: 'failed', error: sayOtherSince(component.component) };
    const why = await this.switchTo(component, visitor);
    if (why === null) {
      await this.keep(component);
      return { status: 'done', note: delivered(plan.built) };
    }
    const still = await this.switchTo(former);
    return { status: 'failed', error: sayPutBack(component.component, why, still) };
  }

  /** Whether the node runs what this delivery brought, or is on its way back from it. Another delivery's switch is not this one's to undo. */
  private isSwitched(former: ComponentStep, observed: Observation): boolean {
    const installed = installedOf(observed, former);
    if (!installed?.ours) return false;
    const isOurs = installed.executable === deliveredPath(this.plan.built);
    return isOurs || (isSetUpAs(former, installed) && !stepHolds(former, observed));
  }

  private errand(heard: () => void): Errand {
    const { work, held, plan, teller } = this;
    const freeBytes = async () => (await this.open()).observed.windows?.machine.freeBytes ?? 0;
    return { work, held, plan, teller, heard, freeBytes, nodeKey: this.nodeKey() };
  }

  /** Null once the process of that executable runs and stays; else why not. `opened`: the visit that has just read the node, if any did. */
  private async switchTo(step: ComponentStep, opened?: Visitor): Promise<string | null> {
    const { deps, work } = this;
    const { name } = work.node;
    await this.teller.tell(switching(step.component, step.executable));
    await deps.watch.expect(name, step.component, 'restart');
    try {
      const visitor = opened ?? (await this.open());
      if (!stepHolds(step, visitor.observed)) await visitor.apply([step]);
      if (!stepHolds(step, visitor.observed)) return redact(visitor.printed) || step.executable;
      const first = await this.process(step);
      await sleep(SECOND_LOOK_MS);
      const second = await this.process(step);
      if (first === null || first !== second) return sayUnstable(step.component, '');
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

  private open(): Promise<Visitor> {
    const { deps, work, held } = this;
    const tell = (doing: string) => this.teller.tell(doing);
    return Visitor.open(deps, { work, full: true, held, tell }, null, false);
  }

  private nodeKey(): { fingerprint: string } {
    return { fingerprint: this.held.pinned ?? this.work.fingerprint ?? 'none' };
  }
}

function installedOf({ windows }: Observation, { component }: ComponentStep): InstalledComponent | null {
  return windows?.machine.components[component] ?? null;
}
