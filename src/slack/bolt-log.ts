/** Bolt's and the SDK's logging, into pino. */
import { type Logger as BoltLogger, LogLevel } from '@slack/bolt';
import type { Logger as PinoLogger } from 'pino';

/** Bolt asks its logger for the level, and writes whole payloads at debug; the level stays pino's to set. */
export function boltLogger(log: PinoLogger): BoltLogger {
  let named = log.child({ from: 'slack' });
  return {
    debug: (...parts: unknown[]) => named.trace(join(parts)),
    info: (...parts: unknown[]) => named.debug(join(parts)),
    warn: (...parts: unknown[]) => named.warn(join(parts)),
    error: (...parts: unknown[]) => named.error(join(parts)),
    setLevel: () => {},
    getLevel: () => (log.isLevelEnabled('trace') ? LogLevel.DEBUG : LogLevel.INFO),
    setName: (name: string) => {
      named = log.child({ from: name });
    },
  };
}

function join(parts: readonly unknown[]): string {
  return parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
}
