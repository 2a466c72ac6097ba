/** A host's sshd: one port on loopback, one key that may log in. */
import { createHash } from 'node:crypto';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ParsedKey } from 'ssh2';
import type { Os } from '../../src/node/node.js';
import { type Duties, serve } from './channel.js';

export interface SshServer {
  port: number;
  /** As OpenSSH prints it, `SHA256:…`. */
  fingerprint(): string;
  /** Cuts every connection. */
  cut(): void;
  /** Cuts every connection and refuses new ones. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  resume(): Promise<void>;
  /** Cuts every connection; new ones meet another key. */
  changeHostKey(): void;
}

/** Listens on a free loopback port. */
export async function startSshServer(options: {
  os: Os;
  user: string;
  clientKey: ParsedKey;
  duties: Duties;
}): Promise<SshServer> {
  const sockets = new Set<Socket>();
  let hostKey = newKey();
  let sshd = newSshd();
  let listener: NetServer | null = null;

  function newSshd(): ssh2.Server {
    return new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => accept(connection, options));
  }

  function cut(): void {
    for (const socket of sockets) socket.destroy();
  }

  async function listen(port: number): Promise<number> {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      sshd.injectSocket(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    listener = server;
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  const port = await listen(0);
  return {
    port,
    fingerprint: () => fingerprintOf(hostKey.public),
    cut,
    stop: async () => {
      const server = listener;
      listener = null;
      if (server === null) return;
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
    resume: async () => {
      if (listener === null) await listen(port);
    },
    changeHostKey: () => {
      hostKey = newKey();
      sshd = newSshd();
      cut();
    },
  };
}

/** An ed25519 key pair in OpenSSH's formats. */
export function newKey(comment = ''): { private: string; public: string } {
  const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
  // ssh2 1.17 drops leading zero bytes of the public half: one key in 256 is malformed.
  return ssh2.utils.parseKey(pair.private) instanceof Error ? newKey(comment) : pair;
}

function accept(
  connection: Connection,
  { os, user, clientKey, duties }: { os: Os; user: string; clientKey: ParsedKey; duties: Duties },
): void {
  // A client that vanishes is its own affair.
  connection.on('error', () => undefined);
  connection.on('authentication', (context) => {
    if (mayLogIn(context, user, clientKey)) context.accept();
    else context.reject(['publickey']);
  });
  connection.on('session', (acceptSession) => {
    const session = acceptSession();
    session.on('exec', (acceptExec, _reject, { command }) => {
      void serve(acceptExec(), os, command, duties);
    });
  });
}

function mayLogIn(context: AuthContext, user: string, key: ParsedKey): boolean {
  if (context.method !== 'publickey' || context.username !== user) return false;
  if (context.key.algo !== key.type || !context.key.data.equals(key.getPublicSSH())) return false;
  // Without a signature the client only asks whether this key would do.
  if (context.signature === undefined || context.blob === undefined) return true;
  return key.verify(context.blob, context.signature, context.hashAlgo) === true;
}

function fingerprintOf(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
