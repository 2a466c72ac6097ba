/** The real desk on the real Redis: who may do what (Q2), and what it answers from what is stored. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { nodeArgs } from '../../sandbox/program.js';
import { askDigest } from '../../src/change/ask.js';
import type { AuditEvent } from '../../src/change/audit-record.js';
import type { Actor, HostResult, MembershipChange } from '../../src/change/change.js';
import type { Role } from '../../src/command/access.js';
import { CommandKind } from '../../src/command/command.js';
import { parseCommand } from '../../src/command/grammar.js';
import type { Reply } from '../../src/command/reply.js';
import { isRefusal } from '../../src/errors.js';
import type { AdoptPlan } from '../../src/plan/plan.js';
import { change } from '../slack/support/views.js';
import { auditEvents } from '../support/audit.js';
import { type OpenDesk, openDesk } from './support/desk.js';

const url = process.env['REDIS_URL'] ?? '';
const ORIGIN = { channel: 'C0OPS', user: 'U0OPER' };
const OPERATOR: Actor = { id: 'T1:U0OPER', via: 'slash' };

let prefix: string;
let open: OpenDesk;

beforeEach(() => {
  prefix = `{desk-${randomUUID().slice(0, 8)}}`;
  open = openDesk(url, prefix);
});
afterEach(async () => {
  const { redis } = open.stores;
  const left = await redis.keys(`${prefix}*`);
  if (left.length > 0) await redis.del(...left);
  await open.close();
});

function run(text: string, actor = OPERATOR): Promise<Reply> {
  return open.desk.run(parseCommand(text), actor, ORIGIN);
}

/** The code of the refusal that comes of it; '' when none does. */
async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return '';
  } catch (error) {
    if (isRefusal(error)) return error.code;
    throw error;
  }
}

describe('authorization', () => {
  /** The access table, written down once more: a command that no longer asks fails here. */
  const COMMANDS: Readonly<Record<CommandKind, { text: string; role: Role | null }>> = {
    'add-node': { text: 'add linux node lin02 10.0.0.8', role: 'operator' },
    'remove-node': { text: 'remove node lin01', role: 'operator' },
    nodes: { text: 'nodes', role: 'viewer' },
    map: { text: 'map', role: 'viewer' },
    node: { text: 'node lin01', role: 'viewer' },
    'check-node': { text: 'check node lin01', role: 'viewer' },
    'check-host': { text: 'check linux host 10.0.0.8', role: 'operator' },
    routes: { text: 'routes', role: 'viewer' },
    repair: { text: 'repair', role: 'operator' },
    adopt: { text: 'adopt', role: 'operator' },
    export: { text: 'export', role: 'viewer' },
    'check-manifest': { text: 'check manifest', role: 'viewer' },
    'check-cluster': { text: 'check cluster', role: 'viewer' },
    'control-plane': { text: 'kubectl control-plane', role: 'viewer' },
    kubectl: { text: 'kubectl lin01', role: 'viewer' },
    build: { text: 'build kubelet v1.5.0', role: 'operator' },
    builds: { text: 'builds', role: 'viewer' },
    deliver: { text: 'deliver kubelet v1.5.0 to win01', role: 'operator' },
    incidents: { text: 'incidents', role: 'viewer' },
    ack: { text: 'ack i1', role: 'operator' },
    mute: { text: 'mute lin01', role: 'operator' },
    unmute: { text: 'unmute lin01', role: 'operator' },
    logs: { text: 'logs kubelet on lin01', role: 'operator' },
    control: { text: 'restart kubelet on lin01', role: 'approver' },
    changes: { text: 'changes', role: 'viewer' },
    change: { text: 'change c1', role: 'viewer' },
    approve: { text: 'approve c1', role: 'approver' },
    deny: { text: 'deny c1', role: 'approver' },
    confirm: { text: 'confirm c1', role: 'approver' },
    decline: { text: 'decline c1', role: 'operator' },
    cancel: { text: 'cancel c1', role: 'operator' },
    retry: { text: 'retry c1', role: 'operator' },
    rollback: { text: 'rollback c1', role: 'operator' },
    history: { text: 'history', role: 'viewer' },
    audit: { text: 'audit export', role: 'approver' },
    help: { text: 'help', role: null },
    whoami: { text: 'whoami', role: null },
    'can-i': { text: 'can-i nodes', role: null },
  };
  const RANKS = [null, 'viewer', 'operator', 'approver'];
  const PEOPLE: readonly [id: string, role: Role | null][] = [
    ['T1:U0NOBODY', null],
    ['console:nobody', null],
    ['T1:U0VIEW', 'viewer'],
    ['T1:U0OPER', 'operator'],
    ['console:oper', 'operator'],
    ['T1:U0APPR', 'approver'],
  ];
  // At the console some commands wait for a worker, and there is none here: whom they let in is asked for another door.
  const people = PEOPLE.map(([id, role]): [string, Role | null, Actor] => [id, role, { id, via: 'slash' }]);

  test.each(people)('%s, %s: every command by the table', async (_id, role, actor) => {
    for (const kind of CommandKind.options) {
      const { text, role: needed } = COMMANDS[kind];
      expect([text, parseCommand(text).kind]).toEqual([text, kind]);
      const refused = (await refusalOf(run(text, actor))) === 'forbidden';
      expect([kind, refused]).toEqual([kind, RANKS.indexOf(role) < RANKS.indexOf(needed)]);
    }
  });

  test.each(people)('%s, %s: decisions by button and dialog', async (_id, role, actor) => {
    const expected = role === 'approver' ? 'change-unknown' : 'forbidden';
    for (const verdict of ['approve', 'deny'] as const) {
      expect(await refusalOf(open.desk.decide('c1', verdict, null, undefined, actor))).toBe(expected);
      expect(await refusalOf(open.desk.tryDecide('c1', verdict, null, actor))).toBe(expected);
    }
    expect(await refusalOf(open.desk.answer('c1', 'yes', [], actor))).toBe(expected);
    const mayDecline = RANKS.indexOf(role) >= RANKS.indexOf('operator');
    expect(await refusalOf(open.desk.answer('c1', 'no', [], actor))).toBe(
      mayDecline ? 'change-unknown' : 'forbidden',
    );
  });

  test('whoever has no role leaves no trace, whatever they try', async () => {
    for (const kind of CommandKind.options)
      await refusalOf(run(COMMANDS[kind].text, { id: 'T1:U0NOBODY', via: 'mention' }));
    expect(await open.written()).toEqual([]);
  });
});

