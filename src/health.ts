/** `/healthz` (the process lives) and `/readyz` (it can do its work), for orchestrators. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/** How long `/readyz` waits for its check, in ms: less than the second that probes usually allow. */
const READY_WITHIN_MS = 800;

/** Serves both on all interfaces; port 0 takes any. `ready` says whether work can be done; a throw or a long silence is a no. */
export async function serveHealth(port: number, ready: () => Promise<boolean>): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string) => response.writeHead(status).end(`${text}\n`);
    if (request.url === '/healthz') answer(200, 'ok');
    else if (request.url === '/readyz') {
      isReady(ready).then(
        (yes) => answer(yes ? 200 : 503, yes ? 'ready' : 'not ready'),
        () => answer(503, 'not ready'),
      );
    } else answer(404, 'not found');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function isReady(ready: () => Promise<boolean>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => {
    setTimeout(() => resolve(false), READY_WITHIN_MS).unref();
  });
  return Promise.race([ready(), late]);
}
