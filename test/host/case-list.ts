/** What every kind of host has to do alike, as plain cases: the tests run them all, `npm run test:host` the harmless ones. */
import assert from 'node:assert/strict';
import {
  type ExpectedKey,
  HostError,
  type HostPool,
  type HostReply,
  type HostRequest,
} from '../../src/host/host.js';
import type { HostContext, Platform } from '../../src/host/platform.js';
import type { Cidr, Ipv4 } from '../../src/ip.js';
import type { Route } from '../../src/network/route.js';
import { holds } from '../../src/network/route.js';
import { Component } from '../../src/node/component.js';
import type { WindowsMachine } from '../../src/plan/machine.js';
import type { Observation, Step } from '../../src/plan/plan.js';
import type { Probe } from '../../src/plan/probe.js';
import { conflicts, stepHolds } from '../../src/plan/step.js';

export interface CaseHost {
  pool: HostPool & { stats(): { connections: number; resident: number } };
  platform: Platform;
  /** `owned` grows as the cases make routes, as Fairway's journal does. */
  context: HostContext;
  /** What the writing cases need; a host of the user's own has none. */
  writing?: Writing;
  close(): Promise<void>;
}

interface Writing {
  /** Another host on the subnet, which answers. */
  peer: { name: string; address: Ipv4; podCidr: Cidr };
  /** An address on the subnet that nobody has. */
  silent: Ipv4;
  /** Makes, behind Fairway's back, a route that is not its own. */
  addForeign(route: Route): Promise<void>;
  /** The steps that give the host its pod gateway, in order. */
  podSteps: readonly Step[];
  /** Of the lease, higher each time. */
  nextFence(): number;
  /** Ends a process, which stays down. */
  kill(component: Component): Promise<void>;
  start(component: Component): Promise<void>;
  /** How many watchers run on the host. */
  watchers(): Promise<number>;
}

export interface HostCase {
  name: string;
  writes: boolean;
  run(host: CaseHost): Promise<void>;
}

const HOSTILE = [
  "'; touch /tmp/fairway-was-here; '",
  '"; touch /tmp/fairway-was-here; "',
  '$(touch /tmp/fairway-was-here)',
  '`touch /tmp/fairway-was-here`',
  '10.0.0.7\ntouch /tmp/fairway-was-here',
  '10.0.0.7|touch /tmp/fairway-was-here',
  '10.7',
  '0x0a000007',
  '10.0.0.07',
  '１０.0.0.7',
];

