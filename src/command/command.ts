/** What a user can ask for, once parsed. Pure. */
import { z } from 'zod';
import { CidrText, NodeName, NodeSpec } from '../node/node.js';

/** `c1`, `c2`, … as the change counter gives them. */
export const ChangeId = z.string().regex(/^c[1-9][0-9]{0,8}$/);

/** The kinds of command, in the order in which the help lists them. */
export const CommandKind = z.enum([
  'add-node',
  'remove-node',
  'nodes',
  'node',
  'routes',
  'repair',
  'kubectl',
  'changes',
  'change',
  'approve',
  'deny',
  'cancel',
  'retry',
  'rollback',
  'help',
  'whoami',
  'can-i',
]);
export type CommandKind = z.infer<typeof CommandKind>;

const onChange = { id: ChangeId };

export const BotCommand = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('add-node'), spec: NodeSpec, podCidr: CidrText.optional() }),
  z.strictObject({ kind: z.literal('remove-node'), name: NodeName }),
  z.strictObject({ kind: z.literal('nodes') }),
  z.strictObject({ kind: z.literal('node'), name: NodeName }),
  z.strictObject({ kind: z.literal('routes'), name: NodeName.optional() }),
  z.strictObject({ kind: z.literal('repair'), name: NodeName.optional() }),
  z.strictObject({ kind: z.literal('kubectl'), name: NodeName }),
  z.strictObject({ kind: z.literal('changes') }),
  z.strictObject({ kind: z.literal('change'), ...onChange }),
  z.strictObject({ kind: z.literal('approve'), ...onChange }),
  z.strictObject({ kind: z.literal('deny'), ...onChange, reason: z.string().optional() }),
  z.strictObject({ kind: z.literal('cancel'), ...onChange }),
  z.strictObject({ kind: z.literal('retry'), ...onChange }),
  z.strictObject({ kind: z.literal('rollback'), ...onChange }),
  /** `topic`: the commands to explain; all when absent. */
  z.strictObject({ kind: z.literal('help'), topic: z.array(CommandKind).optional() }),
  z.strictObject({ kind: z.literal('whoami') }),
  /** `asked`: the kind of the command in question, `command` its words. */
  z.strictObject({ kind: z.literal('can-i'), asked: CommandKind, command: z.string() }),
]);
export type BotCommand = z.infer<typeof BotCommand>;
