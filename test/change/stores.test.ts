import { createHash } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AuditLog } from '../../src/change/audit-log.js';
import { BuildStore } from '../../src/change/build-store.js';
import type {
  Change,
  HostResult,
  HostStatus,
  MembershipChange,
  RepairChange,
} from '../../src/change/change.js';
import { ChangeStore } from '../../src/change/change-store.js';
import type { Work } from '../../src/change/work.js';
import { WorkStore } from '../../src/change/work-store.js';
import { isRefusal } from '../../src/errors.js';
import { HostLeases } from '../../src/host/host-lease.js';
import type { Plan } from '../../src/plan/plan.js';
import { connectRedis, keys as keysOf } from '../../src/redis.js';
import { auditEvents } from '../support/audit.js';

const redis = connectRedis(process.env['REDIS_URL'] ?? '');
const keys = keysOf(`{test-stores-${process.pid}-${Date.now()}}`);
const changes = new ChangeStore(redis, keys);
const works = new WorkStore(redis, keys);
const audit = new AuditLog(redis, keys);

const node = { name: 'win03', os: 'windows' as const, address: '10.0.0.7', podCidr: '192.168.3.0/24' };

function change(id: string): MembershipChange {
  return { ...base(id), kind: 'add-node', node };
}

/** Without a name: of all. */
function repairOf(id: string, name?: string, over: Partial<RepairChange> = {}): RepairChange {
  const of = name === undefined ? {} : { node: { ...node, name, os: 'linux' as const } };
  return { ...base(id), kind: 'repair', ...of, ...over };
}

async function movedSince(since: Date, by: Change): Promise<string[]> {
  return [...(await changes.movedSince(since, by)).all];
}

function base(id: string) {
  return {
    id,
    version: 1,
    state: 'pending' as const,
    requester: 'T1:UALICE',
    command: 'add windows node win03 10.0.0.7',
    channel: 'C1',
    requestedAt: '2026-11-23T02:55:00.000Z',
    approvalsRequired: 1,
    decisions: [],
    cards: [],
    direction: 'do' as const,
  };
}

afterAll(async () => {
  const mine = await redis.keys(`${keys.audit.split(':data')[0]}*`);
  if (mine.length > 0) await redis.del(mine);
  redis.disconnect();
});