export const caseList: readonly HostCase[] = [
  {
    name: 'a read finds the node’s device, its addresses and a boot id',
    writes: false,
    async run(host) {
      const seen = await read(host);
      const { address } = host.context.target;
      assert.notEqual(seen.nodeDevice, null);
      assert.ok(seen.addresses.some((held) => held.address === address && held.device === seen.nodeDevice));
      assert.ok(seen.routes.some((route) => route.device === seen.nodeDevice && route.nextHop === null));
      assert.equal(typeof seen.forwarding, 'boolean');
      assert.notEqual(seen.boot, '');
    },
  },
  {
    name: 'a full read is understood too',
    writes: false,
    async run(host) {
      const seen = await read(host);
      const { os } = host.context.target;
      assert.deepEqual(
        [seen.windows !== undefined, seen.linux !== undefined],
        [os === 'windows', os === 'linux'],
      );
    },
  },
  {
    name: 'a probe is a read that is not full, with processes and a clock',
    writes: false,
    async run(host) {
      const { observed, processes, clock } = await probe(host);
      const { windows: _windows, linux: _linux, ...seen } = await read(host);
      assert.deepEqual(observed, seen);
      assert.deepEqual(Object.keys(processes).sort(), ['kube-proxy', 'kubelet']);
      for (const process of Object.values(processes))
        if (process) assert.ok(Date.parse(process.startedAt) <= Date.parse(clock) + 1000, process.startedAt);
      assert.deepEqual((await probe(host)).processes, processes);
    },
  },
  {
    name: 'a script that it does not have is refused',
    writes: false,
    async run(host) {
      await refused(host, { script: 'format', params: {}, timeoutMs: 60_000 });
    },
  },
  {
    name: 'parameters that are not addresses are refused, and reach no shell',
    writes: false,
    async run(host) {
      for (const text of HOSTILE) {
        await refused(host, host.platform.prove(host.context, text, [host.context.target.address]));
        await refused(host, host.platform.prove(host.context, null, [text]));
      }
    },
  },
  {
    name: 'components and actions that do not exist are refused, and reach no shell',
    writes: false,
    async run(host) {
      const { platform, context } = host;
      for (const text of [...HOSTILE, 'docker', 'kubelet.service', 'kubelet -h', '', '-h']) {
        const component = text as Component;
        // As old as can be: if any of them were not refused for its text, it would be for its fence.
        await refused(host, platform.service(context, component, 'restart', 0));
        await refused(host, platform.service(context, 'kubelet', text as 'stop', 0));
        await refused(host, platform.logs(context, component, 10));
        const { params, ...request } = platform.logs(context, 'kubelet', 10);
        await refused(host, { ...request, params: { ...params, lines: text } });
      }
    },
  },
  {
    name: 'many requests use one connection and one interpreter, and are answered each with its own',
    writes: false,
    async run(host) {
      await read(host, false);
      const before = host.pool.stats();
      const [a, b, c] = await Promise.all([
        read(host, false),
        proof(host, [host.context.target.address]),
        read(host, false),
      ]);
      assert.deepEqual(a, c);
      assert.deepEqual(Object.keys(b), [host.context.target.address]);
      assert.deepEqual(host.pool.stats(), before);
    },
  },
  {
    name: 'the host answers for its own address',
    writes: false,
    async run(host) {
      const { address } = host.context.target;
      assert.deepEqual(await proof(host, [address]), { [address]: 'icmp' });
    },
  },
  {
    name: 'a route is made, making it again changes nothing, removing it leaves nothing',
    writes: true,
    async run(host) {
      const before = await read(host);
      const step = routeStep(host);
      const made = await apply(host, [step]);
      assert.ok(stepHolds(step, made), JSON.stringify(made.routes));
      assert.equal(made.routes.find((seen) => holds(seen, step.route))?.ours, true);
      assert.deepEqual(await apply(host, [step]), made);
      const undone = await apply(host, [{ ...step, action: 'remove' }]);
      assert.deepEqual(undone, before);
    },
  },
  {
    name: 'the same request twice is as good as once',
    writes: true,
    async run(host) {
      const step = routeStep(host);
      const seen = await read(host);
      const fence = writing(host).nextFence();
      own(host, [step]);
      for (const request of host.platform.apply([step], host.context, seen, fence)) {
        await send(host, request);
        await send(host, request);
      }
      const made = await read(host);
      assert.equal(made.routes.filter((route) => route.destination === step.route.destination).length, 1);
      assert.ok(stepHolds(step, made));
      await apply(host, [{ ...step, action: 'remove' }]);
    },
  },
  {
    name: 'a wrong route of ours is replaced',
    writes: true,
    async run(host) {
      const before = await read(host);
      const right = routeStep(host);
      const wrong = { ...right, route: { ...right.route, nextHop: writing(host).silent } };
      assert.ok(stepHolds(wrong, await apply(host, [wrong])));
      const made = await apply(host, [right]);
      assert.ok(stepHolds(right, made), JSON.stringify(made.routes));
      assert.equal(made.routes.filter((seen) => seen.destination === right.route.destination).length, 1);
      assert.deepEqual(await apply(host, [{ ...right, action: 'remove' }]), before);
    },
  },
  {
    name: 'own slice, a prefix outside the cluster and one over the node’s address are refused before the host is asked',
    writes: true,
    async run(host) {
      const before = await read(host);
      const { podCidr, target } = host.context;
      for (const destination of [podCidr, '172.31.0.0/24', '0.0.0.0/0', `${target.address}/32`]) {
        const step = { ...routeStep(host), route: { destination, nextHop: writing(host).peer.address } };
        await assert.rejects(async () => await apply(host, [step]), {
          kind: 'script',
          detail: { code: 'REFUSED' },
        });
      }
      assert.deepEqual(await read(host), before);
    },
  },
  {
    name: 'a lease that a later one has overtaken is refused',
    writes: true,
    async run(host) {
      const step = routeStep(host);
      const before = await read(host);
      const old = writing(host).nextFence();
      const removed: Step = { ...step, action: 'remove' };
      await apply(host, [step]);
      await apply(host, [removed]);
      own(host, [step]);
      for (const request of host.platform.apply([step], host.context, before, old)) {
        const error = await refused(host, request);
        assert.equal(error.detail.code, 'FENCED');
      }
      assert.deepEqual(await read(host), before);
    },
  },
  {
    name: 'forwarding goes on and off again',
    writes: true,
    async run(host) {
      assert.equal((await apply(host, [{ kind: 'forwarding', action: 'ensure' }])).forwarding, true);
      assert.equal((await apply(host, [{ kind: 'forwarding', action: 'remove' }])).forwarding, false);
    },
  },
  {
    name: 'the pod gateway is made, making it again changes nothing, removing it leaves nothing',
    writes: true,
    async run(host) {
      const before = await read(host);
      const steps = writing(host).podSteps;
      const made = await apply(host, steps);
      for (const step of steps) assert.ok(stepHolds(step, made), `${step.kind} does not hold`);
      assert.deepEqual((await apply(host, steps)).addresses, made.addresses);
      const undo = steps.map((step): Step => ({ ...step, action: 'remove' })).reverse();
      const undone = await apply(host, undo);
      for (const step of undo) assert.ok(stepHolds(step, undone), `${step.kind} is still there`);
      assert.deepEqual(new Set(undone.routes.map(factOf)), new Set(before.routes.map(factOf)));
    },
  },
  {
    name: 'a Windows machine becomes a router with a virtual switch and a pause image, a second time without a change, and is one again',
    writes: true,
    async run(host) {
      if (host.context.target.os === 'linux') return;
      const before = await machineOf(host);
      const fence = writing(host).nextFence();
      const steps = [
        { kind: 'routing-service' as const },
        { kind: 'virtual-switch' as const, name: 'KubeProxySwitch' },
        { kind: 'image' as const, image: host.context.pauseImage },
      ];
      const make = async (ensure: boolean, changed: boolean): Promise<void> => {
        for (const { kind: script, ...params } of steps) {
          const given = { ...params, fence, ensure };
          const request = { script, params: given, timeoutMs: 60_000, installs: true } as const;
          assert.deepEqual(
            { script, changed: didChange((await send(host, request)).data) },
            { script, changed },
          );
        }
        const seen = await read(host);
        for (const step of steps)
          assert.ok(stepHolds({ ...step, action: ensure ? 'ensure' : 'remove' }, seen), step.kind);
      };
      await make(true, true);
      await make(true, false);
      await make(false, true);
      await make(false, false);
      assert.deepEqual(await machineOf(host), before);
    },
  },
  {
    name: 'a process that was killed is not there, and one that was started again is another one',
    writes: true,
    async run(host) {
      const before = await runningBoth(host);
      await writing(host).kill('kubelet');
      assert.deepEqual((await probe(host)).processes, { ...before, kubelet: null });
      await writing(host).start('kubelet');
      const { processes, clock } = await probe(host);
      assert.deepEqual(processes['kube-proxy'], before['kube-proxy']);
      assert.notDeepEqual(identity(processes.kubelet), identity(before.kubelet));
      const age = Date.parse(clock) - Date.parse(processes.kubelet?.startedAt ?? '');
      assert.ok(age > -2000 && age < 60_000, `${age} ms old`);
    },
  },
  {
    name: 'a watch tells within a second which process ended, and leaves nothing behind when it is closed',
    writes: true,
    async run(host) {
      await runningBoth(host);
      const { heard, watch, next } = await watching(host);
      assert.equal(await writing(host).watchers(), 1);
      await send(host, host.platform.probe(host.context));
      await writing(host).kill('kube-proxy');
      const begun = Date.now();
      assert.equal(await next(), 'kube-proxy');
      assert.ok(Date.now() - begun < 1000, `${Date.now() - begun} ms`);
      await writing(host).kill('kubelet');
      assert.equal(await next(), 'kubelet');
      await eventually('the watcher to end', async () => (await writing(host).watchers()) === 0);
      await writing(host).start('kubelet');
      await writing(host).start('kube-proxy');

      const second = await watching(host);
      second.watch.close();
      watch.close();
      await eventually('the watcher to end', async () => (await writing(host).watchers()) === 0);
      await writing(host).kill('kubelet');
      await writing(host).start('kubelet');
      assert.deepEqual([...heard, ...second.heard], ['kube-proxy', 'kubelet']);
    },
  },
  {
    name: 'a watch tells of a process that ended before it began',
    writes: true,
    async run(host) {
      const before = await runningBoth(host);
      await writing(host).kill('kubelet');
      await writing(host).start('kubelet');
      const { watch, next } = await watching(host, before);
      assert.equal(await next(), 'kubelet');
      watch.close();
      // Another process has that number.
      const { processes } = await probe(host);
      const mistaken = await watching(host, { ...processes, kubelet: processes['kube-proxy'] });
      assert.equal(await mistaken.next(), 'kubelet');
      mistaken.watch.close();
      await eventually('the watchers to end', async () => (await writing(host).watchers()) === 0);
    },
  },
  {
    name: 'a component is stopped, started and restarted; a lease that a later one has overtaken does none of it',
    writes: true,
    async run(host) {
      const { platform, context } = host;
      const before = await runningBoth(host);
      const old = writing(host).nextFence();
      const act = async (action: 'start' | 'stop' | 'restart', fence = writing(host).nextFence()) => {
        const { params, ...request } = platform.service(context, 'kube-proxy', action, fence);
        // How long it has to stay is another test's matter.
        const reply = await send(host, { ...request, params: { ...params, stayS: 0, stayMs: 0 } });
        return platform.parseProbe(reply.data, context).processes;
      };
      assert.deepEqual(await act('start'), before);
      const restarted = await act('restart');
      assert.deepEqual(restarted.kubelet, before.kubelet);
      assert.notDeepEqual(identity(restarted['kube-proxy']), identity(before['kube-proxy']));
      await assert.rejects(act('restart', old), { kind: 'script', detail: { code: 'FENCED', printed: '' } });
      assert.deepEqual((await probe(host)).processes, restarted);
      assert.deepEqual(await act('stop'), { ...before, 'kube-proxy': null });
      assert.deepEqual(await act('stop'), { ...before, 'kube-proxy': null });
      assert.notEqual((await act('start'))['kube-proxy'], null);
    },
  },
  {
    name: 'logs come, as many lines as were asked for',
    writes: true,
    async run(host) {
      await runningBoth(host);
      const { platform, context } = host;
      for (const component of Component.options) {
        const log = platform.parseLogs((await send(host, platform.logs(context, component, 200))).data);
        const lines = log.split('\n');
        assert.ok(lines.length > 2 && lines.length <= 200 && log.length <= 65_536, log);
        const last = platform.parseLogs((await send(host, platform.logs(context, component, 2))).data);
        assert.deepEqual(last.split('\n'), lines.slice(-2));
      }
    },
  },
  {
    name: 'who answers and who does not is told apart',
    writes: true,
    async run(host) {
      const { peer, silent } = writing(host);
      assert.deepEqual(await proof(host, [peer.address, silent]), {
        [peer.address]: 'icmp',
        [silent]: 'none',
      });
    },
  },
  {
    // Last: the foreign route stays.
    name: 'a foreign route in the way is reported and left alone',
    writes: true,
    async run(host) {
      const destination = '192.168.77.0/24';
      await writing(host).addForeign({ destination, nextHop: writing(host).silent });
      const before = await read(host);
      const step: Step = { ...routeStep(host), route: { destination, nextHop: writing(host).peer.address } };
      assert.match(conflicts(step, before) ?? '', /192\.168\.77\.0\/24 via .* is not Fairway's/);
      const after = await apply(host, [step]);
      assert.deepEqual(after.routes, before.routes);
      assert.ok(!stepHolds(step, after));
      assert.deepEqual((await apply(host, [{ ...step, action: 'remove' }])).routes, before.routes);
    },
  },
];

/** Reads the host, whole, but for what changes by itself: its clock, and how much disk is free. */
export async function read(host: CaseHost, full = true): Promise<Observation> {
  const { windows, linux, ...seen } = await readAll(host, full);
  const still = { clock: '', freeBytes: 0 };
  return {
    ...seen,
    ...(windows ? { windows: { ...windows, machine: { ...windows.machine, ...still } } } : {}),
    ...(linux ? { linux: { ...linux, ...still } } : {}),
  };
}

async function readAll(host: CaseHost, full: boolean): Promise<Observation> {
  const reply = await host.pool.request(
    host.context.target,
    host.platform.observe(host.context, full),
    'any',
  );
  const seen = host.platform.parseObservation(reply.data, host.context);
  const still = { clock: '', freeBytes: 0 };
  const { windows, linux } = seen;
  return {
    ...seen,
    ...(windows ? { windows: { ...windows, machine: { ...windows.machine, ...still } } } : {}),
    ...(linux ? { linux: { ...linux, ...still } } : {}),
  };
}

async function machineOf(host: CaseHost): Promise<WindowsMachine> {
  const { windows } = await read(host);
  assert.ok(windows, 'no Windows facts');
  return windows.machine;
}

function didChange(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'changed' in data ? data.changed : undefined;
}

async function probe(host: CaseHost): Promise<Probe> {
  const reply = await send(host, host.platform.probe(host.context));
  return host.platform.parseProbe(reply.data, host.context);
}

/** Both processes, started where they don't run. */
async function runningBoth(host: CaseHost): Promise<Probe['processes']> {
  const { processes } = await probe(host);
  const missing = Component.options.filter((component) => processes[component] === null);
  for (const component of missing) await writing(host).start(component);
  return missing.length > 0 ? (await probe(host)).processes : processes;
}

/** What tells one process from another on a host that has not rebooted. */
function identity(process: Probe['processes'][Component]) {
  return process && { pid: process.pid, started: process.started };
}

/** Watches the two processes, or those given; `next` is what is heard next, within 10 s. */
async function watching(host: CaseHost, processes?: Probe['processes']) {
  const seen = processes ?? (await probe(host)).processes;
  const pids = { kubelet: seen.kubelet?.pid ?? 0, 'kube-proxy': seen['kube-proxy']?.pid ?? 0 };
  const heard: string[] = [];
  let taken = 0;
  const watch = await host.pool.watch(host.context.target, await pin(host), pids, (what) => heard.push(what));
  assert.ok(watch, 'this host does not watch');
  const next = async (): Promise<string | undefined> => {
    await eventually('word of a process', async () => heard.length > taken);
    taken += 1;
    return heard[taken - 1];
  };
  return { watch, heard, next };
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) assert.fail(`gave up waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Sends a request to the host whose key the first read showed. */
export async function send(host: CaseHost, request: HostRequest): Promise<HostReply> {
  return await host.pool.request(host.context.target, request, await pin(host));
}

/** Reads, applies what is missing, and reads again, as a worker does. */
async function apply(host: CaseHost, steps: readonly Step[]): Promise<Observation> {
  const seen = await read(host);
  own(host, steps);
  const requests = host.platform.apply(steps, host.context, seen, writing(host).nextFence());
  for (const request of requests) await send(host, request);
  return await read(host);
}

async function pin(host: CaseHost): Promise<ExpectedKey> {
  const request = host.platform.observe(host.context, false);
  const { fingerprint } = await host.pool.request(host.context.target, request, 'any');
  return { fingerprint };
}

async function proof(host: CaseHost, targets: readonly Ipv4[]) {
  const reply = await send(host, host.platform.prove(host.context, null, targets));
  return host.platform.parseProof(reply.data);
}

async function refused(host: CaseHost, request: HostRequest): Promise<HostError> {
  const error = await send(host, request).then(
    () => assert.fail(`${request.script} ${JSON.stringify(request.params)} was not refused`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HostError, String(error));
  assert.equal(error.kind, 'script');
  return error;
}

/** The journal: what Fairway is about to make is its own. */
function own(host: CaseHost, steps: readonly Step[]): void {
  const made = steps.flatMap((step) =>
    step.kind === 'route' && step.action === 'ensure' ? [step.route] : [],
  );
  host.context = { ...host.context, owned: [...host.context.owned, ...made] };
}

function routeStep(host: CaseHost) {
  const { name, address, podCidr } = writing(host).peer;
  const route: Route = { destination: podCidr, nextHop: address };
  return { kind: 'route' as const, action: 'ensure' as const, peer: name, route };
}

function writing(host: CaseHost): Writing {
  assert.ok(host.writing, 'this host must not be written to');
  return host.writing;
}

function factOf(route: { destination: string; nextHop: string | null }): string {
  return `${route.destination} ${route.nextHop}`;
}
