import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkMessageBlocks } from '../../sandbox/slack/limits.js';
import type { AuditCheck, AuditEvent, AuditWhat } from '../../src/change/audit-record.js';
import type { HostStatus } from '../../src/change/change.js';
import type { HistoryEntry, Reply } from '../../src/command/reply.js';
import { LIMIT, weigh } from '../../src/slack/blocks.js';
import { replyMessage } from '../../src/slack/reply.js';
import { auditCheck, auditWords, historyLine } from '../../src/words/history.js';
import { readable } from '../slack/support/read.js';

const AT = '2026-11-28T05:12:00.000Z';
const WHEN = '<!date^1795842720^{date_short_pretty} {time}|2026-11-28 05:12 UTC>';

function line(what: AuditWhat, over: Partial<AuditEvent> = {}): string {
  return historyLine({ event: { at: AT, actor: 'T1:U0BOB', what, ...over }, settled: [] });
}

function settled(hosts: Readonly<Record<string, HostStatus>>, error = ''): string {
  const event: AuditEvent = {
    at: AT,
    actor: 'fairway',
    what: 'host-settled',
    changeId: 'c4',
    facts: { error },
  };
  return historyLine({
    event,
    settled: Object.entries(hosts).map(([host, status]) => ({ host, status })),
  });
}

