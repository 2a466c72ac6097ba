/** What a user can ask for, once parsed. Pure. */
import { z } from 'zod';
import { Component } from '../node/component.js';
import { CidrText, Machine, NodeName, NodeSpec } from '../node/node.js';
import { Source, Version } from '../plan/build.js';

/** `c1`, `c2`, … as the change counter gives them. */
export const ChangeId = z.string().regex(/^c[1-9][0-9]{0,8}$/);

/** The kinds of command, in the order in which the help lists them. */
export const CommandKind = z.enum([
  'add-node',
  'remove-node',
  'nodes',
  'map',
  'node',
  'check-node',
  'check-host',
  'routes',
  'repair',
  'adopt',
  'export',
  'check-manifest',
  'check-cluster',
  'control-plane',
  'kubectl',
  'build',
  'builds',
  'deliver',
  'incidents',
  'ack',
  'mute',
  'unmute',
  'logs',
  'control',
  'changes',
  'change',
  'approve',
  'deny',
  'confirm',
  'decline',
  'cancel',
  'retry',
  'rollback',
  'history',
  'audit',
  'help',
  'whoami',
  'can-i',
]);
export type CommandKind = z.infer<typeof CommandKind>;

/** `i1`, `i2`, … as the incident counter gives them. */
export const IncidentId = z.string().regex(/^i[1-9][0-9]{0,8}$/);

const onChange = { id: ChangeId };
const onProcess = { component: Component, name: NodeName };

export const BotCommand = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('add-node'), spec: NodeSpec, podCidr: CidrText.optional() }),
  z.strictObject({ kind: z.literal('remove-node'), name: NodeName }),
  z.strictObject({ kind: z.literal('nodes') }),
  z.strictObject({ kind: z.literal('map') }),
  z.strictObject({ kind: z.literal('node'), name: NodeName }),
  z.strictObject({ kind: z.literal('check-node'), name: NodeName }),
  /** A machine that is no node yet. */
  z.strictObject({ kind: z.literal('check-host'), ...Machine.shape }),
  z.strictObject({ kind: z.literal('routes'), name: NodeName.optional() }),
  z.strictObject({ kind: z.literal('repair'), name: NodeName.optional() }),
  /** `list`: the nodes as YAML, which no line of words can hold; without it, the form for it is wanted. */
  z.strictObject({ kind: z.literal('adopt'), list: z.string().optional() }),
  z.strictObject({ kind: z.literal('export') }),
  /** `text`: what stands below the words, or in the `file`; without it, one is looked for, or the form for it is wanted. */
  z.strictObject({
    kind: z.literal('check-manifest'),
    text: z.string().optional(),
    file: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('check-cluster') }),
  z.strictObject({ kind: z.literal('control-plane') }),
  z.strictObject({ kind: z.literal('kubectl'), name: NodeName }),
  z.strictObject({
    kind: z.literal('build'),
    component: Component,
    version: Version,
    source: Source.optional(),
  }),
  z.strictObject({ kind: z.literal('builds') }),
  /** `nodes`: all Windows nodes when absent. */
  z.strictObject({
    kind: z.literal('deliver'),
    component: Component,
    version: Version,
    nodes: z.array(NodeName).min(1).optional(),
  }),
  z.strictObject({ kind: z.literal('incidents') }),
  z.strictObject({ kind: z.literal('ack'), id: IncidentId }),
  /** `ms`: for how long. */
  z.strictObject({
    kind: z.literal('mute'),
    name: NodeName,
    component: Component.optional(),
    ms: z.int().positive(),
  }),
  z.strictObject({ kind: z.literal('unmute'), name: NodeName, component: Component.optional() }),
  z.strictObject({ kind: z.literal('logs'), ...onProcess }),
  z.strictObject({ kind: z.literal('control'), action: z.enum(['start', 'stop', 'restart']), ...onProcess }),
  z.strictObject({ kind: z.literal('changes') }),
  z.strictObject({ kind: z.literal('change'), ...onChange }),
  z.strictObject({ kind: z.literal('approve'), ...onChange }),
  z.strictObject({ kind: z.literal('deny'), ...onChange, reason: z.string().optional() }),
  z.strictObject({ kind: z.literal('confirm'), ...onChange }),
  z.strictObject({ kind: z.literal('decline'), ...onChange }),
  z.strictObject({ kind: z.literal('cancel'), ...onChange }),
  z.strictObject({ kind: z.literal('retry'), ...onChange }),
  z.strictObject({ kind: z.literal('rollback'), ...onChange }),
  /** `name`: of all when absent. */
  z.strictObject({ kind: z.literal('history'), name: NodeName.optional() }),
  z.strictObject({ kind: z.literal('audit'), action: z.enum(['verify', 'export']) }),
  /** `topic`: the commands to explain; all when absent. */
  z.strictObject({ kind: z.literal('help'), topic: z.array(CommandKind).optional() }),
  z.strictObject({ kind: z.literal('whoami') }),
  /** `asked`: the kind of the command in question, `command` its words. */
  z.strictObject({ kind: z.literal('can-i'), asked: CommandKind, command: z.string() }),
]);
export type BotCommand = z.infer<typeof BotCommand>;
