/** The restart of a host, as the one that asks for it lives through it. */
import { describe, expect, test } from '@jest/globals';
import type { Work } from '../../src/change/work.js';
import { HostError, type HostErrorKind, type HostReply, type HostRequest } from '../../src/host/host.js';
import type { Held } from '../../src/host/host-lease.js';
import type { Observation, Step } from '../../src/plan/plan.js';
import type { WorkerDeps } from '../../workers/deps.js';
import { Visitor } from '../../workers/visitor.js';
import { PROGRAMS } from '../support/programs.js';

const NODE = { name: 'win03', os: 'windows', address: '10.0.0.7', podCidr: '192.168.3.0/24' } as const;
const REBOOT: Step = { kind: 'reboot', action: 'ensure' };
const [OLD, NEW] = ['2026-11-27T03:00:00.0000000Z', '2026-11-27T04:00:00.0000000Z'];

const error = (kind: HostErrorKind, code?: string): HostError =>
  new HostError(kind, 'win03', `its ${kind}`, code ? { code } : {});

/** What a quick read says, as far as the platform insists on it. */
const reading = (boot: string): HostReply => ({
  data: {
    ok: true,
    changed: false,
    data: {
      build: 14393,
      boot,
      ifIndex: 7,
      guid: 'g',
      nodeError: null,
      routes: [],
      addresses: [],
      interfaces: [],
    },
  },
  printed: '',
  fingerprint: 'SHA256:k',
});
const done: HostReply = { data: { ok: true, changed: true, data: {} }, printed: '', fingerprint: 'SHA256:k' };

/** Restarts a host that answers so, one after the other; what it was asked, and the error that came of it. */
async function restart(
  answers: readonly (HostReply | HostError)[],
): Promise<{ asked: string[]; failed: unknown }> {
  const left = [...answers];
  const asked: string[] = [];
  const deps = {
    config: {
      cluster: { clusterCidr: '192.168.0.0/16', network: 'pods', bridge: 'cbr0', ...PROGRAMS },
    },
    hosts: {
      request: async (_target: unknown, { script }: HostRequest) => {
        asked.push(script);
        const next = left.shift();
        if (next === undefined) throw new Error(`asked once too often: ${asked.join()}`);
        if (next instanceof HostError) throw next;
        return next;
      },
    },
    works: { owned: async () => [] },
    watch: {
      mute: async () => undefined,
      workOver: async () => undefined,
      silences: async () => [],
      expected: async () => new Map(),
      of: async () => [],
    },
    nodes: { read: async () => ({ nodes: [] }) },
    changes: { open: async () => [] },
    hostKeys: { pinnedAll: async () => [] },
  } as unknown as WorkerDeps;
  const visit = {
    work: { node: NODE, changeId: 'c1', fingerprint: 'SHA256:k' } as unknown as Work,
    full: false,
    held: { fence: 4, pinned: 'SHA256:k' } as unknown as Held,
    tell: async () => undefined,
  };
  const visitor = await Visitor.open(deps, visit, { boot: OLD } as Observation, false);
  const failed = await visitor.restart(REBOOT).then(
    () => null,
    (why: unknown) => why,
  );
  if (failed === null) expect(visitor.observed.boot).toBe(NEW);
  return { asked, failed };
}

/** Side by side, since each waits for seconds. */
describe('a restart that was agreed to', () => {
  test('outlives what a host says, or does not, while it goes down', async () => {
    const lives = [
      // A second word finds it at it.
      [done, reading(OLD), error('script', 'SHUTDOWN'), done, reading(NEW)],
      // Half an answer.
      [done, error('garbled'), error('script'), done, reading(NEW)],
      // The first word may have been heard.
      [error('unreachable'), error('garbled'), done, reading(NEW)],
    ];
    const ends = await Promise.all(lives.map(restart));
    expect(ends.map(({ failed }) => failed)).toEqual([null, null, null]);
  });

  test('ends at once with what waiting does not mend, however far it is', async () => {
    const definite = [
      error('host-key-changed'),
      error('auth'),
      error('language-mode'),
      error('script', 'FENCED'),
    ];
    const ends = await Promise.all(definite.flatMap((no) => [restart([no]), restart([done, no])]));
    expect(ends).toEqual(
      definite.flatMap((failed) => [
        { asked: ['reboot'], failed },
        { asked: ['reboot', 'read'], failed },
      ]),
    );
  });

  test('that Windows refuses from the start is refused', async () => {
    const no = error('script', 'SHUTDOWN');
    expect(await restart([no])).toEqual({ asked: ['reboot'], failed: no });
  });
});
