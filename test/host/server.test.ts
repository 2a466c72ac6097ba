/** The pool against an SSH server in this process that misbehaves on purpose. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import type { HostError, HostPool } from '../../src/host/host.js';
import type { PoolStats } from '../../src/host/pool.js';
import { createSshPool } from '../../src/host/ssh.js';
import { sayHostError } from '../../src/words/trouble.js';
import { fingerprintOf, makeKey } from '../lab/sshd.js';

type Pool = HostPool & { stats(): PoolStats };

const TARGET = { name: 'lin01', address: '10.0.0.4', os: 'linux' as const };
const READ = { script: 'read', params: {}, timeoutMs: 1_000 };
const ANSWER = '@@READY@@ 1\n@@R@@ 1 1\n{"ok":true}\n';

let dir: string;
let server: ssh2.Server;
let pool: Pool;
let expected: { fingerprint: string };
let logins = 0;
/** What a connection's account may do, as it was when it logged in: Windows does not look again. */
const rights = new WeakMap<Connection, string>();
let rightsNow = 'user';
/** What the server does with an exec; `plain` tells the fallback from the resident interpreter. */
let onExec: (channel: ServerChannel, plain: boolean, connection: Connection) => void;

function answerOnce(channel: ServerChannel, text = ANSWER): void {
  channel.write(text);
  channel.exit(0);
  channel.end();
}

async function failure(work: Promise<unknown>): Promise<HostError> {
  return await work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: HostError) => error,
  );
}

