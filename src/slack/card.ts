/** The card of a change: every copy of it in Slack shows the same, whatever the last event was (Q4). Pure. */
import type { Change, ChangeState, HostResult } from '../change/change.js';
import { asking, isWithdrawn } from '../change/transition.js';
import type { ChangeView } from '../command/reply.js';
import type { Plan } from '../plan/plan.js';
import { decisions, facts, leftOut, notice, title } from '../words/card.js';
import { lines } from '../words/mrkdwn.js';
import { andMore } from '../words/phrase.js';
import { status } from '../words/status.js';
import { actions, type Block, context, header, pack, section } from './blocks.js';
import { cardButtons } from './buttons.js';
import type { CardMessage } from './card-message.js';
import { cautions, leftAlone, planBlocks } from './card-plan.js';
import { detailBlocks, hostLines, proofBlocks, snippetBlocks } from './card-result.js';
import type { ClusterFacts } from './cluster.js';

/** States in which nobody works on the hosts yet, so that the plan is what matters. */
const PLAN_STATES: readonly ChangeState[] = ['refused', 'pending', 'denied', 'expired', 'stale', 'approved'];
/** States in which the kubectl lines are of use. Removing has lines that come before (drain), so they stand with the plan too. */
const SNIPPET_STATES: readonly ChangeState[] = ['applied', 'owing', 'failed'];

/**
 * Renders the card. `buttons: false` is for copies that nobody can edit later, such as the answer to `change <id>`.
 * `compact` leaves the plan and the snippets to the file, for the case that Slack finds the card too long after all.
 */
export function changeCard(
  view: ChangeView,
  cluster: ClusterFacts,
  now: Date,
  options: { buttons?: boolean; compact?: boolean } = {},
): CardMessage {
  const { change } = view;
  const hosts = allHosts(view);
  const first = [
    header(title(change, cluster.name)),
    section(status(change, hosts, now)),
    section(facts(view)),
    ...decisionBlocks(change),
    ...(view.plan ? warnings(change, view.plan) : []),
    ...(change.state === 'planning' ? [] : hostLines(hosts, change.finishedAt !== undefined)),
    ...(shows(change, ['stale', 'refused', 'failed']) ? detailBlocks(view) : []),
    ...(change.state === 'proving' || change.state === 'rolling-back'
      ? []
      : proofBlocks(change.proof ?? [], change.node?.name)),
  ];
  const more = options.compact ? [] : extras(view, cluster);
  const last = options.buttons === false ? [] : actions(cardButtons(view, hosts, now));
  return {
    text: notice(change, cluster.name),
    blocks: pack(first, more, last, (left) => context(leftOut(view.plan, left, isDecidable(change)))),
    metadata: {
      event_type: 'fairway_change',
      event_payload: { id: change.id, state: asking(hosts).length > 0 ? 'asking' : change.state },
    },
  };
}

/** A repair says on its result too what is not repaired, an adoption what is not recorded. */
function warnings(change: Change, plan: Plan): Block[] {
  if (change.state === 'pending') return cautions(plan);
  const isResult = plan.kind === 'adopt' ? isRecorded(change) : !PLAN_STATES.includes(change.state);
  return 'unread' in plan && isResult ? leftAlone(plan) : [];
}

/** How every host of the plan stands once it runs; one that nobody has come to yet waits. */
function allHosts(view: ChangeView): HostResult[] {
  const { change, hosts, plan } = view;
  if (change.state === 'planning') return hosts;
  if (PLAN_STATES.includes(change.state) || isWithdrawn(change) || change.kind === 'adopt') return [];
  const results = new Map(hosts.map((host) => [host.host, host]));
  const waiting = (host: string): HostResult => ({ host, status: 'waiting', at: change.requestedAt });
  return plan ? plan.hosts.map(({ host }) => results.get(host) ?? waiting(host)) : hosts;
}

/** The plan while it is to be decided on, the kubectl lines once it ran. */
function extras(view: ChangeView, cluster: ClusterFacts): Block[] {
  const { change, plan, snippets } = view;
  const before = change.kind === 'remove-node' && change.state === 'pending';
  return [
    ...(before || shows(change, SNIPPET_STATES) ? snippetBlocks(snippets) : []),
    ...(plan && (isDecidable(change) || isRecorded(change)) ? planBlocks(plan, cluster.cidr) : []),
  ];
}

function shows(change: Change, states: readonly ChangeState[]): boolean {
  return states.includes(change.state);
}

/** Whether the plan may still be run, and is worth reading before. */
function isDecidable(change: Change): boolean {
  return shows(change, ['pending', 'approved']);
}

/** What an adoption recorded is its result. */
function isRecorded(change: Change): boolean {
  return change.kind === 'adopt' && change.state === 'applied';
}

function decisionBlocks(change: Change): Block[] {
  const all = decisions(change);
  return all.length > 0 ? [context(lines(all, 700, andMore))] : [];
}
