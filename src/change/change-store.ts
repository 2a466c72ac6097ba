/** Changes in Redis. A change is written by compare-and-set only, its plan together with the seal; its hosts' results one field each. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { Due } from '../due.js';
import { Refusal } from '../errors.js';
import type { Cidr } from '../ip.js';
import type { Plan } from '../plan/plan.js';
import type { Keys, Script } from '../redis.js';
import { prepareScript } from '../redis.js';
import { AuditLog } from './audit-log.js';
import { type AuditEvent, auditText } from './audit-record.js';
import type { Card, Change, HostResult } from './change.js';
import { ParsedPlans } from './parsed-plans.js';
import { slicesMoving } from './subject.js';
import { HANDS_OFF_STATES, OPEN_STATES } from './transition.js';

/** A change that moved between reading and writing it is read again, this often; each loss means that another writer won. */
const ATTEMPTS = 50;

/** In place of a node's name, which has no star. */
const EVERY_NODE = '*';

/** Plans and results of changes that are over stay readable this long: long enough for a quarter's review. In seconds. */
const KEPT_FOR_S = 120 * 24 * 3600;

/** Slices whose routes were moved; `joined`: those of nodes that joined or left. */
export interface Moves {
  all: ReadonlySet<Cidr>;
  joined: ReadonlySet<Cidr>;
}

const lua = readFileSync(new URL('./change.lua', import.meta.url), 'utf8');

/** What is written in the same stroke as a change: all of it, or nothing. */
export interface Alongside {
  /** What goes on record about it. */
  record?: (stored: Change) => readonly AuditEvent[];
  /** The plan that is offered for approval. Written once: what was approved stays readable as it was. */
  sealed?: Plan;
  /** The plan that runs, where pairs came to the sealed one. */
  running?: Plan;
  results?: readonly HostResult[];
  /** The host whose key is forgotten: it is no member any more, and whoever has the name next is met anew. */
  unpin?: string;
}

interface NewChange {
  /** What no other open change may do meanwhile; empty: anything. */
  does: string;
  /** The open change that may do it all the same. */
  beside: string;
}

