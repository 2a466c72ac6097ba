/** The buttons of a card: which ones work in which state, and what they carry. Pure. */
import { z } from 'zod';
import { askDigest } from '../change/ask.js';
import type { Change, HostResult } from '../change/change.js';
import { asking, isExpired, isRetryable, isReversible } from '../change/transition.js';
import { ChangeId } from '../command/command.js';
import type { ChangeView } from '../command/reply.js';
import { forgetWords } from '../words/adopt.js';
import { buttonWords, deletion, restart, retryLabel, rollbackWords, switchOver } from '../words/button.js';
import { type Button, plainText } from './blocks.js';

export const ACTION = {
  approve: 'change:approve',
  deny: 'change:deny',
  details: 'change:details',
  confirm: 'change:confirm',
  decline: 'change:decline',
  cancel: 'change:cancel',
  retry: 'change:retry',
  rollback: 'change:rollback',
} as const;
export type Press = keyof typeof ACTION;

/** Of so many hosts a button can name what they ask: Slack takes 2000 characters. The others ask once more. */
const MOST_ASKS = 280;

/** What a button carries: the change, the plan that the person saw, and for an answer the digests of what they saw asked. */
export const ButtonValue = z.strictObject({
  id: ChangeId,
  hash: z.string().max(64).nullable(),
  asks: z
    .string()
    .max(6 * MOST_ASKS)
    .optional(),
});
export type ButtonValue = z.infer<typeof ButtonValue>;

/** The value of a clicked button; null for one that no card of ours carries. */
export function parseButtonValue(text: unknown): ButtonValue | null {
  return parseValue(ButtonValue, text);
}

/** What a button carried, if it is of this form. */
export function parseValue<T>(schema: z.ZodType<T>, text: unknown): T | null {
  try {
    return schema.parse(JSON.parse(String(text)));
  } catch {
    return null;
  }
}

/** At most three, and only those that would work now (Q3, Q28). */
export function cardButtons(view: ChangeView, hosts: readonly HostResult[], now: Date): Button[] {
  const { change } = view;
  return pressable(view, hosts, now).map((press) => {
    const answers = press === 'confirm' || press === 'decline';
    const value: ButtonValue = {
      ...{ id: change.id, hash: change.planHash ?? null },
      ...(answers ? { asks: digests(hosts) } : {}),
    };
    return {
      type: 'button',
      action_id: ACTION[press],
      text: plainText(label(press, hosts)),
      value: JSON.stringify(value),
      ...LOOK[press],
      ...(press === 'rollback' && change.kind === 'adopt' ? { confirm: asked(forgetWords) } : {}),
      ...(press === 'confirm' ? { confirm: asked(consentOf(hosts).dialog) } : {}),
    };
  });
}

const LOOK: Readonly<Record<Press, Partial<Button>>> = {
  approve: { style: 'primary' },
  deny: { style: 'danger' },
  details: {},
  confirm: { style: 'danger' },
  decline: {},
  cancel: { style: 'danger' },
  retry: { style: 'primary' },
  rollback: { confirm: asked(rollbackWords) },
};

/** The question that comes before a button does anything. */
export function asked({ title, text, yes, no }: Record<'title' | 'text' | 'yes' | 'no', string>) {
  return { title: plainText(title), text: plainText(text), confirm: plainText(yes), deny: plainText(no) };
}

function pressable(view: ChangeView, hosts: readonly HostResult[], now: Date): Press[] {
  const { change } = view;
  // Whatever became of an adoption, its list is there to be had again.
  const isWorthReading = view.plan !== null || (change.kind === 'adopt' && change.state !== 'planning');
  const details: Press[] = isWorthReading ? ['details'] : [];
  switch (change.state) {
    case 'pending':
      return isExpired(change, now) ? details : ['approve', 'deny', ...details];
    case 'approved':
    case 'applying':
    case 'rolling-back':
    case 'owing':
      if (change.cancelRequestedBy === undefined && asking(hosts).length > 0)
        return ['confirm', 'decline', ...details];
      if (change.state === 'owing') return [...repairs(change, hosts), ...details];
      return change.cancelRequestedBy === undefined ? ['cancel', ...details] : details;
    case 'applied':
    case 'failed':
    case 'cancelled':
      return [...repairs(change, hosts), ...details];
    default:
      return details;
  }
}

function repairs(change: Change, hosts: readonly HostResult[]): Press[] {
  return [
    ...(isRetryable(change) && notDone(hosts) > 0 ? (['retry'] as const) : []),
    ...(isReversible(change) ? (['rollback'] as const) : []),
  ];
}

/** How many hosts a retry would visit. */
function notDone(hosts: readonly HostResult[]): number {
  return hosts.filter((host) => host.status !== 'done' && host.status !== 'unchanged').length;
}

/** What the hosts ask, one digest after the other. */
function digests(hosts: readonly HostResult[]): string {
  return asking(hosts)
    .slice(0, MOST_ASKS)
    .map(({ host, ask }) => askDigest(host, ask))
    .join('');
}

/** What is asked: of one change it is one thing, of one host or of several. */
function consentOf(hosts: readonly HostResult[]) {
  const all = asking(hosts);
  const names = all.map(({ host }) => host);
  const first = all[0]?.ask;
  if (first?.kind === 'switch') return switchOver(first.component, names);
  return first?.kind === 'delete-network' ? deletion(names) : restart(names);
}

function label(press: Press, hosts: readonly HostResult[]): string {
  if (press === 'confirm') return consentOf(hosts).yes;
  if (press === 'decline') return consentOf(hosts).no;
  if (press !== 'retry') return buttonWords[press];
  return retryLabel(notDone(hosts), hosts.filter((host) => host.status === 'failed').length);
}
