/** Keeps one connection and one resident interpreter for each host, and falls back to plain execs. Knows no SSH library. */
import { Component } from '../node/component.js';
import {
  type Answer,
  type Channel,
  ChannelBroken,
  type ChannelStream,
  encodeParams,
  openChannel,
} from './channel.js';
import { CopyBroken, copyFile, type Files } from './copy.js';
import {
  type ExpectedKey,
  HostError,
  type HostFile,
  type HostPool,
  type HostReply,
  type HostRequest,
  type HostTarget,
} from './host.js';
import { otherOsLine } from './other-os.js';
import { type Launch, plainLaunch, residentLaunch, watchLaunch, withFile } from './scripts.js';
import { Watches } from './watch-channel.js';
import { within } from './within.js';

/** An open, authenticated connection. */
export interface Connection {
  readonly isOpen: boolean;
  readonly fingerprint: string;
  /** Opens a channel and runs the command on it. */
  exec(command: string): Promise<ChannelStream>;
  /** Opens a channel for files. */
  files(): Promise<Files>;
  /** Closes it at once. */
  end(): void;
}

/** Opens a connection to a host that shows the expected key. Throws HostError. */
export type Connect = (target: HostTarget, key: ExpectedKey) => Promise<Connection>;

/** Counts since the start. */
export interface PoolStats {
  /** Connections opened. */
  connections: number;
  /** Resident interpreters started. */
  resident: number;
  /** Requests sent by a plain exec. */
  execs: number;
}

/** Scripts that change nothing. */
const READS = ['read', 'check-build'];
const IDLE_MS = 10 * 60_000;
/** After so many failures in a row a host is taken to forbid resident interpreters, until its connection is made anew. */
const RESIDENT_TRIES = 2;
const WATCH_OPEN_MS = 10_000;
/** Nobody installs anything by hand and asks about it within this. */
const FRESH_MS = 20_000;

interface Entry {
  connection: Connection | null;
  channel: Channel | null;
  /** When that one started, in ms since 1970; 0 once something was installed since. */
  channelSince: number;
  residentFailures: number;
  watches: Watches;
  /** Copies under way. */
  copies: number;
  /** Ends when the last request queued so far does. */
  tail: Promise<unknown>;
  idle: NodeJS.Timeout | null;
}

export function createPool(connect: Connect, maxConnecting: number): HostPool & { stats(): PoolStats } {
  const entries = new Map<string, Entry>();
  const counts: PoolStats = { connections: 0, resident: 0, execs: 0 };
  const withSlot = createLimit(maxConnecting);
  let isClosed = false;

  async function visit(
    entry: Entry,
    target: HostTarget,
    request: HostRequest,
    key: ExpectedKey,
  ): Promise<HostReply> {
    const connection = await connected(entry, target, key);
    checkKey(target, connection.fingerprint, key);
    try {
      const answer = await ask(entry, connection, target, request);
      return { ...answer, fingerprint: connection.fingerprint };
    } catch (error) {
      // A host that went silent is not worth another wait on the same connection.
      if (error instanceof HostError && error.kind === 'timeout') connection.end();
      throw error;
    }
  }

  async function connected(entry: Entry, target: HostTarget, key: ExpectedKey): Promise<Connection> {
    if (entry.connection?.isOpen) return entry.connection;
    const connection = await withSlot(() => connect(target, key));
    counts.connections += 1;
    Object.assign(entry, { connection, channel: null, residentFailures: 0, watches: new Watches() });
    if (isClosed) connection.end();
    return connection;
  }

  async function ask(
    entry: Entry,
    connection: Connection,
    target: HostTarget,
    request: HostRequest,
  ): Promise<Answer> {
    if (request.anew && Date.now() - entry.channelSince > FRESH_MS) {
      entry.channel?.close();
      entry.channel = null;
    }
    if (entry.residentFailures < RESIDENT_TRIES) {
      try {
        if (!entry.channel?.isOpen) {
          entry.channel = await start(connection, target, residentLaunch(target), request.timeoutMs);
          entry.channelSince = Date.now();
          counts.resident += 1;
        }
        if (request.installs) entry.channelSince = 0;
        const answer = await entry.channel.request(request);
        entry.residentFailures = 0;
        return answer;
      } catch (error) {
        if (!(error instanceof ChannelBroken)) throw error;
        entry.channel = null;
        entry.residentFailures += 1;
        if (!connection.isOpen) throw lost(target, error);
      }
    }
    return await askOnce(connection, target, request);
  }

  async function askOnce(connection: Connection, target: HostTarget, request: HostRequest): Promise<Answer> {
    counts.execs += 1;
    try {
      const launch = plainLaunch(target, request.script, encodeParams(request.params));
      const channel = await start(connection, target, launch, request.timeoutMs, true);
      const answer = await channel.request(request, false);
      channel.close();
      return answer;
    } catch (error) {
      if (!(error instanceof ChannelBroken)) throw error;
      if (!connection.isOpen) throw lost(target, error);
      const told = otherOsLine(target.os, error.printed);
      if (told !== null) throw new HostError('other-os', target.name, told, { printed: error.printed });
      const said = error.printed.split('\n').at(-1) ?? '';
      throw new HostError('garbled', target.name, said || error.message, { printed: error.printed });
    }
  }

  /** Runs it once the requests before are through, and keeps the connection alive for what comes. */
  async function inTurn<T>(target: HostTarget, work: (entry: Entry) => Promise<T>): Promise<T> {
    if (isClosed) throw new HostError('unreachable', target.name, 'shutting down');
    const id = idOf(target);
    const entry = entries.get(id) ?? newEntry();
    entries.set(id, entry);
    if (entry.idle) clearTimeout(entry.idle);
    const turn = entry.tail.then(() => work(entry));
    const ended = turn
      .catch(() => undefined)
      .then(() => {
        if (entry.tail === ended) rest(id, entry);
      });
    entry.tail = ended;
    return await turn;
  }

  /** Only the channel waits for its turn: a copy goes on beside requests. */
  async function openFiles({ target, key }: HostFile) {
    return inTurn(target, async (entry) => {
      const connection = await connected(entry, target, key);
      checkKey(target, connection.fingerprint, key);
      const files = await within(WATCH_OPEN_MS, connection.files(), () => lostFiles(target));
      return { entry, connection, files };
    });
  }

  function rest(key: string, entry: Entry): void {
    entry.idle = setTimeout(() => {
      if (entry.watches.live + entry.copies > 0) return rest(key, entry);
      entry.connection?.end();
      entries.delete(key);
    }, IDLE_MS);
    entry.idle.unref();
  }

  return {
    async request(target, request, key) {
      if (key === 'any' && !READS.includes(request.script))
        throw new Error('only a read may meet an unpinned host');
      return inTurn(target, (entry) => visit(entry, target, withFile(request), key));
    },
    async watch(target, key, processes, onGone) {
      if (key === 'any') throw new Error('an unpinned host is not watched');
      const entry = entries.get(idOf(target));
      const connection = entry?.connection;
      if (!entry || !connection?.isOpen || isClosed) return null;
      checkKey(target, connection.fingerprint, key);
      const components = Component.options.filter((component) => processes[component] !== undefined);
      if (components.length === 0) return null;
      const words = components.map((component) => `${component}=${Number(processes[component])}`);
      const launch = watchLaunch(target.os, words);
      const start = () => open(connection, target, launch, WATCH_OPEN_MS);
      return await entry.watches.start(start, components, onGone);
    },
    async copy(from, to, offset, onBytes) {
      const source = await openFiles(from);
      const target = await openFiles(to).catch((error: unknown) => {
        source.files.end();
        throw error;
      });
      for (const { entry } of [source, target]) entry.copies += 1;
      try {
        const ends = [
          { files: source.files, path: from.path },
          { files: target.files, path: to.path },
        ] as const;
        return await copyFile(...ends, offset, onBytes);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        for (const [end, { name }] of [[source, from.target] as const, [target, to.target] as const])
          if (!end.connection.isOpen) throw new HostError('unreachable', name, why);
        if (error instanceof CopyBroken) throw new HostError('unreachable', to.target.name, why);
        throw new HostError('script', to.target.name, why, { code: 'SFTP' });
      } finally {
        for (const { entry } of [source, target]) entry.copies -= 1;
      }
    },
    logOut(target) {
      if (isClosed || !entries.has(idOf(target))) return;
      void inTurn(target, async ({ connection, copies }) => {
        if (copies === 0) connection?.end();
      });
    },
    async close() {
      isClosed = true;
      for (const entry of entries.values()) {
        if (entry.idle) clearTimeout(entry.idle);
        entry.connection?.end();
      }
      await Promise.all([...entries.values()].map((entry) => entry.tail));
      for (const entry of entries.values()) if (entry.idle) clearTimeout(entry.idle);
      entries.clear();
    },
    stats: () => ({ ...counts }),
  };
}

