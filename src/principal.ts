/** Who is meant: ids of people and groups, as configuration names them and as Slack and the console report them. Pure. */

/**
 * A principal, as configuration names it: a Slack user (`U…`, `W…`; `T…:U…` for one workspace only), a Slack user group
 * (`S…`), or a login of the console's machine (`console:<login>`).
 */
export const PRINCIPAL =
  /^(([TE][A-Z0-9]{2,}:)?[UW][A-Z0-9]{2,}|S[A-Z0-9]{2,}|console:[A-Za-z0-9._-]{1,64})$/;

/** The actor's id where Fairway itself asks for something. */
export const FAIRWAY = 'fairway';

/** The actor's id where a setting decides in place of people, such as `DRIFT=repair`. No principal is written like this. */
export function policyId(setting: string): string {
  return `policy:${setting}`;
}

/** True for the id of such a setting. */
export function isPolicy(actorId: string): boolean {
  return actorId.startsWith('policy:');
}

/** An actor's id or a principal without the workspace: Slack may report one person with the workspace's or the organization's id. */
export function personOf(id: string): string {
  return id.startsWith('console:') ? id : id.slice(id.indexOf(':') + 1);
}

/** True when both ids are one person's. A Slack user and a console login never are: nothing tells that they belong together. */
export function isSamePerson(a: string, b: string): boolean {
  return personOf(a) === personOf(b);
}

/** True for a Slack user group. */
export function isGroup(principal: string): boolean {
  return /^S[A-Z0-9]+$/.test(principal);
}

/** True when a principal, other than a group, names this actor. `*` names everybody. */
export function names(principal: string, actorId: string): boolean {
  if (principal === '*' || principal === actorId) return true;
  return (
    !principal.includes(':') &&
    !isGroup(principal) &&
    !actorId.startsWith('console:') &&
    principal === personOf(actorId)
  );
}
