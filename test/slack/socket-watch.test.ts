import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import type { SocketModeReceiver } from '@slack/bolt';
import { watchSocket } from '../../src/slack/socket-watch.js';

test('a line is alive as long as something is heard on it', () => {
  let now = 0;
  const client = new EventEmitter();
  const watch = watchSocket(client as unknown as SocketModeReceiver['client'], () => now);
  expect(watch.connected()).toBe(false);
  client.emit('connected');
  expect(watch.connected()).toBe(true);
  now = 119_000;
  expect(watch.alive()).toBe(true);
  channel('undici:websocket:pong').publish({});
  now = 230_000;
  expect(watch.alive()).toBe(true);
  now = 240_000;
  expect(watch.alive()).toBe(false);
  client.emit('ws_message');
  expect(watch.alive()).toBe(true);
  client.emit('close');
  expect(watch.connected()).toBe(false);
  watch.stop();
  now = 500_000;
  channel('undici:websocket:pong').publish({});
  expect(watch.alive()).toBe(false);
});
