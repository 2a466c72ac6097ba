/**
 * Listens to the API server's events, where a kubeconfig is given: one that says "Starting" is a reason to look at the host at once.
 * Only a hint: events expire, come late or not at all, and the look is what counts.
 */
import { readFileSync } from 'node:fs';
import { type ClientRequest, request as http, type IncomingMessage } from 'node:http';
import { request as https } from 'node:https';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, ConfigError } from '../src/config.js';
import { type ClusterLogin, type Material, parseKubeconfig } from '../src/kube/kubeconfig.js';
import { startedBy } from '../src/kube/starting.js';
import type { Logger } from '../src/log.js';

export interface Ears {
  close(): void;
}

/** The server ends a watch by itself after this; an idle one is else cut by whatever stands in between. In seconds. */
const WATCH_S = 290;
const ANSWER_MS = 10_000;
/** Between tries while the server is away: from the first to the longest. */
const AGAIN_MS = { first: 1000, most: 60_000 };
/** Events of one uid come again with each update; so many are remembered. */
const REMEMBERED = 1000;

/** The login that the configuration names; null when it names none. Throws a ConfigError when it can't be used. */
export function loginOf({ watch: { kubeconfigFile } }: Pick<Config, 'watch'>): ClusterLogin | null {
  if (kubeconfigFile === undefined) return null;
  try {
    return parseKubeconfig(readFileSync(kubeconfigFile, 'utf8'));
  } catch (error) {
    throw new ConfigError([
      `KUBECONFIG_FILE ${kubeconfigFile}: ${error instanceof Error ? error.message : error}`,
    ]);
  }
}

/** Starts listening. `onStart` hears of each start once. A server that is away is waited for. */
export function hearEvents(login: ClusterLogin, log: Logger, onStart: (node: string) => void): Ears {
  const since = new Date();
  const heard = new Set<string>();
  let open: ClientRequest | null = null;
  let isClosed = false;

  function take(event: unknown): void {
    const started = startedBy(event, since);
    if (!started || heard.has(started.uid)) return;
    heard.add(started.uid);
    if (heard.size > REMEMBERED) heard.delete([...heard][0] ?? '');
    log.debug({ host: started.node, component: started.component }, 'the API server says that it started');
    onStart(started.node);
  }

  async function ask(query: string): Promise<IncomingMessage> {
    const path = `/api/v1/events?fieldSelector=reason%3DStarting${query}`;
    const { request, answer } = get(login, path);
    open = request;
    return answer;
  }

  /** Lists, then watches from there, until the watch ends. */
  async function listen(): Promise<void> {
    const list = JSON.parse(await textOf(await ask(''))) as {
      items?: unknown[];
      metadata?: { resourceVersion?: string };
    };
    for (const item of list.items ?? []) take(item);
    const version = encodeURIComponent(list.metadata?.resourceVersion ?? '');
    const watch = await ask(`&watch=true&resourceVersion=${version}&timeoutSeconds=${WATCH_S}`);
    for await (const line of createInterface({ input: watch })) {
      const { type, object } = JSON.parse(line) as { type?: string; object?: unknown };
      // Such as 410 Gone: the place to go on from is too old, so it is listed anew.
      if (type === 'ERROR') return;
      if (type === 'ADDED' || type === 'MODIFIED') take(object);
    }
  }

  async function keepListening(): Promise<void> {
    let wait = AGAIN_MS.first;
    while (!isClosed) {
      try {
        await listen();
        wait = AGAIN_MS.first;
        // One that ends at once must not become a loop without a pause.
        await sleep(wait, undefined, { ref: false });
      } catch (error) {
        if (isClosed) return;
        log.warn({ err: error }, 'the API server’s events can’t be heard just now');
        await sleep(wait, undefined, { ref: false });
        wait = Math.min(wait * 2, AGAIN_MS.most);
      }
    }
  }

  void keepListening();
  return {
    close: () => {
      isClosed = true;
      open?.destroy();
    },
  };
}

/** Asks the server; the answer once its head is there and good. */
function get(
  login: ClusterLogin,
  path: string,
): { request: ClientRequest; answer: Promise<IncomingMessage> } {
  const { server, ca, cert, key, token } = login;
  const options = {
    headers: {
      accept: 'application/json',
      ...(token ? { authorization: `Bearer ${read(token).trim()}` } : {}),
    },
    ...(ca ? { ca: read(ca) } : {}),
    ...(cert ? { cert: read(cert) } : {}),
    ...(key ? { key: read(key) } : {}),
  };
  const url = new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server);
  const request = (server.protocol === 'https:' ? https : http)(url, options);
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.setTimeout(ANSWER_MS, () => request.destroy(new Error('no answer')));
    request.once('error', reject);
    request.once('response', (response) => {
      request.setTimeout(0);
      if (response.statusCode === 200) return resolve(response);
      response.resume();
      reject(new Error(`the API server answers ${response.statusCode}`));
    });
  });
  request.end();
  return { request, answer };
}

/** Read each time: tokens and certificates are renewed in place. */
function read(material: Material): string {
  return 'data' in material ? material.data : readFileSync(material.file, 'utf8');
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += String(chunk);
  return text;
}
