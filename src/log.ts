/** Logs: one JSON line each, the change id in its own field, secrets taken out of the finished line. */
import { type Logger, pino } from 'pino';
import { redact } from './redact.js';

export type { Logger } from 'pino';
export { redact } from './redact.js';

/** A logger on `to` (stdout by default). Whole lines are redacted: a secret within an error's text is as bad as one in a field. */
export function createLog(level: string, to: { write(line: string): unknown } = process.stdout): Logger {
  return pino({ level, base: null }, { write: (line: string) => void to.write(redact(line)) });
}

/** A logger whose every line carries the change's id. */
export function logOfChange(log: Logger, changeId: string): Logger {
  return log.child({ change: changeId });
}
