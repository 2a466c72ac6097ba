import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { code, codeBlock, cost, plain, when, who } from '../../src/words/mrkdwn.js';

describe('text from people and hosts', () => {
  test('makes no mention, link or code of its own', () => {
    expect(plain('<!channel> & `rm`\n<@U1>')).toBe('&lt;!channel&gt; &amp; ˋrmˋ &lt;@U1&gt;');
    expect(code('a`b')).toBe('`aˋb`');
  });

  test('can not close a code block', () => {
    const block = codeBlock('out\n```\n<!here>\n``` `single`');
    expect(block.match(/```/g)).toHaveLength(2);
    expect(block).toContain('`single`');
    expect(block).not.toContain('<!here>');
  });

  test('shows what would hide or turn round', () => {
    expect(plain('10.0.0.7\u202e7.0.0.01\u200b\u0007')).toBe('10.0.0.7\ufffd7.0.0.01\ufffd\ufffd');
    expect(codeBlock('\u001b[31mred\r\nnext')).toBe('```\n\ufffd[31mred\nnext\n```');
  });

  test('stays within its limit, and never cuts an entity', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.integer({ min: 20, max: 300 }),
        (text, limit) => {
          for (const out of [plain(text, limit), codeBlock(text, limit)]) {
            expect(cost(out)).toBeLessThanOrEqual(limit + 4);
            expect(out).not.toMatch(/&(?!amp;|lt;|gt;)/);
            expect(out).not.toMatch(/[<>]/);
          }
          expect(codeBlock(text, limit).match(/```/g)).toHaveLength(2);
        },
      ),
    );
  });
});

test('people are mentioned by Slack id only', () => {
  expect(who('T1:U0ALICE')).toBe('<@U0ALICE>');
  expect(who('console:root')).toBe('root (console)');
  expect(who('T1:<!channel>')).toBe('T1:&lt;!channel&gt;');
});

test('instants are shown in the reader’s time zone', () => {
  expect(when('2026-11-23T15:00:00.000Z')).toBe(
    '<!date^1795446000^{date_short_pretty} {time}|2026-11-23 15:00 UTC>',
  );
});
