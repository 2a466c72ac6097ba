import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ApiServer, startApiServer } from '../../sandbox/kube/api-server.js';
import { parseKubeconfig } from '../../src/kube/kubeconfig.js';
import { startedBy } from '../../src/kube/starting.js';
import { createLog } from '../../src/log.js';
import { type Ears, hearEvents } from '../../workers/hear-events.js';
import { certificates } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { kubeconfig } from '../support/kubeconfig.js';

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

describe('an API server', () => {
  const made = certificates();
  const authority = made.authority('cluster');
  let server: ApiServer;
  let ears: Ears | null = null;
  let lists: unknown[] = [];
  let watches: string[][] = [];
  const started: string[] = [];

  beforeEach(async () => {
    server = await startApiServer({ tls: authority.issue('localhost') });
    server.instead = (request, response) => {
      if (!request.url?.includes('watch=true')) {
        response.end(JSON.stringify(lists.shift() ?? { items: [], metadata: { resourceVersion: '9' } }));
        return true;
      }
      const lines = watches.shift();
      response.writeHead(200);
      for (const line of lines ?? []) response.write(`${line}\n`);
      // Without lines the watch stays open.
      if (lines) response.end();
      return true;
    };
    writeFileSync(join(made.dir, 'token'), 'sesame\n');
    started.length = 0;
  });
  afterEach(async () => {
    ears?.close();
    await server.close();
  });
  afterAll(() => made.close());

  function listen(trusted = authority.certFile): void {
    const login = parseKubeconfig(
      kubeconfig(
        `https://localhost:${server.port}`,
        `tokenFile: ${made.dir}/token`,
        `, certificate-authority: ${trusted}`,
      ),
      String,
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
      async () => started.length === 2 && server.asked.length >= 4,
    );
    expect(started).toEqual(['lin01', 'win03']);
    const { asked } = server;
    expect(asked[0]).toBe('Bearer sesame /api/v1/events?fieldSelector=reason%3DStarting');
    expect(asked[1]).toContain('watch=true&resourceVersion=41');
    expect(asked[3]).toContain('resourceVersion=9');
  });

  test('with a certificate that nobody vouches for is told nothing, and believed nothing', async () => {
    lists = [{ items: [fresh('a', 'lin01')], metadata: {} }];
    listen(made.authority('other').certFile);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([server.asked, started]).toEqual([[], []]);
  });
});
