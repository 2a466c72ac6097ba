import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { expect, jest, test } from '@jest/globals';
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

test('a line is deaf once it is silent although it counts as connected; while it is not connected, the client tries again', async () => {
  jest.useFakeTimers();
  try {
    const client = new EventEmitter();
    const watch = watchSocket(client as unknown as SocketModeReceiver['client'], Date.now);
    let isDeaf = false;
    void watch.deaf().then(() => {
      isDeaf = true;
    });
    await jest.advanceTimersByTimeAsync(300_000);
    expect(isDeaf).toBe(false);
    client.emit('connected');
    await jest.advanceTimersByTimeAsync(100_000);
    channel('undici:websocket:pong').publish({});
    await jest.advanceTimersByTimeAsync(100_000);
    expect(isDeaf).toBe(false);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(isDeaf).toBe(true);
    watch.stop();
  } finally {
    jest.useRealTimers();
  }
});