describe('a line of the history', () => {
  test.each<[AuditWhat, Partial<AuditEvent>, string]>([
    [
      'change-requested',
      { changeId: 'c4', facts: { command: 'repair' } },
      '<@U0BOB> · asked for `repair` · `c4`',
    ],
    ['plan-sealed', { actor: 'fairway', planHash: 'a1' }, 'Fairway · sealed the plan `a1`'],
    [
      'plan-sealed',
      { planHash: 'a1', facts: { hostKeys: [{ host: 'win03', key: 'SHA256:x' }] } },
      '<@U0BOB> · sealed the plan `a1`, whose approval accepts the host key `SHA256:x` of `win03`',
    ],
    [
      'plan-sealed',
      {
        planHash: 'a1',
        facts: {
          hostKeys: [
            { host: 'a', key: 'x' },
            { host: 'b', key: 'y' },
          ],
        },
      },
      '<@U0BOB> · sealed the plan `a1`, whose approval accepts the host key of `a` and `b`',
    ],
    ['plan-refused', { facts: { reason: 'Say `nodes`.' } }, '<@U0BOB> · refused to plan it: Say `nodes`.'],
    ['approve', { actor: 'console:root', planHash: 'a1' }, 'root (console) · approved the plan `a1`'],
    [
      'approve',
      { actor: 'policy:DRIFT=repair', planHash: 'a1' },
      'policy DRIFT=repair · approved the plan `a1`',
    ],
    ['deny', { facts: { reason: 'not <!here> `x`' } }, '<@U0BOB> · denied it: not &lt;!here&gt; ˋxˋ'],
    ['deny', { facts: { reason: '' } }, '<@U0BOB> · denied it'],
    ['reboot-yes', { host: 'win03' }, '<@U0BOB> · agreed to a restart of `win03`'],
    ['nodes-adopted', { facts: { recorded: ['a', 'b'] } }, '<@U0BOB> · recorded 2 nodes'],
    ['change-failed', { facts: { reason: 'Too bad.' } }, '<@U0BOB> · ❌ failed: Too bad.'],
    ['change-applied', { changeId: 'c4' }, '<@U0BOB> · ✅ applied · `c4`'],
    ['acknowledge', { host: 'win03', facts: { incident: 'i7' } }, '<@U0BOB> · is on `i7` of `win03`'],
    [
      'mute',
      { host: 'win03', facts: { component: 'kubelet', until: AT } },
      `<@U0BOB> · muted kubelet on \`win03\` until ${WHEN}`,
    ],
    ['unmute', { host: 'win03', facts: { component: '' } }, '<@U0BOB> · unmuted `win03`'],
    [
      'process-restart',
      { host: 'win03', facts: { component: 'kubelet', error: '' } },
      '<@U0BOB> · restarted kubelet on `win03`',
    ],
    [
      'process-stop',
      { host: 'win03', facts: { component: 'kubelet', error: 'no <such> service' } },
      '<@U0BOB> · could not stop kubelet on `win03`: no &lt;such&gt; service',
    ],
    ['host-checked', { host: '10.0.0.7' }, '<@U0BOB> · had `10.0.0.7` checked'],
    ['of-tomorrow' as AuditWhat, {}, '<@U0BOB> · of-tomorrow'],
    ['constructor' as AuditWhat, {}, '<@U0BOB> · constructor'],
  ])('%s %j', (what, over, said) => {
    expect(line(what, over)).toBe(`${WHEN} · ${said}`);
  });

  test('the hosts of one run are one line, by how they settled; one alone says why', () => {
    expect(settled({ lin01: 'done', win01: 'owed', lin02: 'done' }, 'no')).toBe(
      `${WHEN} · Fairway · done: \`lin01\` and \`lin02\`; owed: \`win01\` · \`c4\``,
    );
    expect(settled({ win01: 'failed' }, 'timed out')).toBe(
      `${WHEN} · Fairway · failed: \`win01\`: timed out · \`c4\``,
    );
  });

  test('a record that nobody can read is one, too', () => {
    expect(historyLine({ event: null, settled: [] })).toMatch(/^❔ .*`audit verify`/);
  });

  test('whatever is on record, Slack takes it, and nobody is mentioned by it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.constantFrom('<!channel>', '```', '&'.repeat(400), 'win03'),
    );
    const entry: fc.Arbitrary<HistoryEntry> = fc.record({
      event: fc.option(
        fc.record({
          at: text,
          actor: text,
          what: fc.oneof(
            text,
            fc.constantFrom('mute', 'deny', 'host-settled', 'nodes-adopted', 'plan-sealed'),
          ),
          changeId: text,
          planHash: text,
          host: text,
          facts: fc.record({
            command: text,
            reason: text,
            error: text,
            until: text,
            recorded: text,
            hostKeys: fc.array(fc.record({ host: text })),
          }),
        }),
      ) as fc.Arbitrary<AuditEvent | null>,
      settled: fc.array(fc.record({ host: text, status: text as fc.Arbitrary<HostStatus> }), {
        maxLength: 30,
      }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 25 }), text, (entries, cluster) => {
        const reply: Reply = { kind: 'history', cluster, node: cluster, entries, older: true };
        const { blocks } = replyMessage(reply, { name: 'prod', cidr: '192.168.0.0/16' }, new Date());
        expect(checkMessageBlocks(blocks)).toEqual([]);
        expect(weigh(blocks)).toBeLessThanOrEqual(LIMIT.message);
        expect(readable(blocks)).not.toContain('<!channel>');
      }),
      { numRuns: 60 },
    );
  });
});

describe('how the chain stands', () => {
  const check: AuditCheck = { records: 20, from: AT, to: AT, broken: null, hash: 'abcdef0123456789fedc' };

  test('whole, it says how far it goes, and by what anybody can tell later', () => {
    expect(auditCheck(check)).toContain(`✅ The audit log holds: 20 records, from ${WHEN} to ${WHEN}.`);
    expect(auditCheck(check)).toContain('`abcdef0123456789`');
    expect(auditCheck({ records: 0, from: '', to: '', broken: null, hash: '' })).toBe(auditWords.empty);
  });

  test.each<[Partial<AuditCheck>, RegExp]>([
    [
      { broken: 8 },
      /^🔴 .*: record 8 of 20 does not follow .* Up to record 7 it holds, from .*`audit export`/,
    ],
    [{ broken: 1, from: '', to: '' }, /record 1 of 20 .* No record before it holds\..*`audit export`/],
    [{ broken: 21 }, /does not end as it was written, after record 20: .*Up to record 20 it holds/],
  ])('broken, it says where and what to do: %j', (over, said) => {
    expect(auditCheck({ ...check, ...over })).toMatch(said);
    expect(auditCheck({ ...check, ...over })).not.toContain('✅');
  });
});
