/**
 * A cluster to measure: real hosts in namespaces that are members already, Redis, and Fairway's bot and worker as processes. Slack is
 * the fake one, without its limits on pace: how long a person waits for Slack is measured by `bench -- commands`.
 */
import { readFileSync } from 'node:fs';
import { ALICE, BOB, CHANNEL, startWorld, type World } from '../sandbox/world.js';
import type { Change, ChangeState } from '../src/change/change.js';
import { accessOf } from '../src/command/access.js';
import type { BotCommand } from '../src/command/command.js';
import type { Desk } from '../src/command/desk.js';
import { createDesk } from '../src/command/run.js';
import { parseConfig } from '../src/config.js';
import { podGateway, toNumber, toText } from '../src/ip.js';
import { Jobs } from '../src/job/queue.js';
import { connectRedis, keys } from '../src/redis.js';
import { openStores, type Stores } from '../src/stores.js';
import { createLab, type Lab, type LabHost } from '../test/lab/lab.js';
import { ipBatch, run } from '../test/lab/system.js';
import { routerOf } from '../test/lab/wire.js';
import { inFlight } from './flight.js';
import type { PutAway } from './put-away.js';

export interface Cluster {
  lab: Lab;
  stores: Stores;
  members: readonly LabHost[];
  /** Hosts that are in no inventory yet. */
  joiners: readonly LabHost[];
  logFile: string;
  world: World;
  ask(command: BotCommand): Promise<string>;
  approve(id: string): Promise<void>;
  /** Waits until the change is in one of the states. Throws when it comes to rest in another one. */
  until(id: string, ...states: ChangeState[]): Promise<Change>;
  /** Ends the worker and starts another one, which has no connection yet. */
  freshWorker(): Promise<void>;
}

/** Room for a /24 each, and for those that rest after every run. */
const CLUSTER_CIDR = '172.16.0.0/12';
const PREFIX = 16;
const FIRST_HOST = toNumber('10.0.0.1');
const REST: readonly ChangeState[] = [
  'refused',
  'denied',
  'expired',
  'stale',
  'applied',
  'owing',
  'failed',
  'cancelled',
];
const PATIENCE_MS = 120_000;

export async function openCluster(
  size: {
    members: number;
    joiners: number;
    fullTables: boolean;
    /** Whether kubelet and kube-proxy run on them, and how often they are looked at. Default: never. */
    watched?: string;
  },
  putAway: PutAway,
): Promise<Cluster> {
  const specs = Array.from({ length: size.members + size.joiners }, (_, index) => ({
    name: index < size.members ? `node${index + 1}` : `new${index - size.members + 1}`,
    os: 'linux' as const,
    address: toText(FIRST_HOST + index),
    processes: size.watched !== undefined,
  }));
  const lab = await putAway.keep(createLab({ hosts: specs, prefix: PREFIX }), (made) => made.close());
  const world = await putAway.keep(
    startWorld({
      ssh: lab,
      workers: 1,
      rateLimits: { post: false, perMinute: false },
      env: { CLUSTER_CIDR, PROBE_EVERY: size.watched ?? '1d' },
    }),
    (made) => made.close(),
  );
  const redis = connectRedis(world.redis.url);
  const config = parseConfig(world.env, 'bot');
  const stores = openStores(redis, keys(config.redis.prefix), config.cluster);
  const jobs = new Jobs(redis, config.redis.prefix, () => undefined);
  await putAway.keep(Promise.resolve(redis), async () => {
    await jobs.close();
    redis.disconnect();
  });
  const members = lab.hosts.slice(0, size.members);
  await introduce(lab);
  await makeMembers(lab, stores, members, size.fullTables);
  const desk = createDesk({
    ...stores,
    config,
    jobs,
    access: async () => accessOf(config.access, new Map()),
  });
  return {
    lab,
    stores,
    members,
    joiners: lab.hosts.slice(size.members),
    logFile: world.logFile,
    world,
    ...driving(world, stores, desk),
  };
}

