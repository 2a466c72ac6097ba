/** Who may do what. Default deny; every door (slash, mention, button, modal, console) asks `authorize` (Q2). Pure. */
import type { Actor } from '../change/change.js';
import type { Config } from '../config.js';
import { Refusal } from '../errors.js';
import { isGroup, names, personOf } from '../principal.js';
import { actionWords } from '../words/help.js';
import type { CommandKind } from './command.js';

/** Each role may also do what the ones before it may. */
const roles = ['viewer', 'operator', 'approver'] as const;
export type Role = (typeof roles)[number];

export type Action = keyof typeof actionWords;

/** The role that an action takes; null: nobody is refused, so that whoever is may learn why. */
const roleFor: Readonly<Record<Action, Role | null>> = {
  introduce: null,
  look: 'viewer',
  request: 'operator',
  decide: 'approver',
  // Nobody else approves it: whoever may approve changes may do this at once.
  control: 'approver',
  // The log holds all that every host ever printed.
  audit: 'approver',
};

const actions: Readonly<Record<CommandKind, Action>> = {
  'add-node': 'request',
  'remove-node': 'request',
  repair: 'request',
  adopt: 'request',
  build: 'request',
  builds: 'look',
  deliver: 'request',
  export: 'look',
  nodes: 'look',
  map: 'look',
  node: 'look',
  'check-node': 'look',
  // It takes our key to an address that somebody typed, as an addition does.
  'check-host': 'request',
  routes: 'look',
  'check-manifest': 'look',
  'check-cluster': 'look',
  'control-plane': 'look',
  kubectl: 'look',
  incidents: 'look',
  ack: 'request',
  mute: 'request',
  unmute: 'request',
  // Logs may hold what not everybody should read.
  logs: 'request',
  control: 'control',
  changes: 'look',
  change: 'look',
  approve: 'decide',
  deny: 'decide',
  confirm: 'decide',
  decline: 'request',
  // Cancelling and rolling back lead to states that were approved, or to none; retrying repeats what was.
  cancel: 'request',
  retry: 'request',
  rollback: 'request',
  history: 'look',
  audit: 'audit',
  help: 'introduce',
  whoami: 'introduce',
  'can-i': 'introduce',
};

/** What a command does, as far as permission goes. */
export function actionOf(kind: CommandKind): Action {
  return actions[kind];
}

/** The members of a user group as Slack told them; `unknown` when it did not. */
export type Members = readonly string[] | 'unknown';

export interface Access {
  /** Configured principals, see principal.ts. */
  principals: Readonly<Record<Role, readonly string[]>>;
  members: ReadonlyMap<string, Members>;
}

/** Roles as configured, with the members that each user group has now. */
export function accessOf(config: Config['access'], members: ReadonlyMap<string, Members>): Access {
  const { viewers: viewer, operators: operator, approvers: approver } = config;
  return { principals: { viewer, operator, approver }, members };
}

/** Every user group that the configuration names. */
export function groupsOf(config: Config['access']): string[] {
  const { viewers, operators, approvers } = config;
  return [...new Set([...viewers, ...operators, ...approvers])].filter(isGroup);
}

/** The roles that an actor has; lower ones come with a higher one. */
export function rolesOf(actor: Pick<Actor, 'id'>, access: Access): Role[] {
  return roles.filter((role) =>
    whoHas(role, access).some((principal) => includes(principal, actor.id, access)),
  );
}

/** Every principal with the role, by itself or by a higher one. */
function whoHas(role: Role, access: Access): string[] {
  const enough = roles.slice(roles.indexOf(role));
  return [...new Set(enough.flatMap((each) => access.principals[each]))];
}

/** The role that a command takes; null when none. */
export function roleOf(kind: CommandKind): Role | null {
  return roleFor[actionOf(kind)];
}

/** What the actor may do, in words. */
export function may(actor: Pick<Actor, 'id'>, access: Access): string[] {
  return (Object.keys(roleFor) as Action[])
    .filter((action) => isAllowed(actor, action, access))
    .map((action) => actionWords[action]);
}

/** Whether the actor may do this, the role that it takes (null: none), and the principals that have it. */
export function whoMay(
  actor: Pick<Actor, 'id'>,
  action: Action,
  access: Access,
): { yes: boolean; role: Role | null; who: string[] } {
  const role = roleFor[action];
  const who = role === null ? [] : whoHas(role, access);
  return { yes: isAllowed(actor, action, access), role, who };
}

/** Throws the Refusal `forbidden`, which names who may, unless the actor may. */
export function authorize(actor: Pick<Actor, 'id'>, action: Action, access: Access): void {
  const role = roleFor[action];
  if (role === null || isAllowed(actor, action, access)) return;
  const who = whoHas(role, access);
  const unreadable = who.filter(
    (principal) => isGroup(principal) && membersOf(principal, access) === 'unknown',
  );
  throw new Refusal('forbidden', { doing: actionWords[action], role, who, unreadable });
}

/** Members of groups that can't be read don't count. */
function isAllowed(actor: Pick<Actor, 'id'>, action: Action, access: Access): boolean {
  const role = roleFor[action];
  return role === null || rolesOf(actor, access).includes(role);
}

function includes(principal: string, actorId: string, access: Access): boolean {
  if (!isGroup(principal)) return names(principal, actorId);
  const members = membersOf(principal, access);
  // A console login is no Slack user, whatever it is called.
  return members !== 'unknown' && !actorId.startsWith('console:') && members.includes(personOf(actorId));
}

function membersOf(group: string, access: Access): Members {
  return access.members.get(group) ?? 'unknown';
}
