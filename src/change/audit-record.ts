/** What goes on record, and the chain that the records make: each is hashed together with the one before it. Pure. */
import { createHash } from 'node:crypto';
import { redact } from '../redact.js';
import type { Answer, Ask } from './ask.js';
import type { ChangeState } from './change.js';

/** Everything that is put on record. `words/history.ts` has the sentence for each. */
export type AuditWhat =
  | 'change-requested'
  | 'plan-sealed'
  | 'plan-refused'
  | 'approve'
  | 'deny'
  | `${Ask['kind']}-${Answer['verdict']}`
  | 'apply-started'
  | 'nodes-adopted'
  | `change-${ChangeState}`
  | 'host-settled'
  | 'cancel'
  | 'retry'
  | 'rollback'
  | 'rollback-started'
  | 'acknowledge'
  | 'mute'
  | 'unmute'
  | `process-${'start' | 'stop' | 'restart'}`
  | 'host-checked';

/** What happened. Everything from people or hosts in it is redacted before it is stored. */
export interface AuditEvent {
  /** ISO instant. */
  at: string;
  /** Actor id, or `fairway` for what the bot does by itself. */
  actor: string;
  what: AuditWhat;
  changeId?: string;
  planHash?: string;
  host?: string;
  facts?: Readonly<Record<string, unknown>>;
}

export interface AuditRecord {
  /** The event's text, exactly as it was hashed. */
  event: string;
  /** SHA-256 (hex) over the previous record's hash and this event's text. */
  hash: string;
}

/** What a walk over the whole chain found. Records count from 1. */
export interface AuditCheck {
  /** How many there are. */
  records: number;
  /** ISO instants of the first and of the last record that hold; empty when none does. */
  from: string;
  to: string;
  /** The first one that does not follow from the one before; `records + 1`: the newest ones are gone. Null: the chain is whole. */
  broken: number | null;
  /** The hash of the last record that holds. */
  hash: string;
}

/**
 * An event as it is stored, secrets redacted. Text by text: within the finished JSON a secret without an end, such as a key that was cut
 * off, would take the closing quotes along, and nobody could read the record any more.
 */
export function auditText(event: AuditEvent): string {
  return JSON.stringify(event, (_key, value: unknown) => (typeof value === 'string' ? redact(value) : value));
}

/** The hash of the record that holds this event and comes after the one with that hash (empty: the first). */
export function chainHash(previous: string, event: string): string {
  return createHash('sha256').update(previous).update(event).digest('hex');
}

/** The records of these events, to follow on the one with that hash. */
export function chain(head: string, events: readonly string[]): AuditRecord[] {
  let previous = head;
  return events.map((event) => {
    previous = chainHash(previous, event);
    return { event, hash: previous };
  });
}

/** A record as it is stored; null when that is none. */
export function readRecord(text: string): AuditRecord | null {
  const record = parsed(text) as Partial<AuditRecord> | null;
  return typeof record?.event === 'string' && typeof record.hash === 'string'
    ? { event: record.event, hash: record.hash }
    : null;
}

/** The event of a stored record; null when nobody can read it any more. */
export function readEvent(text: string): AuditEvent | null {
  const event = parsed(readRecord(text)?.event ?? '') as Partial<AuditEvent> | null;
  const { at, actor, what, changeId = '', planHash = '', host = '' } = event ?? {};
  const isWhole = [at, actor, what, changeId, planHash, host].every((part) => typeof part === 'string');
  return isWhole ? (event as AuditEvent) : null;
}

/**
 * A stored record as a line of JSON. The event stands there letter by letter as it was hashed, so that whoever has the file can check the
 * chain; what is unreadable stands there as text.
 */
export function recordLine(text: string, number: number): string {
  const record = readRecord(text);
  if (record === null) return `${JSON.stringify({ record: number, unreadable: text })}\n`;
  const { event, hash } = record;
  const isLine = readEvent(text) !== null && !/[\r\n]/.test(event);
  return `{"record":${number},"hash":${JSON.stringify(hash)},"event":${isLine ? event : JSON.stringify(event)}}\n`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
