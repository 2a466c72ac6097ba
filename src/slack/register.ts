/** Hangs every listener into Bolt, each behind the guard. */
import { guard, type ListenerDeps, type SlackArgs } from './guard.js';
import { LISTENERS } from './listeners.js';

type Handler = (args: SlackArgs) => Promise<void>;

/** The part of Bolt's App that takes listeners; a test stands in for it to see them all. */
export interface ListenerHost {
  command(id: string, handler: Handler): unknown;
  event(id: string, handler: Handler): unknown;
  action(id: string, handler: Handler): unknown;
  view(id: string, handler: Handler): unknown;
}

/** Registers all of LISTENERS. `running` holds what is not finished, for a stop that waits. */
export function registerListeners(host: ListenerHost, deps: ListenerDeps, running: Set<Promise<void>>): void {
  for (const listener of LISTENERS) {
    const guarded = guard(listener, deps);
    host[listener.kind](listener.id, (args) => {
      const work = guarded(args).finally(() => running.delete(work));
      running.add(work);
      return work;
    });
  }
}
