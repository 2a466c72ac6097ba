/** SSH for real: the one door to node-ssh. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { NodeSSH } from 'node-ssh';
import type { ChannelStream } from './channel.js';
import { CopyBroken } from './copy.js';
import { type ExpectedKey, HostError, type HostPool, type HostTarget } from './host.js';
import { fingerprintOf, knownFingerprints } from './known-hosts.js';
import { type Connection, createPool, keyChanged, type PoolStats } from './pool.js';
import { loadSshConfig, type SshHop } from './ssh-config.js';
import { within } from './within.js';

export interface SshOptions {
  /** OpenSSH client configuration. Default: `~/.ssh/config`, if there is one. */
  sshConfigFile?: string;
  /** A private key that is tried before those of the configuration. */
  privateKeyFile?: string;
  /** Where the keys of jump hosts are looked up, beside what the configuration says. */
  knownHostsFile?: string;
  /** The user where the configuration names none. Default: who runs this. */
  user?: string;
  /** The SSH agent's socket. */
  agent?: string;
  /** The pinned fingerprint (`SHA256:…`) of a jump host that is a node too; other jump hosts are looked up in known_hosts. */
  pinned(name: string): Promise<string | null>;
}

const CONNECT_MS = 10_000;
const MAX_CONNECTING = 64;
/** Read of a file at a time; the library has the parts of one chunk under way together. */
const CHUNK_BYTES = 256 * 1024;
/** What is copied is a program. Windows does not ask. */
const EXECUTABLE = 0o755;
/** What ssh itself tries where nothing is configured. */
const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(homedir(), '.ssh', name));

interface SshConnection extends Connection {
  /** A TCP connection that the host makes for us. */
  forward(host: string, port: number): Promise<Duplex>;
  onClose(listener: () => void): void;
}

/** The pool that workers use. Throws when the configuration can't be read or has a line that can't be followed. */
export function createSshPool(options: SshOptions): HostPool & { stats(): PoolStats } {
  const config = loadSshConfig(options.sshConfigFile, options.user);
  const shared = new Map<string, Jump>();

  async function connect(target: HostTarget, key: ExpectedKey): Promise<Connection> {
    const path = await asUnreachable(target.name, async () => config.resolve(target));
    const jump = await jumpTo(path.jumps, target.name);
    try {
      const sock = await jump?.connection.then((open) => open.forward(path.host, path.port));
      const connection = await logIn(path, options, key, target.name, sock);
      connection.onClose(() => jump?.leave());
      return connection;
    } catch (error) {
      jump?.leave();
      if (error instanceof HostError) throw isOfJump(error, target) ? noWay(target, error) : error;
      throw new HostError('unreachable', target.name, textOf(error));
    }
  }

  /** The connection to the last of these jump hosts, shared by all hosts behind it and closed with the last of them. */
  async function jumpTo(jumps: readonly SshHop[], host: string): Promise<Jump | null> {
    const hop = jumps.at(-1);
    if (!hop) return null;
    const id = JSON.stringify(jumps);
    const known = shared.get(id);
    if (known) return known.join();
    const jump = new Jump(openJump(jumps.slice(0, -1), hop, host), () => shared.delete(id));
    shared.set(id, jump);
    return jump.join();
  }

  async function openJump(before: readonly SshHop[], hop: SshHop, host: string): Promise<SshConnection> {
    // Never trusted on first use: whoever stands in for a jump host sees every host behind it ask for a login.
    const key = { oneOf: await keysOf(hop, options) };
    const previous = await jumpTo(before, host);
    try {
      const sock = await previous?.connection.then((open) => open.forward(hop.host, hop.port));
      const connection = await logIn(hop, options, key, hop.name, sock);
      connection.onClose(() => previous?.leave());
      return connection;
    } catch (error) {
      previous?.leave();
      throw error;
    }
  }

  return createPool(connect, MAX_CONNECTING);
}

/** A shared connection that closes when nobody uses it any more. */
class Jump {
  readonly connection: Promise<SshConnection>;
  private users = 0;
  private readonly forget: () => void;

  constructor(connection: Promise<SshConnection>, forget: () => void) {
    this.connection = connection;
    this.forget = forget;
    connection.then((open) => open.onClose(forget), forget);
  }

  join(): this {
    this.users += 1;
    return this;
  }

  leave(): void {
    this.users -= 1;
    if (this.users > 0) return;
    this.forget();
    this.connection.then(
      (open) => open.end(),
      () => undefined,
    );
  }
}

/** Which keys a jump host may show. */
async function keysOf(hop: SshHop, options: SshOptions): Promise<string[]> {
  const pinned = await options.pinned(hop.name);
  if (pinned !== null) return [pinned];
  const own = options.knownHostsFile === undefined ? [] : [options.knownHostsFile];
  const files = [...own, ...hop.knownHostsFiles];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return knownFingerprints(texts.join('\n'), hop.host, hop.port);
}