/** Starts an interpreter. The first request follows without waiting for its `@@READY@@`: that saves a round trip. */
async function start(
  connection: Connection,
  target: HostTarget,
  launch: Launch,
  timeoutMs: number,
  endStdin = false,
): Promise<Channel> {
  try {
    const stream = await open(connection, target, launch, timeoutMs);
    const channel = openChannel(stream, target.name);
    if (endStdin) stream.end();
    return channel;
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new ChannelBroken(error instanceof Error ? error.message : String(error), '');
  }
}

/** Opens a channel and starts the program on it. Throws HostError `timeout`, or what the SSH library says of a refused channel. */
async function open(
  connection: Connection,
  target: HostTarget,
  launch: Launch,
  timeoutMs: number,
): Promise<ChannelStream> {
  const opening = connection.exec(launch.command);
  const stream = await within(timeoutMs, opening, () => {
    opening.then(
      (late) => late.destroy(),
      () => undefined,
    );
    return new HostError('timeout', target.name, `no channel within ${timeoutMs / 1000} s`);
  });
  if (launch.stdin !== '') stream.write(launch.stdin);
  return stream;
}

function idOf(target: HostTarget): string {
  return `${target.builds ? 'build' : target.os} ${target.name} ${target.address} ${target.ssh ?? ''}`;
}

function checkKey(target: HostTarget, fingerprint: string, key: ExpectedKey): void {
  if (key !== 'any' && key.fingerprint !== fingerprint)
    throw keyChanged(target.name, key.fingerprint, fingerprint);
}

/** The host shows another key than the pinned one. */
export function keyChanged(host: string, expected: string, shown: string): HostError {
  return new HostError('host-key-changed', host, `expected host key ${expected}, but it shows ${shown}`, {
    fingerprint: shown,
  });
}

function lost(target: HostTarget, error: ChannelBroken): HostError {
  return new HostError('unreachable', target.name, 'the connection was lost', { printed: error.printed });
}

function lostFiles(target: HostTarget): HostError {
  return new HostError('timeout', target.name, 'no channel for files: is SFTP switched on in its sshd');
}

function newEntry(): Entry {
  return {
    connection: null,
    channel: null,
    channelSince: 0,
    residentFailures: 0,
    watches: new Watches(),
    copies: 0,
    tail: Promise.resolve(),
    idle: null,
  };
}

/** At most `most` of the given jobs run at once; the others wait in line. */
function createLimit(most: number): <T>(job: () => Promise<T>) => Promise<T> {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (job) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await job();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