function driving(
  world: World,
  stores: Stores,
  desk: Desk,
): Pick<Cluster, 'ask' | 'approve' | 'until' | 'freshWorker'> {
  const actor = (user: string) => ({ id: `TSANDBOX:${user}`, via: 'slash' as const });
  let started = 1;
  return {
    async ask(command) {
      const reply = await desk.run(command, actor(ALICE), { channel: CHANNEL, user: ALICE });
      if (!('id' in reply)) throw new Error(`no change came of ${JSON.stringify(command)}`);
      return reply.id;
    },
    async approve(id) {
      await desk.decide(id, 'approve', null, undefined, actor(BOB));
    },
    async until(id, ...states) {
      for (const patience = Date.now() + PATIENCE_MS; Date.now() < patience; ) {
        const change = await stores.changes.get(id);
        if (states.includes(change.state)) return change;
        if (REST.includes(change.state))
          throw new Error(
            `${id} is ${change.state}: ${change.reason ?? ''} ${(change.detail ?? []).join('; ')}`,
          );
        // Seldom enough that asking costs those nothing who are measured.
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`${id} takes too long to become ${states.join(' or ')}; see ${world.logFile}`);
    },
    async freshWorker() {
      await world.workers.at(-1)?.stop();
      world.startWorker();
      started += 1;
      while (readFileSync(world.logFile, 'utf8').split('"worker started"').length <= started)
        await new Promise((resolve) => setTimeout(resolve, 50));
    },
  };
}

/** Puts hosts into the stores as if they had been added long ago, and makes their bridges, so that proofs find an answer. */
async function makeMembers(
  lab: Lab,
  { leases, nodes, hostKeys }: Stores,
  hosts: readonly LabHost[],
  fullTables: boolean,
): Promise<void> {
  const slices: { address: string; podCidr: string }[] = [];
  for (const [index, { spec, fingerprint }] of hosts.entries()) {
    const node = { name: spec.name, os: spec.os, address: spec.address };
    const changeId = `seed-${index}`;
    const { lease } = await leases.claim({ changeId, node, excluded: [], now: new Date() });
    await leases.confirm(changeId);
    await nodes.add({ ...node, podCidr: lease.podCidr });
    await hostKeys.pin(spec.name, fingerprint);
    slices.push({ address: spec.address, podCidr: lease.podCidr });
  }
  await inFlight(hosts, 8, async ({ spec }) => {
    const own = slices.find(({ address }) => address === spec.address)?.podCidr ?? '';
    const routes = slices
      .filter(({ podCidr }) => fullTables && podCidr !== own)
      .map(({ address, podCidr }) => `route add ${podCidr} via ${address} proto 155`);
    const lines = [
      'link add name cbr0 type bridge',
      `address add ${podGateway(own)}/24 dev cbr0`,
      'link set cbr0 up',
      ...routes,
    ];
    await lab.exec(
      spec.name,
      `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} | ip -batch - && sysctl -qw net.ipv4.ip_forward=1`,
    );
  });
}

/**
 * Tells the hosts each other's MAC addresses. Namespaces share the kernel's one table of neighbours, which holds 1024 of those
 * that were asked for: too few for hundreds of hosts that all talk to a new one, and no limit of real machines.
 */
async function introduce(lab: Lab): Promise<void> {
  const [first] = lab.hosts;
  if (!first) return;
  const router = first.namespace.slice(0, -first.spec.name.length).concat('router');
  const known = new Map<string, string>();
  const macOf = '/sys/class/net/eth0/address';
  await inFlight(lab.hosts, 8, async ({ spec }) => {
    known.set(spec.address, (await lab.exec(spec.name, `cat ${macOf}`)).trim());
  });
  const met = (mac: string, address: string, device: string) =>
    `neigh replace ${address} lladdr ${mac} nud permanent dev ${device}`;
  await ipBatch(
    [...known].map(([address, mac]) => met(mac, address, 'br0')),
    router,
  );
  const bridge = JSON.parse(await run('ip', ['-n', router, '-j', 'link', 'show', 'br0'])) as {
    address: string;
  }[];
  known.set(routerOf(first.spec.address, PREFIX), bridge[0]?.address ?? '');
  await inFlight(lab.hosts, 8, ({ spec, namespace }) =>
    ipBatch(
      [...known].flatMap(([address, mac]) => (address === spec.address ? [] : [met(mac, address, 'eth0')])),
      namespace,
    ),
  );
}
