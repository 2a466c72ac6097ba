import { expect, test } from '@jest/globals';
import type { Component } from '../../src/node/component.js';
import type { Node } from '../../src/node/node.js';
import type { Incident } from '../../src/watch/incident.js';
import { unseen, type Watched } from '../../src/watch/watched.js';
import type { WorkerDeps } from '../../workers/deps.js';
import { healHost } from '../../workers/heal-host.js';

const NOW = '2026-11-27T03:00:00.000Z';
const LIN01 = { name: 'lin01', os: 'linux', address: '10.0.0.4', podCidr: '192.168.0.0/24' } as Node;

const down = (component: Component): Incident => ({
  id: `i-${component}`,
  reason: 'down',
  component,
  state: 'bad',
  count: 1,
  firstAt: NOW,
  lastAt: NOW,
});

/** Which processes are restarted. */
async function healed(watched: Watched, expected: Component[] = []): Promise<Component[]> {
  const restarted: Component[] = [];
  const deps = {
    config: { watch: { heal: 'restart' } },
    watch: { update: async (_host: string, move: (stored: Watched) => Watched | null) => move(watched) },
    jobs: { control: async ({ component }: { component: Component }) => void restarted.push(component) },
  } as unknown as WorkerDeps;
  await healHost(deps, LIN01, watched, new Set(expected), NOW);
  return restarted;
}

test('a process that is down is restarted, but not one that somebody stopped', async () => {
  const watched = { ...unseen('lin01'), incidents: [down('kubelet'), down('kube-proxy')] };
  expect(await healed(watched)).toEqual(['kubelet']);
  expect(await healed(watched, ['kubelet'])).toEqual(['kube-proxy']);
  expect(await healed(watched, ['kubelet', 'kube-proxy'])).toEqual([]);
});

test('one restart a minute, three an hour', async () => {
  const before = (...minutes: number[]) =>
    minutes.map((each) => new Date(Date.parse(NOW) - each * 60_000).toISOString());
  const watched = { ...unseen('lin01'), incidents: [down('kubelet')] };
  expect(await healed({ ...watched, healed: before(0.5) })).toEqual([]);
  expect(await healed({ ...watched, healed: before(1.5) })).toEqual(['kubelet']);
  expect(await healed({ ...watched, healed: before(30, 20, 10) })).toEqual([]);
});
