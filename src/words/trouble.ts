/** What went wrong: with a change or a host, as its card says it; between Slack and us, as the person reads it. Pure. */
import type { Debt } from '../change/change.js';
import type { ClosedChannel } from '../command/reply.js';
import type { HostError } from '../host/host.js';
import type { Step } from '../plan/plan.js';
import { code, plain } from './mrkdwn.js';
import { storedVoice } from './voice.js';

/** A member joined between planning and approval, and no plan covers the pair. */
export function sayJoinedSince(name: string): string {
  return `${name} joined after this was planned. Ask again: the new plan will cover it.`;
}

/** What is stored is not what was approved. */
export function sayPlanAltered(): string {
  return 'The stored plan is not the one that was approved, so nothing was applied. Ask again.';
}

/** The new node can't be read any more; `why` is its host's own word. */
export function sayNodeAway(name: string, why: string): string {
  return `${name} does not answer any more, so nothing was applied${why === '' ? '' : `: ${why}`}. Ask again once it does.`;
}

/** Hosts turned out to have routes in the new node's slice; each of `found` names a host and its route. */
export function saySliceRouted(podCidr: string, found: readonly string[]): string {
  return `${found.join('; ')}: that is within the new node's ${podCidr}, so nothing was applied. Ask again: the new plan gets another pod CIDR. Or remove the route there first, if nothing needs it.`;
}

/** The node to be removed is none any more, or another. */
export function sayNotMember(name: string): string {
  return `${name} left, or moved, after this was planned, so nothing was removed.`;
}

/** The node that this change added was removed, or replaced, since. */
export function sayOvertaken(name: string): string {
  return `${name} was removed or added anew since, so there is nothing left for this change to do.`;
}

/** The removed node can't come back as it was. */
export function sayReplaced(name: string, podCidr: string): string {
  return `The name, the address or the ${podCidr} of ${name} is in use again, so the removal was not rolled back. The command nodes shows by whom.`;
}

/** The node to be repaired is none any more, or another. */
export function sayLeftSince(name: string): string {
  return `${name} left, or moved, after this was planned, so nothing was repaired.`;
}

export function sayStale(): string {
  return 'Hosts changed after this was planned, so nothing was applied. Look at what changed, then ask again.';
}

export function saySliceLost(podCidr: string): string {
  return `Nothing holds ${podCidr} for this change any more, so nothing was applied. Ask again: the new plan gets a free one.`;
}

/** `why`: the refusal that the same request would meet now. */
export function sayApiDisagrees(why: string): string {
  return `The API server has other pod CIDRs than when this was planned, so nothing was applied. ${why}`;
}

/** Routes are there, but packets are not answered. */
export function sayUnproved(silent: number, all: number): string {
  return `The routes are in place, but ${silent} of ${all} pod gateways do not answer. Check the hosts' firewalls, then Retry or Roll back.`;
}

/** Of a host that can't go on without the restart that nobody agreed to. */
export function sayNoRestart(): string {
  return 'Windows waits for a restart, and nobody agreed to it. Restart the host when it suits, then Retry.';
}

/** The work goes on there, as far as anybody knows; `why` is the last word that was had. */
export function sayOutOfReach(minutes: number, why: string): string {
  return `no answer for ${minutes} minutes (${why}). What was begun there goes on by itself. Retry once it answers: it takes up where that is.`;
}

/** It answers, and is not through. */
export function sayStillAtIt(minutes: number): string {
  return `it is still at it after ${minutes} minutes, and goes on by itself. Retry takes it up where it is.`;
}

/** It was told to restart. */
export function sayNotBack(minutes: number, why: string): string {
  return `it was told to restart, and is not back after ${minutes} minutes${why === '' ? '' : ` (${why})`}. Look at its console, then Retry.`;
}

/** Foreign routes stand where ours should go. */
export function sayConflict(found: readonly string[]): string {
  return `In the way, and left alone: ${found.join('; ')}. Remove it on the host, then Retry.`;
}

/** Read again from scratch, the host is not as it should be: of which kinds of step, each named as often as it is there; `printed` is its own word. */
export function sayNotHolding(broken: readonly Step['kind'][], printed: string): string {
  const own = printed.trim() === '' ? 'it gave no reason' : `it said: ${printed.trim()}`;
  const counts = [...new Set(broken)].map((kind) => {
    const number = broken.filter((each) => each === kind).length;
    const name = kind.replaceAll('-', ' ');
    return number === 1 ? name : `${number} × ${name}`;
  });
  return `${counts.join(', ')} ${broken.length === 1 ? 'does' : 'do'} not hold after applying; ${own}`;
}

/** Nobody waits for the host any more. `why`: what kept it from answering, last. */
export function sayGivenUp(name: string, debt: Debt, isMember: boolean, why: string): string {
  const [since, until] = [storedVoice.when(debt.since), storedVoice.when(debt.until)];
  const remedy = isMember ? `repair ${name} puts it right` : 'Retry does its part';
  return `It was out of reach from ${since} until ${until} (${why}), so its part was given up. Once it is back, ${remedy}.`;
}

/** The host shows another key than the pinned one; `what` names both. */
function sayKeyChanged(name: string, what: string): string {
  return `${what}. Nothing is sent to it. If ${name} was reinstalled, remove it and add it again; if not, somebody stands in between.`;
}

