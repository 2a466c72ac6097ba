/** Changes in Redis. A change is written by compare-and-set only; its plan once; its hosts' results one field each. */
import type { Redis } from 'ioredis';
import { Refusal } from '../errors.js';
import type { Cidr } from '../ip.js';
import type { Plan } from '../plan/plan.js';
import type { Keys, Script } from '../redis.js';
import { prepareScript } from '../redis.js';
import type { Card, Change, HostResult } from './change.js';
import { ParsedPlans } from './parsed-plans.js';
import { slicesMoving } from './subject.js';
import { HANDS_OFF_STATES, OPEN_STATES } from './transition.js';

/** A change that moved between reading and writing it is read again, this often; each loss means that another writer won. */
const ATTEMPTS = 50;

/**
 * Input: KEYS change, openChanges, moved, repairs; ARGV expected version (0: must not exist), JSON, id, 1 when open, now (ms), since
 * when moves are kept (ms), what a new repair is of (else empty), an open repair of the same that may stay beside it, then the moves
 * that may have begun. Output: 1 when written, 0 when the stored version is another one, or the id of the repair in the way.
 */
const SAVE = `
local stored = redis.call('GET', KEYS[1])
local version = '0'
if stored then version = string.match(stored, '"version":(%d+)') end
if version ~= ARGV[1] then return 0 end
if ARGV[7] ~= '' then
  local other = redis.call('HGET', KEYS[4], ARGV[7])
  if other and other ~= ARGV[8] and redis.call('SISMEMBER', KEYS[2], other) == 1 then return other end
  redis.call('HSET', KEYS[4], ARGV[7], ARGV[3])
end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[4] == '1' then redis.call('SADD', KEYS[2], ARGV[3]) else redis.call('SREM', KEYS[2], ARGV[3]) end
for i = 9, #ARGV do redis.call('ZADD', KEYS[3], ARGV[5], ARGV[i]) end
if #ARGV > 8 then redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[6]) end
return 1`;

/** In place of a node's name, which has no star. */
const EVERY_NODE = '*';

/** Old changes stay readable this long after the last write: long enough for a quarter's review. In seconds. */
const KEPT_FOR_S = 120 * 24 * 3600;

/** Slices whose routes were moved; `joined`: those of nodes that joined or left. */
export interface Moves {
  all: ReadonlySet<Cidr>;
  joined: ReadonlySet<Cidr>;
}

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

  /**
   * Stores a new change. There is one open repair of a node at a time (and one of all), however many ask: then its id is the answer,
   * and nothing was stored. One that merely waits for hosts that are owed something keeps nobody from another. Else null.
   */
  async create(change: Change, now: Date): Promise<string | null> {
    const place = change.kind === 'repair' ? (change.node?.name ?? EVERY_NODE) : '';
    const before = place === '' ? null : await this.newestRepair(place);
    const beside = before?.state === 'owing' ? before.id : '';
    const written = await this.write({ ...change, version: 1 }, 0, now, [place, beside]);
    if (typeof written === 'string') return written;
    if (!written) throw new Error(`change ${change.id} exists already`);
    await this.redis.zadd(this.keys.changes, now.getTime(), change.id);
    return null;
  }

  /** The last repair that was asked for of a node, or of all; null when there was none. */
  async newestRepair(node: string = EVERY_NODE): Promise<Change | null> {
    const id = await this.redis.hget(this.keys.repairs, node);
    return id === null ? null : this.load(id);
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
      if ((await this.write(next, before.version, now)) === true) return next;
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

  /**
   * Slices that other changes moved since the instant: routes there may have come or gone by our own hand. The slice of a node that
   * joins or leaves is that change's own, whoever moved it: a route that came back there would never be taken away.
   */
  async movedSince(since: Date, change: Change): Promise<Moves> {
    const texts = await this.redis.zrangebyscore(this.keys.movedCidrs, since.getTime(), '+inf');
    const own = slicesMoving(change);
    const others = texts.flatMap((text) => {
      const [podCidr = '', id, repair] = text.split(' ');
      return id === change.id || own.includes(podCidr) ? [] : [{ podCidr, joined: repair === undefined }];
    });
    const slices = (list: typeof others) => new Set(list.map(({ podCidr }) => podCidr));
    return { all: slices(others), joined: slices(others.filter(({ joined }) => joined)) };
  }

  /** Ids of the other changes that moved routes since the instant, or were about to. */
  async movers(since: Date, change: Change): Promise<string[]> {
    const texts = await this.redis.zrangebyscore(this.keys.movedCidrs, since.getTime(), '+inf');
    const ids = new Set(texts.flatMap((text) => text.split(' ')[1] ?? []));
    ids.delete(change.id);
    return [...ids];
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

  /** How one host of a change stands; null when it has no part in it. */
  async result(id: string, host: string): Promise<HostResult | null> {
    const text = await this.redis.hget(this.keys.changeHosts(id), host);
    return text === null ? null : (JSON.parse(text) as HostResult);
  }

  async setResults(id: string, results: readonly HostResult[]): Promise<void> {
    if (results.length === 0) return;
    const fields = Object.fromEntries(results.map((result) => [result.host, JSON.stringify(result)]));
    await this.redis.hset(this.keys.changeHosts(id), fields);
    await this.redis.expire(this.keys.changeHosts(id), KEPT_FOR_S);
  }

  /** False when somebody else was first; the id of the repair that is in the way of a new one. */
  private async write(
    change: Change,
    expected: number,
    now: Date,
    place: [of: string, beside: string] = ['', ''],
  ): Promise<boolean | string> {
    const open = OPEN_STATES.includes(change.state) ? 1 : 0;
    const moved = HANDS_OFF_STATES.includes(change.state) ? [] : movesOf(change);
    // The script finds the version by its first mention, so it goes first.
    const { version, ...rest } = change;
    const text = JSON.stringify({ version, ...rest });
    const { openChanges, movedCidrs, repairs } = this.keys;
    const written = await this.saveScript(
      [this.keys.change(change.id), openChanges, movedCidrs, repairs],
      [expected, text, change.id, open, now.getTime(), now.getTime() - KEPT_FOR_S * 1000, ...place, ...moved],
    );
    return typeof written === 'string' ? written : written === 1;
  }
}

/** The slices whose routes a change moves, as they are stored. */
function movesOf(change: Change): string[] {
  if (change.kind !== 'repair') return slicesMoving(change).map((podCidr) => `${podCidr} ${change.id}`);
  return (change.moves ?? []).map((podCidr) => `${podCidr} ${change.id} repair`);
}
