/** A process of its own for lease-store.test.ts: claims as many slices as it is told, all at once, and prints them. */

import { createLeaseStore, type Lease } from '../../src/network/lease-store.js';
import { connectRedis, keys } from '../../src/redis.js';

const [url = '', prefix = '', who = '', count = '0'] = process.argv.slice(2);
const redis = connectRedis(url);
const store = createLeaseStore(redis, keys(prefix), {
  clusterCidr: '192.168.0.0/16',
  nodePrefixLength: 24,
  serviceCidr: '10.96.0.0/12',
  reserved: [],
});

async function claim(i: number): Promise<Lease> {
  const node = { name: `${who}-${i}`, os: 'linux' as const, address: `172.16.${who.charCodeAt(0)}.${i + 1}` };
  return (await store.claim({ changeId: `c${who}${i}`, node, excluded: [], now: new Date() })).lease;
}

const leases = await Promise.all(Array.from({ length: Number(count) }, (_, i) => claim(i)));
process.stdout.write(JSON.stringify(leases.map((lease) => lease.podCidr)));
redis.disconnect();