export class ChangeStore {
  private readonly redis: Redis;
  private readonly keys: Keys;
  private readonly audit: AuditLog;
  private readonly saveScript: Script;
  private readonly due: Due;
  private readonly plans = new ParsedPlans();

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
    this.audit = new AuditLog(redis, keys);
    this.saveScript = prepareScript(redis, lua);
    this.due = new Due(redis, keys.dueCards);
  }

  /** The next change id, `c1`, `c2`, …: short, because people type it. */
  async nextId(): Promise<string> {
    return `c${await this.redis.incr(this.keys.changeCounter)}`;
  }

  /**
   * Stores a new change. There is one open repair of a node at a time (and one of all), one removal, one build of a version, and one
   * delivery of a component, however many ask: then its id
   * is the answer, and nothing was stored. One that merely waits for hosts that are owed something keeps nobody from another. Else null.
   */
  async create(change: Change, now: Date, alongside: Alongside = {}): Promise<string | null> {
    const does = exclusive(change);
    const before = does === '' ? null : await this.redis.hget(this.keys.newestChanges, does);
    const beside = before !== null && (await this.load(before))?.state === 'owing' ? before : '';
    const written = await this.write({ ...change, version: 1 }, 0, now, alongside, { does, beside });
    if (typeof written === 'string') return written;
    if (!written) throw new Error(`change ${change.id} exists already`);
    await this.redis.zadd(this.keys.changes, now.getTime(), change.id);
    return null;
  }

  /** The last repair that was asked for of a node, or of all; null when there was none. */
  async newestRepair(node: string = EVERY_NODE): Promise<Change | null> {
    const id = await this.redis.hget(this.keys.newestChanges, `repair ${node}`);
    return id === null ? null : this.load(id);
  }

  /** The change, or null. */
  async load(id: string): Promise<Change | null> {
    const text = await this.redis.get(this.keys.change(id));
    return text === null ? null : (JSON.parse(text) as Change);
  }

  /** Those of the changes that there are. */
  async loadAll(ids: readonly string[]): Promise<Change[]> {
    if (ids.length === 0) return [];
    const texts = await this.redis.mget(ids.map((id) => this.keys.change(id)));
    return texts.flatMap((text) => (text === null ? [] : (JSON.parse(text) as Change)));
  }

  /** The change; throws the Refusal `change-unknown`. */
  async get(id: string): Promise<Change> {
    const change = await this.load(id);
    if (change === null) throw new Refusal('change-unknown', { id });
    return change;
  }

  /**
   * Moves a change by a pure function of what is stored, however many try at once: each is applied to the result of the one
   * before. The function's Refusals pass through; the same object back means that nothing is to be written. Returns what is stored then.
   */
  async update(
    id: string,
    move: (change: Change) => Change,
    now: Date,
    alongside: Alongside = {},
  ): Promise<Change> {
    return (await this.tryMove(id, move, now, alongside)).change;
  }

  /** The same for whoever has to know whether it was this call that moved it: null when nothing was to be written. */
  async moveOnce(
    id: string,
    move: (change: Change) => Change,
    now: Date,
    alongside: Alongside = {},
  ): Promise<Change | null> {
    const { change, moved } = await this.tryMove(id, move, now, alongside);
    return moved ? change : null;
  }

  /** Remembers one more message that shows the change. */
  async addCard(id: string, card: Card): Promise<void> {
    await this.update(id, (change) => ({ ...change, cards: [...change.cards, card] }), new Date());
  }

  /** Forgets messages that Slack no longer lets us edit. */
  async forgetCard(id: string, card: Card): Promise<void> {
    const others = (change: Change) =>
      change.cards.filter((each) => each.ts !== card.ts || each.channel !== card.channel);
    await this.update(id, (change) => ({ ...change, cards: others(change) }), new Date());
  }

  /**
   * Ids of changes whose cards are behind what is stored, as far as is known: whoever wrote a change may have died before its card was
   * asked for.
   */
  dueCards(): Promise<string[]> {
    return this.due.ids();
  }

  /** Every copy of the card shows this version, or there is none to show. */
  async cardShown(id: string, version: number): Promise<void> {
    await this.due.shown(id, version);
  }

  /** Ids of the changes that are not finished, oldest first. */
  async openIds(): Promise<string[]> {
    const ids = await this.redis.smembers(this.keys.openChanges);
    return ids.sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
  }

  /** The newest changes, newest first. */
  async latest(count: number): Promise<Change[]> {
    const ids = await this.redis.zrevrange(this.keys.changes, 0, count - 1);
    return this.loadAll(ids);
  }

  /** The open changes, oldest first. */
  async open(): Promise<Change[]> {
    return this.loadAll(await this.openIds());
  }

  /**
   * Slices that other changes moved since the instant: routes there may have come or gone by our own hand. The slice of a node that
   * joins or leaves is that change's own, whoever moved it: a route that came back there would never be taken away.
   */
  async movedSince(since: Date, change: Change): Promise<Moves> {
    const own = slicesMoving(change);
    const others = (await this.movesOfOthers(since, change)).filter(({ podCidr }) => !own.includes(podCidr));
    const slices = (list: typeof others) => new Set(list.map(({ podCidr }) => podCidr));
    return { all: slices(others), joined: slices(others.filter(({ joined }) => joined)) };
  }

  /** Ids of the other changes that moved routes since the instant, or were about to. */
  async movers(since: Date, change: Change): Promise<string[]> {
    return [...new Set((await this.movesOfOthers(since, change)).flatMap(({ id }) => id ?? []))];
  }

  private async movesOfOthers(since: Date, { id: own }: Change) {
    const texts = await this.redis.zrangebyscore(this.keys.movedCidrs, since.getTime(), '+inf');
    const moves = texts.map((text) => {
      const [podCidr = '', id, repair] = text.split(' ');
      return { podCidr, id, joined: repair === undefined };
    });
    return moves.filter(({ id }) => id !== own);
  }

  /** The plan that runs, or null before there is one: the sealed one, with the pairs that came to it at the gate. */
  async plan(id: string): Promise<Plan | null> {
    const [running, sealed] = await this.redis.mget(
      this.keys.changePlanRunning(id),
      this.keys.changePlan(id),
    );
    const text = running ?? sealed ?? null;
    return text === null ? null : this.plans.parse(id, text);
  }

  /** The plan as it was sealed and approved, or null before there is one. */
  async sealedPlan(id: string): Promise<Plan | null> {
    const text = await this.redis.get(this.keys.changePlan(id));
    return text === null ? null : this.plans.parse(id, text);
  }

  /** How the hosts of a change stand, by host. */
  async results(id: string): Promise<Map<string, HostResult>> {
    const fields = await this.redis.hgetall(this.keys.changeHosts(id));
    return new Map(Object.entries(fields).map(([host, text]) => [host, JSON.parse(text) as HostResult]));
  }

  /** How one host of a change stands; null when it has no part in it. */
  async result(id: string, host: string): Promise<HostResult | null> {
    const text = await this.redis.hget(this.keys.changeHosts(id), host);
    return text === null ? null : (JSON.parse(text) as HostResult);
  }

  async setResults(id: string, results: readonly HostResult[]): Promise<void> {
    if (results.length === 0) return;
    const fields = Object.fromEntries(results.map((result) => [result.host, JSON.stringify(result)]));
    await this.redis.hset(this.keys.changeHosts(id), fields);
  }

  private async tryMove(
    id: string,
    move: (change: Change) => Change,
    now: Date,
    alongside: Alongside,
  ): Promise<{ change: Change; moved: boolean }> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const before = await this.get(id);
      const after = move(before);
      if (after === before) return { change: before, moved: false };
      const next = { ...after, version: before.version + 1 };
      if ((await this.write(next, before.version, now, alongside)) === true)
        return { change: next, moved: true };
    }
    throw new Error(`change ${id} kept moving`);
  }

  /** False when somebody else was first; the id of the change that does already what a new one is to do. */
  private async write(
    change: Change,
    expected: number,
    now: Date,
    alongside: Alongside,
    { does, beside }: NewChange = { does: '', beside: '' },
  ): Promise<boolean | string> {
    const open = OPEN_STATES.includes(change.state) ? 1 : 0;
    const moved = HANDS_OFF_STATES.includes(change.state) ? [] : movesOf(change);
    const events = (alongside.record?.(change) ?? []).map(auditText);
    const results = (alongside.results ?? []).flatMap((result) => [result.host, JSON.stringify(result)]);
    // The script finds the version by its first mention, so it goes first.
    const { version, ...rest } = change;
    const text = JSON.stringify({ version, ...rest });
    const planText = (plan?: Plan) => (plan ? JSON.stringify(plan) : '');
    const { openChanges, movedCidrs, newestChanges, auditPending } = this.keys;
    const { changePlan, changePlanRunning, changeHosts } = this.keys;
    const written = await this.saveScript(
      [
        ...[this.keys.change(change.id), openChanges, movedCidrs, newestChanges],
        ...[changePlan, changePlanRunning, changeHosts].map((key) => key(change.id)),
        ...[auditPending, this.keys.dueCards, this.keys.hostKeys],
      ],
      [
        ...[expected, text, change.id, open, now.getTime(), now.getTime() - KEPT_FOR_S * 1000],
        ...[does, beside, KEPT_FOR_S, planText(alongside.sealed), planText(alongside.running)],
        alongside.unpin ?? '',
        ...[moved, events, results].flatMap((list) => [list.length, ...list]),
      ],
    );
    if (events.length > 0) await this.audit.flush();
    return typeof written === 'string' ? written : written === 1;
  }
}

/** What a change does that no other open one may do meanwhile. Of two additions of a node the address book lets one in. */
function exclusive(change: Change): string {
  switch (change.kind) {
    case 'add-node':
      return '';
    case 'remove-node':
      return `remove ${change.node.name}`;
    case 'repair':
      return `repair ${change.node?.name ?? EVERY_NODE}`;
    case 'adopt':
      return '';
    case 'build':
      return `build ${change.build.component} ${change.build.version}`;
    case 'deliver':
      return `deliver ${change.deliver.component}`;
  }
}

/** The slices whose routes a change moves, as they are stored. */
function movesOf(change: Change): string[] {
  if (change.kind !== 'repair') return slicesMoving(change).map((podCidr) => `${podCidr} ${change.id}`);
  return (change.moves ?? []).map((podCidr) => `${podCidr} ${change.id} repair`);
}
