/** Answers `audit verify`: here, for the bot has others to answer while a log of years is read. */
import type { Origin } from '../src/command/reply.js';
import { clusterFacts } from '../src/slack/cluster.js';
import { replyMessage } from '../src/slack/reply.js';
import type { WorkerDeps } from './deps.js';

/** Processes `verify-audit`. */
export async function verifyAudit(deps: WorkerDeps, origin: Origin): Promise<void> {
  const check = await deps.audit.verify();
  if (check.broken !== null) deps.log.error({ check }, 'the audit log does not hold');
  const message = replyMessage({ kind: 'audit-check', check }, clusterFacts(deps.config), new Date());
  await deps.jobs.reply({ name: 'reply', origin, message });
}
