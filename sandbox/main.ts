/**
 * `npm run sandbox`: everything on embedded defaults, and a chat prompt to drive it. `-- --script FILE` or piped input runs
 * commands unattended; `-- --lab` uses real sshds in network namespaces (Linux, root) in place of in-process hosts.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildGuide } from './build-guide.js';
import { startSandboxHosts } from './hosts/start.js';
import { runPrompt } from './prompt/run.js';
import type { Hands } from './prompt/session.js';
import { ALICE, BOB, CHANNEL, HOSTS, startWorld, type World } from './world.js';

const { values } = parseArgs({
  options: { script: { type: 'string' }, lab: { type: 'boolean', default: false } },
});
const script = values.script !== undefined || process.stdin.isTTY !== true;
/** A route that nobody of us made. */
const STRANGE = { destination: '192.168.77.0/24', nextHop: '10.0.0.254' };
const say = (text: string) => process.stdout.write(`${text}\n`);

interface Hosts {
  sshConfigFile: string;
  keyFile: string;
  unplug(name: string): Promise<void>;
  plug(name: string): Promise<void>;
  tamper(name: string): Promise<void>;
  close(): Promise<unknown>;
}

async function startLab(): Promise<Hosts> {
  const { createLab } = await import('../test/lab/lab.js');
  const lab = await createLab({ hosts: HOSTS.map((host) => ({ ...host, processes: true })) });
  return {
    ...lab,
    unplug: (name) => lab.stop(name),
    plug: (name) => lab.start(name),
    tamper: async (name) =>
      void (await lab.exec(name, `ip route add ${STRANGE.destination} via ${STRANGE.nextHop}`)),
  };
}

async function startInProcess(): Promise<Hosts> {
  const workDir = await mkdtemp(join(tmpdir(), 'fairway-hosts-'));
  const hosts = await startSandboxHosts({ hosts: HOSTS, workDir });
  return {
    ...hosts,
    unplug: async (name) => hosts.hosts.get(name)?.down(),
    plug: async (name) => hosts.hosts.get(name)?.up(),
    tamper: async (name) => hosts.hosts.get(name)?.addForeignRoute(STRANGE),
    close: async () => {
      await hosts.close();
      await rm(workDir, { recursive: true, force: true });
    },
  };
}

/** What the newcomer can do to hosts, to see what Fairway makes of it. */
function handsOn(hosts: Hosts): Hands {
  const hand = (usage: string, act: (name: string) => Promise<void>, done: string) => ({
    usage,
    act: async (name: string) => {
      if (!HOSTS.some((host) => host.name === name)) {
        throw new Error(`there is no host ${name}; there are ${HOSTS.map((host) => host.name).join(', ')}`);
      }
      await act(name);
      return `(${name} ${done})`;
    },
  });
  return {
    unplug: hand('unplug <host>                   a host stops answering', hosts.unplug, 'no longer answers'),
    plug: hand('plug <host>                     it is back', hosts.plug, 'answers again'),
    tamper: hand(
      'tamper <host>                   somebody adds a route by hand',
      hosts.tamper,
      `got a route ${STRANGE.destination} via ${STRANGE.nextHop} by hand`,
    ),
  };
}

/** Resolves at the first Ctrl-C (or SIGTERM); a second one ends everything at once. */
const interrupted = new Promise<number>((resolve) => {
  process.once('SIGINT', () => resolve(130));
  process.once('SIGTERM', () => resolve(143));
});

async function play(world: World, hosts: Hosts): Promise<number> {
  say(
    `Redis: ${world.redis.kind}. Hosts: ${values.lab ? 'network namespaces' : 'in-process'}. Log: ${world.logFile}`,
  );
  await buildGuide(world, (name) => say(`The guide's cluster: adding ${name} …`));
  return runPrompt({
    slackUrl: world.slack.url,
    identities: { alice: ALICE, bob: BOB },
    channel: CHANNEL,
    input: values.script === undefined ? process.stdin : createReadStream(values.script),
    output: process.stdout,
    script,
    hands: handsOn(hosts),
  });
}

async function main(): Promise<number> {
  const hosts = await (values.lab ? startLab() : startInProcess());
  try {
    const world = await startWorld({ ssh: hosts });
    try {
      return await Promise.race([play(world, hosts), interrupted]);
    } finally {
      await world.close();
    }
  } finally {
    await hosts.close();
  }
}

// Whatever still waits for input or for a card is of no interest any more.
process.exit(await main());
