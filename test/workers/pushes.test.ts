import { afterAll, expect, test } from '@jest/globals';
import type { HostWatch } from '../../src/host/host.js';
import { connectRedis, keys as keysOf } from '../../src/redis.js';
import { Pushes } from '../../workers/pushes.js';

const redis = connectRedis(process.env['REDIS_URL'] ?? '');
const keys = keysOf(`{test-pushes-${process.pid}-${Date.now()}}`);
afterAll(async () => {
  await redis.del(keys.pushLease('lin01'), keys.pushLease('lin03'));
  redis.disconnect();
});

test('a host that is no member any more is not listened to, so that its connection may go; another one is', async () => {
  const closed: string[] = [];
  const watch = async ({ name }: { name: string }): Promise<HostWatch> => ({
    close: () => void closed.push(name),
  });
  let members = ['lin01', 'lin03'];
  const pushes = new Pushes(
    redis,
    keys,
    { watch },
    async () => members,
    () => undefined,
  );
  const processes = { kubelet: { pid: 7, started: '1', startedAt: '' }, 'kube-proxy': null };
  for (const name of members)
    await pushes.keep({ name, address: '10.0.0.4', os: 'linux' }, { fingerprint: 'x' }, processes);
  await pushes.renew();
  expect([closed, await redis.exists(keys.pushLease('lin03'))]).toEqual([[], 1]);
  members = ['lin01'];
  await pushes.renew();
  expect(closed).toEqual(['lin03']);
  expect(await redis.exists(keys.pushLease('lin01'), keys.pushLease('lin03'))).toBe(1);
  pushes.close();
});
