import { describe, expect, test } from '@jest/globals';
import { checkMessageBlocks } from '../../sandbox/slack/limits.js';
import type { HostCheck } from '../../src/command/reply.js';
import { blocks, check } from '../../src/plan/check.js';
import { LIMIT, weigh } from '../../src/slack/blocks.js';
import { changeCard } from '../../src/slack/card.js';
import { replyMessage } from '../../src/slack/reply.js';
import { checkLine } from '../../src/words/check.js';
import { bareVoice } from '../../src/words/voice.js';
import { SAMPLES } from '../support/check-samples.js';
import { buttonsOf, readable } from './support/read.js';
import { CLUSTER, change, NOW } from './support/views.js';

const HOST: HostCheck = {
  os: 'windows',
  address: '10.0.0.7',
  member: null,
  podCidr: null,
  checks: [
    check('windows', 'ok', { product: 'Windows Server 2016 Datacenter', build: 14393 }),
    check('docker', 'fix', { version: '1.10.3', oldest: '1.12.2' }),
    check('container-dns', 'note', { from: '1.13' }),
    check('forwarding', 'will', {}),
    check('pod-network', 'unknown', { network: 'transparent' }),
  ],
  hostKey: { fingerprint: 'SHA256:abc', firstContact: true },
};
const MEMBER: HostCheck = {
  ...HOST,
  member: 'win03',
  podCidr: '192.168.3.0/24',
  hostKey: { fingerprint: 'SHA256:abc', firstContact: false },
};
const FINE = HOST.checks?.slice(0, 1) ?? [];
const unread = (over: Partial<NonNullable<HostCheck['unreadable']>> = {}): HostCheck => ({
  ...HOST,
  checks: null,
  hostKey: null,
  unreadable: { unreadable: '10.0.0.7 port 22: connect ECONNREFUSED', outOfReach: true, ...over },
});

function cardOf(found: HostCheck): string {
  const message = replyMessage({ kind: 'check', found }, CLUSTER, NOW);
  expect(checkMessageBlocks(message.blocks)).toEqual([]);
  expect(buttonsOf(message.blocks)).toEqual([]);
  return readable(message.blocks);
}

test.each<[string, HostCheck]>([
  ['a host that is no node yet', HOST],
  ['a member', MEMBER],
  ['a host with all that it needs', { ...HOST, checks: FINE }],
  [
    'one that carries pods already, by another way of SSH',
    { ...HOST, checks: FINE, podCidr: '192.168.3.0/24', ssh: 'ops@jump' },
  ],
  ['a member with all that it needs', { ...MEMBER, checks: FINE }],
  ['a member that lacks something', { ...MEMBER, checks: [check('forwarding', 'will', {})] }],
  ['a host that does not answer', unread()],
  [
    'a host of the other kind',
    unread({ unreadable: 'sh: powershell.exe: not found', otherOs: true, outOfReach: false }),
  ],
  [
    'a host with another key',
    unread({ unreadable: 'expected host key A, but it shows B.', outOfReach: false }),
  ],
])('%s reads as recorded', (_what, found) => {
  expect(cardOf(found)).toMatchSnapshot();
});

describe('a host that could not be read', () => {
  test('is never fine', () => {
    expect(cardOf(unread())).not.toMatch(/✅|\d+ ok/);
  });
});

test('a change that was refused shows all that is in the way on the host', () => {
  const inTheWay = SAMPLES.filter(blocks);
  const detail = [...new Map(inTheWay.map((each) => [each.id, checkLine(each, null, bareVoice)])).values()];
  expect(detail.length).toBeGreaterThan(8);
  const view = { change: change('refused', { detail }), plan: null, hosts: [], snippets: [] };
  const card = changeCard(view, CLUSTER, NOW);
  expect(checkMessageBlocks(card.blocks)).toEqual([]);
  for (const line of detail)
    expect(readable(card.blocks)).toContain(line.replace(/</g, '&lt;').replace(/>/g, '&gt;'));
});

test('however much a host says, Slack takes the card, and what must be put right is on it', () => {
  const loud = '&'.repeat(5000);
  const checks = [...SAMPLES, ...SAMPLES].map((each) =>
    'product' in each.facts ? { ...each, facts: { ...each.facts, product: loud } } : each,
  ) as NonNullable<HostCheck['checks']>;
  const message = replyMessage({ kind: 'check', found: { ...MEMBER, checks } }, CLUSTER, NOW);
  expect(checkMessageBlocks(message.blocks)).toEqual([]);
  expect(weigh(message.blocks)).toBeLessThanOrEqual(LIMIT.message);
  expect(readable(message.blocks)).toContain('❌');
});
