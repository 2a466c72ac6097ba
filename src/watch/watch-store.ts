/** Watched hosts, notices and silences in Redis. What belongs together is written by one script, or not at all. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { Card } from '../change/change.js';
import { Due } from '../due.js';
import { Component } from '../node/component.js';
import { type Keys, prepareScript, type Script } from '../redis.js';
import type { Incident } from './incident.js';
import { NEW } from './judge.js';
import type { Notice } from './notice.js';
import type { Silence } from './silence.js';
import type { Watched } from './watched.js';

/** An incident that is over, with its host. */
export type PastIncident = Incident & { host: string; overAt: string };

/** What is written together. `version`s are those that were read. */
export interface Commit {
  hosts?: readonly Watched[];
  notices?: readonly Notice[];
  /** Hosts that left: their record goes. */
  gone?: readonly Watched[];
  past?: readonly PastIncident[];
  untold?: readonly string[];
  told?: readonly string[];
  stale?: readonly string[];
}

const lua = readFileSync(new URL('./commit.lua', import.meta.url), 'utf8');
/** A change that moved between reading and writing is made again, this often. */
const ATTEMPTS = 20;
/** Notices older than this are forgotten: nobody scrolls back that far, and Slack no longer needs us to edit them. */
const KEPT_MS = 30 * 24 * 3600_000;
/** A restart of ours takes at most this long, down and up. In ms. */
const EXPECTED_MS = 90_000;
/** A look that was asked for begins within this. In ms. */
const SEEN_WITHIN_MS = 5_000;

