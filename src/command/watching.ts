/** Commands about what is watched: incidents, silences, and the processes of a node. */
import type { AuditWhat } from '../change/audit-record.js';
import type { Actor } from '../change/change.js';
import { Refusal } from '../errors.js';
import type { BotCommand } from './command.js';
import { type DeskDeps, findNode } from './desk.js';
import type { ClosedChannel, Origin, Reply } from './reply.js';

type Command<K extends BotCommand['kind']> = Extract<BotCommand, { kind: K }>;

/** How many of the incidents that are over `incidents` lists. */
const PAST_LISTED = 10;

export async function listIncidents(deps: DeskDeps): Promise<Reply> {
  const [watched, past, silences] = await Promise.all([
    deps.watch.all(),
    deps.watch.past(PAST_LISTED),
    deps.watch.silences(new Date()),
  ]);
  const open = watched.flatMap(({ host, incidents }) => incidents.map((incident) => ({ host, incident })));
  const rank = (state: string): number => (state === 'bad' ? 0 : 1);
  open.sort(
    (a, b) =>
      rank(a.incident.state) - rank(b.incident.state) || (a.incident.lastAt < b.incident.lastAt ? 1 : -1),
  );
  const { name: cluster } = deps.config.cluster;
  return { kind: 'incidents', cluster, open, past, silences, ...(await closedChannel(deps)) };
}

/** Nothing while notices get through, as far as is known. */
export async function closedChannel({ redis, keys, config }: DeskDeps): Promise<{ closed?: ClosedChannel }> {
  const { channel } = config.slack;
  const why = await redis.hget(keys.slackClosed, channel);
  return why === null ? {} : { closed: { channel, why } };
}

/** Says who is on it. Throws the Refusal `incident-unknown`. */
export async function acknowledge(deps: DeskDeps, { id }: Command<'ack'>, actor: Actor): Promise<Reply> {
  const host = (await deps.watch.all()).find(({ incidents }) => incidents.some((each) => each.id === id));
  const known = host?.incidents.find((each) => each.id === id);
  if (!host || !known) throw new Refusal('incident-unknown', { id });
  await deps.watch.update(
    host.host,
    (stored) => ({
      ...stored,
      incidents: stored.incidents.map((each) =>
        each.id === id ? { ...each, acknowledgedBy: actor.id } : each,
      ),
    }),
    known.notice ? { stale: [known.notice] } : {},
  );
  await deps.jobs.tell();
  await record(deps, actor, 'acknowledge', host.host, { incident: id });
  return { kind: 'acknowledged', host: host.host, id };
}

/** Keeps quiet about a member, or one of its processes. */
export async function mute(deps: DeskDeps, command: Command<'mute'>, actor: Actor): Promise<Reply> {
  const { name, component, ms } = command;
  const node = findNode((await deps.nodes.read()).nodes, name);
  const until = new Date(Date.now() + ms).toISOString();
  const silence = { host: node.name, ...(component ? { component } : {}), until, by: actor.id };
  await deps.watch.mute(silence);
  await record(deps, actor, 'mute', name, { component: component ?? '', until });
  return { kind: 'muted', silence };
}

/** Ends the silences of a member, or of one of its processes. */
export async function unmute(deps: DeskDeps, command: Command<'unmute'>, actor: Actor): Promise<Reply> {
  const { name, component } = command;
  const node = findNode((await deps.nodes.read()).nodes, name);
  const count = await deps.watch.unmute(node.name, component);
  await record(deps, actor, 'unmute', name, { component: component ?? '' });
  // What was kept quiet about, and is still bad, is told now.
  await deps.jobs.look([node.name]);
  return { kind: 'unmuted', host: node.name, ...(component ? { component } : {}), count };
}

/** Starts, stops or restarts a process of a member. The outcome follows; at the console it is waited for. */
export async function control(
  deps: DeskDeps,
  { action, component, name }: Command<'control'>,
  actor: Actor,
  origin: Origin,
): Promise<Reply> {
  const host = findNode((await deps.nodes.read()).nodes, name, action !== 'start').name;
  const job = { host, component, action, by: actor.id };
  if (actor.via === 'console') return { kind: 'told', text: String(await deps.jobs.controlNow(job)) };
  await deps.jobs.control({ ...job, origin });
  return { kind: 'controlling', action, component, host };
}

/** The last log lines of a process. They follow; at the console they are waited for. */
export async function readLogs(
  deps: DeskDeps,
  { component, name }: Command<'logs'>,
  actor: Actor,
  origin: Origin,
): Promise<Reply> {
  const host = findNode((await deps.nodes.read()).nodes, name).name;
  if (actor.via === 'console')
    return { kind: 'logs', host, component, text: String(await deps.jobs.logsNow(host, component)) };
  await deps.jobs.logs(host, component, origin);
  return { kind: 'fetching-logs', component, host };
}

async function record(
  deps: DeskDeps,
  actor: Actor,
  what: AuditWhat,
  host: string,
  facts: Readonly<Record<string, unknown>>,
): Promise<void> {
  const at = new Date().toISOString();
  await deps.audit.append({ at, actor: actor.id, what, host, facts: { ...facts, via: actor.via } });
}
