/** The audit log: append-only and chained, so that a changed or missing record shows. It is read in pages: it grows for years. */
import type { Redis } from 'ioredis';
import type { Keys, Script } from '../redis.js';
import { prepareScript } from '../redis.js';
import {
  type AuditCheck,
  type AuditEvent,
  type AuditRecord,
  auditText,
  chain,
  chainHash,
  readEvent,
  readRecord,
  recordLine,
} from './audit-record.js';

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

/** Input: KEYS list, head. Output: how many records there are, and the hash of the newest, of one moment. */
const EXTENT = `return {redis.call('LLEN', KEYS[1]), redis.call('GET', KEYS[2]) or ''}`;

/** Events that are chained in one stroke. */
const AT_ONCE = 200;
/** Records that are read at once: 100 000 are checked in 0.6 s so, and the process has time for others every few milliseconds. */
const PAGE = 500;

/** Some of the records as lines of JSON, oldest first: from one to another, counted from 1, of all. */
export interface AuditLines {
  text: string;
  from: number;
  records: number;
}

export class AuditLog {
  private readonly redis: Redis;
  private readonly keys: Keys;
  private readonly appendScript: Script;
  private readonly extentScript: Script;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
    this.appendScript = prepareScript(redis, APPEND);
    this.extentScript = prepareScript(redis, EXTENT);
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

  /** Pages of events, the newest first; null stands for a record that can't be read. */
  async *newestFirst(): AsyncGenerator<(AuditEvent | null)[]> {
    for (let end = (await this.extent()).records; end > 0; end -= PAGE)
      yield (await this.page(Math.max(0, end - PAGE), end)).reverse().map(readEvent);
  }

  /** Follows the chain from the first record to the last one that there is now. */
  async verify(): Promise<AuditCheck> {
    const { records, head } = await this.extent();
    let first: AuditRecord | null = null;
    let last: AuditRecord | null = null;
    let held = 0;
    const found = (broken: number | null): AuditCheck => ({
      ...{ records, broken, hash: last?.hash ?? '' },
      ...{ from: instantOf(first), to: instantOf(last) },
    });
    for (let at = 0; at < records; at += PAGE) {
      for (const text of await this.page(at, records)) {
        const record = readRecord(text);
        if (record?.hash !== chainHash(last?.hash ?? '', record?.event ?? '')) return found(held + 1);
        first ??= record;
        last = record;
        held += 1;
      }
    }
    return found((last?.hash ?? '') === head ? null : held + 1);
  }

  /** All records as lines of JSON, oldest first, in parts. */
  async *lines(): AsyncGenerator<string> {
    const { records } = await this.extent();
    for (let at = 0; at < records; at += PAGE) yield linesOf(await this.page(at, records), at).join('');
  }

  /** As many of the newest records as fit in so many bytes, and one at least. */
  async newestLines(mostBytes: number): Promise<AuditLines> {
    const { records } = await this.extent();
    const kept: string[] = [];
    let bytes = 0;
    for (let end = records; end > 0; end -= PAGE) {
      const start = Math.max(0, end - PAGE);
      for (const line of linesOf(await this.page(start, end), start).reverse()) {
        bytes += Buffer.byteLength(line);
        if (bytes > mostBytes && kept.length > 0)
          return { text: kept.reverse().join(''), from: records - kept.length + 1, records };
        kept.push(line);
      }
    }
    return { text: kept.reverse().join(''), from: 1, records };
  }

  /** What is there now, with all that was pending. Nothing before it changes any more, so that pages stay where they are. */
  private async extent(): Promise<{ records: number; head: string }> {
    await this.flush();
    const [records, head] = (await this.extentScript([this.keys.audit, this.keys.auditHead], [])) as [
      number,
      string,
    ];
    return { records, head };
  }

  /** Stored records from one place (from 0), as many as a page holds, up to but not including another. */
  private page(from: number, to: number): Promise<string[]> {
    return this.redis.lrange(this.keys.audit, from, Math.min(from + PAGE, to) - 1);
  }
}

function linesOf(texts: readonly string[], from: number): string[] {
  return texts.map((text, index) => recordLine(text, from + index + 1));
}

function instantOf(record: AuditRecord | null): string {
  return record === null ? '' : (readEvent(JSON.stringify(record))?.at ?? '');
}
