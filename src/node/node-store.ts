/** The inventory in Redis: the cluster's desired state, with its revision. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { baseOf } from '../ip.js';
import { type Keys, prepareScript } from '../redis.js';
import { type Inventory, Node } from './node.js';

export interface NodeStore {
  /**
   * The inventory as it is now, in the order of the pod CIDRs. One small request when nothing changed since the last read; none when
   * the caller has just been told the revision.
   */
  read(revision?: number): Promise<Inventory>;
  /**
   * Makes it a member, or replaces the member of that name; the new revision. Repeating it changes nothing. `changeId`: of the change that
   * adds it; without one, a node that comes back stays the one that it was.
   */
  add(node: Node, changeId?: string): Promise<number>;
  /** Ends its membership; the new revision. Repeating it changes nothing. */
  remove(name: string): Promise<number>;
  /** By name, the change that made each member one. Names that are no members any more may be among them. */
  addedBy(): Promise<ReadonlyMap<string, string>>;
  /** Remembers which build of Windows these have, as it was just read. Names that are no members are passed over. */
  noteBuilds(builds: ReadonlyMap<string, number>): Promise<void>;
  /** By name, the build of each Windows member, as it was last read; it is forgotten when a node leaves. */
  builds(): Promise<ReadonlyMap<string, number>>;
}

const lua = readFileSync(new URL('./inventory.lua', import.meta.url), 'utf8');

export function createNodeStore(redis: Redis, keys: Keys): NodeStore {
  const script = prepareScript(redis, lua);
  let cached: Inventory | null = null;
  async function run(...args: string[]): Promise<string[]> {
    const { inventory, inventoryRevision, nodeChanges, windowsBuilds } = keys;
    return (await script([inventory, inventoryRevision, nodeChanges, windowsBuilds], args)) as string[];
  }

  return {
    async read(told) {
      const now = told ?? Number((await redis.get(keys.inventoryRevision)) ?? 0);
      if (cached?.revision === now) return cached;
      const [revision, ...nodes] = await run('read');
      cached = Object.freeze({
        revision: Number(revision),
        nodes: nodes
          .map((json) => Node.parse(JSON.parse(json)))
          .sort((a, b) => baseOf(a.podCidr) - baseOf(b.podCidr)),
      });
      return cached;
    },
    async add(node, changeId = '') {
      const parsed = Node.parse(node);
      const [first = '', other] = await run(
        'add',
        parsed.name,
        JSON.stringify(parsed),
        parsed.address,
        parsed.podCidr,
        changeId,
        String(Date.now()),
      );
      if (first === 'taken')
        throw new Error(`${parsed.name} shares its address or pod CIDR with a member: ${other}`);
      return Number(first);
    },
    async remove(name) {
      const [revision] = await run('remove', name);
      return Number(revision);
    },
    async addedBy() {
      return new Map(Object.entries(await redis.hgetall(keys.nodeChanges)));
    },
    async noteBuilds(builds) {
      if (builds.size > 0) await run('builds', ...[...builds].flat().map(String));
    },
    async builds() {
      const fields = Object.entries(await redis.hgetall(keys.windowsBuilds));
      return new Map(fields.map(([name, build]) => [name, Number(build)]));
    },
  };
}
