/** Starting, stopping and restarting a node's processes, and fetching their last words. */
import { HostError } from '../src/host/host.js';
import type { Held } from '../src/host/host-lease.js';
import { platformOf } from '../src/host/platform.js';
import type { Control, Origin } from '../src/job/job.js';
import { redact } from '../src/log.js';
import type { Component } from '../src/node/component.js';
import type { Node } from '../src/node/node.js';
import { logsMessage, say } from '../src/slack/reply.js';
import { sayControlFailed, sayControlled, sayNoLogs, sayNoMember } from '../src/words/process.js';
import { sayHostError } from '../src/words/trouble.js';
import type { WorkerDeps } from './deps.js';
import { contextOf, expectedKey } from './read-hosts.js';

/** Lines that are fetched of a log: what fits on a card, and some more. */
const LOG_LINES = 60;

/** Processes `control`: the outcome in words; null when another worker has the host in hand, so come back later. */
export async function controlProcess(deps: WorkerDeps, job: Control): Promise<string | null> {
  const node = await memberOf(deps, job.host);
  if (!node) return told(deps, job, sayNoMember(job.host));
  return deps.hostLeases.hold(job.host, async (held) => {
    const { component, action, by, host } = job;
    const stayDown = await deps.watch.expect(host, component, action);
    const { along, ...outcome } = await run(deps, node, job, held, stayDown);
    await deps.audit.append({
      at: new Date().toISOString(),
      actor: by,
      what: `process-${action}`,
      host,
      facts: { component, command: platformOf(node.os).serviceCommand(component, action), ...outcome },
    });
    deps.log.info({ host, component, action, by, ...outcome }, 'process controlled');
    const words =
      outcome.error === ''
        ? sayControlled(job, { along, stayDown: action === 'stop' ? [] : stayDown })
        : sayControlFailed(job, outcome.error);
    await told(deps, job, words);
    if (action === 'stop' && outcome.error !== '') await deps.watch.notStopped(host, component);
    await deps.watch.expectNoMore(host, component);
    await deps.jobs.look([host]);
    return words;
  });
}

/** Whoever asked hears the outcome. */
async function told({ jobs }: WorkerDeps, { origin }: Control, words: string): Promise<string> {
  if (origin) await jobs.reply({ name: 'reply', origin, message: say(words) });
  return words;
}

/** What the host said, `error` empty when the process is as it was asked to be; `along`: the services that went along. */
async function run(
  deps: WorkerDeps,
  node: Node,
  { component, action }: Control,
  { pinned, fence }: Held,
  stayDown: readonly Component[],
): Promise<{ error: string; printed: string; along: string[] }> {
  const platform = platformOf(node.os);
  try {
    const context = await contextOf(deps, node);
    const request = platform.service(context, component, action, fence, stayDown);
    const reply = await deps.hosts.request(context.target, request, expectedKey(pinned));
    platform.parseProbe(reply.data, context);
    return { error: '', printed: redact(reply.printed), along: platform.parseAlong(reply.data) };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { error: redact(sayHostError(error)), printed: redact(error.detail.printed ?? ''), along: [] };
  }
}

/** Processes `logs`: the last lines, as an answer to `origin` when there is one, and as the job's result. */
export async function fetchLogs(
  deps: WorkerDeps,
  host: string,
  component: Component,
  origin?: Origin,
): Promise<string> {
  const text = await readLogs(deps, host, component);
  if (origin)
    await deps.jobs.reply({ name: 'reply', origin, message: logsMessage({ host, component, text }) });
  return text;
}

async function readLogs(deps: WorkerDeps, host: string, component: Component): Promise<string> {
  const node = await memberOf(deps, host);
  if (!node) return sayNoMember(host);
  const platform = platformOf(node.os);
  try {
    const context = await contextOf(deps, node);
    const pinned = await deps.hostKeys.pinned(host);
    const request = platform.logs(context, component, LOG_LINES);
    const reply = await deps.hosts.request(context.target, request, expectedKey(pinned));
    return redact(platform.parseLogs(reply.data));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return sayNoLogs(host, component, redact(error.message));
  }
}

async function memberOf(deps: WorkerDeps, name: string): Promise<Node | undefined> {
  return (await deps.nodes.read()).nodes.find((node) => node.name === name);
}
