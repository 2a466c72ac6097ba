import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseKubeconfig } from '../../src/kube/kubeconfig.js';
import { startedBy } from '../../src/kube/starting.js';
import { createLog } from '../../src/log.js';
import { type Ears, hearEvents, loginOf } from '../../workers/hear-events.js';
import { eventually } from '../support/eventually.js';

const SINCE = new Date('2026-11-27T03:00:00Z');
const event = (uid: string, over: object = {}) => ({
  metadata: { uid, creationTimestamp: '2026-11-27T03:00:10Z' },
  reason: 'Starting',
  message: 'Starting kubelet.',
  involvedObject: { kind: 'Node', name: 'win03', uid: 'win03' },
  source: { component: 'kubelet', host: 'win03' },
  ...over,
});

describe('an event', () => {
  test.each<[string, object, unknown]>([
    ['of a kubelet', {}, { node: 'win03', component: 'kubelet', uid: 'u' }],
    [
      'of a new kube-proxy, which has no message and names its controller',
      { message: '', source: { component: '' }, reportingComponent: 'kube-proxy' },
      { node: 'win03', component: 'kube-proxy', uid: 'u' },
    ],
    ['of another reason', { reason: 'Rebooted' }, null],
    ['of a pod', { involvedObject: { kind: 'Pod', name: 'win03' } }, null],
    ['of another component', { source: { component: 'default-scheduler' } }, null],
    ['from before', { metadata: { uid: 'u', creationTimestamp: '2026-11-27T02:00:00Z' } }, null],
    ['without a time', { metadata: { uid: 'u' } }, null],
  ])('%s', (_what, over, started) => {
    expect(startedBy(event('u', over), SINCE)).toEqual(started);
  });

  test('that is none is nothing', () => {
    for (const nonsense of [null, 1, 'Starting', {}, { metadata: 3 }])
      expect(startedBy(nonsense, SINCE)).toBeNull();
  });
});

const kubeconfig = (server: string, user: string, cluster = '') => `
current-context: prod
contexts: [{name: prod, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "${server}"${cluster}}}]
users: [{name: u, user: {${user}}}]
`;

describe('a kubeconfig', () => {
  test('gives server and login, inline or in files', () => {
    const inline = Buffer.from('CA').toString('base64');
    const login = parseKubeconfig(
      kubeconfig(
        'https://10.0.0.1:6443',
        'client-certificate: /c, client-key: /k',
        `, certificate-authority-data: ${inline}`,
      ),
    );
    expect(login).toEqual({
      server: new URL('https://10.0.0.1:6443'),
      ca: { data: 'CA' },
      cert: { file: '/c' },
      key: { file: '/k' },
    });
    expect(parseKubeconfig(kubeconfig('http://10.0.0.1:8080', 'token: t'))).toMatchObject({
      token: { data: 't' },
    });
  });

  test.each<[string, string, RegExp]>([
    ['nothing', '', /wrong at its top/],
    [
      'another context',
      kubeconfig('http://h', 'token: t').replace('prod\n', 'test\n'),
      /no whole context test/,
    ],
    ['a program for the login', kubeconfig('http://h', 'exec: {command: aws}'), /asks a program/],
    [
      'no check of certificates',
      kubeconfig('https://h', 'token: t', ', insecure-skip-tls-verify: true'),
      /skips/,
    ],
    ['a bomb of aliases', `a: &a [1]\nb: [*a]\n${kubeconfig('http://h', 'token: t')}`, /alias/i],
  ])('with %s is refused in words', (_what, text, words) => {
    expect(() => parseKubeconfig(text)).toThrow(words);
  });

  test('that can’t be used is a problem of the configuration', () => {
    const watch = { everyMs: 1, heal: 'report' as const, digestAt: '08:00', maintenance: [] };
    expect(loginOf({ watch })).toBeNull();
    expect(() => loginOf({ watch: { ...watch, kubeconfigFile: '/nowhere' } })).toThrow(
      /KUBECONFIG_FILE \/nowhere/,
    );
  });
});

describe('an API server', () => {
  let dir: string;
  let server: Server;
  let ears: Ears | null = null;
  let asked: string[] = [];
  let lists: unknown[] = [];
  let watches: string[][] = [];
  const started: string[] = [];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'fairway-events-'));
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const pair = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
    ];
    execFileSync('openssl', ['req', '-x509', '-days', '2', ...pair, ...subject], { stdio: 'ignore' });
    server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      asked.push(`${request.headers.authorization} ${request.url}`);
      if (!request.url?.includes('watch=true')) {
        response.end(JSON.stringify(lists.shift() ?? { items: [], metadata: { resourceVersion: '9' } }));
        return;
      }
      const lines = watches.shift();
      response.writeHead(200);
      for (const line of lines ?? []) response.write(`${line}\n`);
      // Without lines the watch stays open.
      if (lines) response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    writeFileSync(join(dir, 'token'), 'sesame\n');
    asked = [];
    started.length = 0;
  });
  afterEach(async () => {
    ears?.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(dir, { recursive: true });
  });

  function listen(authority = join(dir, 'cert.pem')): void {
    const { port } = server.address() as AddressInfo;
    const login = parseKubeconfig(
      kubeconfig(
        `https://localhost:${port}`,
        `tokenFile: ${dir}/token`,
        `, certificate-authority: ${authority}`,
      ),
    );
    ears = hearEvents(login, createLog('silent'), (node) => started.push(node));
  }
  const fresh = (uid: string, node: string) => ({
    ...event(uid),
    metadata: { uid, creationTimestamp: new Date().toISOString() },
    involvedObject: { kind: 'Node', name: node },
  });

  test('is listed, watched from there, and listed anew when that place is gone; each start is heard once', async () => {
    lists = [{ items: [event('old'), fresh('a', 'lin01')], metadata: { resourceVersion: '41' } }];
    watches = [
      [
        JSON.stringify({ type: 'ADDED', object: fresh('b', 'win03') }),
        JSON.stringify({ type: 'MODIFIED', object: fresh('b', 'win03') }),
        JSON.stringify({ type: 'ERROR', object: { code: 410 } }),
      ],
    ];
    listen();
    await eventually(
      'both are heard, and it watches again',
      async () => started.length === 2 && asked.length >= 4,
    );
    expect(started).toEqual(['lin01', 'win03']);
    expect(asked[0]).toBe('Bearer sesame /api/v1/events?fieldSelector=reason%3DStarting');
    expect(asked[1]).toContain('watch=true&resourceVersion=41');
    expect(asked[3]).toContain('resourceVersion=9');
  });

  test('with a certificate that nobody vouches for is told nothing, and believed nothing', async () => {
    lists = [{ items: [fresh('a', 'lin01')], metadata: {} }];
    const other = join(dir, 'other.pem');
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', join(dir, 'k2'), '-out', other];
    execFileSync('openssl', [...made, '-subj', '/CN=other'], { stdio: 'ignore' });
    listen(other);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([asked, started]).toEqual([[], []]);
  });
});