describe('changes', () => {
  test('of many writers at once none is lost', async () => {
    const id = await changes.nextId();
    await changes.create(change(id), new Date());
    const writers = Array.from({ length: 30 }, (_each, index) =>
      changes.addCard(id, { channel: 'C1', ts: String(index) }),
    );
    await Promise.all(writers);
    const stored = await changes.get(id);
    expect(stored.cards).toHaveLength(30);
    expect(stored.version).toBe(31);
  });

  test('of two who take the same step only one does; the other is told', async () => {
    const id = await changes.nextId();
    await changes.create(change(id), new Date());
    const take = () =>
      changes.update(
        id,
        (current) => {
          if (current.state !== 'pending') throw new Error('too late');
          return { ...current, state: 'approved' };
        },
        new Date(),
      );
    const outcomes = await Promise.allSettled([take(), take(), take()]);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  test('an unknown one is refused by its id; a finished one is no longer open', async () => {
    const error: unknown = await changes.get('c999').catch((caught: unknown) => caught);
    expect(isRefusal(error, 'change-unknown')).toBe(true);
    const id = await changes.nextId();
    await changes.create(change(id), new Date());
    expect(await changes.openIds()).toContain(id);
    await changes.update(id, (current) => ({ ...current, state: 'denied' }), new Date());
    expect(await changes.openIds()).not.toContain(id);
  });

  test('every write makes the card due, until one that shows it, or something newer, was sent', async () => {
    const id = await changes.nextId();
    await changes.create(change(id), new Date());
    expect(await changes.dueCards()).toContain(id);
    await changes.cardShown(id, 1);
    expect(await changes.dueCards()).not.toContain(id);
    const { version } = await changes.update(id, (current) => ({ ...current, state: 'denied' }), new Date());
    await changes.cardShown(id, version - 1);
    expect(await changes.dueCards()).toContain(id);
    await changes.cardShown(id, version);
    expect(await changes.dueCards()).not.toContain(id);
  });

  test('only those that may have touched hosts explain what moved there', async () => {
    const before = new Date(Date.now() - 1);
    const other = { ...node, podCidr: '192.168.9.0/24' };
    const id = await changes.nextId();
    await changes.create({ ...change(id), node: other }, new Date());
    expect(await movedSince(before, change('c999'))).not.toContain(other.podCidr);
    const moved = await changes.update(id, (current) => ({ ...current, state: 'applying' }), new Date());
    expect(await movedSince(before, change('c999'))).toContain(other.podCidr);
    expect(await movedSince(before, moved)).not.toContain(other.podCidr);
    expect(await movedSince(before, { ...change('c999'), node: other })).not.toContain(other.podCidr);
    expect(await movedSince(new Date(Date.now() + 1000), change('c999'))).not.toContain(other.podCidr);
  });

  test('a repair moves many slices, and what it moves explains nothing to itself, but to all others', async () => {
    const before = new Date(Date.now() - 1);
    const repair = repairOf(await changes.nextId(), 'mover', {
      state: 'applying',
      moves: ['192.168.50.0/24', '192.168.51.0/24'],
    });
    await changes.create(repair, new Date());
    expect(await movedSince(before, repair)).not.toContain('192.168.50.0/24');
    const other = repairOf('c998', 'another', { moves: ['192.168.50.0/24'] });
    expect(await movedSince(before, other)).toEqual(expect.arrayContaining(repair.moves ?? []));
    // Nobody joined by that.
    const { joined } = await changes.movedSince(before, other);
    expect(joined.has('192.168.50.0/24')).toBe(false);
  });

  test('of many who ask for a repair of the same at once one gets it, and the others hear of that one', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => changes.nextId()));
    const answers = await Promise.all(ids.map((id) => changes.create(repairOf(id, 'win03'), new Date())));
    const winner = ids.filter((_id, index) => answers[index] === null);
    expect(winner).toHaveLength(1);
    expect(answers.filter((answer) => answer !== null)).toEqual(Array(7).fill(winner[0]));
    expect(
      (await changes.open()).filter(({ node: of }) => of?.name === 'win03' && of.os === 'linux'),
    ).toHaveLength(1);
    // Another node's, and one of all, are not in its way.
    expect(await changes.create(repairOf(await changes.nextId(), 'win04'), new Date())).toBeNull();
    expect(await changes.create(repairOf(await changes.nextId()), new Date())).toBeNull();
    // One that only waits for absent hosts keeps nobody from the next; nor does one that is over.
    for (const state of ['owing', 'failed'] as const) {
      const [newest = ''] = [await redis.hget(keys.newestChanges, 'repair win03')].map(String);
      await changes.update(newest, (current) => ({ ...current, state }), new Date());
      const next = await changes.nextId();
      expect(await changes.create(repairOf(next, 'win03'), new Date())).toBeNull();
      expect(await changes.create(repairOf(await changes.nextId(), 'win03'), new Date())).toBe(next);
    }
  });
});

