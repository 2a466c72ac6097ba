/** Changes in Redis. A change is written by compare-and-set only; its plan once; its hosts' results one field each. */
import type { Redis } from 'ioredis';
import { Refusal } from '../errors.js';
import type { Plan } from '../plan/plan.js';
import type { Keys, Script } from '../redis.js';
import { prepareScript } from '../redis.js';
import type { Card, Change, HostResult } from './change.js';
import { ParsedPlans } from './parsed-plans.js';
import { HANDS_OFF_STATES, OPEN_STATES } from './transition.js';

/** A change that moved between reading and writing it is read again, this often; each loss means that another writer won. */
const ATTEMPTS = 50;

/**
 * Input: KEYS change, openChanges, moved; ARGV expected version (0: must not exist), JSON, id, 1 when open, pod CIDR when routes may have moved, now (ms).
 * Output: 1 when written, 0 when the stored version is another one.
 */
const SAVE = `
local stored = redis.call('GET', KEYS[1])
local version = '0'
if stored then version = string.match(stored, '"version":(%d+)') end
if version ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[4] == '1' then redis.call('SADD', KEYS[2], ARGV[3]) else redis.call('SREM', KEYS[2], ARGV[3]) end
if ARGV[5] ~= '' then redis.call('ZADD', KEYS[3], ARGV[6], ARGV[5]) end
return 1`;

/** Old changes stay readable this long after the last write: long enough for a quarter's review. In seconds. */
const KEPT_FOR_S = 120 * 24 * 3600;

export class ChangeStore {
  private readonly redis: Redis;
  private readonly keys: Keys;
  private readonly saveScript: Script;
  private readonly plans = new ParsedPlans();

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
    this.saveScript = prepareScript(redis, SAVE);
  }

  /** The next change id, `c1`, `c2`, …: short, because people type it. */
  async nextId(): Promise<string> {
    return `c${await this.redis.incr(this.keys.changeCounter)}`;
  }

  /** Stores a new change. */
  async create(change: Change, now: Date): Promise<void> {
    if (!(await this.write({ ...change, version: 1 }, 0, now)))
      throw new Error(`change ${change.id} exists already`);
    await this.redis.zadd(this.keys.changes, now.getTime(), change.id);
  }

  /** The change, or null. */
  async load(id: string): Promise<Change | null> {
    const text = await this.redis.get(this.keys.change(id));
    return text === null ? null : (JSON.parse(text) as Change);
  }

  /** The change; throws the Refusal `change-unknown`. */
  async get(id: string): Promise<Change> {
    const change = await this.load(id);
    if (change === null) throw new Refusal('change-unknown', { id });
    return change;
  }

  /**
   * Moves a change by a pure function of what is stored, however many try at once: each is applied to the result of the one
   * before. The function's Refusals pass through. Returns what was stored; the same object means that nothing was to be written.
   */
  async update(id: string, move: (change: Change) => Change, now: Date): Promise<Change> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const before = await this.get(id);
      const after = move(before);
      if (after === before) return before;
      const next = { ...after, version: before.version + 1 };
      if (await this.write(next, before.version, now)) return next;
    }
    throw new Error(`change ${id} kept moving`);
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

  /** Ids of the changes that are not finished, oldest first. */
  async openIds(): Promise<string[]> {
    const ids = await this.redis.smembers(this.keys.openChanges);
    return ids.sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
  }

  /** The newest changes, newest first. */
  async latest(count: number): Promise<Change[]> {
    const ids = await this.redis.zrevrange(this.keys.changes, 0, count - 1);
    const changes = await Promise.all(ids.map((id) => this.load(id)));
    return changes.filter((change) => change !== null);
  }

  /** The open changes, oldest first. */
  async open(): Promise<Change[]> {
    const changes = await Promise.all((await this.openIds()).map((id) => this.load(id)));
    return changes.filter((change) => change !== null);
  }

  /** Pod CIDRs of changes that moved since the instant: their routes may have come or gone by our own hand. */
  async movedSince(since: Date, except: string): Promise<Set<string>> {
    const cidrs = await this.redis.zrangebyscore(this.keys.movedCidrs, since.getTime(), '+inf');
    return new Set(cidrs.filter((cidr) => cidr !== except));
  }

  async savePlan(id: string, plan: Plan): Promise<void> {
    await this.redis.set(this.keys.changePlan(id), JSON.stringify(plan), 'EX', KEPT_FOR_S);
  }

  /** The sealed plan, or null before there is one. */
  async plan(id: string): Promise<Plan | null> {
    const text = await this.redis.get(this.keys.changePlan(id));
    return text === null ? null : this.plans.parse(id, text);
  }

  /** How the hosts of a change stand, by host. */
  async results(id: string): Promise<Map<string, HostResult>> {
    const fields = await this.redis.hgetall(this.keys.changeHosts(id));
    return new Map(Object.entries(fields).map(([host, text]) => [host, JSON.parse(text) as HostResult]));
  }

  async setResults(id: string, results: readonly HostResult[]): Promise<void> {
    if (results.length === 0) return;
    const fields = Object.fromEntries(results.map((result) => [result.host, JSON.stringify(result)]));
    await this.redis.hset(this.keys.changeHosts(id), fields);
    await this.redis.expire(this.keys.changeHosts(id), KEPT_FOR_S);
  }

  private async write(change: Change, expected: number, now: Date): Promise<boolean> {
    const open = OPEN_STATES.includes(change.state) ? 1 : 0;
    const moved = HANDS_OFF_STATES.includes(change.state) ? '' : change.node.podCidr;
    // The script finds the version by its first mention, so it goes first.
    const { version, ...rest } = change;
    const text = JSON.stringify({ version, ...rest });
    const written = await this.saveScript(
      [this.keys.change(change.id), this.keys.openChanges, this.keys.movedCidrs],
      [expected, text, change.id, open, moved, now.getTime()],
    );
    return written === 1;
  }
}
