/** The card of one incident, of a storm of them, or of the daily digest. Pure. */
import { z } from 'zod';
import type { NoticeView, ToldView } from '../command/notice-view.js';
import { platformOf } from '../host/platform.js';
import { Component } from '../node/component.js';
import type { Os } from '../node/node.js';
import { NodeName } from '../node/node.js';
import { isLost } from '../watch/watched.js';
import { noticeButtons, restartWords } from '../words/button.js';
import { lines } from '../words/mrkdwn.js';
import { incidentFoot, incidentLines, noticeText, noticeTitle, outcome } from '../words/notice.js';
import { andMore } from '../words/phrase.js';
import { digestWords, stormWords } from '../words/storm.js';
import { actions, type Block, type Button, context, header, plainText, section } from './blocks.js';
import { asked, parseValue } from './buttons.js';
import type { CardMessage } from './card-message.js';
import type { ClusterFacts } from './cluster.js';
import { pressable, type Shown } from './shown.js';

export const NOTICE_ACTION = {
  repair: 'notice:repair',
  restart: 'notice:restart',
  logs: 'notice:logs',
  mute: 'notice:mute',
  acknowledge: 'notice:acknowledge',
} as const;
export type NoticePress = keyof typeof NOTICE_ACTION;

/** What a button carries. `host` absent: all of them. */
export const NoticeValue = z.strictObject({
  notice: z.string().max(20),
  host: NodeName.exactOptional(),
  component: Component.exactOptional(),
  incident: z.string().max(20).exactOptional(),
});
export type NoticeValue = z.infer<typeof NoticeValue>;

/** The value of a clicked button; null for one that no card of ours carries. */
export function parseNoticeValue(text: unknown): NoticeValue | null {
  return parseValue(NoticeValue, text);
}

/** More than any record's version: what is over stays so, also once its host has left and its record is gone. */
const OVER = 1e9;

/** The message of a notice, and what the outbox needs to know of it. `osOf` tells how a host's processes are restarted. */
export function showNotice(
  view: NoticeView,
  cluster: ClusterFacts,
  osOf: (host: string) => Os | undefined,
): Shown {
  const { notice } = view;
  const message = messageOf(view, cluster, osOf);
  return {
    id: notice.id,
    version:
      notice.version + view.told.reduce((sum, { host, isOver }) => sum + (isOver ? OVER : host.version), 0),
    cards: notice.cards,
    channel: notice.channel,
    shape: [message.metadata.event_payload.state, ...pressable(message)].join(' '),
    urgent: false,
    message,
    compact: () => message,
  };
}

function messageOf(
  view: NoticeView,
  cluster: ClusterFacts,
  osOf: (host: string) => Os | undefined,
): CardMessage {
  const [only, ...others] = view.told;
  const isBad = view.told.some(({ incident }) => incident?.state === 'bad');
  const content = view.notice.digest
    ? digest(view, cluster)
    : only && others.length === 0
      ? single(view, only, cluster, osOf)
      : storm(view, cluster);
  return {
    ...content,
    metadata: {
      event_type: 'fairway_notice',
      event_payload: { id: view.notice.id, state: isBad ? 'bad' : 'good' },
    },
  };
}

function single(
  { notice }: NoticeView,
  view: ToldView,
  cluster: ClusterFacts,
  osOf: (host: string) => Os | undefined,
) {
  const title = noticeTitle(cluster.name, view);
  return {
    text: noticeText(cluster.name, view),
    blocks: [
      header(title),
      section(lines(incidentLines(view), 2600, andMore)),
      context(incidentFoot(view)),
      ...actions(buttons(notice.id, view, osOf(view.told.host))),
    ],
  };
}

/** Only what would help now. */
function buttons(notice: string, { told, incident, isOver }: ToldView, os: Os | undefined): Button[] {
  if (incident === null || isOver) return [];
  const { host, component } = told;
  const isBad = incident.state === 'bad';
  const of = { notice, host, incident: incident.id, ...(component ? { component } : {}) };
  const pick = (press: NoticePress, more: Partial<Button> = {}): Button => ({
    type: 'button',
    action_id: NOTICE_ACTION[press],
    text: plainText(noticeButtons[press]),
    value: JSON.stringify(of),
    ...more,
  });
  return [
    ...(isBad && isLost(incident.lost) ? [pick('repair', { style: 'primary' })] : []),
    ...(isBad && component && os ? [pick('restart', restartLook(host, component, os))] : []),
    ...(component ? [pick('logs')] : []),
    ...(isBad && !incident.acknowledgedBy ? [pick('acknowledge')] : []),
    pick('mute'),
  ];
}

function restartLook(host: string, component: Component, os: Os): Partial<Button> {
  const command = platformOf(os).serviceCommand(component, 'restart');
  return {
    style: 'danger',
    confirm: asked({ ...restartWords, text: restartWords.text(component, host, command) }),
  };
}

/** One line for all hosts to which the same happened, the worst first. */
function storm({ notice, told }: NoticeView, cluster: ClusterFacts) {
  const groups = new Map<string, ToldView[]>();
  for (const view of told) {
    const key = JSON.stringify([view.incident?.state !== 'bad', outcome(view), view.told.component]);
    groups.set(key, [...(groups.get(key) ?? []), view]);
  }
  const sorted = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, views]) =>
      stormWords.line(
        views[0] as ToldView,
        views.map((view) => view.told.host),
      ),
    );
  const bad = told.filter(({ incident }) => incident?.state === 'bad');
  const title = stormWords.title(cluster.name, told.length, new Set(told.map((view) => view.told.host)).size);
  const lost = bad.filter(({ incident }) => isLost(incident?.lost));
  const repair: Button = {
    type: 'button',
    action_id: NOTICE_ACTION.repair,
    text: plainText(noticeButtons.repair),
    value: JSON.stringify({ notice: notice.id }),
    style: 'primary',
  };
  return {
    text: title,
    blocks: [
      header(title),
      section(lines([stormWords.head(bad.length), ...sorted], 2800, andMore)),
      context(stormWords.foot),
      ...actions(lost.length > 0 ? [repair] : []),
    ],
  };
}

function digest({ notice }: NoticeView, cluster: ClusterFacts): { text: string; blocks: Block[] } {
  const title = digestWords.title(cluster.name);
  const found = (notice.digest?.hosts ?? []).map(digestWords.line);
  return {
    text: title,
    blocks: [header(title), section(lines(found, 2800, andMore)), context(digestWords.foot)],
  };
}