async function logIn(
  hop: SshHop,
  options: SshOptions,
  key: ExpectedKey | { oneOf: readonly string[] },
  host: string,
  through?: Duplex,
): Promise<SshConnection> {
  const accepted = key === 'any' ? null : 'oneOf' in key ? key.oneOf : [key.fingerprint];
  const authHandler = methods(hop, options);
  if (authHandler.length === 0) {
    throw new HostError(
      'auth',
      host,
      `no SSH key for ${hop.user}@${hop.host}: none of the key files can be read, and there is no agent`,
    );
  }
  // Without noDelay a cold connection loses about 40 ms to delayed acknowledgements.
  const { port, bindAddress: localAddress } = hop;
  const sock =
    through ?? connectTcp({ host: hop.host, port, noDelay: true, ...(localAddress ? { localAddress } : {}) });
  let shown = '';
  const ssh = new NodeSSH();
  const ready = ssh.connect({
    sock: sock as Duplex & import('node:net').Socket,
    username: hop.user,
    authHandler,
    readyTimeout: CONNECT_MS,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 3,
    // Runs before anything of ours is sent, the user's name included.
    hostVerifier: (presented: Buffer) => {
      shown = fingerprintOf(presented);
      return accepted === null || accepted.includes(shown);
    },
  });
  const client = ssh.connection;
  if (!client) throw new HostError('unreachable', host, 'no connection');
  // node-ssh takes its only error listener away once connected; without one a reset would end the whole process.
  client.on('error', () => client.destroy());
  let isOpen = true;
  client.on('close', () => {
    isOpen = false;
  });
  try {
    await ready;
  } catch (error) {
    client.destroy();
    sock.destroy();
    if (accepted !== null && shown !== '' && !accepted.includes(shown))
      throw keyChanged(host, accepted.join(' or ') || 'none known', shown);
    throw toHostError(error, hop, host);
  }
  return {
    get isOpen() {
      return isOpen;
    },
    fingerprint: shown,
    exec: (command) =>
      new Promise<ChannelStream>((resolve, reject) => {
        client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
      }),
    files: async () => {
      const sftp = await ssh.requestSFTP();
      const streams: { destroy(error: Error): unknown }[] = [];
      // The library leaves the streams of a channel, or a connection, that ended waiting.
      const breakAll = (): void => {
        for (const stream of streams) stream.destroy(new CopyBroken('the channel for files ended'));
        client.off('close', breakAll);
      };
      sftp.on('close', breakAll);
      client.on('close', breakAll);
      // Without a listener its errors would end the process.
      sftp.on('error', () => undefined);
      const kept = <T extends (typeof streams)[number]>(stream: T): T => {
        streams.push(stream);
        return stream;
      };
      return {
        read: (path, start) => kept(sftp.createReadStream(path, { start, highWaterMark: CHUNK_BYTES })),
        write: (path, start) =>
          kept(sftp.createWriteStream(path, { start, flags: start === 0 ? 'w' : 'r+', mode: EXECUTABLE })),
        end: () => sftp.end(),
      };
    },
    forward: (toHost, toPort) =>
      within(
        CONNECT_MS,
        ssh.forwardOut('127.0.0.1', 0, toHost, toPort),
        () => new Error(`${hop.host} does not forward`),
      ),
    onClose(listener) {
      if (isOpen) client.on('close', listener);
      else listener();
    },
    end() {
      isOpen = false;
      client.destroy();
    },
  };
}

function isOfJump({ kind, host }: HostError, target: HostTarget): boolean {
  return kind === 'host-key-changed' && host !== target.name;
}

/** A jump host that shows a key that nobody vouched for says nothing of the host behind it, but that it can't be reached. */
function noWay(target: HostTarget, { host, message, detail }: HostError): HostError {
  const why = `jump host ${host}: ${message}, so nothing goes through it; known_hosts says which key it may show`;
  return new HostError('unreachable', target.name, why, detail);
}

type Method =
  | { type: 'publickey'; username: string; key: string }
  | { type: 'agent'; username: string; agent: string };

/** How to log in, best first. There is no `none` to begin with: it would cost a round trip. */
function methods(hop: SshHop, options: SshOptions): Method[] {
  const configured = hop.identityFiles ?? (options.privateKeyFile === undefined ? DEFAULT_KEYS : []);
  const files = options.privateKeyFile === undefined ? configured : [options.privateKeyFile, ...configured];
  const keys = [...new Set(files)].map(readKey);
  const usable = keys.filter((key) => key.includes('PRIVATE KEY'));
  const username = hop.user;
  const byKey = usable.map((key) => ({ type: 'publickey' as const, username, key }));
  if (options.agent === undefined || hop.identitiesOnly) return byKey;
  return [...byKey, { type: 'agent', username, agent: options.agent }];
}

/** Empty when it can't be read. It is a small local file: handing it to another thread, for each of many hosts, costs more than reading it. */
function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function toHostError(error: unknown, hop: SshHop, host: string): HostError {
  const level = error instanceof Error && 'level' in error ? error.level : '';
  if (level === 'client-authentication')
    return new HostError('auth', host, `${hop.host} refused our key for the user ${hop.user}`);
  if (level === 'agent') return new HostError('auth', host, `SSH agent: ${textOf(error)}`);
  return new HostError('unreachable', host, `${hop.host} port ${hop.port}: ${textOf(error)}`);
}

async function asUnreachable<T>(host: string, job: () => Promise<T>): Promise<T> {
  try {
    return await job();
  } catch (error) {
    throw new HostError('unreachable', host, `SSH configuration: ${textOf(error)}`);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
