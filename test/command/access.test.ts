import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Actor, Change } from '../../src/change/change.js';
import { approvals, decide } from '../../src/change/transition.js';
import {
  type Access,
  accessOf,
  actionOf,
  authorize,
  groupsOf,
  type Members,
  may,
  rolesOf,
  whoMay,
} from '../../src/command/access.js';
import { CommandKind } from '../../src/command/command.js';
import { isRefusal } from '../../src/errors.js';
import { isSamePerson } from '../../src/principal.js';

const configured = {
  viewers: ['U0VIEW'],
  operators: ['U0OPER', 'S0OPS', 'console:oper'],
  approvers: ['U0APPR', 'T01:U0HERE', 'S0LEADS'],
  approvalsRequired: 1,
  approveOwn: false,
};
const members: [string, Members][] = [
  ['S0OPS', ['U0MEMBER']],
  ['S0LEADS', 'unknown'],
];
const access = accessOf(configured, new Map(members));

function actor(id: string): Actor {
  return { id, via: id.startsWith('console:') ? 'console' : 'slash' };
}

function isAllowed(id: string, kind: CommandKind, to: Access = access): boolean {
  try {
    authorize(actor(id), actionOf(kind), to);
    return true;
  } catch (error) {
    if (!isRefusal(error, 'forbidden')) throw error;
    return false;
  }
}

describe('roles', () => {
  test.each<[id: string, roles: string[]]>([
    ['T01:U0VIEW', ['viewer']],
    ['T01:U0OPER', ['viewer', 'operator']],
    ['T99:U0OPER', ['viewer', 'operator']],
    ['T01:U0APPR', ['viewer', 'operator', 'approver']],
    ['T01:U0MEMBER', ['viewer', 'operator']],
    ['console:oper', ['viewer', 'operator']],
    ['T01:U0HERE', ['viewer', 'operator', 'approver']],
    ['T02:U0HERE', []],
    ['T01:U0NOBODY', []],
    ['console:U0APPR', []],
    ['console:U0MEMBER', []],
    ['T01:console', []],
    ['T01:S0OPS', []],
    ['', []],
  ])('%s has %j', (id, roles) => {
    expect(rolesOf(actor(id), access)).toEqual(roles);
  });

  test('* lets everybody look, and nothing more', () => {
    const open = accessOf({ ...configured, viewers: ['*'] }, new Map());
    expect(rolesOf(actor('T01:U0NOBODY'), open)).toEqual(['viewer']);
    expect(rolesOf(actor('console:anybody'), open)).toEqual(['viewer']);
  });

  test('the groups to ask Slack for', () => {
    expect(groupsOf(configured)).toEqual(['S0OPS', 'S0LEADS']);
  });
});

describe('authorize', () => {
  const open: CommandKind[] = ['help', 'whoami', 'can-i'];

  test('whoever has no role may only ask who they are; every other command is refused', () => {
    for (const kind of CommandKind.options) {
      expect([kind, isAllowed('T01:U0NOBODY', kind)]).toEqual([kind, open.includes(kind)]);
    }
  });

  test.each<[id: string, refused: CommandKind[]]>([
    [
      'T01:U0VIEW',
      [
        'add-node',
        'remove-node',
        'check-host',
        'repair',
        'adopt',
        'build',
        'deliver',
        'ack',
        'mute',
        'unmute',
        'logs',
        'control',
        'approve',
        'deny',
        'confirm',
        'decline',
        'cancel',
        'retry',
        'rollback',
        'audit',
      ],
    ],
    ['T01:U0OPER', ['approve', 'deny', 'confirm', 'control', 'audit']],
    ['T01:U0APPR', []],
  ])('%s is refused %j', (id, refused) => {
    expect(new Set(CommandKind.options.filter((kind) => !isAllowed(id, kind)))).toEqual(new Set(refused));
  });

  test('the refusal names who may, and the groups that could not be read', () => {
    expect(() => authorize(actor('T01:U0MEMBER'), 'decide', access)).toThrow(
      expect.objectContaining({
        code: 'forbidden',
        facts: {
          doing: 'approve and deny',
          role: 'approver',
          who: ['U0APPR', 'T01:U0HERE', 'S0LEADS'],
          unreadable: ['S0LEADS'],
        },
      }),
    );
  });

  test('with nothing configured, nobody may anything', () => {
    const nothing = accessOf({ ...configured, viewers: [], operators: [], approvers: [] }, new Map());
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('*', 'T1:*', 'console:*', 'T1:U1')),
        fc.constantFrom(...CommandKind.options),
        (id, kind) => {
          expect(isAllowed(id, kind, nothing)).toBe(open.includes(kind));
        },
      ),
    );
  });

  test('can-i and whoami say the same', () => {
    expect(whoMay(actor('T01:U0OPER'), 'request', access)).toMatchObject({ yes: true });
    expect(whoMay(actor('T01:U0OPER'), 'decide', access)).toEqual({
      yes: false,
      role: 'approver',
      who: ['U0APPR', 'T01:U0HERE', 'S0LEADS'],
    });
    expect(may(actor('T01:U0VIEW'), access)).toEqual([
      'ask for help and for your own roles',
      'look at nodes, routes, changes, incidents and history, and check manifests',
    ]);
  });
});

describe('approvals (Q7)', () => {
  const people = ['U01', 'U02', 'U03', 'U04'];
  // One person may come with the workspace's or the organization's id.
  const ids = people.flatMap((person) => [`T01:${person}`, `E01:${person}`]);
  const pending: Change = {
    id: 'c1',
    kind: 'remove-node',
    version: 1,
    state: 'pending',
    node: { name: 'win03', os: 'windows', address: '10.0.0.7', podCidr: '192.168.3.0/24' },
    requester: 'T01:U01',
    command: 'remove node win03',
    channel: 'C1',
    requestedAt: '2026-11-23T12:00:00.000Z',
    planHash: '0123456789ab',
    approvalsRequired: 1,
    decisions: [],
    cards: [],
    direction: 'do',
  };

  test('whoever clicks, however often: N different people, and never the requester, are counted', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ids),
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.constantFrom(...ids), { maxLength: 12 }),
        (requester, required, clicks) => {
          let change: Change = { ...pending, requester, approvalsRequired: required };
          const counted = new Set<string>();
          for (const click of clicks) {
            if (change.state !== 'pending') break;
            try {
              const now = new Date('2026-11-23T12:01:00Z');
              change = decide(change, actor(click), 'approve', null, { required, own: false }, now);
              counted.add(click.split(':')[1] ?? '');
            } catch (error) {
              if (!isRefusal(error, 'own-request') && !isRefusal(error, 'already-decided-by-you'))
                throw error;
            }
          }
          expect(change.decisions.some((decision) => isSamePerson(decision.actor, requester))).toBe(false);
          expect(approvals(change)).toBe(counted.size);
          expect(change.state).toBe(counted.size >= required ? 'approved' : 'pending');
        },
      ),
    );
  });
});
