/** What the pool does with connections that need no SSH to be wrong about. */
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { HostFile } from '../../src/host/host.js';
import { type Connection, createPool } from '../../src/host/pool.js';

test('who logs out while a file is copied keeps the connection until the next time', async () => {
  const source = new PassThrough();
  const ended: string[] = [];
  const connect = async ({ name }: { name: string }): Promise<Connection> => {
    let isOpen = true;
    return {
      get isOpen() {
        return isOpen;
      },
      fingerprint: 'SHA256:x',
      exec: () => Promise.reject(new Error('nobody asks')),
      files: async () => ({
        read: () => source,
        write: () => new PassThrough().resume(),
        end: () => undefined,
      }),
      end: () => {
        isOpen = false;
        ended.push(name);
      },
    };
  };
  const pool = createPool(connect, 2);
  const file = (name: string): HostFile => ({
    target: { name, address: '10.0.0.4', os: 'windows' },
    key: { fingerprint: 'SHA256:x' },
    path: '/C:/k/kubelet.exe',
  });
  const [from, to] = [file('win01'), file('win02')];
  let bytes = 0;
  const copied = pool.copy(from, to, 0, (over) => {
    bytes = over;
    return true;
  });
  source.write('MZ');
  while (bytes === 0) await turn();
  pool.logOut(to.target);
  await turn();
  expect(ended).toEqual([]);
  source.end();
  expect(await copied).toBe(true);
  pool.logOut(to.target);
  await turn();
  expect(ended).toEqual(['win02']);
  await pool.close();
});
