import { describe, expect, test } from '@jest/globals';
import { checkMessageBlocks } from '../../sandbox/slack/limits.js';
import type { NoticeView } from '../../src/command/notice-view.js';
import { type NoticeValue, parseNoticeValue, showNotice } from '../../src/slack/notice-card.js';
import type { Notice } from '../../src/watch/notice.js';
import { NOTHING_LOST } from '../../src/watch/watched.js';
import { ROUTE_LOST, Story } from '../watch/support/story.js';
import { buttonsOf, readable } from './support/read.js';
import { CLUSTER } from './support/views.js';

const OS = () => 'windows' as const;
const NOTICE: Notice = {
  id: 'n1',
  version: 1,
  channel: 'C1',
  at: '2026-11-27T03:00:00.000Z',
  told: [],
  cards: [],
};

/** The card of the story's last incident. */
function view(story: Story): NoticeView {
  const incident = story.watched.incidents.at(-1) ?? null;
  const { id = 'i1', reason = 'down', component } = incident ?? {};
  const told = { host: 'win03', incident: id, reason, ...(component ? { component } : {}) };
  return {
    notice: { ...NOTICE, told: [told] },
    told: [{ told, host: story.watched, incident, isOver: false, peers: 14, peersWithRoute: 14 }],
  };
}

const card = (of: NoticeView) => showNotice(of, CLUSTER, OS).message;
const story = () => new Story().sees(0);

const STORIES: Record<string, Story> = {
  'restarted for the third time': story()
    .sees(60, { proxy: 4312 })
    .sees(60, { proxy: 4400 })
    .sees(60, { proxy: 5120 }),
  down: story().sees(30, { kubelet: null }).sees(11),
  'down, and back': story().sees(30, { kubelet: null }).sees(11).sees(60, { kubelet: 77 }),
  'in a crash loop': [11, 12, 13, 14, 15].reduce((told, kubelet) => told.sees(60, { kubelet }), story()),
  rebooted: story().sees(30, { boot: 'b2', kubelet: 5, proxy: null }),
  'rebooted, with losses': story().sees(30, {
    boot: 'b2',
    lost: { ...ROUTE_LOST, gateway: true, forwarding: true },
  }),
  unreachable: story().misses(30).misses(30),
  'unreachable, and back': story().misses(30).misses(30).sees(60),
  'unreachable, which was a reboot': story().misses(30).misses(30).sees(60, { boot: 'b2', lost: ROUTE_LOST }),
  'lost a route': story().sees(30, { lost: ROUTE_LOST }),
  'has its route again': story().sees(30, { lost: ROUTE_LOST }).sees(60, { lost: NOTHING_LOST }),
};

describe('the card of an incident', () => {
  test.each(Object.keys(STORIES))('%s', (name) => {
    const { text, blocks, metadata } = card(view(STORIES[name] as Story));
    expect(`${text} (${metadata.event_payload.state})\n===\n${readable(blocks)}`).toMatchSnapshot();
    expect(checkMessageBlocks(blocks)).toEqual([]);
  });

  test('that is over has nothing left to press', () => {
    const of = view(STORIES['down'] as Story);
    const ended = { ...of, told: of.told.map((each) => ({ ...each, isOver: true })) };
    expect(buttonsOf(card(ended).blocks)).toEqual([]);
    const over = { ...of, told: of.told.map((each) => ({ ...each, incident: null, isOver: true })) };
    expect(buttonsOf(card(over).blocks)).toEqual([]);
    expect(readable(card(over).blocks)).toContain('Over');
  });

  test('says who is on it, and asks nobody else then', () => {
    const told = STORIES['down'] as Story;
    const incidents = told.watched.incidents.map((each) => ({ ...each, acknowledgedBy: 'T1:U0BOB' }));
    const of = view(told);
    const shown = card({ ...of, told: of.told.map((each) => ({ ...each, incident: incidents[0] ?? null })) });
    expect(readable(shown.blocks)).toContain('👀 <@U0BOB> is on it.');
    expect(buttonsOf(shown.blocks)).not.toContain('notice:acknowledge');
  });

  test('has buttons whose values are read back, and asks before a restart', () => {
    const { blocks } = card(view(STORIES['down'] as Story));
    const actions = blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
    const values = actions.map((button): NoticeValue | null => parseNoticeValue(button.value));
    expect(values).toEqual(
      actions.map(() => ({ notice: 'n1', host: 'win03', incident: 'i1', component: 'kubelet' })),
    );
    const restart = actions.find((button) => button.action_id === 'notice:restart');
    expect(restart?.confirm?.text.text).toContain('Restart-Service');
    expect(parseNoticeValue('{"notice":"n1","host":"$(x)"}')).toBeNull();
    expect(parseNoticeValue('nonsense')).toBeNull();
  });
});

describe('the card of a storm', () => {
  test('is one line for all to which the same happened, within Slack’s limits', () => {
    const of = ['rebooted', 'unreachable', 'rebooted, with losses'].map((name) =>
      view(STORIES[name] as Story),
    );
    const told = Array.from({ length: 250 }, (_, index) => {
      const [each] = (of[index % 3] as NoticeView).told;
      if (!each) throw new Error('no incident');
      const host = `node-${String(index).padStart(3, '0')}`;
      return { ...each, told: { ...each.told, host }, host: { ...each.host, host } };
    });
    const storm: NoticeView = { notice: { ...NOTICE, told: told.map((each) => each.told) }, told };
    const { text, blocks } = card(storm);
    expect(`${text}\n===\n${readable(blocks)}`).toMatchSnapshot();
    expect(checkMessageBlocks(blocks)).toEqual([]);
  });
});

test('the digest lists what differs', () => {
  const hosts = [
    { host: 'lin01', stray: ['192.168.9.0/24 via 10.0.0.9'], foreign: [], skew: 0 },
    { host: 'win01', stray: [], foreign: ['192.168.3.0/24 via 10.0.0.254'], skew: -95 },
  ];
  const { text, blocks } = card({ notice: { ...NOTICE, digest: { hosts } }, told: [] });
  expect(`${text}\n===\n${readable(blocks)}`).toMatchSnapshot();
});