export class WatchStore {
  private readonly redis: Redis;
  private readonly keys: Keys;
  private readonly script: Script;
  private readonly due: Due;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
    this.script = prepareScript(redis, lua);
    this.due = new Due(redis, keys.dueNotices);
  }

  /** What is known of these hosts, in their order; null: never looked at. */
  async of(hosts: readonly string[]): Promise<(Watched | null)[]> {
    if (hosts.length === 0) return [];
    return (await this.redis.hmget(this.keys.watched, ...hosts)).map((text) =>
      text === null ? null : (JSON.parse(text) as Watched),
    );
  }

  /** Every watched host, by name. */
  async all(): Promise<Watched[]> {
    const texts = await this.redis.hvals(this.keys.watched);
    return texts.map((text) => JSON.parse(text) as Watched).sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  /** Writes it all, each record as the version after the one it was read with. False when somebody else moved one of them meanwhile. */
  async commit(commit: Commit): Promise<boolean> {
    const { hosts = [], notices = [], gone = [], past = [], untold = [], told = [], stale = [] } = commit;
    const { watched, pastIncidents, untoldHosts, dueNotices, noticeTimes } = this.keys;
    const next = <T extends { version: number }>({ version, ...rest }: T) =>
      JSON.stringify({ version: version + 1, ...rest });
    const writes = [
      ...hosts.map((host) => ['host', host.host, host.version, next(host), 0]),
      ...notices.map((each) => ['notice', each.id, each.version, next(each), Date.parse(each.at)]),
      ...gone.map((host) => ['host', host.host, host.version, '', 0]),
    ];
    const list = (items: readonly string[]) => [items.length, ...items];
    const written = await this.script(
      [watched, this.keys.notices, pastIncidents, untoldHosts, dueNotices, noticeTimes],
      [
        writes.length,
        ...writes.flat(),
        ...list(past.map((incident) => JSON.stringify(incident))),
        ...list(untold),
        ...list(told),
        ...list(stale),
      ],
    );
    return written === 1;
  }

  /** Gives incidents that were just raised their ids. */
  async named(incidents: readonly Incident[]): Promise<Incident[]> {
    const fresh = incidents.filter((each) => each.id.startsWith(NEW)).length;
    if (fresh === 0) return [...incidents];
    let id = (await this.redis.incrby(this.keys.incidentCounter, fresh)) - fresh;
    return incidents.map((each) => {
      if (!each.id.startsWith(NEW)) return each;
      id += 1;
      return { ...each, id: `i${id}` };
    });
  }

  /** Changes a host's record by a pure function of what is stored; null when nothing is, or when the function gives null. */
  async update(
    host: string,
    move: (watched: Watched) => Watched | null,
    also: Commit = {},
  ): Promise<Watched | null> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const [before] = await this.of([host]);
      const after = before ? move(before) : null;
      if (!after) return null;
      if (await this.commit({ ...also, hosts: [after] })) return { ...after, version: after.version + 1 };
    }
    throw new Error(`the record of ${host} kept moving`);
  }

  /** The incidents that are over, newest first. */
  async past(count: number): Promise<PastIncident[]> {
    const texts = await this.redis.lrange(this.keys.pastIncidents, 0, count - 1);
    return texts.map((text) => JSON.parse(text) as PastIncident);
  }

  /** Hosts with incidents that nobody was told of yet. */
  untoldHosts(): Promise<string[]> {
    return this.redis.smembers(this.keys.untoldHosts);
  }

  /** Notices whose cards do not show how things stand, or are not posted yet. */
  dueNotices(): Promise<string[]> {
    return this.due.ids();
  }

  /** How far a notice has to be shown. To be read before the notice itself: what happens in between is shown once more. */
  dueUpTo(id: string): Promise<number> {
    return this.due.upTo(id);
  }

  /** Every copy of the notice's card shows it that far, or there is nowhere to show it. */
  async noticeShown(id: string, upTo: number): Promise<void> {
    await this.due.shown(id, upTo);
  }

  async nextNoticeId(): Promise<string> {
    return `n${await this.redis.incr(this.keys.noticeCounter)}`;
  }

  /** The notice, or null. */
  async notice(id: string): Promise<Notice | null> {
    const text = await this.redis.hget(this.keys.notices, id);
    return text === null ? null : (JSON.parse(text) as Notice);
  }

  /** The notices since an instant, newest first. Those past their life are forgotten on the way. */
  async noticesSince(since: Date): Promise<Notice[]> {
    const { notices, noticeTimes } = this.keys;
    const old = await this.redis.zrangebyscore(noticeTimes, 0, Date.now() - KEPT_MS);
    if (old.length > 0) {
      await this.redis.hdel(notices, ...old);
      await this.redis.zrem(noticeTimes, ...old);
    }
    const ids = await this.redis.zrevrangebyscore(noticeTimes, '+inf', since.getTime());
    if (ids.length === 0) return [];
    return (await this.redis.hmget(notices, ...ids)).flatMap((text) =>
      text === null ? [] : [JSON.parse(text) as Notice],
    );
  }

  /** Changes the messages that show a notice. */
  async setCards(id: string, change: (cards: readonly Card[]) => Card[]): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const notice = await this.notice(id);
      if (!notice) return;
      if (await this.commit({ notices: [{ ...notice, cards: change(notice.cards) }] })) return;
    }
    throw new Error(`notice ${id} kept moving`);
  }

  async mute(silence: Silence): Promise<void> {
    await this.redis.hset(this.keys.silences, silenceKey(silence), JSON.stringify(silence));
  }

  /** Ends silences of a host, or of one of its processes; how many there were. */
  async unmute(host: string, component?: Component): Promise<number> {
    // That of Fairway's own work is not theirs to end.
    const names = component ? [component] : [undefined, ...Component.options];
    const fields = names.map((name) => silenceKey({ host, ...(name ? { component: name } : {}) }));
    return this.redis.hdel(this.keys.silences, ...fields);
  }

  /** Fairway is through with the host: what the next looks see is news again. */
  async workOver(host: string): Promise<void> {
    await this.redis.hdel(this.keys.silences, silenceKey({ host, atWork: true }));
  }

  /** Those that are not over; the others are forgotten on the way. */
  async silences(now: Date): Promise<Silence[]> {
    const all = Object.entries(await this.redis.hgetall(this.keys.silences)).map(
      ([field, text]) => [field, JSON.parse(text) as Silence] as const,
    );
    const over = all.filter(([, silence]) => silence.until <= now.toISOString()).map(([field]) => field);
    if (over.length > 0) await this.redis.hdel(this.keys.silences, ...over);
    return all.filter(([field]) => !over.includes(field)).map(([, silence]) => silence);
  }

  /**
   * We ourselves are about to restart (or stop, or start) a process: its coming and going is no news for a while, nor is that of what goes
   * along with it. Gives those of the latter that are to stay down, since a command of their own stopped them.
   */
  async expect(
    host: string,
    component: Component,
    action: 'start' | 'stop' | 'restart',
  ): Promise<Component[]> {
    for (const key of this.expectedKeys(host, component))
      await this.redis.set(key, action, 'PX', EXPECTED_MS);
    const { stopped } = this.keys;
    const field = (each: Component) => `${host}/${each}`;
    const all = takenAlong(component);
    // The value says whose command it was.
    const causes = await this.redis.hmget(stopped, ...all.map(field));
    const apart = all.filter((each, index) => each !== component && causes[index] === each);
    const along = all.filter((each) => !apart.includes(each));
    // Stopped on purpose, it stays away without a word until somebody starts it.
    if (action !== 'stop') await this.redis.hdel(stopped, ...along.map(field));
    else await this.redis.hset(stopped, Object.fromEntries(along.map((each) => [field(each), component])));
    return apart;
  }

  /** It is done: what happens after the look that sees it is news again. */
  async expectNoMore(host: string, component: Component): Promise<void> {
    for (const key of this.expectedKeys(host, component)) await this.redis.pexpire(key, SEEN_WITHIN_MS);
  }

  private expectedKeys(host: string, component: Component): string[] {
    return takenAlong(component).map((each) => this.keys.expectedRestart(host, each));
  }

  /** A look saw a process that was stopped on purpose run again, whoever started it; or it is on its way down, and the look was early. */
  async runsAgain(host: string, component: Component): Promise<void> {
    if ((await this.redis.exists(this.keys.expectedRestart(host, component))) === 1) return;
    await this.redis.hdel(this.keys.stopped, `${host}/${component}`);
  }

  /** The stop failed: what ends now is news. */
  async notStopped(host: string, component: Component): Promise<void> {
    const { stopped } = this.keys;
    for (const each of takenAlong(component))
      if ((await this.redis.hget(stopped, `${host}/${each}`)) === component)
        await this.redis.hdel(stopped, `${host}/${each}`);
  }

  /** Processes of these hosts whose coming and going is no news, by host. */
  async expected(hosts: readonly string[]): Promise<Map<string, Set<Component>>> {
    const pairs = hosts.flatMap((host) => Component.options.map((component) => ({ host, component })));
    if (pairs.length === 0) return new Map();
    const [recent, stopped] = await Promise.all([
      this.redis.mget(pairs.map(({ host, component }) => this.keys.expectedRestart(host, component))),
      this.redis.hmget(this.keys.stopped, ...pairs.map(({ host, component }) => `${host}/${component}`)),
    ]);
    const found = new Map<string, Set<Component>>(hosts.map((host) => [host, new Set()]));
    pairs.forEach(({ host, component }, index) => {
      if (recent[index] || stopped[index]) found.get(host)?.add(component);
    });
    return found;
  }
}

/** Windows takes kube-proxy along with kubelet, which it depends on. Where it runs on, the next look sees it and says so. */
function takenAlong(component: Component): readonly Component[] {
  return component === 'kubelet' ? Component.options : [component];
}

function silenceKey({ host, component, atWork }: Pick<Silence, 'host' | 'component' | 'atWork'>): string {
  // No component has this name, and no host a slash.
  if (atWork) return `${host}/at-work`;
  return component ? `${host}/${component}` : host;
}