/** A node that leaves shows another key than the one that was known for it; `what` names both. */
export function sayReinstalled(name: string, what: string): string {
  return `${what}. So ${name} was installed anew, and nothing of ours is left on it.`;
}

/** Why a host could not be worked with: what to do about it where we know, else its own word. No full stop, since more may follow. */
export function sayHostError({ kind, host, message, detail }: HostError): string {
  if (kind === 'host-key-changed') return sayKeyChanged(host, message);
  if (kind === 'language-mode') return sayLanguageMode(host, message);
  return detail.code === 'NO-RIGHTS'
    ? 'my login there is not root, and sudo does not let it do that: docs/linux-host.md has what to paste there as root, once'
    : message;
}

/** PowerShell takes no scripts from our account; `mode` is its language mode. */
function sayLanguageMode(name: string, mode: string): string {
  return `PowerShell on ${name} runs in ${mode} for our SSH account, so no script of Fairway's can run there. Exempt that account's PowerShell from the AppLocker or WDAC rule, then ask again.`;
}

/** Our own trouble; `ref` finds it in the log. */
export function sayBroken(ref: string): string {
  return `Something broke on our side. Try again; if it stays, tell an administrator: ref ${code(ref)}.`;
}

/** Somebody of another workspace, in a shared channel. */
export function sayStranger(actorId: string): string {
  return `I work for the people of another Slack workspace. An administrator can add you as ${code(actorId)}.`;
}

/** To whoever clicked a card whose buttons say nothing to us. */
export function sayUnreadableCard(): string {
  return `This card is too old for me to read. ${code('changes')} lists what is there now.`;
}

/** On top of a card that belongs to nothing any more. */
export function sayDeadCard(): string {
  return `This card is no longer live. ${code('changes')} lists those that are.`;
}

/** `why` is Slack's own error code; null: it gave no answer. */
export function sayNoDialog(why: string | null, changeId: string): string {
  return `Slack did not open the dialog (${why ?? 'no answer'}). Click again, or type ${code(`deny ${changeId}`)}.`;
}

/** What Slack says where a file takes a member of the channel, and a message does not. */
const NO_MEMBER: readonly string[] = ['not_in_channel', 'channel_not_found'];

/** `why` is Slack's own error code. */
export function sayNoFile(why: string, changeId: string): string {
  const short = `${code(`change ${changeId}`)} shows the short form`;
  return NO_MEMBER.includes(why)
    ? `I am not in this channel, and a file takes a member: ${code('/invite @Fairway')}, then press *Details* again. Or ${short}.`
    : `Slack refused the file (${why}). ${short}.`;
}

/** `why` is Slack's own error code, `what` should have been in the file. */
export function sayNoExport(why: string, what: 'nodes' | 'audit'): string {
  const shell = `in a shell: ${code(`npm -s run console -- ${what === 'nodes' ? 'export' : 'audit export'}`)}`;
  return NO_MEMBER.includes(why)
    ? `I am not in this channel, and a file takes a member: ${code('/invite @Fairway')}, then ask again. Or ${shell}.`
    : `Slack refused the file (${why}). Ask again, or ${shell}.`;
}

/** On top of a card that may stand in the channel twice. */
export function sayPostedAgain(): string {
  return 'Posted again after an interruption: an older copy may stand above. This one counts.';
}

/** On top of a card that only the requester has, for as long as that is so. `state`: the change's. */
export function sayNoEntry(channel: string, id: string, state: string): string {
  const where = isInvitable(channel) ? `in <#${channel}>` : 'where you asked';
  const waits = state === 'planning' || state === 'pending' ? ` ${approveByWord(id)}` : '';
  return `Only you see this card: I can't write ${where}. ${invite(channel, 'there')}${waits}`;
}

/** To whoever asked in a channel that can't have the card. */
export function sayCardApart(channel: string, id: string): string {
  return `I can't write here, so the card of ${code(id)} is in your direct messages. ${invite(channel, 'here')} ${approveByWord(id)}`;
}

/** The same, when not even that was possible. */
export function sayCardNowhere(channel: string, id: string): string {
  return `I can't write here, nor to you directly, so ${code(id)} has no card: ${code(`change ${id}`)} shows it. ${invite(channel, 'here')} ${approveByWord(id)}`;
}

/** Nobody can be invited to a conversation between two. */
function isInvitable(channel: string): boolean {
  return /^[CG]/.test(channel);
}

function invite(channel: string, where: 'here' | 'there'): string {
  return isInvitable(channel)
    ? `${code('/invite @Fairway')} ${where}, and the next one is posted ${where}.`
    : 'Ask in a channel, and others see the next one.';
}

function approveByWord(id: string): string {
  return `An approver can type ${code(`approve ${id}`)}.`;
}

/** In answers about nodes and incidents, while the channel for notices takes none. `why` is Slack's own error code. */
export function sayClosed({ channel, why }: ClosedChannel): string {
  return `⚠️ I could not write in <#${plain(channel, 40)}> (${plain(why, 60)}), so incidents are told nowhere. ${code('/invite @Fairway')} there, or set ${code('SLACK_CHANNEL')} right. This line goes with the next card that gets through.`;
}
