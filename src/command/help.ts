/** The help, written from the grammar: only what the reader may run. Pure. */
import type { Actor } from '../change/change.js';
import { commandWords, helpWords } from '../words/help.js';
import { type Access, roleOf, rolesOf } from './access.js';
import { argumentTypes } from './argument.js';
import type { CommandKind } from './command.js';
import { type Rule, rules } from './grammar.js';

/** The help as plain lines, for this actor; `topic` names the commands to explain in full. */
export function helpText(actor: Pick<Actor, 'id'>, access: Access, topic?: readonly CommandKind[]): string {
  const roles = rolesOf(actor, access);
  const asked = topic === undefined ? rules : rules.filter(({ kind }) => topic.includes(kind));
  const allowed = asked.filter(({ kind }) => {
    const role = roleOf(kind);
    return role === null || roles.includes(role);
  });
  if (topic !== undefined) return allowed.length > 0 ? allowed.map(explain).join('\n\n') : notYours(asked);
  const lines = [helpWords.head, '', ...allowed.map(brief), '', helpWords.foot];
  if (roles.length === 0) lines.push(helpWords.none);
  return lines.join('\n');
}

function brief({ kind, pattern }: Rule): string {
  return `${pattern.text}\n    ${commandWords[kind]}`;
}

function explain(rule: Rule): string {
  const { places, options } = rule.pattern;
  const described = [...places, ...options].flatMap(({ argument }) => {
    const type = argumentTypes[argument];
    return type === undefined ? [] : [`    ${helpWords.argument(argument, type.takes, type.example)}`];
  });
  return [brief(rule), ...described].join('\n');
}

function notYours(asked: readonly Rule[]): string {
  const [first] = asked;
  return helpWords.notYours((first && roleOf(first.kind)) ?? 'viewer');
}
