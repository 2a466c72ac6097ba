/** What a card says of its change: what it is, who asked, who decided. Pure. */
import type { Change } from '../change/change.js';
import { approvals } from '../change/transition.js';
import type { ChangeView } from '../command/reply.js';
import { podGateway } from '../ip.js';
import type { Node, Os } from '../node/node.js';
import type { HostPlan, Plan, RepairPlan, Step } from '../plan/plan.js';
import { adoptCounts, adoptedCount, adoptMeans } from './adopt.js';
import { askedFacts, buildFacts, buildName } from './build.js';
import { deliverFacts, deliverMeans, deliverName } from './deliver.js';
import { code, lines, plain, when, who } from './mrkdwn.js';
import { more, osName, plural } from './phrase.js';
import { undoSummary } from './plan.js';
import { stateWords, verbs } from './status.js';

/** `prod: add windows node win03`. */
export function title(change: Change, cluster: string): string {
  if (change.kind === 'repair') return `${cluster}: repair ${change.node?.name ?? 'all nodes'}`;
  if (change.kind === 'adopt') return `${cluster}: adopt ${adoptedCount(change)}`;
  if (change.kind === 'deliver') return `${cluster}: deliver ${deliverName(change.deliver)}`;
  if (change.kind === 'build') return `${cluster}: build ${buildName(change.build)}`;
  return `${cluster}: ${verbs[change.kind]} ${change.node.os} node ${change.node.name}`;
}

/** What a notification and a screen reader say. */
export function notice(change: Change, cluster: string): string {
  return plain(`${title(change, cluster)}: ${stateWords[change.state]} (${change.id})`, 400);
}

/** Everything an approver wants to know at a glance (Q6). */
export function facts(view: ChangeView): string {
  const { change, plan } = view;
  const { node } = change;
  return [
    ...(node ? nodeFacts(node) : []),
    ...(change.kind === 'build' && !plan ? askedFacts(change.build) : []),
    ...(plan ? planFacts(plan, change.state === 'pending') : []),
    `Asked by ${who(change.requester)} ${when(change.requestedAt)}: ${code(change.command, 300)}`,
    ...(change.why ? [`Because: ${plain(change.why, 300)}`] : []),
    [
      `Change ${code(change.id)}`,
      ...(change.planHash ? [`plan ${code(change.planHash)}`] : []),
      ...(change.approvalsRequired > 1 ? [`needs ${change.approvalsRequired} approvals`] : []),
    ].join(' · '),
  ].join('\n');
}

function nodeFacts(node: Node): string[] {
  return [
    `Node ${code(node.name)} · ${osName(node.os)} · ${code(node.address)}`,
    ...(node.podCidr ? [`Pod CIDR ${code(node.podCidr)}, gateway ${code(podGateway(node.podCidr))}`] : []),
  ];
}

function planFacts(plan: Plan, isPending: boolean): string[] {
  if (plan.kind === 'build') return buildFacts(plan);
  if (plan.kind === 'deliver') return [...deliverFacts(plan), ...(isPending ? [deliverMeans] : [])];
  if (plan.kind === 'adopt') return [adoptCounts(plan), ...(isPending ? [adoptMeans] : [])];
  return [
    plan.kind === 'repair' ? differing(plan) : peers(plan),
    ...(['linux', 'windows'] as const).flatMap((os) => perOs(plan, os)),
  ];
}

/** `14 hosts were read: 2 differ, 1 could not be read`. */
function differing(plan: RepairPlan): string {
  const differ = plan.hosts.filter((host) => host.steps.length > 0).length;
  const others = plan.unread.length > 0 ? `; ${plan.unread.length} more could not be read` : '';
  return `${plural(plan.read, 'host')} read, ${differ} ${differ === 1 ? 'differs' : 'differ'} from the inventory${others}`;
}

function peers(plan: Plan): string {
  const number = plan.hosts.filter((host) => host.role === 'peer').length;
  const together =
    plan.together.length > 0
      ? `, and with ${lines(
          plan.together.map((name) => code(name)),
          400,
          more,
          ', ',
        )} which are open too`
      : '';
  return `${plural(number, 'peer')}${together}`;
}

/** `Linux: +3 routes on 3 hosts`. */
function perOs(plan: Plan, os: Os): string[] {
  const hosts = plan.hosts.filter((host) => host.os === os);
  if (hosts.length === 0) return [];
  const did = (['ensure', 'remove'] as const).flatMap((action) => {
    const sign = action === 'ensure' ? '+' : '−';
    const routes = stepsOf(hosts, action).filter((step) => step.kind === 'route').length;
    const others = new Set(stepsOf(hosts, action).map((step) => nameOf(step)));
    others.delete('route');
    // It is asked for on its own, and stands among the warnings.
    others.delete('reboot');
    return [
      ...(routes > 0 ? [`${sign}${plural(routes, 'route')}`] : []),
      ...[...others].map((kind) => `${sign}${kind}`),
    ];
  });
  return [
    `${osName(os)}: ${did.length > 0 ? did.join(', ') : 'nothing to do'} on ${plural(hosts.length, 'host')}`,
  ];
}

function nameOf(step: Step): string {
  return step.kind === 'component' ? step.component : step.kind.replaceAll('-', ' ');
}

function stepsOf(hosts: readonly HostPlan[], action: 'ensure' | 'remove') {
  return hosts.flatMap((host) => host.steps).filter((step) => step.action === action);
}

/** `Approved by @alice today 15:04`, one line each, and what is still missing. */
export function decisions(change: Change): string[] {
  const verdicts = change.decisions.map((decision) => {
    const word = decision.verdict === 'approve' ? 'Approved' : 'Denied';
    const reason = decision.reason ? `: ${plain(decision.reason, 300)}` : '';
    return `${word} by ${who(decision.actor)} ${when(decision.at)}${reason}`;
  });
  const partial = change.approvalsRequired > 1 && change.state === 'pending';
  return partial ? [`${approvals(change)} of ${change.approvalsRequired} approvals`, ...verdicts] : verdicts;
}

/** What the card had no room for. `decidable`: the plan may still be run, so how to undo it is said too. */
export function leftOut(plan: Plan | null, left: number, decidable: boolean): string {
  const undo = plan && decidable ? ` ${undoSummary(plan)}.` : '';
  return `${plural(left, 'more part')} in *Details*: the full plan, as a file in the thread.${undo}`;
}
