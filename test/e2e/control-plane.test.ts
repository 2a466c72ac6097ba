/** The API server as a worker with a kubeconfig meets it: over HTTPS, with a certificate of an authority that only the kubeconfig names. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ApiServer, type NodeObject, startApiServer } from '../../sandbox/kube/api-server.js';
import { ALICE } from '../../sandbox/world.js';
import { checkLines } from '../../src/words/cluster.js';
import { checkCluster } from '../../workers/check-cluster.js';
import { certificates } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { type InProcess, inProcess } from '../support/in-process.js';
import { kubeconfig } from '../support/kubeconfig.js';
import { openSite, podRoutes, type Site } from '../support/site.js';

describe('the API server', () => {
  const made = certificates();
  let api: ApiServer;
  let site: Site;
  let own: InProcess;
  beforeAll(async () => {
    const authority = made.authority('cluster');
    api = await startApiServer({ tls: authority.issue('localhost'), tokens: { sesame: true } });
    const file = join(made.dir, 'kubeconfig');
    const url = `https://localhost:${api.port}`;
    writeFileSync(file, kubeconfig(url, 'token: sesame', `, certificate-authority: ${authority.certFile}`));
    site = await openSite({ env: { KUBECONFIG_FILE: file } });
    own = inProcess(site.world, site.team.stores);
  }, 60_000);
  afterAll(async () => {
    await own.close();
    await site.close();
    await api.close();
    made.close();
  });
  beforeEach(() => {
    api.instead = () => false;
  });

  const registered = (name: string, os: string, address: string, podCIDR?: string): NodeObject => ({
    metadata: { name, labels: { 'beta.kubernetes.io/os': os } },
    spec: podCIDR === undefined ? {} : { podCIDR },
    status: { addresses: [{ type: 'InternalIP', address }] },
  });
  const held = async (name: string) =>
    (await site.team.stores.leases.list(new Date()))
      .filter((lease) => lease.node.name === name)
      .map((lease) => lease.podCidr);

  /** A moment after the refusal. */
  const givenBack = (name: string) =>
    eventually(`${name} holds nothing`, async () => (await held(name)).length === 0);

  test('has a pod CIDR for a node that joins: it gets that one, and the routes lead there', async () => {
    const { team, host } = site;
    api.nodes = [registered('win03', 'windows', '10.0.0.7', '192.168.9.0/24')];
    expect((await team.make('add linux node lin01 10.0.0.4')).state).toBe('applied');
    const change = await team.make('add windows node win03 10.0.0.7');
    expect([change.state, change.node?.podCidr]).toEqual(['applied', '192.168.9.0/24']);
    expect(await held('win03')).toEqual(['192.168.9.0/24']);
    expect(podRoutes(host('lin01'))).toEqual(['192.168.9.0/24 via 10.0.0.7']);
  });

  test('has another than was asked for: refused, naming both, and nothing is kept', async () => {
    const { team } = site;
    api.nodes = [registered('lin02', 'linux', '10.0.0.8', '192.168.6.0/24')];
    const change = await team.ask('add linux node lin02 10.0.0.8 pod-cidr 192.168.5.0/24');
    expect(change.state).toBe('refused');
    expect(change.reason).toContain('has 192.168.6.0/24 for `lin02`, not 192.168.5.0/24');
    await team.untilCard(change.id, 'kubectl delete node lin02');
    await givenBack('lin02');
  });

  test('has the very one that was asked for: it joins', async () => {
    const { team } = site;
    const change = await team.ask('add linux node lin02 10.0.0.8 pod-cidr 192.168.6.0/24');
    expect([change.state, change.node?.podCidr]).toEqual(['pending', '192.168.6.0/24']);
    await team.say(`cancel ${change.id}`);
    await team.until(change.id, 'cancelled');
  });

  test('has one for a node that a member has here: refused, saying what to do there', async () => {
    const { team } = site;
    api.nodes = [registered('lin02', 'linux', '10.0.0.8', '192.168.0.0/24')];
    const change = await team.ask('add linux node lin02 10.0.0.8');
    expect([change.state, change.reason]).toEqual([
      'refused',
      expect.stringMatching(/192\.168\.0\.0\/24 is held by `lin01`.*kubectl delete node lin02/),
    ]);
    await givenBack('lin02');
  });

  test('gave a free slice to a node that is not Fairway’s: nobody else gets it', async () => {
    const { team } = site;
    api.nodes = [registered('stranger', 'linux', '10.0.0.99', '192.168.1.0/24')];
    const asked = await team.ask('add linux node lin02 10.0.0.8 pod-cidr 192.168.1.0/24');
    expect([asked.state, asked.reason]).toEqual(['refused', expect.stringContaining('for `stranger`')]);
    const change = await team.ask('add linux node lin02 10.0.0.8');
    expect([change.state, change.node?.podCidr]).toEqual(['pending', '192.168.2.0/24']);
    expect(await held('lin02')).toEqual(['192.168.2.0/24']);
    await team.say(`cancel ${change.id}`);
    await team.until(change.id, 'cancelled');
  });

  test('gave the slice away between plan and approval: nothing is applied, and the next plan has a free one', async () => {
    const { team, host } = site;
    api.nodes = [];
    const change = await team.ask('add linux node lin02 10.0.0.8');
    expect([change.state, change.node?.podCidr]).toEqual(['pending', '192.168.1.0/24']);
    api.nodes = [registered('stranger', 'linux', '10.0.0.99', '192.168.1.0/24')];
    await team.click(change.id, 'Approve');
    expect((await team.until(change.id)).reason).toMatch(/nothing was applied.*has for `stranger`/);
    expect(podRoutes(host('lin01'))).toEqual(['192.168.9.0/24 via 10.0.0.7']);
    await givenBack('lin02');
    const other = await team.ask('add linux node lin02 10.0.0.8');
    expect(other.node?.podCidr).toBe('192.168.2.0/24');
    api.nodes = [registered('lin02', 'linux', '10.0.0.8', '192.168.6.0/24')];
    await team.click(other.id, 'Approve');
    const { state, reason } = await team.until(other.id);
    expect([state, reason]).toEqual(['stale', expect.stringContaining('has 192.168.6.0/24 for `lin02`')]);
    await givenBack('lin02');
  });

  test('is away: the plan goes on, and says that it could not be asked', async () => {
    const { team } = site;
    api.instead = (_request, response) => {
      response.writeHead(503).end('etcd is away');
      return true;
    };
    const change = await team.ask('add linux node lin02 10.0.0.8');
    expect(change.state).toBe('pending');
    await team.untilCard(change.id, 'answers with an error (503 etcd is away)');
    expect(team.cardText(change.id)).toContain('is unknown: `check cluster` before you approve');
    await team.say(`cancel ${change.id}`);
    await team.until(change.id, 'cancelled');
  });

  test('is compared with the inventory by `check cluster`, whoever asks', async () => {
    const { team } = site;
    api.nodes = [
      registered('lin01', 'linux', '10.0.0.4', '192.168.0.0/24'),
      registered('win03', 'windows', '10.0.0.7', '192.168.9.0/24'),
    ];
    expect(await team.say('check cluster')).toContain('Asking the API server');
    const fine = await team.hears('2 nodes here, 2 there: pod CIDRs, addresses and OS labels agree', ALICE);
    expect(fine).toContain('It answers, as `v1.5.2`');
    api.nodes[1] = registered('win03', 'windows', '10.0.0.7', '10.244.9.0/24');
    await team.say('check cluster');
    const off = await team.hears('1 difference', ALICE);
    expect(off).toMatch(
      /`win03` has `192\.168\.9\.0\/24` here.*`10\.244\.9\.0\/24` there.*kubectl control-plane/,
    );
    const waiting = await own
      .desk()
      .run({ kind: 'check-cluster' }, { id: `T1:${ALICE}`, via: 'console' }, { channel: 'C', user: ALICE });
    expect(waiting).toMatchObject({ kind: 'cluster', check: { nodes: { said: { here: 2, there: 2 } } } });
  });

  test('that lets nobody look at nodes has unknown nodes, not none', async () => {
    const { team } = site;
    api.instead = (request, response) => {
      if (!request.url?.startsWith('/api/')) return false;
      response.writeHead(403).end('nodes is forbidden');
      return true;
    };
    await team.say('check cluster');
    const said = await team.hears('Its nodes are unknown', ALICE);
    expect(said).toContain('does not let the user of `KUBECONFIG_FILE` look');
    expect(said).not.toMatch(/is not registered|0 there/);
  });

  test('without a kubeconfig is asked for its version and health alone, and what was not checked is said', async () => {
    const before = api.asked.length;
    const { config } = own.deps;
    const plain = await startApiServer({ version: 'v1.6.0' });
    const without = (apiServer: string) =>
      checkCluster({
        ...own.deps,
        login: null,
        config: { ...config, cluster: { ...config.cluster, apiServer } },
      });
    const words = checkLines(await without(`http://127.0.0.1:${plain.port}`));
    expect(plain.asked.sort()).toEqual(['nobody /healthz', 'nobody /version']);
    expect(words[0]).toContain('`KUBERNETES_VERSION` is `1.5`: set it to `1.6`');
    expect(words.at(-1)).toContain('Its nodes were not asked for');
    plain.instead = (_request, response) => {
      response.writeHead(401).end('Unauthorized');
      return true;
    };
    const closed = checkLines(await without(`http://127.0.0.1:${plain.port}`));
    expect(closed[0]).toContain('answers, and lets nobody look without a kubeconfig');
    await plain.close();
    const away = checkLines(await without(`http://127.0.0.1:${plain.port}`));
    expect(away).toEqual([expect.stringContaining('does not answer')]);
    expect(api.asked.length).toBe(before);
  });

  test('needs flags, which `kubectl control-plane` lists with the pod CIDRs of the members', async () => {
    const said = await site.team.say('kubectl control-plane');
    expect(said).toContain('--non-masquerade-cidr=192.168.0.0/16');
    expect(said).toContain('--cluster-dns=10.96.0.10');
    expect(said).toContain(`kubectl patch node win03 -p '{"spec":{"podCIDR":"192.168.9.0/24"}}'`);
  });
});
