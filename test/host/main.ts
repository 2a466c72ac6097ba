/**
 * `npm run test:host -- <ssh name> [--os linux|windows] [--address <ip>] [--ssh-config <file>] [--key <file>]`
 *
 * Runs the host cases that only read against a host of your own, reached as `ssh <ssh name>` does. Exits with 0 when all hold.
 */
import { execFileSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { parseArgs } from 'node:util';
import type { HostTarget } from '../../src/host/host.js';
import { platformOf } from '../../src/host/platform.js';
import { createSshPool, type SshOptions } from '../../src/host/ssh.js';
import { loadSshConfig } from '../../src/host/ssh-config.js';
import { Os } from '../../src/node/node.js';
import { type CaseHost, caseList } from './case-list.js';

const USAGE =
  'usage: npm run test:host -- <ssh name> [--os linux|windows] [--address <ip>] [--ssh-config <file>] [--key <file>]';

async function main(): Promise<boolean> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      os: { type: 'string' },
      address: { type: 'string' },
      'ssh-config': { type: 'string' },
      key: { type: 'string' },
    },
  });
  const [name, ...more] = positionals;
  const asked = values.os === undefined ? undefined : Os.safeParse(values.os).data;
  if (name === undefined || more.length > 0 || (values.os !== undefined && asked === undefined)) {
    process.stderr.write(`${USAGE}\n`);
    return false;
  }
  const agent = process.env['SSH_AUTH_SOCK'];
  const options: SshOptions = {
    ...(values['ssh-config'] === undefined ? {} : { sshConfigFile: values['ssh-config'] }),
    ...(values.key === undefined ? {} : { privateKeyFile: values.key }),
    ...(agent === undefined ? {} : { agent }),
    pinned: knownHost,
  };
  const address = values.address ?? (await addressOf(name, values['ssh-config']));
  const pool = createSshPool(options);
  try {
    const host = await findHost(pool, { name, address }, asked);
    process.stdout.write(`${name} is a ${host.context.target.os} host at ${address}\n`);
    let failed = 0;
    for (const { name: title, run } of caseList.filter(({ writes }) => !writes)) {
      const why = await run(host).then(
        () => '',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      process.stdout.write(
        why === '' ? `pass  ${title}\n` : `FAIL  ${title}\n      ${why.replaceAll('\n', '\n      ')}\n`,
      );
      if (why !== '') failed += 1;
    }
    return failed === 0;
  } finally {
    await pool.close();
  }
}

/** The host, with the OS asked for or else the first whose read it answers. */
async function findHost(
  pool: CaseHost['pool'],
  { name, address }: { name: string; address: string },
  asked: Os | undefined,
): Promise<CaseHost> {
  let last: unknown;
  for (const os of asked === undefined ? Os.options : [asked]) {
    const target: HostTarget = { name, address, os };
    const context = {
      target,
      clusterCidr: '192.168.0.0/16',
      podCidr: '192.168.0.0/24',
      network: 'transparent',
      bridge: 'cbr0',
      pauseImage: '',
      executables: { kubelet: '', 'kube-proxy': '' },
      owned: [],
    };
    const platform = platformOf(os);
    try {
      const reply = await pool.request(target, platform.observe(context, false), 'any');
      platform.parseObservation(reply.data, context);
      return { pool, platform, context, close: async () => undefined };
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** The IPv4 address behind the name, as the SSH configuration has it. */
async function addressOf(name: string, sshConfigFile: string | undefined): Promise<string> {
  const { host } = loadSshConfig(sshConfigFile).resolve({ name, address: name, os: 'linux' });
  return (await lookup(host, 4)).address;
}

/** What ~/.ssh/known_hosts has of a jump host; the ed25519 key, when there are several, is the one that ours prefers. */
async function knownHost(name: string): Promise<string | null> {
  try {
    const lines = execFileSync('ssh-keygen', ['-l', '-F', name], { encoding: 'utf8' }).split('\n');
    const keys = lines.filter((line) => line.includes('SHA256:'));
    const line = keys.find((each) => /ed25519/i.test(each)) ?? keys[0];
    return /SHA256:\S+/.exec(line ?? '')?.[0] ?? null;
  } catch {
    return null;
  }
}

main().then(
  (good) => {
    process.exitCode = good ? 0 : 1;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
