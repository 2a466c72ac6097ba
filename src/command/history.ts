/** What is on record, the newest first: of a node, whether or not it is still one, or of all. */
import type { AuditEvent } from '../change/audit-record.js';
import type { HostStatus } from '../change/change.js';
import { isAbout } from '../change/subject.js';
import { type DeskDeps, unknownNode } from './desk.js';
import type { HistoryEntry, Reply } from './reply.js';

/** Lines of an answer. */
const LISTED = 25;
/** Records that are looked at for one answer: that takes 0.3 s, and they are months of a busy cluster. */
const LOOKED_AT = 50_000;

/** Throws the Refusal `node-unknown` for a name that no member has, and no record. */
export async function readHistory(deps: DeskDeps, name: string | undefined): Promise<Reply> {
  const { nodes } = await deps.nodes.read();
  const member = nodes.find((node) => node.name === name);
  const ofNode = name === undefined ? null : concerning(deps, [name, ...(member ? [member.address] : [])]);
  const entries: HistoryEntry[] = [];
  let looked = 0;
  let isAll = true;
  for await (const page of deps.audit.newestFirst()) {
    for (const event of ofNode ? await ofNode(page) : page) gather(entries, event);
    looked += page.length;
    // One more than is listed: only then the last line has all of its hosts.
    isAll = entries.length <= LISTED && looked < LOOKED_AT;
    if (!isAll) break;
  }
  if (name !== undefined && !member && entries.length === 0 && isAll)
    throw unknownNode(
      name,
      nodes.map((node) => node.name),
    );
  const older = entries.length > LISTED;
  return {
    ...{ kind: 'history', cluster: deps.config.cluster.name, older },
    ...(name === undefined ? {} : { node: name }),
    entries: entries.slice(0, LISTED),
    ...(isAll || older ? {} : { looked }),
  };
}

/** Picks the events of a host, which goes by these names, and of every change that is about it. */
function concerning({ changes }: DeskDeps, names: readonly string[]) {
  const about = new Map<string, boolean>();
  return async (page: readonly (AuditEvent | null)[]): Promise<AuditEvent[]> => {
    const unknown = new Set(
      page.flatMap((event) => (event?.changeId && !about.has(event.changeId) ? [event.changeId] : [])),
    );
    for (const id of unknown) about.set(id, false);
    for (const change of await changes.loadAll([...unknown]))
      about.set(
        change.id,
        names.some((name) => isAbout(change, name)),
      );
    return page.filter(
      (event): event is AuditEvent =>
        event !== null && (names.includes(event.host ?? '') || about.get(event.changeId ?? '') === true),
    );
  };
}

/** A run settles hundreds of hosts in one stroke, which are one line, in the order of the plan. */
function gather(entries: HistoryEntry[], event: AuditEvent | null): void {
  if (event?.what !== 'host-settled') {
    entries.push({ event, settled: [] });
    return;
  }
  const last = entries.at(-1);
  const host = { host: event.host ?? '', status: event.facts?.['status'] as HostStatus };
  if (last?.event?.what === 'host-settled' && last.event.changeId === event.changeId)
    last.settled.unshift(host);
  else entries.push({ event, settled: [host] });
}
