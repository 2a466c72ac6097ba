/** Watches of a pool, on connections that are none. */
import { Duplex, PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { HostPool } from '../../src/host/host.js';
import { type Connection, createPool } from '../../src/host/pool.js';

const TARGET = { name: 'lin01', address: '10.0.0.4', os: 'linux' as const };
const KEY = { fingerprint: 'SHA256:x' };
const READ = { script: 'read', params: {}, timeoutMs: 1_000 };
const BOTH = { kubelet: 812, 'kube-proxy': 815 };

/** A channel as the pool has it; the host's end says what it is told to. */
class FakeChannel extends Duplex {
  readonly stderr = new PassThrough();
  readonly command: string;
  constructor(command: string) {
    super();
    this.command = command;
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const [id] = chunk.toString().split(' ');
    this.say('@@READY@@ 1', `@@R@@ ${id} 1`, '{"ok":true}');
    done();
  }
  say(...lines: string[]): void {
    this.push(lines.map((line) => `${line}\n`).join(''));
  }
}

let channels: FakeChannel[];
let pool: HostPool;
let isOpen: boolean;
let heard: string[];
/** What becomes of the next watcher's channel. */
let onWatcher: (channel: FakeChannel) => void;

function watch(processes: Partial<typeof BOTH> = BOTH, key = KEY) {
  return pool.watch(TARGET, key, processes, (what) => heard.push(what));
}

function watchers(): FakeChannel[] {
  return channels.filter((channel) => channel.command.includes('perl -e') && !channel.destroyed);
}

beforeEach(async () => {
  channels = [];
  heard = [];
  isOpen = true;
  onWatcher = (channel) => channel.say('@@READY@@ 1');
  const connection: Connection = {
    get isOpen() {
      return isOpen;
    },
    fingerprint: KEY.fingerprint,
    async exec(command) {
      const channel = new FakeChannel(command);
      if (command.includes('perl -e')) onWatcher(channel);
      channels.push(channel);
      return channel;
    },
    files: () => Promise.reject(new Error('none')),
    end() {
      isOpen = false;
      for (const channel of channels) channel.destroy();
    },
  };
  pool = createPool(async () => connection, 1);
  await pool.request(TARGET, READ, KEY);
});

afterEach(async () => {
  jest.useRealTimers();
  await pool.close();
});

describe('a watch', () => {
  test('names the processes to the host by component and number, and hears of each once', async () => {
    expect(await watch()).not.toBeNull();
    const [channel] = watchers();
    expect(channel?.command).toMatch(/^exec perl -e '[\s\S]*' kubelet=812 kube-proxy=815$/);
    channel?.say('welcome', '@@GONE@@ docker', '@@GONE@@ kubelet', '@@GONE@@ kubelet', '@@READY@@ 1');
    await turn();
    expect(heard).toEqual(['kubelet']);
    channel?.say('@@GONE@@ kube-proxy');
    channel?.destroy();
    await turn();
    await turn();
    expect(heard).toEqual(['kubelet', 'kube-proxy']);
  });

  test('that ends without a word says that nobody watches', async () => {
    await watch();
    watchers()[0]?.say('@@GONE@@ kubelet');
    await turn();
    watchers()[0]?.destroy();
    await turn();
    await turn();
    expect(heard).toEqual(['kubelet', 'channel']);
  });

  test('is in hand before anything is heard of it, and is silent once closed', async () => {
    onWatcher = (channel) => channel.say('motd', '@@GONE@@ kube-proxy', '@@READY@@ 1', '@@GONE@@ kubelet');
    const first = await watch();
    expect(heard).toEqual([]);
    await turn();
    expect(heard).toEqual(['kubelet']);
    first?.close();
    const second = await watch();
    second?.close();
    await turn();
    await turn();
    expect(heard).toEqual(['kubelet']);
    expect(watchers()).toEqual([]);
  });

  test('is null on a host that can’t, which is asked twice, and on one without a connection', async () => {
    onWatcher = (channel) => {
      channel.stderr.write('sh: 1: exec: perl: not found\n');
      channel.push(null);
      channel.destroy();
    };
    expect([await watch(), await watch(), await watch()]).toEqual([null, null, null]);
    expect(channels).toHaveLength(3);
    expect(await watch({})).toBeNull();
    pool = createPool(() => Promise.reject(new Error('it connects')), 1);
    expect(await watch()).toBeNull();
  });

  test('is null where sshd refuses the channel, or two watch already', async () => {
    onWatcher = () => {
      throw new Error('(SSH) Channel open failure: open failed');
    };
    expect(await watch()).toBeNull();
    onWatcher = (channel) => channel.say('@@READY@@ 1');
    const both = [await watch(), await watch()];
    expect(both).not.toContain(null);
    expect(await watch()).toBeNull();
    both[0]?.close();
    await turn();
    expect(await watch()).not.toBeNull();
  });

  test('needs the pinned key', async () => {
    await expect(watch(BOTH, { fingerprint: 'SHA256:y' })).rejects.toMatchObject({
      kind: 'host-key-changed',
    });
    await expect(pool.watch(TARGET, 'any', BOTH, () => undefined)).rejects.toThrow('unpinned');
  });
});

test('a connection with a watch outlasts its idle time', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  await pool.request(TARGET, READ, KEY);
  const held = await watch({ kubelet: 812 });
  await jest.advanceTimersByTimeAsync(25 * 60_000);
  expect(isOpen).toBe(true);
  held?.close();
  await turn();
  await jest.advanceTimersByTimeAsync(10 * 60_000);
  expect(isOpen).toBe(false);
});
