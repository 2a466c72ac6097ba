/** What the desk offers to every door, and what it needs itself. */
import type { Actor } from '../change/change.js';
import type { Config } from '../config.js';
import { Refusal } from '../errors.js';
import type { Jobs } from '../job/queue.js';
import type { Node } from '../node/node.js';
import type { Stores } from '../stores.js';
import type { Access } from './access.js';
import type { BotCommand } from './command.js';
import { nearest } from './pattern.js';
import type { ChangeView, Origin, Reply } from './reply.js';

export interface Desk {
  /** Runs one command. Throws a Refusal for every expected no. */
  run(command: BotCommand, actor: Actor, origin: Origin): Promise<Reply>;
  /** Approves or denies; `planHash` is the one on the card, null when the words were typed. */
  decide(
    id: string,
    verdict: 'approve' | 'deny',
    planHash: string | null,
    reason: string | undefined,
    actor: Actor,
  ): Promise<Reply>;
  /** Throws what `decide` would throw now, and decides nothing: before somebody is asked for a reason. */
  tryDecide(id: string, verdict: 'approve' | 'deny', planHash: string | null, actor: Actor): Promise<void>;
  /** Answers what a change asks: what these digests name, of what it asks now. */
  answer(id: string, verdict: 'yes' | 'no', digests: readonly string[], actor: Actor): Promise<Reply>;
  view(id: string): Promise<ChangeView | null>;
}

/** What asking for a change takes, whoever asks. */
export interface RequestDeps extends Stores {
  config: Config;
  jobs: Jobs;
}

export interface DeskDeps extends RequestDeps {
  /** Roles, with the members of user groups as Slack has them now. */
  access(): Promise<Access>;
}

/** How far a suggested name may be from the typed one where taking it would do harm: `win01` is no slip for `win3`. */
const HARMFUL = 1;

/** The member of that name. Throws the Refusal `node-unknown`; `harmful`: what is done to it is not easily undone. */
export function findNode(nodes: readonly Node[], name: string, harmful = false): Node {
  const node = nodes.find((member) => member.name === name);
  if (node) return node;
  const names = nodes.map((member) => member.name);
  throw unknownNode(name, names, harmful ? HARMFUL : undefined);
}

/** The refusal for a name that no member has. */
export function unknownNode(name: string, names: readonly string[], most?: number): Refusal {
  const suggestion = nearest(name, names, most);
  return new Refusal('node-unknown', { name, ...(suggestion ? { suggestion } : {}) });
}
