/** The control port, for clients in other processes: what a person does, and a stream of what they see. Not Slack's. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { isObj, type Obj, type Sight, str } from './types.js';
import { userSide, type Wiring } from './user.js';
import { maySee, visible, type World } from './world.js';

/** Answers a request under `/sandbox/`; null when there is no such path. Throws what the user side throws. */
export async function control(
  wiring: Wiring,
  path: string,
  query: URLSearchParams,
  body: Obj,
): Promise<unknown> {
  const { world } = wiring;
  const act = () => userSide(wiring, str(body['user']));
  const channel = str(body['channel']);
  const text = str(body['text']);
  switch (path) {
    case '':
      return {
        teamId: world.options.teamId,
        users: world.options.users,
        channels: world.options.channels,
        bot: world.bot,
      };
    case 'slash':
      return act().slash(text, channel, str(body['command']) || undefined);
    case 'mention':
      return act().mention(text, channel, str(body['thread']) || undefined);
    case 'click':
      return act().click(str(body['ts']), str(body['control']), channel, {
        stale: body['stale'] === true,
      });
    case 'submit':
      return act().submitView(str(body['view']), values(body['values']));
    case 'close':
      return act().closeView(str(body['view']));
    case 'messages':
      return visible(world, query.get('user') ?? '', query.get('channel') ?? '');
    case 'violations':
      return world.violations;
    default:
      return null;
  }
}

function values(given: unknown): Record<string, string> {
  return isObj(given)
    ? Object.fromEntries(Object.entries(given).map(([key, value]) => [key, str(value)]))
    : {};
}

/** `/sandbox/stream?user=U…&user=…[&channel=C…]`: one JSON line per sight of any of these users. */
export function startStreams(wiring: Wiring): {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
} {
  const server = new WebSocketServer({ noServer: true });
  return {
    upgrade: (request, socket, head) => {
      const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
      const users = query.getAll('user');
      const channel = query.get('channel');
      server.handleUpgrade(request, socket, head, (stream) => {
        const onSight = (sight: Sight): void => {
          if (isFor(wiring.world, sight, users, channel)) stream.send(JSON.stringify(brief(sight)));
        };
        wiring.world.sights.on('sight', onSight);
        stream.on('close', () => wiring.world.sights.off('sight', onSight));
        stream.on('error', () => stream.terminate());
      });
    },
    close: () => {
      for (const stream of server.clients) stream.terminate();
      server.close();
    },
  };
}

function isFor(world: World, sight: Sight, users: readonly string[], channel: string | null): boolean {
  if (sight.type === 'view') return users.includes(sight.view.userId);
  if (channel !== null && sight.message.channel !== channel) return false;
  return users.some((user) => maySee(world, sight.message, user));
}

/** Without the past, which would grow with every edit. */
function brief(sight: Sight): Sight {
  return sight.type === 'view' ? sight : { ...sight, message: { ...sight.message, versions: [] } };
}