describe('what it answers', () => {
  test('nodes and incidents: that the channel for notices takes none', async () => {
    const { redis, keys } = open.stores;
    await redis.hset(keys.slackClosed, 'C0OTHER', 'is_archived');
    expect(await run('nodes')).not.toHaveProperty('closed');
    await redis.hset(keys.slackClosed, 'C0OPS', 'not_in_channel');
    const closed = { channel: 'C0OPS', why: 'not_in_channel' };
    expect(await run('nodes')).toMatchObject({ closed });
    expect(await run('incidents')).toMatchObject({ closed });
  });

  const lin02 = { name: 'lin02', os: 'linux' as const, address: '10.0.0.8', podCidr: '192.168.7.0/24' };
  const stored = (id: string, over: Partial<MembershipChange>) =>
    open.stores.changes.create(change('pending', { id, ...over }), new Date());

  test('without a build host, a build says what to set', async () => {
    expect(await refusalOf(run('build kubelet v1.5.0'))).toBe('no-build-host');
  });

  test('a button answers what its card showed as asked, and not what a host began to ask since; the word answers all', async () => {
    const approver: Actor = { id: 'T1:U0APPR', via: 'button' };
    const asks = (host: string): HostResult => ({
      ...{ host, status: 'asking', visited: true, at: '2026-11-28T03:00:00.000Z' },
      ask: { kind: 'switch', component: 'kubelet', executable: 'C:\\k\\versions\\v1\\kubelet.exe' },
    });
    const [win01, win02, win03] = [asks('win01'), asks('win02'), asks('win03')];
    const digest = ({ host, ask }: HostResult) => (ask ? askDigest(host, ask) : '');
    await stored('c7', { state: 'applying' });
    await open.stores.changes.setResults('c7', [win01, win02, win03]);
    const statuses = async () =>
      [...(await open.stores.changes.results('c7')).values()].map(({ host, status }) => `${host} ${status}`);
    await open.desk.answer('c7', 'yes', [digest(win01), digest(win02)], approver);
    expect((await statuses()).sort()).toEqual(['win01 waiting', 'win02 waiting', 'win03 asking']);
    expect((await open.stores.changes.get('c7')).answers?.map(({ host }) => host).sort()).toEqual([
      'win01',
      'win02',
    ]);
    expect(await refusalOf(open.desk.answer('c7', 'yes', [digest(win01)], approver))).toBe('nothing-asked');
    // The same host, but another question.
    const other = askDigest('win03', { kind: 'reboot', boot: 'b1' });
    expect(await refusalOf(open.desk.answer('c7', 'no', [other], approver))).toBe('nothing-asked');
    await run('confirm c7', approver);
    expect((await statuses()).sort()).toEqual(['win01 waiting', 'win02 waiting', 'win03 waiting']);
  });

  test('the same words within a minute lead to the same change; somebody else’s are told whose name it is', async () => {
    const first = await run('add linux node lin02 10.0.0.8');
    expect(first).toEqual({ kind: 'change-card', id: 'c1' });
    expect(await run('add linux node lin02 10.0.0.8')).toEqual({ kind: 'already-running', id: 'c1' });
    const approver: Actor = { id: 'T1:U0APPR', via: 'slash' };
    expect(await refusalOf(run('add linux node lin02 10.0.0.8', approver))).toBe('node-exists');
    expect(await run('cancel c1')).toEqual({ kind: 'accepted', id: 'c1', what: 'withdraw' });
    expect(await run('add linux node lin02 10.0.0.8')).toMatchObject({ kind: 'change-card' });
  });

  test('a list of nodes becomes a change; the same within a minute is the same, another is another, a wrong one is none', async () => {
    const list = (name: string) =>
      `cluster: test\nclusterCidr: 192.168.0.0/16\nnodes:\n  - { name: ${name}, os: linux, address: 10.0.0.8 }`;
    const adopt = (text: string, actor = OPERATOR) =>
      open.desk.run({ kind: 'adopt', list: text }, actor, ORIGIN);
    expect(await run('adopt')).toEqual({ kind: 'form', form: 'adopt' });
    expect(await refusalOf(adopt(list('lin02'), { id: 'T1:U0VIEW', via: 'modal' }))).toBe('forbidden');
    expect(await refusalOf(adopt(list('lin02').replace('test', 'prod')))).toBe('list-wrong');
    expect(await open.stores.changes.latest(9)).toEqual([]);
    expect(await adopt(list('lin02'))).toEqual({ kind: 'change-card', id: 'c1' });
    expect(await adopt(list('lin02'))).toEqual({ kind: 'already-running', id: 'c1' });
    expect(await adopt(list('lin03'))).toEqual({ kind: 'change-card', id: 'c2' });
    expect(await open.stores.changes.get('c1')).toMatchObject({
      kind: 'adopt',
      state: 'planning',
      command: 'adopt',
      asked: [{ name: 'lin02', os: 'linux', address: '10.0.0.8' }],
    });
    // Nothing is held for it before somebody approved it.
    expect(await open.stores.leases.list(new Date())).toEqual([]);
  });

  test('an adoption is rolled back until others came after it', async () => {
    const at = new Date().toISOString();
    const of = { kind: 'adopt' as const, state: 'applied' as const, asked: [], moves: [lin02.podCidr] };
    const { node: _node, ...rest } = change('applied', {
      admittedAt: at,
      decisions: [{ actor: 'T1:U0APPR', verdict: 'approve', at, planHash: 'a' }],
    });
    const plan = { kind: 'adopt', nodes: [lin02], hosts: [] } as Partial<AdoptPlan> as AdoptPlan;
    await open.stores.changes.create({ ...rest, ...of, id: 'c1' }, new Date(), { sealed: plan });
    await open.stores.nodes.add(lin02);
    const rollback = () => refusalOf(run('rollback c1'));
    const other = async (id: string, over: Partial<MembershipChange>) => {
      await stored(id, { node: { ...lin02, name: 'lin03', podCidr: '192.168.8.0/24' }, ...over });
      await open.stores.changes.update(id, (current) => ({ ...current }), new Date());
    };
    // Neither one that nobody approved, nor one that was undone, is built on it.
    await other('c2', { state: 'denied' });
    await other('c3', { state: 'cancelled' });
    await other('c4', { state: 'rolled-back', admittedAt: at });
    await other('c5', { state: 'applied', admittedAt: at });
    await expect(run('rollback c1')).rejects.toMatchObject({
      code: 'built-on',
      facts: { id: 'c1', by: ['c5'] },
    });
    await open.stores.changes.update('c5', (current) => ({ ...current, state: 'rolled-back' }), new Date());
    expect(await rollback()).toBe('');
    expect(await open.stores.changes.get('c1')).toMatchObject({ state: 'rolling-back', starts: 'undo' });
  });

  test('a removal in the way of an open change says which, how it stands, and whose it is', async () => {
    await open.stores.nodes.add(lin02);
    await stored('c4', { kind: 'add-node', node: lin02, state: 'owing', requester: 'T1:U0ANN' });
    await expect(run('remove node lin02')).rejects.toMatchObject({
      code: 'change-in-the-way',
      facts: { id: 'c4', name: 'lin02', kind: 'add-node', state: 'owing', requester: 'T1:U0ANN' },
    });
    // Also of a node that is no member yet: no other name is what was meant.
    await stored('c5', { kind: 'add-node', node: { ...lin02, name: 'lin03' } });
    await expect(run('remove node lin03')).rejects.toMatchObject({
      code: 'change-in-the-way',
      facts: { id: 'c5', state: 'pending' },
    });
  });

  test('where the wrong name would do harm, only a slip of one letter is put right', async () => {
    await open.stores.nodes.add({ ...lin02, name: 'win01' });
    const suggestion = async (text: string, actor?: Actor) =>
      run(text, actor).then(
        () => 'not refused',
        (error: unknown) => (isRefusal(error, 'node-unknown') ? (error.facts.suggestion ?? null) : error),
      );
    expect(await suggestion('node win3')).toBe('win01');
    expect(await suggestion('remove node win3')).toBeNull();
    expect(await suggestion('remove node win1')).toBe('win01');
    expect(await suggestion('stop kubelet on win3', { id: 'T1:U0APPR', via: 'slash' })).toBeNull();
  });

  test('changes: every open one, the oldest first, then the newest others', async () => {
    const node = (number: number) => ({ ...lin02, name: `lin${number}` });
    await stored('c1', { node: node(1) });
    for (let number = 2; number <= 20; number += 1)
      await stored(`c${number}`, { node: node(number), state: 'denied' });
    await stored('c21', { node: node(21), state: 'owing' });
    const reply = await run('changes');
    if (reply.kind !== 'changes') throw new Error(reply.kind);
    expect(reply.open.map(({ id }) => id)).toEqual(['c1', 'c21']);
    expect(reply.others).toHaveLength(15);
    expect(reply.others.every(({ state }) => state === 'denied')).toBe(true);
  });
});

