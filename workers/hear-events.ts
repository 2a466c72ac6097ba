/**
 * Listens to the API server's events, where a kubeconfig is given: one that says "Starting" is a reason to look at the host at once.
 * Only a hint: events expire, come late or not at all, and the look is what counts.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { askText, openAnswer } from '../src/kube/api-server.js';
import type { ClusterLogin } from '../src/kube/kubeconfig.js';
import { startedBy } from '../src/kube/starting.js';
import type { Logger } from '../src/log.js';

export interface Ears {
  close(): void;
}

const STARTS = '/api/v1/events?fieldSelector=reason%3DStarting';
/** The server ends a watch by itself after this; an idle one is else cut by whatever stands in between. In seconds. */
const WATCH_S = 290;
/** Of one reason and at most an hour old: far fewer than this. */
const LIST = { withinMs: 30_000, mostBytes: 32 << 20 };
/** Between tries while the server is away: from the first to the longest. */
const AGAIN_MS = { first: 1000, most: 60_000 };
/** Events of one uid come again with each update; so many are remembered. */
const REMEMBERED = 1000;

/** Starts listening. `onStart` hears of each start once. A server that is away is waited for. */
export function hearEvents(login: ClusterLogin, log: Logger, onStart: (node: string) => void): Ears {
  const since = new Date();
  const heard = new Set<string>();
  const closing = new AbortController();
  const { signal } = closing;

  function take(event: unknown): void {
    const started = startedBy(event, since);
    if (!started || heard.has(started.uid)) return;
    heard.add(started.uid);
    if (heard.size > REMEMBERED) heard.delete([...heard][0] ?? '');
    log.debug({ host: started.node, component: started.component }, 'the API server says that it started');
    onStart(started.node);
  }

  /** Lists, then watches from there, until the watch ends. */
  async function listen(): Promise<void> {
    const list = JSON.parse(await askText(login, STARTS, LIST, signal)) as {
      items?: unknown[];
      metadata?: { resourceVersion?: string };
    };
    for (const item of list.items ?? []) take(item);
    const version = encodeURIComponent(list.metadata?.resourceVersion ?? '');
    const from = `&watch=true&resourceVersion=${version}&timeoutSeconds=${WATCH_S}`;
    const watch = await openAnswer(login, `${STARTS}${from}`, signal);
    for await (const line of createInterface({ input: watch })) {
      const { type, object } = JSON.parse(line) as { type?: string; object?: unknown };
      // Such as 410 Gone: the place to go on from is too old, so it is listed anew.
      if (type === 'ERROR') return;
      if (type === 'ADDED' || type === 'MODIFIED') take(object);
    }
  }

  async function keepListening(): Promise<void> {
    let wait = AGAIN_MS.first;
    while (!signal.aborted) {
      try {
        await listen();
        wait = AGAIN_MS.first;
        // One that ends at once must not become a loop without a pause.
        await sleep(wait, undefined, { ref: false });
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error }, 'the API server’s events can’t be heard just now');
        await sleep(wait, undefined, { ref: false });
        wait = Math.min(wait * 2, AGAIN_MS.most);
      }
    }
  }

  void keepListening();
  return { close: () => closing.abort() };
}
