import type { AuditLog } from '../../src/change/audit-log.js';
import type { AuditEvent } from '../../src/change/audit-record.js';

/** Everything on record, oldest first. Throws when a record can't be read. */
export async function auditEvents(audit: AuditLog): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for await (const page of audit.newestFirst()) {
    for (const event of page) {
      if (event === null) throw new Error('a record of the audit log is unreadable');
      events.push(event);
    }
  }
  return events.reverse();
}