describe('history', () => {
  const win01 = { name: 'win01', os: 'windows' as const, address: '10.0.0.5', podCidr: '192.168.7.0/24' };
  const win02 = { ...win01, name: 'win02', address: '10.0.0.6', podCidr: '192.168.8.0/24' };
  const note = (...events: (Pick<AuditEvent, 'what'> & Partial<AuditEvent>)[]) =>
    open.stores.audit.append(
      ...events.map((event) => ({ at: '2026-11-28T05:12:00.000Z', actor: 'T1:U0OPER', ...event })),
    );
  const history = async (text: string) => {
    const reply = await run(text);
    if (reply.kind !== 'history') throw new Error(reply.kind);
    return reply;
  };
  const told = async (text: string) =>
    (await history(text)).entries.map(({ event, settled }) =>
      [event?.what, event?.changeId ?? event?.host, ...settled.map(({ host }) => host)].join(' '),
    );
  const settle = (changeId: string, host: string, status = 'done') => ({
    ...{ what: 'host-settled' as const, actor: 'fairway', changeId, host, facts: { status } },
  });

  test('of all: the newest first, and the hosts of a run in one line', async () => {
    expect(await history('history')).toMatchObject({ entries: [], older: false });
    await note(
      { what: 'change-applied', changeId: 'c1' },
      settle('c1', 'win01'),
      settle('c1', 'win02', 'owed'),
    );
    await note(settle('c2', 'win01'), { what: 'mute', host: 'win01' });
    expect(await told('history')).toEqual([
      'mute win01',
      'host-settled c2 win01',
      'host-settled c1 win01 win02',
      'change-applied c1',
    ]);
  });

  test('of a node: what was done to it, and every change about it; of its address, what was looked at', async () => {
    await open.stores.nodes.add(win01);
    const of = (id: string, node: typeof win01) =>
      open.stores.changes.create(change('applied', { id, node }), new Date());
    await of('c1', win01);
    await of('c2', win02);
    await note({ what: 'host-checked', host: '10.0.0.5' }, { what: 'host-checked', host: '10.0.0.6' });
    await note({ what: 'approve', changeId: 'c1' }, { what: 'approve', changeId: 'c2' });
    await note(settle('c2', 'win01'), settle('c2', 'win02'), { what: 'mute', host: 'win02' });
    await note({ what: 'process-restart', host: 'win01' });
    expect(await told('history win01')).toEqual([
      'process-restart win01',
      'host-settled c2 win01',
      'approve c1',
      'host-checked 10.0.0.5',
    ]);
  });

  test('of a node that left it is found by its name; a name that nobody ever had is refused', async () => {
    await open.stores.nodes.add(win01);
    await open.stores.changes.create(change('applied', { id: 'c1', node: win02 }), new Date());
    await note({ what: 'approve', changeId: 'c1' });
    expect(await told('history win02')).toEqual(['approve c1']);
    expect(await history('history win01')).toMatchObject({ entries: [], node: 'win01' });
    await expect(run('history win03')).rejects.toMatchObject({
      code: 'node-unknown',
      facts: { name: 'win03', suggestion: 'win01' },
    });
  });

  test('a log of years is read from its end, only as far as it takes, and never beyond a bound', async () => {
    const { audit } = open.stores;
    await open.stores.changes.create(change('applied', { id: 'c1', node: win02 }), new Date());
    await note({ what: 'approve', changeId: 'c1' });
    const many = Array.from({ length: 1000 }, () => ({ what: 'mute' as const, host: 'win01' }));
    for (let i = 0; i < 51; i += 1) await note(...many);
    let pages = 0;
    const { newestFirst } = audit;
    Object.assign(audit, {
      newestFirst: async function* () {
        for await (const page of newestFirst.call(audit)) {
          pages += 1;
          yield page;
        }
      },
    });
    const all = await history('history');
    expect([all.entries.length, all.older, all.looked, pages]).toEqual([25, true, undefined, 1]);
    pages = 0;
    const left = await history('history win02');
    expect([left.entries, left.older, left.looked, pages]).toEqual([[], false, 50_000, 100]);
  }, 60_000);
});

