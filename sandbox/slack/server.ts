/**
 * A fake Slack on loopback, speaking Slack's wire: Web API, Socket Mode, signed HTTP delivery, response_url and uploads.
 * It enforces Slack's limits and keeps a record of every breach.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { parseArguments, parseJson, readBody, uploadedContent } from './body.js';
import { control, startStreams } from './control.js';
import { type Delivery, startDelivery } from './delivery.js';
import { FILES_PATH, serveFile } from './files.js';
import { startBudget } from './rate.js';
import { respond } from './response-url.js';
import { type Sockets, startSockets } from './socket.js';
import {
  type FakeSlackOptions,
  isObj,
  type Message,
  str,
  type Version,
  type View,
  type Violation,
} from './types.js';
import { type User, userSide } from './user.js';
import { call } from './web-api.js';
import { createWorld, post, violate, waitForMessage } from './world.js';

export interface FakeSlack {
  /** For the app's `slackApiUrl`; ends in `/api/`. */
  apiUrl: string;
  /** The base, for clients of the control port. */
  url: string;
  /** Everything that Slack would have refused or complained about so far. */
  violations: readonly Violation[];
  /** The user's hands. Throws for an unknown id. */
  as(userId: string): User;
  /** All messages of a channel as they are now, oldest first, ephemeral and deleted ones included. */
  messages(channel: string): Message[];
  /** Every state that a message has had. Throws when there is no such message. */
  history(ts: string): Version[];
  /** The modals a user has open, the topmost last. */
  views(userId: string): View[];
  /** The first message, there already or to come, that fits. */
  waitFor(fits: (message: Message) => boolean, timeoutMs: number): Promise<Message>;
  /** Somebody else's message, which no app may edit. */
  say(userId: string, channel: string, text: string): Message;
  setAppUrl: Delivery['setAppUrl'];
  sendRaw: Delivery['sendRaw'];
  /** Open Socket Mode connections. */
  connections: Sockets['count'];
  disconnect: Sockets['disconnect'];
  close(): Promise<void>;
}

/** Starts the fake. Rejects when the port is taken. */
export async function startFakeSlack(options: FakeSlackOptions): Promise<FakeSlack> {
  const world = createWorld(options);
  const sockets = startSockets(world);
  const delivery = startDelivery(world, sockets);
  const budget = startBudget(options.rateLimits);
  let url = '';
  const base = (): string => url;
  const wiring = { world, delivery, base };
  const streams = startStreams(wiring);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readBody(request);
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const [, top = '', ...rest] = pathname.split('/');
    const name = rest.join('/');
    const type = request.headers['content-type'] ?? '';
    if (top === 'api') {
      const args = parseArguments(raw.toString('utf8'), type);
      const wait = budget(name, str(args['channel']));
      if (wait > 0) {
        violate(world, name, 'ratelimited', `Retry-After ${wait}`);
        send(response, 429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(wait) });
        return;
      }
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? str(args['token']);
      const answer = call({ world, sockets, base }, name, args, token);
      send(response, 200, answer.ok ? answer : refusal(answer));
    } else if (top === 'response') {
      const { status, answer } = respond(world, name, parseJson(raw.toString('utf8')));
      send(response, status, answer);
    } else if (top === 'upload') {
      await receive(name.replace('v1/', ''), raw, type, response);
    } else if (top === FILES_PATH) {
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
      const { status, type: kind, body, location } = serveFile(world, name, token);
      response.writeHead(status, { 'content-type': kind, ...(location ? { location } : {}) }).end(body);
    } else if (top === 'sandbox') {
      const body = parseJson(raw.toString('utf8'));
      const answer = await control(wiring, name, searchParams, isObj(body) ? body : {});
      send(response, answer === null && name !== 'close' ? 404 : 200, answer);
    } else send(response, 404, { ok: false, error: 'not_found' });
  }

  async function receive(id: string, raw: Buffer, type: string, response: ServerResponse): Promise<void> {
    const upload = world.uploads.get(id);
    const content = upload ? await uploadedContent(raw, type) : null;
    if (upload && content?.length === upload.size) {
      upload.content = content;
      response.writeHead(200).end(`OK - ${content.length}`);
      return;
    }
    const detail = upload ? `${content?.length} bytes, ${upload.size} announced` : id;
    violate(world, 'upload', 'upload_failed', detail);
    response.writeHead(400).end('upload_failed');
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      if (response.headersSent) response.end();
      else send(response, 400, { ok: false, error: text });
    });
  });
  const connections = new Set<Socket>();
  server.on('connection', (connection: Socket) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
  });
  server.on('upgrade', (request, socket, head) => {
    if (request.url?.startsWith('/sandbox/stream')) streams.upgrade(request, socket, head);
    else sockets.upgrade(request, socket, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    apiUrl: `${url}/api/`,
    url,
    violations: world.violations,
    as: (userId) => userSide(wiring, userId),
    messages: (channel) => world.messages.filter((each) => each.channel === channel),
    history: (ts) => {
      const message = world.messages.find((each) => each.ts === ts);
      if (!message) throw new Error(`no message ${ts}`);
      return message.versions;
    },
    views: (userId) =>
      world.views.filter((each) => each.open && each.userId === userId && each.view['type'] === 'modal'),
    waitFor: (fits, timeoutMs) => waitForMessage(world, fits, timeoutMs),
    say: (userId, channel, text) => post(world, { channel, user: userId, text, blocks: [] }),
    setAppUrl: delivery.setAppUrl,
    sendRaw: delivery.sendRaw,
    connections: sockets.count,
    disconnect: sockets.disconnect,
    close: async () => {
      delivery.close();
      streams.close();
      sockets.close();
      const closed = new Promise((resolve) => server.close(resolve));
      // Upgraded connections are not the HTTP server's to close, and would hold it open.
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
}

/** Slack's form of a refusal, which the SDK logs. */
function refusal(answer: { error: string; detail?: string }): unknown {
  const detail = answer.detail ?? '';
  return {
    ok: false,
    error: answer.error,
    ...(detail === '' ? {} : { errors: [detail], response_metadata: { messages: [`[ERROR] ${detail}`] } }),
  };
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}
