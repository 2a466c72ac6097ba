/** Asking for a host's checks: a worker reads the host and answers. */
import type { Actor } from '../change/change.js';
import type { CheckHost } from '../job/job.js';
import { checkAddress } from '../network/allocation.js';
import type { Node } from '../node/node.js';
import type { BotCommand } from './command.js';
import { type DeskDeps, findNode } from './desk.js';
import type { HostCheck, Origin, Reply } from './reply.js';

type Command<K extends BotCommand['kind']> = Extract<BotCommand, { kind: K }>;

/** Of a member. Throws the Refusal `node-unknown`. */
export async function checkNode(
  deps: DeskDeps,
  { name }: Command<'check-node'>,
  actor: Actor,
  origin: Origin,
): Promise<Reply> {
  return ask(deps, ofMember(findNode((await deps.nodes.read()).nodes, name)), actor, origin);
}

/** Of a machine by its address, which is refused as an addition would refuse it. A member's is that member, with its own way to it. */
export async function checkHost(
  deps: DeskDeps,
  { kind: _kind, ...machine }: Command<'check-host'>,
  actor: Actor,
  origin: Origin,
): Promise<Reply> {
  const { os, address, ssh } = machine;
  const { nodes } = await deps.nodes.read();
  const unusable = checkAddress(address, deps.config.cluster, nodes);
  if (unusable) throw unusable;
  const at = new Date().toISOString();
  const facts = { os, ssh: ssh ?? '', via: actor.via };
  await deps.audit.append({ at, actor: actor.id, what: 'host-checked', host: address, facts });
  const member = nodes.find((node) => node.address === address);
  return ask(deps, member ? ofMember(member) : { machine }, actor, origin);
}

type Asked = Pick<CheckHost, 'machine' | 'node'>;

function ofMember({ name, os, address, ssh }: Node): Asked {
  return { machine: { os, address, ssh }, node: name };
}

async function ask({ jobs }: DeskDeps, asked: Asked, actor: Actor, origin: Origin): Promise<Reply> {
  if (actor.via === 'console') return { kind: 'check', found: (await jobs.checkHostNow(asked)) as HostCheck };
  await jobs.checkHost({ ...asked, origin });
  return { kind: 'checking', host: asked.node ?? asked.machine.address };
}