describe('what is written together with a change', () => {
  const planOf = (id: string, basedOn: number): Plan => ({
    ...{ kind: 'add-node', node, basedOn, together: [id], hosts: [], foreign: [] },
    made: { bridge: false, podNetwork: true, forwarding: true },
  });
  const seal = (id: string, basedOn: number) =>
    changes.moveOnce(
      id,
      (current) =>
        current.state === 'planning'
          ? { ...current, state: 'pending', planHash: `hash-${basedOn}` }
          : current,
      new Date(),
      {
        sealed: planOf(id, basedOn),
        results: [{ host: `host-${basedOn}`, status: 'waiting', at: '' }],
        record: (stored) => [
          { at: '', actor: 'fairway', what: 'plan-sealed', changeId: id, planHash: stored.planHash ?? '' },
        ],
      },
    );
  const recorded = async (id: string) =>
    (await auditEvents(audit))
      .filter((event) => event.changeId === id)
      .map(({ what, planHash }) => [what, planHash]);

  test('of planners at once one seals, and plan, hash, results and record are its own', async () => {
    const id = await changes.nextId();
    await changes.create({ ...change(id), state: 'planning' }, new Date());
    const outcomes = await Promise.all([1, 2, 3, 4].map((basedOn) => seal(id, basedOn)));
    const won = 1 + outcomes.findIndex((outcome) => outcome !== null);
    expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(1);
    // One that comes much later changes nothing of it, whatever became of the change meanwhile.
    await changes.update(id, (current) => ({ ...current, state: 'approved' }), new Date());
    expect(await seal(id, 5)).toBeNull();
    expect((await changes.get(id)).planHash).toBe(`hash-${won}`);
    expect(await changes.sealedPlan(id)).toEqual(planOf(id, won));
    expect([...(await changes.results(id)).keys()]).toEqual([`host-${won}`]);
    expect(await recorded(id)).toEqual([['plan-sealed', `hash-${won}`]]);
  });

  test('pairs that come to a plan stand beside what was approved, not in its place', async () => {
    const id = await changes.nextId();
    await changes.create({ ...change(id), state: 'planning' }, new Date());
    await seal(id, 1);
    const whole = { ...planOf(id, 1), together: ['more'] };
    await changes.update(id, (current) => ({ ...current, state: 'applying' }), new Date(), {
      running: whole,
    });
    expect(await changes.plan(id)).toEqual(whole);
    expect(await changes.sealedPlan(id)).toEqual(planOf(id, 1));
  });

  test('is kept for as long as the change is open, and a while longer', async () => {
    const id = await changes.nextId();
    const keptFor = () => redis.ttl(keys.changePlan(id));
    await changes.create({ ...change(id), state: 'planning' }, new Date());
    await seal(id, 1);
    expect(await keptFor()).toBe(-1);
    await changes.update(id, (current) => ({ ...current, state: 'failed' }), new Date());
    expect(await keptFor()).toBeGreaterThan(100 * 24 * 3600);
    await changes.update(id, (current) => ({ ...current, state: 'owing' }), new Date());
    expect(await keptFor()).toBe(-1);
    expect(await redis.ttl(keys.changeHosts(id))).toBe(-1);
  });

  test('is on record exactly once, though whoever moved it died before it was chained', async () => {
    const id = await changes.nextId();
    await changes.create(change(id), new Date());
    const event = {
      at: '',
      actor: 'T1:UBOB',
      what: 'approve' as const,
      changeId: id,
      facts: { said: 'token=hunter2' },
    };
    // Death in between: the flush never comes.
    const dying = new ChangeStore(redis, keys);
    Object.assign(dying, { audit: { flush: () => Promise.reject(new Error('died')) } });
    const approve = (store: ChangeStore) =>
      store.moveOnce(
        id,
        (current) => (current.state === 'pending' ? { ...current, state: 'approved' } : current),
        new Date(),
        { record: () => [event] },
      );
    await expect(approve(dying)).rejects.toThrow('died');
    expect((await changes.get(id)).state).toBe('approved');
    expect(await approve(changes)).toBeNull();
    await Promise.all([
      audit.flush(),
      audit.flush(),
      audit.append({ at: '', actor: 'fairway', what: 'retry' }),
    ]);
    expect(await recorded(id)).toEqual([['approve', undefined]]);
    expect(await audit.verify()).toMatchObject({ broken: null });
    expect(JSON.stringify(await redis.lrange(keys.audit, 0, -1))).not.toContain('hunter2');
  });

  test('of many who ask for the same removal at once one gets it, and the others hear of that one', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => changes.nextId()));
    const removal = (id: string) => changes.create({ ...change(id), kind: 'remove-node' }, new Date());
    const answers = await Promise.all(ids.map(removal));
    const winner = ids.filter((_id, index) => answers[index] === null);
    expect(winner).toHaveLength(1);
    expect(answers.filter((answer) => answer !== null)).toEqual(Array(7).fill(winner[0]));
    await changes.update(winner[0] ?? '', (current) => ({ ...current, state: 'denied' }), new Date());
    expect(await removal(await changes.nextId())).toBeNull();
  });
});

