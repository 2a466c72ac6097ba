/**
 * `npm run sandbox`: everything on embedded defaults, and a chat prompt to drive it. `-- --script FILE` or piped input runs
 * commands unattended; `-- --lab` uses real sshds in network namespaces (Linux, root) in place of in-process hosts.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Component } from '../src/node/component.js';
import { buildGuide } from './build-guide.js';
import type { SandboxHost } from './hosts/host.js';
import { startSandboxHosts } from './hosts/start.js';
import { readWish, type Wish } from './preflight.js';
import { runPrompt } from './prompt/run.js';
import type { Hands } from './prompt/session.js';
import { loseData } from './redis/lose.js';
import { ALICE, BOB, CHANNEL, HOSTS, startWorld, type World } from './world.js';

/** A route that nobody of us made. */
const STRANGE = { destination: '192.168.77.0/24', nextHop: '10.0.0.254' };
const say = (text: string) => process.stdout.write(`${text}\n`);

interface Hosts {
  sshConfigFile: string;
  keyFile: string;
  /** What can be done to a host, by the words of `HANDS`. */
  acts: Acts;
  close(): Promise<unknown>;
}

type Acts = Readonly<Record<keyof typeof HANDS, (name: string, component: Component) => Promise<unknown>>>;

/** What the newcomer can do to hosts, to see what Fairway makes of it. */
const HANDS = {
  kill: { usage: 'kill <process> <host>           kubelet or kube-proxy ends', done: 'ended' },
  bounce: {
    usage: 'bounce <process> <host>         kubelet or kube-proxy starts anew',
    done: 'started anew',
  },
  reboot: { usage: 'reboot <host>                   the host starts anew', done: 'reboots' },
  cut: { usage: 'cut <host>                      a host stops answering', done: 'no longer answers' },
  heal: { usage: 'heal <host>                     it is back', done: 'answers again' },
  drop: { usage: 'drop <host>                     its routes to all pods vanish', done: 'lost its routes' },
  tamper: {
    usage: 'tamper <host>                   somebody adds a route by hand',
    done: `got a route ${STRANGE.destination} via ${STRANGE.nextHop} by hand`,
  },
};

async function startLab(): Promise<Hosts> {
  const { createLab } = await import('../test/lab/lab.js');
  const lab = await createLab({ hosts: HOSTS.map((host) => ({ ...host, processes: true })) });
  const { destination, nextHop } = STRANGE;
  return {
    ...lab,
    acts: {
      kill: (name, component) => lab.kill(name, component),
      bounce: async (name, component) => {
        await lab.kill(name, component);
        await lab.startComponent(name, component);
      },
      reboot: (name) => lab.reboot(name),
      cut: (name) => lab.stop(name),
      heal: (name) => lab.start(name),
      drop: (name) => lab.exec(name, 'ip route flush root 192.168.0.0/16 scope global'),
      tamper: (name) => lab.exec(name, `ip route add ${destination} via ${nextHop}`),
    },
  };
}

async function startInProcess(): Promise<Hosts> {
  const workDir = await mkdtemp(join(tmpdir(), 'fairway-hosts-'));
  const hosts = await startSandboxHosts({ hosts: HOSTS, workDir });
  const on = (act: (host: SandboxHost, component: Component) => unknown) => {
    return async (name: string, component: Component) => {
      const host = hosts.hosts.get(name);
      if (host) await act(host, component);
    };
  };
  return {
    ...hosts,
    acts: {
      kill: on((host, component) => host.kill(component)),
      bounce: on((host, component) => host.restart(component)),
      reboot: on((host) => host.reboot()),
      cut: on((host) => host.down()),
      heal: on((host) => host.up()),
      drop: on((host) => {
        for (const { destination } of routesToPods(host)) host.removeRoute(destination);
      }),
      tamper: on((host) => host.addForeignRoute(STRANGE)),
    },
    close: async () => {
      await hosts.close();
      await rm(workDir, { recursive: true, force: true });
    },
  };
}

/** Those to other nodes' pods: the connected one (`0.0.0.0` on Windows) is the host's own. */
function routesToPods({ state }: SandboxHost): { destination: string; nextHop: string | null }[] {
  const routes = state.os === 'linux' ? state.routes : state.active;
  const leads = (nextHop: string | null) => nextHop !== null && nextHop !== '0.0.0.0';
  return routes.filter(({ nextHop, destination }) => destination.startsWith('192.168.') && leads(nextHop));
}

/** The same, as words at the prompt; and what can be done to Fairway. */
function handsOn({ acts }: Hosts, world: World): Hands {
  return {
    ...Object.fromEntries(
      Object.entries(HANDS).map(([verb, { usage, done }]) => [
        verb,
        { usage, act: (typed: string) => act(verb as keyof typeof HANDS, typed, usage, done, acts) },
      ]),
    ),
    lose: { usage: LOSE, act: (typed) => lose(typed, world) },
  };
}

const LOSE = 'lose redis                      Fairway forgets everything, its nodes too';

async function lose(typed: string, { redis, env }: World): Promise<string> {
  if (typed.toLowerCase() !== 'redis') throw new Error(LOSE.replace(/ {2,}/, ': '));
  await loseData(redis.url, env['REDIS_PREFIX'] ?? '');
  return '(Redis is empty)';
}

async function act(
  verb: keyof typeof HANDS,
  typed: string,
  usage: string,
  done: string,
  acts: Acts,
): Promise<string> {
  const words = typed.split(/\s+/);
  const name = words.at(-1) ?? '';
  const process = usage.includes('<process>') ? Component.safeParse(words[0]).data : undefined;
  if (usage.includes('<process>') && process === undefined) throw new Error(usage.replace(/ {2,}/, ': '));
  if (!HOSTS.some((host) => host.name === name)) {
    throw new Error(`there is no host ${name}; there are ${HOSTS.map((host) => host.name).join(', ')}`);
  }
  await acts[verb](name, process ?? 'kubelet');
  return `(${process ? `${process} on ` : ''}${name} ${done})`;
}

/** Resolves at the first Ctrl-C (or SIGTERM, or the end of the terminal); a second one ends everything at once. */
const interrupted = new Promise<number>((resolve) => {
  process.once('SIGINT', () => resolve(130));
  process.once('SIGTERM', () => resolve(143));
  process.once('SIGHUP', () => resolve(129));
});
// Whoever read along may be gone; what was started is put away all the same.
process.stdout.on('error', () => undefined);

async function play(wish: Wish, world: World, hosts: Hosts): Promise<number> {
  const { lab, script } = wish;
  say(
    `Redis: ${world.redis.kind}. Hosts: ${lab ? 'network namespaces' : 'in-process'}. Log: ${world.logFile}`,
  );
  await buildGuide(world, (name) => say(`The guide's cluster: adding ${name} …`));
  return runPrompt({
    slackUrl: world.slack.url,
    identities: { alice: ALICE, bob: BOB },
    channel: CHANNEL,
    input: script === undefined ? process.stdin : createReadStream(script),
    output: process.stdout,
    script: script !== undefined || process.stdin.isTTY !== true,
    hands: handsOn(hosts, world),
  });
}

async function main(wish: Wish): Promise<number> {
  const hosts = await (wish.lab ? startLab() : startInProcess());
  try {
    const world = await startWorld({ ssh: hosts });
    try {
      return await Promise.race([play(wish, world, hosts), interrupted]);
    } finally {
      await world.close();
    }
  } finally {
    await hosts.close();
  }
}

function wished(): Wish {
  try {
    return readWish(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

// Whatever still waits for input or for a card is of no interest any more.
process.exit(await main(wished()));
