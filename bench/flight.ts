/** Many at once, but not too many. */

/** Runs the job for every item, at most `most` at once. Rejects with the first failure. */
export async function inFlight<T>(
  items: readonly T[],
  most: number,
  job: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = [...items];
  const next = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await job(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, next));
}