test('the chain is checked by a worker for Slack, and at once at the console', async () => {
  const approver = (via: Actor['via']): Actor => ({ id: 'T1:U0APPR', via });
  expect(await run('audit verify', approver('slash'))).toEqual({ kind: 'verifying' });
  expect(await run('audit verify', approver('console'))).toMatchObject({
    kind: 'audit-check',
    check: { records: 0, broken: null },
  });
  expect(await run('audit export', approver('slash'))).toEqual({ kind: 'audit-file' });
  expect(await refusalOf(run('audit verify'))).toBe('forbidden');
});

test('100 adds at once from 4 processes: 100 changes, 100 slices, and a record of each', async () => {
  const outputs = await Promise.all(
    ['a', 'b', 'c', 'd'].map((who) =>
      promisify(execFile)(process.execPath, [
        ...nodeArgs('test/command/support/adder.ts'),
        url,
        prefix,
        who,
        '25',
      ]),
    ),
  );
  const ids = outputs.flatMap(({ stdout }) => JSON.parse(stdout) as string[]);
  expect(new Set(ids)).toEqual(new Set(Array.from({ length: 100 }, (_, i) => `c${i + 1}`)));
  const { changes, leases, audit } = open.stores;
  const slices = Array.from({ length: 100 }, (_, i) => `192.168.${i}.0/24`);
  const made = await changes.open();
  expect(new Set(made.map(({ node }) => node?.podCidr))).toEqual(new Set(slices));
  const leased = await leases.list(new Date());
  expect(leased.map(({ podCidr, changeId }) => [podCidr, changeId])).toEqual(
    slices.map((slice) => [slice, made.find(({ node }) => node?.podCidr === slice)?.id]),
  );
  expect((await auditEvents(audit)).map(({ changeId }) => changeId).sort()).toEqual([...ids].sort());
  expect(await audit.verify()).toMatchObject({ broken: null, records: 100 });
}, 60_000);
