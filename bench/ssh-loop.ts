/** The bare loop: ssh2 and nothing else, as fast as it goes. */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import ssh2, { type Client } from 'ssh2';
import { loadSshConfig } from '../src/host/ssh-config.js';
import type { Lab, LabHost } from '../test/lab/lab.js';

import { inFlight } from './flight.js';
import type { LoopJob } from './loop-process.js';
import type { PutAway } from './put-away.js';

export const IN_FLIGHT = 64;

/** Logs in to a host of the lab, and checks its key. */
export function logIn(
  lab: Pick<Lab, 'sshConfigFile' | 'keyFile'>,
): (host: Pick<LabHost, 'target' | 'fingerprint'>) => Promise<Client> {
  const config = loadSshConfig(lab.sshConfigFile);
  const privateKey = readFileSync(lab.keyFile);
  return (host) => {
    const { bindAddress, port, user } = config.resolve(host.target);
    const sock = connect({
      host: host.target.address,
      port,
      noDelay: true,
      ...(bindAddress ? { localAddress: bindAddress } : {}),
    });
    const client = new ssh2.Client();
    return new Promise((resolve, reject) => {
      client.on('ready', () => resolve(client)).on('error', reject);
      client.connect({
        sock,
        username: user,
        privateKey,
        authHandler: ['publickey'],
        hostVerifier: (key: Buffer) =>
          `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}` ===
          host.fingerprint,
      });
    });
  };
}

/** Logs in to all of them. */
export async function openAll(
  lab: Lab,
  hosts: readonly LabHost[],
  putAway: PutAway,
): Promise<ReadonlyMap<LabHost, Client>> {
  const open = logIn(lab);
  const clients = new Map<LabHost, Client>();
  await putAway.keep(Promise.resolve(clients), async () => {
    for (const client of clients.values()) client.destroy();
  });
  await inFlight(hosts, 16, async (host) => clients.set(host, await open(host)));
  return clients;
}

/** The same from nothing, in a fresh process that runs a command on every host. Milliseconds from when it is ready. */
export async function coldLoop(lab: Lab, hosts: readonly LabHost[], command: string): Promise<number> {
  const child = fork(fileURLToPath(new URL('./loop-process.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
  });
  try {
    await once(child, 'message');
    const { sshConfigFile, keyFile } = lab;
    const job: LoopJob = {
      lab: { sshConfigFile, keyFile },
      hosts: hosts.map(({ target, fingerprint }) => ({ target, fingerprint })),
      command,
    };
    child.send(job);
    const [answer] = (await once(child, 'message')) as [{ took: number } | { error: string }];
    if ('error' in answer) throw new Error(`the bare loop: ${answer.error}`);
    return answer.took;
  } finally {
    child.kill();
  }
}

/** Runs one command; its stdout. Rejects when it fails. */
export function exec(client: Client, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      let out = '';
      channel.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
      channel.on('close', (code: number) => (code === 0 ? resolve(out) : reject(new Error(`exit ${code}`))));
    });
  });
}
