/** The real client against a real HTTPS server with certificates of its own authority. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../../sandbox/kube/api-server.js';
import { askText, attempt } from '../../src/kube/api-server.js';
import { askHealth, askNodes, askVersion } from '../../src/kube/ask.js';
import type { ClusterLogin } from '../../src/kube/kubeconfig.js';
import type { TroubleKind } from '../../src/kube/trouble.js';
import { type Authority, type Certificates, certificates, type Pair } from '../support/certificates.js';

let made: Certificates;
let authority: Authority;
let good: Pair;
let server: ApiServer | null = null;
beforeAll(() => {
  made = certificates();
  authority = made.authority('cluster');
  good = authority.issue('localhost');
});
afterAll(() => made.close());
afterEach(async () => {
  await server?.close();
  server = null;
});

async function start(options: ApiServerOptions = {}): Promise<ApiServer> {
  server = await startApiServer({ tls: good, ...options });
  return server;
}

const loginTo = ({ port }: { port: number }, over: Partial<ClusterLogin> = {}): ClusterLogin => ({
  server: new URL(`https://localhost:${port}`),
  ca: { data: authority.cert },
  ...over,
});

/** Why it can't be known. */
async function trouble(ask: Promise<unknown>): Promise<{ kind?: TroubleKind; detail?: string }> {
  const answer = await attempt(() => ask);
  return 'trouble' in answer ? answer.trouble : {};
}

const node = (name: string) => ({ metadata: { name }, spec: {} });

describe('an API server that is trusted', () => {
  test('says its version and its health to anybody', async () => {
    const login = loginTo(await start({ version: 'v1.31.2', tokens: { t: true } }));
    expect([await askVersion(login), await askHealth(login)]).toEqual(['v1.31.2', 'ok']);
  });

  test('that is not healthy says what is not', async () => {
    const api = await start();
    api.instead = (_request, response) => {
      response.writeHead(500).end('[+]ping ok\n[-]etcd failed: reason withheld\n');
      return true;
    };
    expect(await trouble(askHealth(loginTo(api)))).toEqual({
      kind: 'status',
      detail: expect.stringContaining('[-]etcd failed'),
    });
  });

  test('lists its nodes to a token, read anew from its file each time, page by page', async () => {
    const api = await start({ tokens: { second: true } });
    api.nodes = Array.from({ length: 600 }, (_, i) => node(`n${i}`));
    const file = join(made.dir, 'token');
    const login = loginTo(api, { token: { file } });
    writeFileSync(file, 'first\n');
    expect(await trouble(askNodes(login))).toMatchObject({ kind: 'unknown-login' });
    writeFileSync(file, 'second\n');
    const names = (await askNodes(login)).map(({ name }) => name);
    expect(new Set(names).size).toBe(600);
    expect(api.asked.slice(-3)).toEqual([
      'Bearer second /api/v1/nodes?limit=250',
      'Bearer second /api/v1/nodes?limit=250&continue=250',
      'Bearer second /api/v1/nodes?limit=250&continue=500',
    ]);
  });

  test('that never comes to an end of its nodes is left', async () => {
    const api = await start();
    const items = Array.from({ length: 250 }, (_, i) => node(`n${i}`));
    api.instead = (_request, response) => {
      response.end(JSON.stringify({ metadata: { continue: 'more' }, items }));
      return true;
    };
    expect(await trouble(askNodes(loginTo(api)))).toMatchObject({ kind: 'too-long' });
  });

  test('lists them to a client certificate of its authority, and to no other', async () => {
    const api = await start({ tls: { ...good, ca: authority.cert } });
    api.nodes = [node('lin01')];
    const as = ({ key, cert }: Pair) => loginTo(api, { key: { data: key }, cert: { data: cert } });
    expect(await askNodes(as(authority.issue('fairway')))).toHaveLength(1);
    const stranger = made.authority('other').issue('fairway');
    expect(await trouble(askNodes(as(stranger)))).toMatchObject({ kind: 'unknown-login' });
  });

  test('hears a user’s password as HTTP has it', async () => {
    const api = await start({ tokens: { 'Basic YWRtaW46cMOkc3M6d29yZA==': true } });
    const asking = (password: string) =>
      trouble(askNodes(loginTo(api, { password: { user: 'admin', password } })));
    expect(await asking('päss:word')).toEqual({});
    expect(await asking('wrong')).toMatchObject({ kind: 'unknown-login' });
  });

  test('by another name than its address', async () => {
    const api = await start({ tls: authority.issue('api.prod') });
    const as = (serverName: string) => askVersion(loginTo(api, { serverName }));
    expect(await as('api.prod')).toBe('v1.5.2');
    expect(await trouble(as('api.test'))).toMatchObject({ kind: 'certificate' });
  });

  test('that knows who asks and says no is told apart from one that does not know', async () => {
    const api = await start({ tokens: { poor: false } });
    const asking = (token: string) => trouble(askNodes(loginTo(api, { token: { data: token } })));
    expect(await asking('poor')).toEqual({
      kind: 'forbidden',
      detail: expect.stringMatching(/^403 nodes is forbidden/),
    });
    expect(await asking('wrong')).toMatchObject({ kind: 'unknown-login' });
  });

  test('below a path is asked there', async () => {
    const api = await start();
    const below = { server: new URL(`https://localhost:${api.port}/k8s/prod/`) };
    await trouble(askVersion(loginTo(api, below)));
    expect(api.asked).toEqual(['nobody /k8s/prod/version']);
  });
});

