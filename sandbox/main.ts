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
import { ALICE, BOB, CHANNEL, HOSTS, startWorld, type World } from './world.js';

const { values } = parseArgs({
  options: { script: { type: 'string' }, lab: { type: 'boolean', default: false } },
});
const script = values.script !== undefined || process.stdin.isTTY !== true;
const say = (text: string) => process.stdout.write(`${text}\n`);

interface Hosts {
  sshConfigFile: string;
  keyFile: string;
  close(): Promise<unknown>;
}

async function startHosts(): Promise<Hosts> {
  if (values.lab) {
    const { createLab } = await import('../test/lab/lab.js');
    return createLab({ hosts: HOSTS });
  }
  const workDir = await mkdtemp(join(tmpdir(), 'fairway-hosts-'));
  const hosts = await startSandboxHosts({ hosts: HOSTS, workDir });
  return {
    ...hosts,
    close: async () => {
      await hosts.close();
      await rm(workDir, { recursive: true, force: true });
    },
  };
}

/** Resolves at the first Ctrl-C (or SIGTERM); a second one ends everything at once. */
const interrupted = new Promise<number>((resolve) => {
  process.once('SIGINT', () => resolve(130));
  process.once('SIGTERM', () => resolve(143));
});

async function play(world: World): Promise<number> {
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
  });
}

async function main(): Promise<number> {
  const hosts = await startHosts();
  try {
    const world = await startWorld({ ssh: hosts });
    try {
      return await Promise.race([play(world), interrupted]);
    } finally {
      await world.close();
    }
  } finally {
    await hosts.close();
  }
}

// Whatever still waits for input or for a card is of no interest any more.
process.exit(await main());