describe('work', () => {
  const work = (changeId: string) => ({
    changeId,
    kind: 'add-node' as const,
    direction: 'do' as const,
    node,
    role: 'peer' as const,
    steps: [],
    fingerprint: null,
  });
  /** Visits the host as a worker would, and gives what came of settling. `meanwhile` happens before that. */
  const leases = new HostLeases(redis, keys);
  const visit = (
    host: string,
    status: HostStatus,
    meanwhile: () => Promise<unknown> = async () => undefined,
  ) =>
    leases.hold(host, async (held) => {
      await meanwhile();
      const settled = await works.settle(
        host,
        held.holder,
        held.works.map((taken) => ({
          changeId: (JSON.parse(taken) as Work).changeId,
          taken,
          result: { host, status, at: new Date().toISOString() },
        })),
      );
      held.isOver = true;
      return settled;
    });
  /** Of a change that is there; a test may have made it before. */
  const dispatch = async (id: string, list: readonly Work[], results: readonly HostResult[] = []) => {
    if ((await changes.load(id)) === null) await changes.create(change(id), new Date());
    const { state, direction } = await changes.get(id);
    return works.dispatch({ id, state, direction }, list, results);
  };
  const statusOf = async (id: string, host: string) => (await changes.results(id)).get(host)?.status;
  const on = (host: string) => ({ ...node, name: host });

  test('is given with its results, and not for a change that was ended or turned round since it was read', async () => {
    await changes.create({ ...change('c30'), state: 'applying' }, new Date());
    const read = { id: 'c30', state: 'applying', direction: 'do' } as const;
    const [lone, waiting] = [
      { ...work('c30'), node: on('lone') },
      { host: 'lone', status: 'waiting', at: '' } as const,
    ];
    expect(await works.dispatch(read, [lone], [waiting])).toBe(true);
    expect([await works.of('lone'), await statusOf('c30', 'lone')]).toEqual([[lone], 'waiting']);
    expect(await redis.get(keys.changeLeft('c30'))).toBe('1');
    await works.withdraw('c30', ['lone']);
    await changes.setResults('c30', [{ ...waiting, status: 'cancelled' }]);
    for (const over of [{ state: 'cancelled' }, { state: 'applying', direction: 'undo' }] as const) {
      await changes.update('c30', (current) => ({ ...current, direction: 'do', ...over }), new Date());
      expect(await works.dispatch(read, [lone], [waiting])).toBe(false);
    }
    expect(await works.dispatch({ ...read, id: 'c31' }, [lone], [waiting])).toBe(false);
    expect([await works.of('lone'), await statusOf('c30', 'lone')]).toEqual([[], 'cancelled']);
  });

  test('what is owed stays until it is done', async () => {
    await dispatch('c1', [work('c1')]);
    await visit(node.name, 'owed');
    expect(await works.owing()).toEqual([node.name]);
    expect(await works.of(node.name)).toHaveLength(1);
    const [settled] = (await visit(node.name, 'done')) ?? [];
    expect(settled?.left).toBeLessThanOrEqual(0);
    expect(await works.of(node.name)).toEqual([]);
    expect(await works.owing()).toEqual([]);
    expect(await statusOf('c1', node.name)).toBe('done');
  });

  test('a visit settles only the work that it took: not that of another run, nor what was withdrawn', async () => {
    const forth = { ...work('c2'), node: on('race') };
    const back = { ...forth, direction: 'undo' as const };
    await dispatch('c2', [forth]);
    const settled = await visit('race', 'done', async () => {
      await works.withdraw('c2', ['race']);
      await dispatch('c2', [back]);
    });
    expect(settled).toEqual([null]);
    expect(await works.of('race')).toEqual([back]);
    expect(await statusOf('c2', 'race')).toBeUndefined();
    expect(await visit('race', 'owed', () => works.withdraw('c2', ['race']))).toEqual([null]);
    expect(await works.owing()).not.toContain('race');
    expect(await statusOf('c2', 'race')).toBeUndefined();
    // The host itself is free again.
    expect(await leases.held(['race'])).toEqual(new Set());
  });

  test('a worker that lost the host changes nothing, and does not free it for a third', async () => {
    await dispatch('c3', [{ ...work('c3'), node: on('lost') }]);
    const late = await visit('lost', 'owed', async () => {
      await redis.set(keys.hostLease('lost'), 'another');
      await changes.setResults('c3', [{ host: 'lost', status: 'done', at: '' }]);
    });
    expect(late).toEqual([null]);
    expect(await statusOf('c3', 'lost')).toBe('done');
    expect(await works.owing()).not.toContain('lost');
    expect(await redis.get(keys.hostLease('lost'))).toBe('another');
  });

  test('cancelled: what a visit has in hand is its to finish; what came after the visit began is not', async () => {
    const two = [on('busy'), on('idle')].map((host) => ({ ...work('c4'), node: host }));
    await dispatch('c4', two);
    const [settled] =
      (await visit('busy', 'done', async () => {
        await dispatch('c5', [{ ...work('c5'), node: on('busy') }]);
        expect(await works.withdrawWaiting('c4', ['busy', 'idle'])).toEqual(new Set(['busy']));
        expect(await works.withdrawWaiting('c5', ['busy'])).toEqual(new Set());
      })) ?? [];
    // The last on its way: whoever waits for it hears of it.
    expect(settled?.left).toBe(0);
    expect(await statusOf('c4', 'busy')).toBe('done');
    expect(await works.of('idle')).toEqual([]);
    expect(await works.of('busy')).toEqual([]);
  });

  test('a debt that is withdrawn is nobody’s', async () => {
    await dispatch('c6', [{ ...work('c6'), node: on('debtor') }]);
    await visit('debtor', 'owed');
    expect(await works.owing()).toContain('debtor');
    await works.withdraw('c6', ['debtor']);
    expect(await works.owing()).not.toContain('debtor');
  });
});

