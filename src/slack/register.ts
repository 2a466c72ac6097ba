/** Hangs every listener into Bolt, each behind the guard. */
import type { App, ViewSubmitAction } from '@slack/bolt';
import { guard, type ListenerDeps, type SlackArgs } from './guard.js';
import { LISTENERS } from './listeners.js';

type Handler = (args: SlackArgs) => Promise<void>;
type Ack = (response?: { response_action: 'errors'; errors: Record<string, string> }) => Promise<void>;

/** The part of Bolt's App that takes listeners; a test stands in for it to see them all. */
export interface ListenerHost {
  command(id: string, handler: Handler): unknown;
  event(id: string, handler: Handler): unknown;
  action(id: string, handler: Handler): unknown;
  view(id: string, handler: (args: Omit<SlackArgs, 'ack'> & { ack: Ack }) => Promise<void>): unknown;
}

/** Registers all of LISTENERS. `running` holds what is not finished, for a stop that waits. */
export function registerListeners(host: ListenerHost, deps: ListenerDeps, running: Set<Promise<void>>): void {
  for (const listener of LISTENERS) {
    const guarded = guard(listener, deps);
    const handle: Handler = (args) => {
      const work = guarded(args).finally(() => running.delete(work));
      running.add(work);
      return work;
    };
    if (listener.kind !== 'view') host[listener.kind](listener.id, handle);
    else
      host.view(listener.id, (args) =>
        handle({
          ...args,
          keepOpen: (errors) => args.ack({ response_action: 'errors', errors: { ...errors } }),
        }),
      );
  }
}

/** Nobody listens for closed forms, so that a form is answered as what was submitted. */
export function listenerHost(app: App): ListenerHost {
  return {
    command: (id, handler) => app.command(id, handler),
    event: (id, handler) => app.event(id, handler),
    action: (id, handler) => app.action(id, handler),
    view: (id, handler) => app.view<ViewSubmitAction>(id, handler),
  };
}
