/** An API server on loopback: it answers what Fairway asks, in the way that Kubernetes does. The tests' too. */
import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

/** As much of a node object as matters here. */
export interface NodeObject {
  metadata: { name: string; labels?: Record<string, string> };
  spec: { podCIDR?: string; podCIDRs?: string[] };
  status?: { addresses?: { type: string; address: string }[] };
}

export interface ApiServerOptions {
  /** HTTPS with this key and certificate; with `ca`, a client certificate that it signed is a login. */
  tls?: Pick<ServerOptions, 'key' | 'cert' | 'ca'>;
  /** The tokens it knows; `true`: that user may list nodes. Without any, everybody may, as on 1.5's insecure port. */
  tokens?: Readonly<Record<string, boolean>>;
  version?: string;
}

export interface ApiServer {
  port: number;
  /** What was asked, oldest first: authorization and path. */
  asked: string[];
  nodes: NodeObject[];
  /** Answers in its place, when it returns true. */
  instead: (request: IncomingMessage, response: ServerResponse) => boolean;
  close(): Promise<void>;
}

/** Starts one on a free port of 127.0.0.1. */
export async function startApiServer({
  tls,
  tokens = {},
  version = 'v1.5.2',
}: ApiServerOptions = {}): Promise<ApiServer> {
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    api.asked.push(`${request.headers.authorization ?? 'nobody'} ${request.url}`);
    if (api.instead(request, response)) return;
    const [code, body] = answer(request);
    const isText = typeof body === 'string';
    response.writeHead(code, { 'content-type': isText ? 'text/plain' : 'application/json' });
    response.end(isText ? body : JSON.stringify(body));
  };
  const server: Server = tls
    ? createHttps({ ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: false }, listener)
    : createHttp(listener);
  const api: ApiServer = {
    port: 0,
    asked: [],
    nodes: [],
    instead: () => false,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function answer(request: IncomingMessage): [code: number, body: object | string] {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://api');
    if (pathname === '/version') return [200, { major: '1', minor: '5', gitVersion: version }];
    if (pathname === '/healthz') return [200, 'ok'];
    const may = allowed(request);
    if (may === null) return failure(401, 'Unauthorized');
    if (!may) return failure(403, 'nodes is forbidden: User cannot list resource "nodes"');
    if (pathname === '/api/v1/nodes') return [200, page(api.nodes, searchParams)];
    return failure(404, 'the server could not find the requested resource');
  }

  /** Null: nobody that it knows. */
  function allowed({ headers, socket }: IncomingMessage): boolean | null {
    if (Object.keys(tokens).length === 0 && tls?.ca === undefined) return true;
    if ('authorized' in socket && socket.authorized) return true;
    return tokens[headers.authorization?.replace('Bearer ', '') ?? ''] ?? null;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api.port = (server.address() as AddressInfo).port;
  return api;
}

function page(nodes: readonly NodeObject[], query: URLSearchParams): object {
  const from = Number(query.get('continue') ?? 0);
  const next = from + Number(query.get('limit') ?? nodes.length);
  const metadata = next < nodes.length ? { continue: String(next) } : {};
  return { kind: 'NodeList', apiVersion: 'v1', metadata, items: nodes.slice(from, next) };
}

function failure(code: number, message: string): [code: number, body: object] {
  return [code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }];
}