describe('nothing is asked, and no token shown, where the certificate', () => {
  test.each<[string, () => Pair, Partial<ClusterLogin>]>([
    ['is of another authority', () => made.authority('other').issue('localhost'), {}],
    ['is its own', () => made.authority('localhost'), {}],
    ['has expired', () => authority.issue('localhost', 'DNS:localhost', -1), {}],
    ['is for another name', () => authority.issue('elsewhere'), {}],
  ])('%s', async (_what, pair, over) => {
    const api = await start({ tls: pair() });
    const login = loginTo(api, { ...over, token: { data: 'secret' } });
    expect(await trouble(askNodes(login))).toMatchObject({ kind: 'certificate' });
    expect(api.asked).toEqual([]);
  });

  test('is of an authority that the system does not have, and no kubeconfig names', async () => {
    const api = await start();
    const { server: url } = loginTo(api);
    expect(await trouble(askVersion({ server: url }))).toMatchObject({ kind: 'certificate' });
    expect(api.asked).toEqual([]);
  });
});

describe('what is no answer of Kubernetes is unknown', () => {
  test.each<[string, string]>([
    ['a web page', '<html>Welcome</html>'],
    ['half of one', '{"gitVersion": "v1.'],
    ['another JSON', '{"version": 3}'],
    ['a version that is none', '{"gitVersion": "latest"}'],
  ])('%s', async (_what, body) => {
    const api = await start();
    api.instead = (_request, response) => {
      response.end(body);
      return true;
    };
    expect(await trouble(askVersion(loginTo(api)))).toMatchObject({ kind: 'garbage' });
  });

  test('10 MB of it, most of which is not even taken', async () => {
    const api = await start();
    let sent = 0;
    api.instead = (_request, response) => {
      const chunk = Buffer.alloc(64 << 10, ' ');
      const more = () => {
        while (sent < 10 << 20 && !response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
      return true;
    };
    expect(await trouble(askVersion(loginTo(api)))).toMatchObject({ kind: 'too-long' });
    expect(sent).toBeLessThan(10 << 20);
    sent = 0;
    expect(await trouble(askNodes(loginTo(api)))).toMatchObject({ kind: 'too-long' });
  });

  test('a redirection, which is not followed', async () => {
    const api = await start();
    api.instead = (request, response) => {
      response.writeHead(302, { location: '/version' }).end();
      return request.url !== undefined;
    };
    expect(await trouble(askVersion(loginTo(api)))).toMatchObject({ kind: 'status' });
    expect(api.asked).toHaveLength(1);
  });
});

describe('nobody waits for ever', () => {
  const soon = { withinMs: 300, mostBytes: 1000 };
  test.each<[string, boolean]>([
    ['for a head', false],
    ['for the rest of a body', true],
  ])('%s', async (_what, hasHead) => {
    const api = await start();
    api.instead = (_request, response) => {
      if (hasHead) response.write('{"gitVersion":');
      return true;
    };
    const asked = Date.now();
    expect(await trouble(askText(loginTo(api), '/version', soon))).toMatchObject({ kind: 'silent' });
    expect(Date.now() - asked).toBeLessThan(8000);
  });

  test('for a port that takes a connection and never speaks TLS', async () => {
    const mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    expect(await trouble(askText(loginTo({ port }), '/version', soon))).toMatchObject({ kind: 'silent' });
    mute.close();
  });

  test('for a port that nobody listens at', async () => {
    const { port } = await start();
    await server?.close();
    server = null;
    expect(await trouble(askVersion(loginTo({ port })))).toEqual({
      kind: 'unreachable',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

test('a token file that is gone is said by its path', async () => {
  const api = await start();
  const login = loginTo(api, { token: { file: '/nowhere/token' } });
  expect(await trouble(askVersion(login))).toEqual({
    kind: 'no-login',
    detail: expect.stringContaining('/nowhere/token'),
  });
  expect(api.asked).toEqual([]);
});
