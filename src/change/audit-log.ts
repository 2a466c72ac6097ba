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

/**
 * Input: KEYS list, head, pending; ARGV expected head, new head, records…: of as many pending events, the oldest. Output: 1 when appended,
 * 0 when somebody else was first.
 */
const APPEND = `
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return 0 end
for i = 3, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
redis.call('LTRIM', KEYS[3], #ARGV - 2, -1)
redis.call('SET', KEYS[2], ARGV[2])
return 1`;

/** Events that are chained in one stroke. */
const AT_ONCE = 200;

/** An event as it is stored, secrets redacted. */
export function auditText(event: AuditEvent): string {
  return redact(JSON.stringify(event));
}

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
    if (events.length === 0) return;
    await this.redis.rpush(this.keys.auditPending, ...events.map(auditText));
    await this.flush();
  }

  /**
   * Chains what is pending. An event is pending from the stroke that makes it true (a hash can't be computed there), so none is lost or
   * doubled, whoever dies before it is chained: the next one who comes by does it.
   */
  async flush(): Promise<void> {
    for (;;) {
      const [head, texts] = await Promise.all([
        this.redis.get(this.keys.auditHead),
        this.redis.lrange(this.keys.auditPending, 0, AT_ONCE - 1),
      ]);
      if (texts.length === 0) return;
      const records = chain(head ?? '', texts);
      // Whoever took some of these events away moved the head by that.
      await this.appendScript(
        [this.keys.audit, this.keys.auditHead, this.keys.auditPending],
        [head ?? '', records.at(-1)?.hash ?? '', ...records.map((record) => JSON.stringify(record))],
      );
    }
  }

  /** All events, oldest first. */
  async read(): Promise<AuditEvent[]> {
    await this.flush();
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
