/** The bare loop as a process of its own, since a worker that is cold has just started too: neither has its code compiled yet. */
import type { Lab, LabHost } from '../test/lab/lab.js';
import { inFlight } from './flight.js';
import { exec, IN_FLIGHT, logIn } from './ssh-loop.js';

export interface LoopJob {
  lab: Pick<Lab, 'sshConfigFile' | 'keyFile'>;
  hosts: readonly Pick<LabHost, 'target' | 'fingerprint'>[];
  command: string;
}

/** Logs in to every host, runs the command there and hangs up. Milliseconds. */
async function loop({ lab, hosts, command }: LoopJob): Promise<number> {
  const open = logIn(lab);
  const start = performance.now();
  await inFlight(hosts, IN_FLIGHT, async (host) => {
    const client = await open(host);
    if ((await exec(client, command)) === '') throw new Error(`${host.target.name} did not answer`);
    client.end();
  });
  return performance.now() - start;
}

process.once('message', (job: LoopJob) => {
  loop(job).then(
    (took) => process.send?.({ took }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.send?.('ready');
