import { describe, expect, test } from '@jest/globals';
import { checkMessageBlocks } from '../../sandbox/slack/limits.js';
import { accessOf } from '../../src/command/access.js';
import { argumentTypes } from '../../src/command/argument.js';
import { parseCommand, rules } from '../../src/command/grammar.js';
import { helpText } from '../../src/command/help.js';
import { replyMessage } from '../../src/slack/reply.js';

const CLUSTER = { name: 'prod', cidr: '192.168.0.0/16' };
const access = accessOf(
  { viewers: ['U0VIEW'], operators: [], approvers: ['U0APPR'], approvalsRequired: 1, approveOwn: false },
  new Map(),
);
const approver = { id: 'T01:U0APPR' };
const viewer = { id: 'T01:U0VIEW' };
const stranger = { id: 'T01:U0NOBODY' };

describe('helpText', () => {
  test('an approver sees every command, and Slack takes all of it', () => {
    const text = helpText(approver, access);
    const { blocks } = replyMessage({ kind: 'help', text }, CLUSTER, new Date(0));
    const shown = JSON.stringify(blocks).replaceAll('&lt;', '<').replaceAll('&gt;', '>');
    for (const { pattern } of rules) expect(shown).toContain(`${pattern.text}\\n`);
    expect(checkMessageBlocks(blocks)).toEqual([]);
  });

  test('a viewer sees no command that would be refused', () => {
    const text = helpText(viewer, access);
    expect(text).toContain('routes [<node>]');
    expect(text).not.toMatch(/^(add|remove|approve|deny|cancel|retry|rollback) /m);
  });

  test('a stranger learns how to find out more', () => {
    const text = helpText(stranger, access);
    expect(text.match(/^\S.*/gm)).toEqual(
      expect.arrayContaining(['whoami', 'can-i <command…>', 'help [<command…>]']),
    );
    expect(text).not.toMatch(/^nodes/m);
    expect(text).toContain('administrator');
  });

  test('a topic comes with what each argument takes; one of another role with the role', () => {
    expect(helpText(approver, access, ['add-node'])).toContain('<address> takes an IPv4 address');
    expect(helpText(viewer, access, ['approve'])).toContain('approver');
  });
});

test('every argument of the grammar has its type, and every example works', () => {
  const used = new Set(
    rules.flatMap(({ pattern }) => [...pattern.places, ...pattern.options].map(({ argument }) => argument)),
  );
  used.delete('command');
  expect(new Set(Object.keys(argumentTypes))).toEqual(used);
  for (const { pattern } of rules) {
    const words = [
      // The last choice: not every option of `add` is for Linux.
      ...pattern.head.map((choices) => choices.at(-1)),
      ...pattern.places.map(({ argument }) => argumentTypes[argument]?.example ?? 'nodes'),
      ...pattern.options.map(({ word, argument }) => `${word} ${argumentTypes[argument]?.example}`),
    ];
    parseCommand(words.join(' '));
  }
});
