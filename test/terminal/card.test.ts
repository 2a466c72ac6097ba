import { describe, expect, test } from '@jest/globals';
import type { Obj } from '../../sandbox/slack/types.js';
import { type Look, renderCard, renderView } from '../../src/terminal/card.js';
import { stripColour, widthOf } from '../../src/terminal/width.js';

const look: Look = { colour: false, userName: (id) => (id === 'U0ALICE' ? 'alice' : undefined) };
const text = (value: string): Obj => ({ type: 'section', text: { type: 'mrkdwn', text: value } });
const cells = (...values: string[]): Obj[] => values.map((value) => ({ type: 'raw_text', text: value }));
const button = (label: string, style?: string): Obj => ({
  type: 'button',
  text: { type: 'plain_text', text: label },
  ...(style ? { style } : {}),
});

const CARD: Obj[] = [
  { type: 'header', text: { type: 'plain_text', text: ':hourglass: Add windows node win03' } },
  text('*win03* (`10.0.0.7`) gets 192.168.3.0/24.\nAsked by <@U0ALICE>, see <https://x.org/r|the runbook>.'),
  {
    type: 'section',
    fields: [
      { type: 'mrkdwn', text: '*Node*\nwin03' },
      { type: 'mrkdwn', text: '*Pod CIDR*\n192.168.3.0/24' },
      { type: 'mrkdwn', text: '*Hosts*\n3' },
    ],
  },
  { type: 'divider' },
  {
    type: 'table',
    column_settings: [{}, { align: 'right' }],
    rows: [
      cells('host', 'routes', 'now'),
      cells('lin01', '2', '✅ ready'),
      cells('win01', '12', 'read 3 s ago'),
    ],
  },
  text('On lin01:\n```ip route add 192.168.3.0/24 via 10.0.0.7\nip route show &amp;&amp; true```'),
  {
    type: 'context',
    elements: [
      { type: 'mrkdwn', text: 'plan `0a1b2c`' },
      { type: 'mrkdwn', text: 'until 12:30' },
    ],
  },
  { type: 'actions', elements: [button('Approve', 'primary'), button('Deny', 'danger'), button('Details')] },
];

const DRAWN = `⌛ Add windows node win03
win03 (\`10.0.0.7\`) gets 192.168.3.0/24.
Asked by @alice, see the runbook (https://x.org/r).

Node     Pod CIDR
win03    192.168.3.0/24
Hosts
3

────────────────────────────────────────────────────────────

host   routes  now
─────  ──────  ────────────
lin01       2  ✅ ready
win01      12  read 3 s ago

On lin01:
  ip route add 192.168.3.0/24 via 10.0.0.7
  ip route show && true

plan \`0a1b2c\`  ·  until 12:30
[ Approve ]  [ Deny ]  [ Details ]   type: click approve`;

describe('a card in the terminal', () => {
  test('a whole card', () => {
    expect(renderCard(CARD, 60, look)).toBe(DRAWN);
  });

  test('colours add nothing but colours, which tell code without back-ticks', () => {
    const coloured = renderCard(CARD, 60, { ...look, colour: true });
    expect(coloured).toContain('\u001b[32m[ Approve ]\u001b[0m');
    expect(coloured).toContain('(\u001b[36m10.0.0.7\u001b[0m)');
    expect(stripColour(coloured)).toBe(DRAWN.replaceAll('`', ''));
  });

  const LINES: readonly [string, string, string][] = [
    ['an escaped tag stays text', 'a &lt;b&gt; &amp;amp; c', 'a <b> &amp; c'],
    ['marks within code stay', '`a *b* _c_`', '`a *b* _c_`'],
    ['a command keeps to itself', '`remove node win01` comes before', '`remove node win01` comes before'],
    ['marks within words stay', 'snake_case_name 2*3*4', 'snake_case_name 2*3*4'],
    ['an auto-link is its name', '<http://win03.corp|win03.corp>', 'win03.corp'],
    ['other mentions', '<#C1|netops> <!here> <!subteam^S1|@ops> <@U9>', '#netops @here @ops @U9'],
    ['a date has its fallback', '<!date^1^{time}|12:30>', '12:30'],
    ['a quote', '&gt; said', '▏ said'],
    ['an unknown emoji stays', ':made_up:', ':made_up:'],
    ['escape sequences of a host vanish', 'a\u001b[31mb\u0007', 'a[31mb'],
  ];
  test.each(LINES)('%s', (_name, written, drawn) => {
    expect(renderCard([text(written)], 60, look)).toBe(drawn);
  });

  test('long lines wrap at blanks, code and addresses do not break', () => {
    const drawn = renderCard([text(`${'word '.repeat(30)}\n\`\`\`${'x'.repeat(70)}\`\`\``)], 40, look).split(
      '\n',
    );
    expect(drawn.slice(0, -1).every((line) => widthOf(line) <= 40)).toBe(true);
    expect(drawn.at(-1)).toBe(`  ${'x'.repeat(70)}`);
  });

  test('a wide table shrinks its widest column and keeps every word', () => {
    const drawn = renderCard(
      [
        {
          type: 'table',
          rows: [cells('host', 'error'), cells('lin01', 'no route to host '.repeat(6).trim())],
        },
      ],
      40,
      look,
    );
    expect(drawn.split('\n').every((line) => widthOf(line) <= 40)).toBe(true);
    expect(drawn.match(/no route to|host/g)).toHaveLength(13);
  });

  test('rich text, alert, image and types it does not know', () => {
    const rich = {
      type: 'rich_text',
      elements: [
        {
          type: 'rich_text_list',
          style: 'ordered',
          elements: [
            {
              type: 'rich_text_section',
              elements: [
                { type: 'text', text: 'one ' },
                { type: 'user', user_id: 'U0ALICE' },
              ],
            },
            { type: 'rich_text_section', elements: [{ type: 'text', text: '*two*' }] },
          ],
        },
        { type: 'rich_text_preformatted', elements: [{ type: 'text', text: 'code <x>' }] },
      ],
    };
    const plan = {
      type: 'plan',
      title: 'Hosts',
      tasks: [
        { task_id: '1', title: 'lin01', status: 'complete' },
        { task_id: '2', title: 'win01', status: 'pending' },
      ],
    };
    const alert = { type: 'alert', level: 'error', text: { type: 'plain_text', text: 'no' } };
    const drawn = renderCard(
      [rich, alert, { type: 'image', alt_text: 'map' }, { type: 'video' }, plan],
      60,
      look,
    );
    expect(drawn).toBe(
      '1. one @alice\n2. *two*\n  code <x>\n\n❌ no\n[image: map]\n[video]\n\nHosts\n✅ lin01\n· win01',
    );
  });

  test('a form', () => {
    const view = {
      title: { type: 'plain_text', text: 'Deny C-1' },
      blocks: [
        {
          type: 'input',
          label: { type: 'plain_text', text: 'Reason' },
          element: {
            type: 'plain_text_input',
            placeholder: { type: 'plain_text', text: 'for the requester' },
          },
        },
      ],
    };
    expect(renderView(view, 60, look)).toBe('Deny C-1\nReason\n>\nfor the requester');
  });
});
