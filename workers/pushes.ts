/** Hosts that tell us by themselves when a process ends. Only a short cut: the look that follows is the truth, and the sweep goes on. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { ExpectedKey, HostPool, HostTarget, HostWatch } from '../src/host/host.js';
import { HostError } from '../src/host/host.js';
import { Component } from '../src/node/component.js';
import type { Probe } from '../src/plan/probe.js';
import type { Keys } from '../src/redis.js';

/** A worker that dies is replaced as a host's listener after at most this long. */
const LEASE_MS = 90_000;
const RENEW_MS = 30_000;
/** A host that can't tell is asked again after this: perl may have been installed. */
const CANNOT_MS = 10 * 60_000;

type Pids = Partial<Record<Component, number>>;

interface Ear {
  pids: string;
  watch: HostWatch | null;
}

export class Pushes {
  private readonly id = randomUUID();
  private readonly ears = new Map<string, Ear>();
  private readonly cannot = new Map<string, number>();
  private readonly renewal: NodeJS.Timeout;
  private isClosed = false;
  private readonly redis: Redis;
  private readonly keys: Keys;
  private readonly hosts: Pick<HostPool, 'watch'>;
  private readonly members: () => Promise<readonly string[]>;
  private readonly onGone: (host: string) => void;

  /** `members`: who is listened to at all; `onGone`: something of the host ended, so it is worth a look. */
  constructor(
    redis: Redis,
    keys: Keys,
    hosts: Pick<HostPool, 'watch'>,
    members: () => Promise<readonly string[]>,
    onGone: (host: string) => void,
  ) {
    this.redis = redis;
    this.keys = keys;
    this.hosts = hosts;
    this.members = members;
    this.onGone = onGone;
    // A lease that runs out only lets another worker listen too; and the next turn drops who left.
    this.renewal = setInterval(() => void this.renew().catch(() => undefined), RENEW_MS);
    this.renewal.unref();
  }

  /** Sees to it that some worker listens to these processes of the host. */
  async keep(target: HostTarget, key: ExpectedKey, processes: Probe['processes']): Promise<void> {
    const { name } = target;
    const pids: Pids = Object.fromEntries(
      Component.options.flatMap((component) => {
        const seen = processes[component];
        return seen ? [[component, seen.pid] as const] : [];
      }),
    );
    const text = JSON.stringify(pids);
    const ear = this.ears.get(name);
    if (this.isClosed || text === '{}' || ear?.pids === text) return;
    if (Date.now() < (this.cannot.get(name) ?? 0)) return;
    if (!ear && (await this.redis.set(this.keys.pushLease(name), this.id, 'PX', LEASE_MS, 'NX')) !== 'OK')
      return;
    ear?.watch?.close();
    const fresh: Ear = { pids: text, watch: null };
    this.ears.set(name, fresh);
    try {
      fresh.watch = await this.hosts.watch(target, key, pids, () => this.ended(name, fresh));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    }
    if (fresh.watch === null && this.ears.get(name) === fresh) {
      this.cannot.set(name, Date.now() + CANNOT_MS);
      await this.drop(name);
    }
    // Opening took its time: meanwhile it may have been overtaken.
    if (this.isClosed || this.ears.get(name) !== fresh) fresh.watch?.close();
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.renewal);
    for (const { watch } of this.ears.values()) watch?.close();
  }

  private ended(name: string, ear: Ear): void {
    if (this.ears.get(name) !== ear || this.isClosed) return;
    ear.watch?.close();
    this.drop(name).catch(() => undefined);
    this.onGone(name);
  }

  /** Whoever looks at the host next may listen to it. */
  private async drop(name: string): Promise<void> {
    this.ears.delete(name);
    await this.redis.del(this.keys.pushLease(name));
  }

  /** Keeps the leases of members, and listens no more to whoever left: its connection would stay open for that. */
  async renew(): Promise<void> {
    const members = new Set(await this.members());
    for (const [name, ear] of this.ears)
      if (!members.has(name)) {
        ear.watch?.close();
        await this.drop(name);
      }
    const batch = this.redis.pipeline();
    for (const name of this.ears.keys()) batch.pexpire(this.keys.pushLease(name), LEASE_MS);
    await batch.exec();
  }
}
