/** Redis: connections, scripts, and the name of every key. */
import { Redis } from 'ioredis';

/**
 * Opens a connection. `blocking` is for BullMQ's workers and event readers, which must wait for ever;
 * all others give a request up after about two seconds without Redis, so that a user gets an answer.
 * The caller attaches its own `error` listener for logging; without one ioredis prints each failed attempt.
 */
export function connectRedis(url: string, options: { blocking?: boolean } = {}): Redis {
  return new Redis(url, {
    maxRetriesPerRequest: options.blocking ? null : 5,
    // ioredis waits 50 ms longer after each attempt, up to 2 s.
    retryStrategy: (attempt) => Math.min(attempt * 50, 2000),
    // How long a process outlives `disconnect()` while Redis is away; ioredis' own 2 s would hold up every shutdown.
    disconnectTimeout: 250,
  });
}

/** Runs one Lua script. Arguments arrive in Lua as text. */
export type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/** Prepares a Lua script: sent once, then called by its hash; sent again when Redis has forgotten it (restart, failover). */
export function prepareScript(redis: Redis, lua: string): Script {
  let known: Promise<string> | null = null;
  async function load(): Promise<string> {
    return String(await redis.call('SCRIPT', 'LOAD', lua));
  }
  return async (keys, args) => {
    known ??= load();
    try {
      return await redis.evalsha(await known, keys.length, ...keys, ...args);
    } catch (error) {
      known = null;
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return redis.eval(lua, keys.length, ...keys, ...args);
    }
  };
}

export type Keys = ReturnType<typeof keys>;

/**
 * Every key that Fairway itself uses. BullMQ names its keys `<prefix>:<queue>:…`, so ours sit under `<prefix>:data`,
 * which no queue may be called. The prefix is a hash tag (`{fairway}`): one slot, so that scripts run on a Redis Cluster too.
 */
export function keys(prefix: string) {
  const base = `${prefix}:data`;
  return {
    /** Hash pod CIDR → lease record, resting (quarantined) slices included; see network/lease.lua. */
    leases: `${base}:leases`,
    /** Hash node name → node JSON. */
    inventory: `${base}:inventory`,
    inventoryRevision: `${base}:inventory:revision`,
    /** Hash name of a Windows node → the build of its system, as it was last read. */
    windowsBuilds: `${base}:windows-builds`,

    /** Counter behind the change ids `c1`, `c2`, … */
    changeCounter: `${base}:change-counter`,
    /** Set of the ids of changes that are not finished. */
    openChanges: `${base}:open-changes`,
    /** Hash `remove <node>`, `repair <node>`, `repair *` `build <component> <version>` or `deliver <component>` → id of the newest change that does it. */
    newestChanges: `${base}:newest-changes`,
    /** How often Fairway itself asked for a repair of a node within the hour. */
    ownRepairs: (node: string) => `${base}:own-repairs:${node}`,
    /** Sorted set of all change ids, by the time of the request. */
    changes: `${base}:changes`,
    /** Sorted set of the ids of changes whose cards are behind, by the version that they have to show. */
    dueCards: `${base}:due-cards`,
    change: (id: string) => `${base}:change:${id}`,
    /** The plan as it was sealed, and as it runs where pairs came to it at the gate. */
    changePlan: (id: string) => `${base}:change:${id}:plan`,
    changePlanRunning: (id: string) => `${base}:change:${id}:plan:running`,
    /** Hash host → HostResult JSON. */
    changeHosts: (id: string) => `${base}:change:${id}:hosts`,
    /** The whole log of what a change builds, as the build host wrote it. */
    changeLog: (id: string) => `${base}:change:${id}:log`,
    /** Hash `<component> <version> <commit>` → Built JSON. */
    builds: `${base}:builds`,

    /** Sorted set of `<pod CIDR> <change id>`, and ` repair` for one, by when that approved change last moved routes there. */
    movedCidrs: `${base}:moved-cidrs`,
    /** Hash node name → id of the change that made it a member. */
    nodeChanges: `${base}:node-changes`,
    /** How many hosts of the running phase have not settled yet. */
    changeLeft: (id: string) => `${base}:change:${id}:left`,
    /** Lives for as long as a card may not be edited again for progress. */
    changeProgress: (id: string) => `${base}:change:${id}:progress`,
    /** Hash change id → Work JSON: what approved changes have left to do on a host. */
    hostWork: (host: string) => `${base}:host-work:${host}`,
    /** Set of the hosts that are owed something. */
    owingHosts: `${base}:owing-hosts`,

    /** Set of the routes that Fairway made on a Windows host, which can't tag them. */
    ownedRoutes: (host: string) => `${base}:owned-routes:${host}`,
    /** Hash host → pinned fingerprint of its host key. */
    hostKeys: `${base}:host-keys`,
    /** Who holds a host right now. */
    hostLease: (host: string) => `${base}:host-lease:${host}`,
    /** Set of the ids of changes whose work the newest hand has taken. */
    hostVisit: (host: string) => `${base}:host-visit:${host}`,
    /** Counter of the fencing tokens of a host's leases. */
    hostFence: (host: string) => `${base}:host-fence:${host}`,

    /** When the next message may go to a Slack channel. */
    slackPacing: (channel: string) => `${base}:slack-pacing:${channel}`,
    /** Hash `channel:ts` → what was last sent to that copy of a change's or notice's card; `intent` while the first one is being posted. */
    slackCard: (id: string) => `${base}:slack-card:${id}`,
    /** Who writes these cards right now. */
    slackCardLock: (id: string) => `${base}:slack-card-lock:${id}`,
    /** A payload of Slack's that was taken already: events are delivered again, and people click twice. */
    slackSeen: (id: string) => `${base}:slack-seen:${id}`,
    /** Hash channel → Slack's error code, while what belongs to no person can't be posted there. */
    slackClosed: `${base}:slack-closed`,
    /** How often a response_url was used. */
    slackAnswers: (urlHash: string) => `${base}:slack-answers:${urlHash}`,
    /** Change that this actor's same command started within the last minute (Q21). */
    recentCommand: (actor: string, command: string) => `${base}:recent:${actor}:${command}`,

    /** Hash host → Watched JSON, and notice id → Notice JSON. */
    watched: `${base}:watched`,
    notices: `${base}:notices`,
    /** Sorted set of the notices' ids, by their time. */
    noticeTimes: `${base}:notice-times`,
    noticeCounter: `${base}:notice-counter`,
    incidentCounter: `${base}:incident-counter`,
    /** List of the incidents that are over, newest first. */
    pastIncidents: `${base}:past-incidents`,
    /** Set of hosts with incidents to tell of. */
    untoldHosts: `${base}:untold-hosts`,
    /** Sorted set of the ids of notices whose cards are behind, by when they fell behind (µs since 1970). */
    dueNotices: `${base}:due-notices`,
    /** Hash host, or host/component → Silence JSON. */
    silences: `${base}:silences`,
    /** Lives while a process is expected to come and go by our own hand. */
    expectedRestart: (host: string, component: string) => `${base}:expected:${host}:${component}`,
    /** Hash host/component → who stopped it on purpose. */
    stopped: `${base}:stopped`,
    /** Which worker is told by the host itself when a process ends. */
    pushLease: (host: string) => `${base}:push:${host}`,

    /** List of the audit log's records, and the hash of its newest one. */
    audit: `${base}:audit`,
    auditHead: `${base}:audit:head`,
    /** List of the events that are to be chained to it next. */
    auditPending: `${base}:audit:pending`,
  };
}
