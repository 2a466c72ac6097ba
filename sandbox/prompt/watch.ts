/** Waiting for something to turn up on the stream. */

export interface Watch {
  /** Something has happened: everybody who waits looks again. */
  poke(): void;
  /** Nothing will happen any more. */
  end(): void;
  ended(): boolean;
  /** What `find` finds, at once or after a poke; null after `ms`, or at the end. */
  until<T>(find: () => T | undefined, ms: number): Promise<T | null>;
}

export function createWatch(): Watch {
  const waiting = new Set<() => void>();
  let over = false;
  const poke = (): void => {
    for (const look of [...waiting]) look();
  };
  return {
    poke,
    end: () => {
      over = true;
      poke();
    },
    ended: () => over,
    until: (find, ms) => {
      const now = find();
      if (now !== undefined || over) return Promise.resolve(now ?? null);
      return new Promise((resolve) => {
        const look = (): void => {
          const found = find();
          if (found === undefined && !over) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found ?? null);
        };
        const timer = setTimeout(() => {
          waiting.delete(look);
          resolve(null);
        }, ms);
        waiting.add(look);
      });
    },
  };
}