describe('a pool of SSH connections to a server that misbehaves', () => {
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'fairway-'));
    const hostKey = join(dir, 'host');
    expected = { fingerprint: fingerprintOf(makeKey(hostKey)) };
    makeKey(join(dir, 'id'));
    server = new ssh2.Server({ hostKeys: [readFileSync(hostKey)] }, (connection) => {
      connection.on('error', () => undefined);
      connection.on('authentication', (login) => {
        logins += 1;
        rights.set(connection, rightsNow);
        login.accept();
      });
      connection.on('session', (accept) => {
        accept().on('exec', (acceptExec, _reject, { command }) => {
          onExec(acceptExec(), / fairway '/.test(command), connection);
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const config = `Host lin01\n  HostName 127.0.0.1\n  Port ${port}\n  IdentityFile ${join(dir, 'id')}\n`;
    writeFileSync(join(dir, 'config'), config);
  });
  afterEach(async () => {
    await pool.close();
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(dir, { recursive: true });
  });

  function open(): Pool {
    pool = createSshPool({ sshConfigFile: join(dir, 'config'), pinned: async () => null });
    return pool;
  }

  test('to a host with another key not even a login is sent', async () => {
    logins = 0;
    const error = await failure(open().request(TARGET, READ, { fingerprint: 'SHA256:pinned' }));
    expect(error).toMatchObject({ kind: 'host-key-changed', detail: expected });
    expect(error.message).toBe(`expected host key SHA256:pinned, but it shows ${expected.fingerprint}`);
    expect(logins).toBe(0);
  });

  test('a connection reset in the middle of a request is an error of that request, not of the process', async () => {
    onExec = (_channel, _plain, connection) => {
      // What node-ssh leaves without a listener once it is connected.
      (connection as unknown as { _sock: { resetAndDestroy(): void } })._sock.resetAndDestroy();
    };
    expect(await failure(open().request(TARGET, READ, expected))).toMatchObject({ kind: 'unreachable' });
  });

  test('a host that takes the command and says nothing is given up after the time limit', async () => {
    onExec = () => undefined;
    const started = Date.now();
    expect(await failure(open().request(TARGET, READ, expected))).toMatchObject({ kind: 'timeout' });
    expect(Date.now() - started).toBeLessThan(3_000);
  });

  test('a host that ends resident interpreters is asked by plain execs, and soon by nothing else', async () => {
    const kinds: string[] = [];
    onExec = (channel, plain) => {
      kinds.push(plain ? 'plain' : 'resident');
      answerOnce(channel, plain ? ANSWER : '');
    };
    open();
    for (let n = 0; n < 4; n += 1)
      expect((await pool.request(TARGET, READ, expected)).data).toEqual({ ok: true });
    expect(kinds).toEqual(['resident', 'plain', 'resident', 'plain', 'plain', 'plain']);
    expect(pool.stats()).toMatchObject({ connections: 1, execs: 4 });
  });

  test.each([
    ['JSON that is cut short', '@@READY@@ 1\n@@R@@ 1 1\n{"ok":tr\n'],
    ['another protocol', '@@READY@@ 2\n@@R@@ 1 1\n{"ok":true}\n'],
    [
      'tables that changed while they were read',
      '@@READY@@ 1\n@@R@@ 1 3\n{"ok":true}\nDump was interrupted and may be inconsistent.\n[]\n[]\n',
    ],
    ['an answer before it was ready', '@@R@@ 1 1\n{"ok":true}\n'],
    ['an answer to something else', '@@READY@@ 1\n@@R@@ 7 1\n{"ok":true}\n'],
  ])('%s is garbled, twice', async (_name, text) => {
    onExec = (channel) => answerOnce(channel, text);
    expect(await failure(open().request(TARGET, READ, expected))).toMatchObject({ kind: 'garbled' });
    expect(pool.stats()).toMatchObject({ execs: 1 });
  });

  test('PowerShell that may run no scripts is no broken channel: nothing is tried again', async () => {
    let execs = 0;
    onExec = (channel) => {
      execs += 1;
      answerOnce(channel, '@@NO@@ language-mode ConstrainedLanguage\r\n');
    };
    const error = await failure(open().request({ ...TARGET, os: 'windows' }, READ, expected));
    expect(error).toMatchObject({ kind: 'language-mode', message: 'ConstrainedLanguage' });
    expect(sayHostError(error)).toMatch(
      /^PowerShell on lin01 runs in ConstrainedLanguage .* Exempt that account/,
    );
    expect(execs).toBe(1);
  });

  test('answers that come in pieces, with stray lines around and within, are put together', async () => {
    onExec = (channel) => {
      const text = 'motd\r\n@@READY@@ 1\r\n@@R@@ 1 2\r\n{"ok":true}\r\nError: no\r\n[{"a":"x"}]\r\nafter\r\n';
      for (const piece of text.match(/.{1,7}/gs) ?? []) channel.write(piece);
    };
    const { data, printed } = await open().request(TARGET, READ, expected);
    expect(data).toEqual([{ ok: true }, [{ a: 'x' }]]);
    expect(printed).toBe('motd\nError: no');
  });

  test('rights that an account got since it logged in show once it has logged out, after what was asked before', async () => {
    onExec = (channel, _plain, connection) => {
      const answer = JSON.stringify({ ok: true, rights: rights.get(connection) });
      channel.write('@@READY@@ 1\n');
      channel.on('data', (line: Buffer) =>
        channel.write(`@@R@@ ${Number.parseInt(line.toString(), 10)} 1\n${answer}\n`),
      );
    };
    open();
    rightsNow = 'user';
    const seen = async () => (await pool.request(TARGET, { ...READ, anew: true }, expected)).data;
    expect(await seen()).toMatchObject({ rights: 'user' });
    rightsNow = 'administrator';
    expect(await seen()).toMatchObject({ rights: 'user' });
    const before = seen();
    pool.logOut(TARGET);
    expect(await before).toMatchObject({ rights: 'user' });
    expect(await seen()).toMatchObject({ rights: 'administrator' });
    expect(pool.stats()).toMatchObject({ connections: 2, execs: 0 });
  });

  test('a no of the script carries its code, its words and what was printed', async () => {
    onExec = (channel) => {
      channel.stderr.write('careful\n');
      setTimeout(
        () => channel.write('@@READY@@ 1\n@@R@@ 1 3\n{"ok":false,"code":"FENCED","error":"token 4"}\n'),
        50,
      );
    };
    expect(await failure(open().request(TARGET, READ, expected))).toMatchObject({
      kind: 'script',
      message: 'token 4',
      detail: { code: 'FENCED', printed: 'careful' },
    });
  });
});
