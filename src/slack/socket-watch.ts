/** Whether the Socket Mode line is alive: a socket can be silently dead for hours while the process looks healthy (Q19). */
import { channel } from 'node:diagnostics_channel';
import type { SocketModeReceiver } from '@slack/bolt';

/** The client pings every 1.7 s and hears a pong; it reconnects by itself within seconds. Past this it will not recover. */
const SILENT_TOO_LONG_MS = 120_000;

/** How often is looked whether it is deaf. */
const LOOK_EVERY_MS = 5_000;

/** Frames of the process's one WebSocket; the client itself listens to the same channels. */
const FRAMES = ['undici:websocket:ping', 'undici:websocket:pong'];

export interface SocketWatch {
  connected(): boolean;
  alive(): boolean;
  /** Resolves once the line is silent although it counts as connected: nothing but another process helps then. Never, after `stop`. */
  deaf(): Promise<void>;
  stop(): void;
}

export function watchSocket(client: SocketModeReceiver['client'], now: () => number): SocketWatch {
  let heardAt = now();
  let connected = false;
  const heard = (): void => {
    heardAt = now();
  };
  for (const name of FRAMES) channel(name).subscribe(heard);
  client.on('ws_message', heard);
  client.on('connected', () => {
    connected = true;
    heard();
  });
  client.on('close', () => {
    connected = false;
  });
  const alive = (): boolean => now() - heardAt < SILENT_TOO_LONG_MS;
  let looking: NodeJS.Timeout | undefined;
  return {
    connected: () => connected,
    alive,
    deaf: () =>
      new Promise((resolve) => {
        looking = setInterval(() => {
          // While it is not connected the client goes on trying.
          if (!connected || alive()) return;
          clearInterval(looking);
          resolve();
        }, LOOK_EVERY_MS).unref();
      }),
    stop: () => {
      clearInterval(looking);
      for (const name of FRAMES) channel(name).unsubscribe(heard);
    },
  };
}
