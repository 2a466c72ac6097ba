/** Which hosts an approved plan really visits, now that it is known who else became a member. Pure. */
import type { Inventory, Node } from '../node/node.js';
import { ensureRoute, inverses } from './pair.js';
import type { HostPlan, MembershipPlan, Plan } from './plan.js';
import { type PlanPolicy, type RenderCommands, withCommands } from './policy.js';

/** Members that a plan says nothing of: they joined after it was made, some perhaps once more, with another slice. */
export function uncovered(plan: Plan, inventory: Inventory): Node[] {
  const covered = new Map(plan.hosts.map((host) => [host.host, host.podCidr]));
  return inventory.nodes.filter((node) => covered.get(node.name) !== node.podCidr);
}

/** True when a plan was made for this member as it was before: with the slice that it had then. */
export function knewBefore(plan: Plan, member: Node): boolean {
  return plan.hosts.some((host) => host.host === member.name && host.podCidr !== member.podCidr);
}

/**
 * Adds the pairs with members whose own approved plans cover them (each such plan named this node among those that it goes
 * together with). Nothing is added that no approver saw. A member that came back with another slice stands in place of what it was.
 */
export function adoptPairs(
  plan: MembershipPlan,
  members: readonly Node[],
  policy: PlanPolicy,
  render: RenderCommands,
): MembershipPlan {
  if (members.length === 0) return plan;
  const { node } = plan;
  const own = members.map((member) => ensureRoute(node, member, policy.nextHop));
  const names = new Set(members.map((member) => member.name));
  const kept = plan.hosts.filter((host) => !names.has(host.host));
  const hosts = kept.map((host) => {
    if (host.role !== 'node') return host;
    const steps = [...host.steps, ...own];
    return withCommands({ ...host, steps, undo: [...inverses(own), ...host.undo] }, node, render);
  });
  const peers = members.map((member): HostPlan => {
    const steps = [ensureRoute(member, node, policy.nextHop)];
    return withCommands(
      {
        host: member.name,
        os: member.os,
        podCidr: member.podCidr,
        role: 'peer',
        steps,
        undo: inverses(steps),
        observed: null,
        unreadable: 'read with its own plan',
        hostKey: null,
      },
      member,
      render,
    );
  });
  return { ...plan, hosts: [...hosts, ...peers] };
}
