/** `/healthz` and `/readyz` of the bot: the same answers in both of Slack's modes. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface Health {
  /** False: only a restart helps. */
  live(): boolean;
  /** False: no work can be done just now. A throw is a no. */
  ready(): Promise<boolean>;
}

/** A check that hangs is a no; probes usually allow a second. */
const READY_WITHIN_MS = 800;

type Route = {
  path: string;
  method: 'GET';
  handler(request: IncomingMessage, response: ServerResponse): void;
};

/** For the receiver's own server, in HTTP mode. */
export function healthRoutes(health: Health): Route[] {
  return [
    {
      path: '/healthz',
      method: 'GET',
      handler: (_request, response) =>
        say(response, health.live() ? 200 : 503, health.live() ? 'ok' : 'silent'),
    },
    {
      path: '/readyz',
      method: 'GET',
      handler: (_request, response) => {
        within(health.ready()).then(
          (ready) => say(response, ready ? 200 : 503, ready ? 'ready' : 'not ready'),
          () => say(response, 503, 'not ready'),
        );
      },
    },
  ];
}

/** In Socket Mode nothing else listens. Bolt would serve its routes there too, but dies of a port that is taken. */
export async function serveHealthRoutes(health: Health, port: number): Promise<Server> {
  const routes = healthRoutes(health);
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0];
    const route = routes.find((each) => each.path === path && each.method === request.method);
    if (route) route.handler(request, response);
    else say(response, 404, 'not found');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return server;
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${text}\n`);
}

function within(check: Promise<boolean>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => {
    setTimeout(() => resolve(false), READY_WITHIN_MS).unref();
  });
  return Promise.race([check, late]);
}
