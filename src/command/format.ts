/** A command as its canonical text: for the record, and to tell repeated ones. Pure. */
import type { BotCommand } from './command.js';

type Request = Extract<
  BotCommand,
  { kind: 'add-node' | 'remove-node' | 'repair' | 'adopt' | 'build' | 'deliver' }
>;

/** The words that give this command again, options in the grammar's order. */
export function formatCommand(command: Request): string {
  if (command.kind === 'remove-node') return `remove node ${command.name}`;
  if (command.kind === 'repair') return command.name === undefined ? 'repair' : `repair ${command.name}`;
  if (command.kind === 'adopt') return 'adopt';
  if (command.kind === 'build') {
    const from = command.source === undefined ? '' : ` from ${command.source}`;
    return `build ${command.component} ${command.version}${from}`;
  }
  if (command.kind === 'deliver') {
    const to = command.nodes === undefined ? '' : ` to ${command.nodes.join(' ')}`;
    return `deliver ${command.component} ${command.version}${to}`;
  }
  const { spec, podCidr } = command;
  const words = ['add', spec.os, 'node', spec.name, spec.address];
  if (podCidr) words.push('pod-cidr', podCidr);
  if (spec.ssh) words.push('ssh', spec.ssh);
  if (spec.containerNic) words.push('container-nic', spec.containerNic);
  return words.join(' ');
}