describe('the audit log', () => {
  /** The first record that does not follow from the one before, from 1; null: the chain is whole. */
  const broken = async () => (await audit.verify()).broken;
  const note = (count: number, facts: Readonly<Record<string, unknown>> = {}) =>
    audit.append(
      ...Array.from({ length: count }, (_each, index) => ({
        at: new Date(Date.UTC(2026, 10, 28, 0, 0, index)).toISOString(),
        actor: 'T1:UALICE',
        what: 'approve' as const,
        changeId: `c${index + 1}`,
        facts,
      })),
    );
  beforeEach(() => redis.del(keys.audit, keys.auditHead));

  test('holds as a chain under many writers, and shows a changed, a missing, a cut-off and a strange record', async () => {
    await Promise.all(Array.from({ length: 20 }, () => note(1, { said: 'password=hunter2' })));
    expect(await auditEvents(audit)).toHaveLength(20);
    expect(JSON.stringify(await auditEvents(audit))).not.toContain('hunter2');
    expect(await broken()).toBeNull();

    const record = (await redis.lindex(keys.audit, 7)) ?? '';
    await redis.lset(keys.audit, 7, record.replace('UALICE', 'UMALLORY'));
    expect(await broken()).toBe(8);
    await redis.lset(keys.audit, 7, 'no record');
    expect(await broken()).toBe(8);
    await redis.lset(keys.audit, 7, record);
    expect(await broken()).toBeNull();

    const last = (await redis.rpop(keys.audit)) ?? '';
    expect(await broken()).toBe(20);
    await redis.rpush(keys.audit, last);
    await redis.lrem(keys.audit, 1, record);
    expect(await broken()).toBe(8);
    await redis.del(keys.audit);
    expect(await audit.verify()).toEqual({ records: 0, broken: 1, from: '', to: '', hash: '' });
  });

  test('is checked from page to page while others go on writing; what it found has its instants and its hash', async () => {
    expect(await audit.verify()).toEqual({ records: 0, broken: null, from: '', to: '', hash: '' });
    await note(1203);
    const [check] = await Promise.all([audit.verify(), note(3), note(3)]);
    expect(check).toMatchObject({ broken: null, from: '2026-11-28T00:00:00.000Z' });
    await note(1);
    expect(await audit.verify()).toMatchObject({
      ...{ records: 1210, broken: null, to: '2026-11-28T00:00:00.000Z' },
      hash: (await redis.get(keys.auditHead)) ?? '',
    });
    await redis.lset(keys.audit, 1001, '{}');
    expect(await audit.verify()).toMatchObject({
      ...{ records: 1210, broken: 1002, to: '2026-11-28T00:16:40.000Z' },
      hash: JSON.parse((await redis.lindex(keys.audit, 1000)) ?? '').hash,
    });
  });

  test('is read from its end, a page at a time; what nobody can read is null', async () => {
    await note(1203);
    await redis.lset(keys.audit, 1200, 'no record');
    const strange = { at: '', actor: '', what: 'approve', host: 7 };
    await redis.lset(keys.audit, 1199, JSON.stringify({ event: JSON.stringify(strange), hash: '' }));
    await redis.lset(keys.audit, 1198, 'null');
    const pages = [];
    for await (const page of audit.newestFirst()) pages.push(page);
    expect(pages.map((page) => page.length)).toEqual([500, 500, 203]);
    expect(pages.flat().map((event) => event?.changeId)).toEqual(
      Array.from({ length: 1203 }, (_each, index) =>
        index >= 2 && index <= 4 ? undefined : `c${1203 - index}`,
      ),
    );
  });

  test('as lines it can be checked by anybody, whole or its newest part', async () => {
    await note(1203, { printed: 'wörds "in" quotes\n' });
    let text = '';
    for await (const part of audit.lines()) text += part;
    const lines = text.trimEnd().split('\n');
    expect(lines).toHaveLength(1203);
    let previous = '';
    for (const [index, line] of lines.entries()) {
      const { record, hash, event } = JSON.parse(line);
      const asHashed = line.slice(line.indexOf('"event":') + 8, -1);
      expect(createHash('sha256').update(previous).update(asHashed).digest('hex')).toBe(hash);
      expect([record, event.changeId]).toEqual([index + 1, `c${index + 1}`]);
      previous = hash;
    }
    const newest = await audit.newestLines(Buffer.byteLength(lines.slice(-600).join('\n')) + 1);
    expect(newest).toEqual({ from: 604, records: 1203, text: `${lines.slice(-600).join('\n')}\n` });
    expect(await audit.newestLines(1 << 20)).toEqual({ from: 1, records: 1203, text });
    expect(await audit.newestLines(1)).toEqual({ from: 1203, records: 1203, text: `${lines.at(-1)}\n` });
  });

  test('a secret that was cut off takes no record along', async () => {
    await note(1, { printed: '-----BEGIN RSA PRIVATE KEY-----\nMIIE', error: "password='hunter2" });
    await note(1, { commands: ['echo --token "hunter2'] });
    const [cut, ...others] = await auditEvents(audit);
    expect(cut?.facts).toEqual({ printed: '[private key]', error: "password='[secret]" });
    expect(JSON.stringify(others)).not.toContain('hunter2');
    // As an older Fairway may have written one.
    await redis.lset(keys.audit, 0, JSON.stringify({ event: '{"at":"', hash: 'x' }));
    let text = '';
    for await (const part of audit.lines()) text += part;
    expect(text.split('\n')[0]).toBe('{"record":1,"hash":"x","event":"{\\"at\\":\\""}');
  });
});

