import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { normalize } from '../../src/command/normalize.js';

describe('normalize (Q23)', () => {
  test.each<[what: string, typed: string, meant: string]>([
    ['blanks around and between', '  nodes  \t ', 'nodes'],
    ['no-break and other Unicode blanks', 'remove\u00a0node\u2003win03\u3000', 'remove node win03'],
    ['zero-width characters', 'no\u200bdes\ufeff', 'nodes'],
    ['marks of writing direction', '\u202enodes\u2066', 'nodes'],
    ['typographic quotes', 'deny c1 “not yet”, it’s Friday', 'deny c1 "not yet", it\'s Friday'],
    [
      'an em-dash that was two hyphens',
      'add linux node a 10.0.0.9 —pod-cidr 192.168.9.0/24',
      'add linux node a 10.0.0.9 --pod-cidr 192.168.9.0/24',
    ],
    ['an en-dash within a word', 'pod–cidr', 'pod-cidr'],
    ['hyphens of other sorts', 'pod\u2011cidr \u2212x', 'pod-cidr -x'],
    [
      'a link that Slack made of a host name',
      'node <http://win03.corp.local|win03.corp.local>',
      'node win03.corp.local',
    ],
    [
      'the same in the middle of a word',
      'ssh admin@<http://win03.corp.local|win03.corp.local>:2222',
      'ssh admin@win03.corp.local:2222',
    ],
    [
      'a mail address that is an SSH target',
      'ssh <mailto:admin@win03.corp.local|admin@win03.corp.local>:2222',
      'ssh admin@win03.corp.local:2222',
    ],
    ['the same without a label', 'ssh <mailto:admin@win03.corp.local>', 'ssh admin@win03.corp.local'],
    [
      'a link that was typed as one',
      'deny c1 see <https://example.com/a?b=1&amp;c=2>',
      'deny c1 see https://example.com/a?b=1&c=2',
    ],
    ['a host name without escapes', 'node win03.corp.local', 'node win03.corp.local'],
    ['a person', 'deny c1 ask <@U012AB|ann>', 'deny c1 ask @U012AB'],
    ['a channel and a group', 'deny c1 <#C1|ops> <!subteam^S12|@net> <!here>', 'deny c1 #C1 @S12 @here'],
    ['entities, once', 'deny c1 a &lt; b &amp;&amp; c &amp;lt; d', 'deny c1 a < b && c &lt; d'],
    ['the bot’s mention in front', '<@UBOT> nodes', 'nodes'],
    ['the same with a colon', '<@UBOT>: nodes', 'nodes'],
    ['the same in words', '@Fairway nodes', 'nodes'],
    ['nothing but the mention', '<@UBOT>', ''],
    ['back-ticks around the whole', '<@UBOT> `add linux node a 10.0.0.9`', 'add linux node a 10.0.0.9'],
    ['a block of code', '```\nnodes\n```', 'nodes'],
    ['newlines around', '\n\nnodes\n', 'nodes'],
  ])('%s', (_what, typed, meant) => {
    expect(normalize(typed, 'UBOT')).toBe(meant);
  });

  test.each([
    ['digits of other scripts', '１０.0.0.7'],
    ['letters that look alike', 'wіn03'],
    ['a newline within', 'win03\n10.0.0.7'],
    ['back-ticks around a part', 'node `id`'],
    ['shell marks', 'node $(id);ls|cat>x'],
    ['angle brackets that are no mark of Slack’s', 'node <name>'],
    ['the mention of somebody else', '@UANN nodes'],
  ])('%s stay, for the parser to refuse', (_what, text) => {
    expect(normalize(text, 'UBOT')).toBe(text);
  });

  test('without knowing its own id, the bot drops whatever mention is in front', () => {
    expect(normalize('<@U012AB> nodes')).toBe('nodes');
  });

  test('plain commands stay as they are, and once is enough', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'abc019./@:-<>&;|“—\u00a0\u200b`\n ') }), (text) => {
        const once = normalize(text, 'UBOT');
        expect(once).toBe(once.trim());
        // Only a mark or an entity, once undone, can look like another one.
        if (!/[<&`]/.test(once)) expect(normalize(once, 'UBOT')).toBe(once);
      }),
    );
  });
});
