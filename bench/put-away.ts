/** What a bench makes, it puts away again: at its end, when it fails, and on Ctrl-C. */
import { constants } from 'node:os';

export class PutAway {
  private readonly steps: (() => Promise<unknown>)[] = [];

  /** Waits for something to be made, and remembers how it is put away. What is still being made on Ctrl-C is put away too. */
  async keep<T>(making: Promise<T>, close: (made: T) => Promise<unknown> | undefined): Promise<T> {
    this.steps.push(async () => {
      const made = await making.then(
        (value) => ({ value }),
        () => null,
      );
      if (made) await close(made.value);
    });
    return making;
  }

  /** Last made, first put away. */
  async all(): Promise<void> {
    for (let step = this.steps.pop(); step; step = this.steps.pop()) await step();
  }
}

/** Runs a bench and puts its things away, however it ends. */
export async function puttingAway<T>(job: (keep: PutAway) => Promise<T>): Promise<T> {
  const things = new PutAway();
  const stop = (signal: 'SIGINT' | 'SIGTERM') => {
    console.error('putting everything away …');
    void things.all().finally(() => process.exit(128 + constants.signals[signal]));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await job(things);
  } finally {
    await things.all();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
