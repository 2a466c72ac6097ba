/** What Slack was asked for, one id at a time, and is remembered for ten minutes: its look-ups are rationed (Q22). */

const KEEP_MS = 10 * 60_000;
/** A failed look-up is not repeated for every command either. */
const RETRY_MS = 15_000;

/** The answer for an id; `unknown` when Slack gives none, whatever it was before: nobody is let in on old news. */
export type Lookup<T> = (id: string) => Promise<T | 'unknown'>;

/** `ask` may fail; `onError` hears of it, for the log. */
export function createLookup<T>(
  ask: (id: string) => Promise<T>,
  onError: (id: string, error: unknown) => void,
  now: () => number = Date.now,
): Lookup<T> {
  const cache = new Map<string, { until: number; answer: Promise<T | 'unknown'> }>();

  async function tryTo(id: string): Promise<T | 'unknown'> {
    try {
      return await ask(id);
    } catch (error) {
      onError(id, error);
      return 'unknown';
    }
  }

  return (id) => {
    const kept = cache.get(id);
    if (kept !== undefined && now() < kept.until) return kept.answer;
    const entry = { until: now() + KEEP_MS, answer: tryTo(id) };
    cache.set(id, entry);
    void entry.answer.then((answer) => {
      if (answer === 'unknown') entry.until = now() + RETRY_MS;
    });
    return entry.answer;
  };
}
