/** Socket Mode: the app's WebSocket connections, envelopes and their acknowledgements. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { parseJson } from './body.js';
import { isObj, type Obj, type Outcome } from './types.js';
import { newId, violate, type World } from './world.js';

/** Slack's own limit per app. */
const MOST_CONNECTIONS = 10;
/** Slack pings too; Bolt gives up after 30 s without once it has seen one. */
const PING_MS = 10_000;

export interface Envelope {
  type: 'slash_commands' | 'interactive' | 'events_api';
  payload: Obj;
  acceptsResponse: boolean;
  retry?: { attempt: number; reason: string };
}

export interface Sockets {
  /** A new one-time URL path for apps.connections.open. */
  ticket(): string;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  count(): number;
  /** Sends to one of the connections and waits for its acknowledgement. */
  send(envelope: Envelope): Promise<Outcome>;
  /** `refresh` asks the apps to reconnect, as Slack does every few hours; `cut` drops the line. All connections, or the one of that number. */
  disconnect(how: 'refresh' | 'cut', index?: number): void;
  close(): void;
}

export function startSockets(world: World): Sockets {
  const server = new WebSocketServer({ noServer: true });
  const tickets = new Set<string>();
  const connections: WebSocket[] = [];
  const pending = new Map<string, (acked: Obj | 'cut') => void>();
  const sentOver = new Map<string, WebSocket>();
  const late = new Map<string, string>();
  let next = 0;

  function welcome(socket: WebSocket): void {
    connections.push(socket);
    const ping = setInterval(() => socket.ping(), PING_MS);
    ping.unref();
    socket.on('message', (data) => acknowledge(String(data)));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      clearInterval(ping);
      connections.splice(connections.indexOf(socket), 1);
      for (const [id, over] of sentOver) if (over === socket) pending.get(id)?.('cut');
    });
    socket.send(
      JSON.stringify({
        type: 'hello',
        num_connections: connections.length,
        debug_info: { host: 'fake', approximate_connection_time: 18_060 },
        connection_info: { app_id: world.bot.appId },
      }),
    );
  }

  function acknowledge(text: string): void {
    const ack = parseJson(text);
    const id = isObj(ack) ? String(ack['envelope_id']) : '';
    const settle = pending.get(id);
    if (settle && isObj(ack)) settle(isObj(ack['payload']) ? ack['payload'] : {});
    else if (late.delete(id))
      violate(world, 'ack', 'late_ack', 'the user has seen operation_timeout already');
    else violate(world, 'socket', 'unknown_envelope', text.slice(0, 200));
  }

  function send(envelope: Envelope): Promise<Outcome> {
    const open = connections.filter((each) => each.readyState === each.OPEN);
    const socket = open[next++ % Math.max(1, open.length)];
    const started = performance.now();
    const since = (): number => performance.now() - started;
    if (!socket)
      return Promise.resolve({ ok: false, error: 'dispatch_failed', via: 'none', latencyMs: since() });
    const id = randomUUID();
    return new Promise((resolve) => {
      const finish = (outcome: Pick<Outcome, 'ok' | 'error' | 'body'>): void => {
        clearTimeout(timer);
        pending.delete(id);
        sentOver.delete(id);
        resolve({ via: 'socket', latencyMs: since(), ...outcome });
      };
      const timer = setTimeout(() => {
        violate(world, 'ack', 'operation_timeout', `no acknowledgement of ${envelope.type}`);
        late.set(id, envelope.type);
        finish({ ok: false, error: 'operation_timeout' });
      }, world.options.ackTimeoutMs ?? 3000);
      pending.set(id, (acked) => {
        if (acked === 'cut') return finish({ ok: false, error: 'operation_timeout' });
        const empty = Object.keys(acked).length === 0;
        if (!empty && !envelope.acceptsResponse)
          violate(world, 'ack', 'unexpected_response_payload', `${envelope.type} takes none`);
        finish({ ok: true, ...(empty ? {} : { body: acked }) });
      });
      sentOver.set(id, socket);
      socket.send(
        JSON.stringify({
          type: envelope.type,
          envelope_id: id,
          payload: envelope.payload,
          accepts_response_payload: envelope.acceptsResponse,
          ...(envelope.type === 'events_api'
            ? { retry_attempt: envelope.retry?.attempt ?? 0, retry_reason: envelope.retry?.reason ?? '' }
            : {}),
        }),
      );
    });
  }

  return {
    ticket: () => {
      const ticket = newId('');
      tickets.add(ticket);
      return `link/?ticket=${ticket}&app_id=${world.bot.appId}`;
    },
    upgrade: (request, socket, head) => {
      const ticket = new URL(request.url ?? '/', 'http://localhost').searchParams.get('ticket') ?? '';
      if (!tickets.delete(ticket)) {
        socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, (opened) => {
        if (connections.length < MOST_CONNECTIONS) {
          welcome(opened);
          return;
        }
        violate(world, 'socket', 'too_many_websockets', `an app may hold ${MOST_CONNECTIONS}`);
        opened.send(JSON.stringify({ type: 'disconnect', reason: 'too_many_websockets' }));
        opened.close();
      });
    },
    count: () => connections.length,
    send,
    disconnect: (how, index) => {
      for (const socket of index === undefined ? [...connections] : connections.slice(index, index + 1)) {
        if (how === 'cut') socket.terminate();
        else socket.send(JSON.stringify({ type: 'disconnect', reason: 'refresh_requested' }));
      }
    },
    close: () => {
      for (const socket of [...connections]) socket.terminate();
      server.close();
    },
  };
}
