/** The audit log: append-only, each record hashed together with the one before it, so that a changed or missing one shows. */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { redact } from '../log.js';
import type { Keys, Script } from '../redis.js';
import { prepareScript } from '../redis.js';

/** What happened. Everything from people or hosts in it is redacted before it is stored. */
export interface AuditEvent {
  /** ISO instant. */
  at: string;
  /** Actor id, or `fairway` for what the bot does by itself. */
  actor: string;
  what: string;
  changeId?: string;
  planHash?: string;
  host?: string;
  facts?: Readonly<Record<string, unknown>>;
}

interface AuditRecord {
  event: string;
  /** SHA-256 (hex) over the previous record's hash and this event's text. */
  hash: string;
}

/** Input: KEYS list, head; ARGV expected head, new head, records… Output: 1 when appended, 0 when somebody else was first. */
const APPEND = `
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return 0 end
for i = 3, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
redis.call('SET', KEYS[2], ARGV[2])
return 1`;

/** Writers collide only when two append within one round trip; this many losses in a row mean that something else is wrong. */
const ATTEMPTS = 200;

export class AuditLog {
  private readonly redis: Redis;
  private readonly keys: Keys;
  private readonly appendScript: Script;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
    this.appendScript = prepareScript(redis, APPEND);
  }

  /** Appends events in order. */
  async append(...events: readonly AuditEvent[]): Promise<void> {
    const texts = events.map((event) => redact(JSON.stringify(event)));
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const head = (await this.redis.get(this.keys.auditHead)) ?? '';
      const records = chain(head, texts);
      const newHead = records.at(-1)?.hash ?? head;
      const appended = await this.appendScript(
        [this.keys.audit, this.keys.auditHead],
        [head, newHead, ...records.map((record) => JSON.stringify(record))],
      );
      if (appended === 1) return;
    }
    throw new Error('the audit log could not be appended to');
  }

  /** All events, oldest first. */
  async read(): Promise<AuditEvent[]> {
    return (await this.records()).map((record) => JSON.parse(record.event) as AuditEvent);
  }

  /** The number (from 0) of the first record that does not follow from the one before, or null when the chain is whole. */
  async firstBroken(): Promise<number | null> {
    const records = await this.records();
    const expected = chain(
      '',
      records.map((record) => record.event),
    );
    const broken = records.findIndex((record, index) => record.hash !== expected[index]?.hash);
    if (broken !== -1) return broken;
    const head = (await this.redis.get(this.keys.auditHead)) ?? '';
    return head === (records.at(-1)?.hash ?? '') ? null : records.length;
  }

  private async records(): Promise<AuditRecord[]> {
    return (await this.redis.lrange(this.keys.audit, 0, -1)).map((text) => JSON.parse(text) as AuditRecord);
  }
}

function chain(head: string, events: readonly string[]): AuditRecord[] {
  let previous = head;
  return events.map((event) => {
    previous = createHash('sha256').update(previous).update(event).digest('hex');
    return { event, hash: previous };
  });
}
