/** Puts incidents that nobody was told of on cards, and sees to it that cards show how things stand. */
import { assign, digestOf, type Notice, type Told, untold } from '../src/watch/notice.js';
import type { Watched } from '../src/watch/watched.js';
import type { WorkerDeps } from './deps.js';
import { restoreHosts } from './restore-hosts.js';

/** Notices that can have to do with what happens now. */
const RECENT_MS = 5 * 60_000;

/** Processes `tell`. Never two at once; whatever moved meanwhile is told the next time. */
export async function tellIncidents(deps: WorkerDeps): Promise<void> {
  const hosts = await deps.watch.untoldHosts();
  if (hosts.length > 0) await tellHosts(deps, hosts);
  await showNotices(deps);
  await restoreHosts(deps);
}

/** Asks for every card of incidents that is behind. It stays due until it is shown: Slack may be away for hours. */
export async function showNotices(deps: WorkerDeps): Promise<void> {
  for (const id of await deps.watch.dueNotices()) await deps.jobs.notice(id);
}

async function tellHosts(deps: WorkerDeps, hosts: readonly string[]): Promise<void> {
  const now = new Date();
  const records = (await deps.watch.of(hosts)).filter((record) => record !== null);
  const current = new Map(records.map((record) => [record.host, record]));
  const recent = await deps.watch.noticesSince(new Date(now.getTime() - RECENT_MS));
  const { joins, fresh } = assign(untold(records), recent, now.toISOString());
  if (joins) {
    const notice = { ...joins.notice, told: [...joins.notice.told, ...joins.told] };
    if (!(await put(deps, notice, joins.told, current))) return deps.jobs.tell();
  }
  for (const told of fresh) {
    const notice = await newNotice(deps, now, { told });
    if (!(await put(deps, notice, told, current))) return deps.jobs.tell();
  }
  // Those without anything (left) to tell.
  for (const record of current.values()) {
    if (untold([record]).length === 0) await deps.watch.commit({ hosts: [record], told: [record.host] });
  }
}

async function newNotice(deps: WorkerDeps, now: Date, of: Pick<Notice, 'told' | 'digest'>): Promise<Notice> {
  const id = await deps.watch.nextNoticeId();
  return { id, version: 0, channel: deps.config.slack.channel, at: now.toISOString(), cards: [], ...of };
}

/** Writes a notice together with the incidents that it tells of; `current` follows. */
async function put(
  deps: WorkerDeps,
  notice: Notice,
  told: readonly Told[],
  current: Map<string, Watched>,
): Promise<boolean> {
  const names = new Set(told.map(({ host }) => host));
  const ids = new Set(told.map(({ incident }) => incident));
  const hosts = [...names].flatMap((name) => {
    const record = current.get(name);
    if (!record) return [];
    const incidents = record.incidents.map((each) =>
      ids.has(each.id) ? { ...each, notice: notice.id } : each,
    );
    return [{ ...record, incidents }];
  });
  if (!(await deps.watch.commit({ notices: [notice], hosts, stale: [notice.id] }))) return false;
  for (const host of hosts) current.set(host.host, { ...host, version: host.version + 1 });
  return true;
}

/** Processes `digest`: once a day, what differs and is not worth waking anybody. */
export async function tellDigest(deps: WorkerDeps): Promise<void> {
  const digest = digestOf(await deps.watch.all());
  if (digest === null) return;
  const notice = await newNotice(deps, new Date(), { told: [], digest });
  await deps.watch.commit({ notices: [notice], stale: [notice.id] });
  await deps.jobs.tell();
}