describe('a host', () => {
  test('is in one hand at a time, and every hand gets a higher token', async () => {
    const leases = new HostLeases(redis, keys);
    let together = 0;
    let most = 0;
    const fences: number[] = [];
    const visit = () =>
      leases.hold('lin01', async (held) => {
        together += 1;
        most = Math.max(most, together);
        fences.push(held.fence);
        await new Promise((resolve) => setTimeout(resolve, 20));
        together -= 1;
        return true;
      });
    const outcomes = await Promise.all([visit(), visit(), visit()]);
    expect(outcomes.filter((outcome) => outcome === true)).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(2);
    await visit();
    expect(most).toBe(1);
    expect(fences[1]).toBeGreaterThan(fences[0] ?? Number.POSITIVE_INFINITY);
  });
});

test('of a version’s builds the one counts that was asked for last, though an older one was found there already', async () => {
  const builds = new BuildStore(redis, keys);
  const built = (commit: string, at: string, askedAt?: string) => ({
    ...{ component: 'kubelet' as const, version: 'v1.5.0', source: '/srv/k8s', commit, host: '10.0.0.20' },
    ...{ path: `/b/${commit}`, size: 1, sha256: commit, go: '1.7.6', at, changeId: 'c1' },
    ...(askedAt ? { askedAt } : {}),
  });
  await builds.record(built('a', '2026-11-27T03:00:00.000Z'));
  await builds.record(built('b', '2026-11-27T04:00:00.000Z', '2026-11-27T04:00:00.000Z'));
  expect(await builds.newest('kubelet', 'v1.5.0')).toMatchObject({ commit: 'b' });
  await builds.record(built('a', '2026-11-27T03:00:00.000Z', '2026-11-27T05:00:00.000Z'));
  expect((await builds.all()).map(({ commit }) => commit)).toEqual(['a', 'b']);
  expect(await builds.newest('kubelet', 'v1.5.0')).toMatchObject({ commit: 'a' });
});
