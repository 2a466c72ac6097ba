/** The top of a card: whose cluster, what change, how it stands, who decided. Pure. */
import type { Change, ChangeState, HostResult } from '../change/change.js';
import { approvals, isExpired } from '../change/transition.js';
import type { ChangeView } from '../command/reply.js';
import { podGateway } from '../ip.js';
import type { Os } from '../node/node.js';
import type { HostPlan, Plan } from '../plan/plan.js';
import type { ClusterFacts } from './cluster.js';
import { code, lines, plain, when, who } from './text.js';

/** `prod: add windows node win03`. */
export function title(change: Change, cluster: ClusterFacts): string {
  const verb = change.kind === 'add-node' ? 'add' : 'remove';
  return `${cluster.name}: ${verb} ${change.node.os} node ${change.node.name}`;
}

/** How a state is called in lists and notifications. */
export const STATE_WORDS: Readonly<Record<ChangeState, string>> = {
  planning: '⏳ planning',
  refused: '🚫 refused',
  pending: '🟡 waiting for approval',
  denied: '🚫 denied',
  expired: '⌛ expired',
  stale: '♻️ stale',
  approved: '🟢 approved',
  applying: '⚙️ applying',
  proving: '🔎 proving',
  applied: '✅ applied',
  owing: '🟠 applied, hosts owed',
  failed: '❌ failed',
  cancelled: '⏹️ cancelled',
  'rolling-back': '↩️ rolling back',
  'rolled-back': '↩️ rolled back',
};

/** The first lines under the title: how it stands, and the reader's next step. */
export function status(change: Change, hosts: readonly HostResult[], now: Date): string {
  return [`*${STATE_WORDS[change.state]}*`, ...sentence(change, hosts, now)].join('\n');
}

function sentence(change: Change, hosts: readonly HostResult[], now: Date): string[] {
  const reason = change.reason ? [plain(change.reason, 600)] : [];
  const again = `To ask again: ${code(change.command, 200)}`;
  const progress = hosts.length > 0 ? [`${finished(hosts)} of ${hosts.length} hosts done`] : [];
  const stopping = change.cancelRequestedBy
    ? [`${who(change.cancelRequestedBy)} asked to cancel: it stops at the next host.`]
    : [];
  switch (change.state) {
    case 'planning':
      return [hosts.length > 0 ? `Reading ${hosts.length} hosts…` : 'Reading the hosts…'];
    case 'refused':
      return [...reason, 'Nothing was run.'];
    case 'pending':
      if (isExpired(change, now)) return ['Nobody decided in time. Nothing was run.', again];
      return change.expiresAt ? [`Expires ${when(change.expiresAt)}.`] : [];
    case 'denied':
      // The reason stands with the decision.
      return ['Nothing was run.'];
    case 'expired':
      return ['Nobody decided in time. Nothing was run.', again];
    case 'stale':
      return [...reason, again];
    case 'approved':
      return [...reason, ...stopping, 'Waiting for its turn.'];
    case 'applying':
      return [...progress, ...stopping];
    case 'proving':
      return [...progress, 'Asking every pod gateway with packets…'];
    case 'applied':
      return [...ended(change), ...progress];
    case 'owing':
      return [...ended(change), ...progress, owed(hosts.filter((host) => host.status === 'owed').length)];
    case 'failed':
      return [...reason, ...progress];
    case 'cancelled':
      return [
        change.cancelRequestedBy ? `By ${who(change.cancelRequestedBy)}.` : '',
        ...reason,
        ...progress,
      ].filter((line) => line !== '');
    case 'rolling-back':
      return [...rolledBy(change), ...progress];
    case 'rolled-back':
      return [...rolledBy(change), ...ended(change), ...progress];
  }
}

function ended(change: Change): string[] {
  return change.finishedAt ? [`Finished ${when(change.finishedAt)}.`] : [];
}

function rolledBy(change: Change): string[] {
  return change.rolledBackBy ? [`By ${who(change.rolledBackBy)}.`] : [];
}

function owed(count: number): string {
  return count === 1
    ? '1 host did not answer: what it is owed runs by itself when it is back.'
    : `${count} hosts did not answer: what they are owed runs by itself when they are back.`;
}

/** Hosts where the change is as it should be. */
export function finished(hosts: readonly HostResult[]): number {
  return hosts.filter((host) => host.status === 'done' || host.status === 'unchanged').length;
}

/** Everything an approver wants to know at a glance (Q6). */
export function facts(view: ChangeView): string {
  const { change, plan } = view;
  const { node } = change;
  return [
    `Node ${code(node.name)} · ${osName(node.os)} · ${code(node.address)}`,
    ...(node.podCidr ? [`Pod CIDR ${code(node.podCidr)}, gateway ${code(podGateway(node.podCidr))}`] : []),
    ...(plan ? [peers(plan), ...(['linux', 'windows'] as const).flatMap((os) => perOs(plan, os))] : []),
    `Asked by ${who(change.requester)} ${when(change.requestedAt)}: ${code(change.command, 300)}`,
    [
      `Change ${code(change.id)}`,
      ...(change.planHash ? [`plan ${code(change.planHash)}`] : []),
      ...(change.approvalsRequired > 1 ? [`needs ${change.approvalsRequired} approvals`] : []),
    ].join(' · '),
  ].join('\n');
}

function peers(plan: Plan): string {
  const number = plan.hosts.filter((host) => host.role === 'peer').length;
  const together =
    plan.together.length > 0
      ? `, and with ${lines(
          plan.together.map((name) => code(name)),
          400,
          (left) => `${left} more`,
          ', ',
        )} which are open too`
      : '';
  return `${number === 1 ? '1 peer' : `${number} peers`}${together}`;
}

/** `Linux: +3 routes on 3 hosts`. */
function perOs(plan: Plan, os: Os): string[] {
  const hosts = plan.hosts.filter((host) => host.os === os);
  if (hosts.length === 0) return [];
  const did = (['ensure', 'remove'] as const).flatMap((action) => {
    const sign = action === 'ensure' ? '+' : '−';
    const routes = stepsOf(hosts, action).filter((step) => step.kind === 'route').length;
    const others = new Set(stepsOf(hosts, action).map((step) => step.kind.replace('-', ' ')));
    others.delete('route');
    return [
      ...(routes > 0 ? [`${sign}${routes} ${routes === 1 ? 'route' : 'routes'}`] : []),
      ...[...others].map((kind) => `${sign}${kind}`),
    ];
  });
  const on = hosts.length === 1 ? '1 host' : `${hosts.length} hosts`;
  return [`${osName(os)}: ${did.length > 0 ? did.join(', ') : 'nothing to do'} on ${on}`];
}

function stepsOf(hosts: readonly HostPlan[], action: 'ensure' | 'remove') {
  return hosts.flatMap((host) => host.steps).filter((step) => step.action === action);
}

export function osName(os: Os): string {
  return os === 'linux' ? 'Linux' : 'Windows';
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
