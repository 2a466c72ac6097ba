/** Payloads to the app: over a socket while one is connected, else by signed HTTP. */
import { parseJson } from './body.js';
import { signedHeaders } from './signature.js';
import type { Envelope, Sockets } from './socket.js';
import type { Outcome } from './types.js';
import { violate, type World } from './world.js';

/** At Slack: at once, after one minute, after five. */
const EVENT_RETRY_MS = [0, 60_000, 300_000];

interface RawRequest {
  body: string;
  contentType?: string;
  /** Seconds; now when absent. */
  timestamp?: number;
  /** Signs with this one instead of the app's. */
  secret?: string;
  /** Replaces or, when null, removes headers. */
  headers?: Readonly<Record<string, string | null>>;
}

export interface Delivery {
  setAppUrl(url: string): void;
  /** Sends once; an event that fails is sent again in the background, as Slack does. */
  send(envelope: Envelope): Promise<Outcome>;
  /** Sends a request as given, to try what the app makes of forged ones. */
  sendRaw(request: RawRequest): Promise<{ status: number; body: string }>;
  close(): void;
}

export function startDelivery(world: World, sockets: Sockets): Delivery {
  let appUrl = world.options.appUrl;
  const retries = new Set<NodeJS.Timeout>();

  async function once(envelope: Envelope): Promise<Outcome> {
    if (sockets.count() > 0) return sockets.send(envelope);
    if (appUrl === undefined) {
      violate(world, 'ack', 'dispatch_failed', `nobody to send ${envelope.type} to`);
      return { ok: false, error: 'dispatch_failed', via: 'none', latencyMs: 0 };
    }
    return byHttp(world, appUrl, envelope);
  }

  async function send(envelope: Envelope): Promise<Outcome> {
    const outcome = await once(envelope);
    if (!outcome.ok && envelope.type === 'events_api') retry(envelope, outcome, 1);
    return outcome;
  }

  function retry(envelope: Envelope, last: Outcome, attempt: number): void {
    const wait = (world.options.eventRetryMs ?? EVENT_RETRY_MS)[attempt - 1];
    if (wait === undefined) return;
    const reason = last.error === 'operation_timeout' ? 'http_timeout' : 'http_error';
    const timer = setTimeout(async () => {
      retries.delete(timer);
      const outcome = await once({ ...envelope, retry: { attempt, reason } });
      if (!outcome.ok) retry(envelope, outcome, attempt + 1);
    }, wait);
    timer.unref();
    retries.add(timer);
  }

  return {
    setAppUrl: (url) => {
      appUrl = url;
    },
    send,
    sendRaw: async (request) => {
      if (appUrl === undefined) throw new Error('no appUrl to send to');
      const seconds = request.timestamp ?? Math.floor(Date.now() / 1000);
      const secret = request.secret ?? world.options.signingSecret;
      const headers = new Headers({
        'content-type': request.contentType ?? 'application/x-www-form-urlencoded',
        ...signedHeaders(secret, request.body, seconds),
      });
      for (const [name, value] of Object.entries(request.headers ?? {})) {
        if (value === null) headers.delete(name);
        else headers.set(name, value);
      }
      const response = await fetch(appUrl, { method: 'POST', headers, body: request.body });
      return { status: response.status, body: await response.text() };
    },
    close: () => {
      for (const timer of retries) clearTimeout(timer);
    },
  };
}

async function byHttp(world: World, appUrl: string, envelope: Envelope): Promise<Outcome> {
  const started = performance.now();
  const { body, type } = encode(envelope);
  const headers = {
    'content-type': type,
    ...signedHeaders(world.options.signingSecret, body, Math.floor(Date.now() / 1000)),
    ...(envelope.retry
      ? {
          'x-slack-retry-num': String(envelope.retry.attempt),
          'x-slack-retry-reason': envelope.retry.reason,
        }
      : {}),
  };
  const outcome = (rest: Pick<Outcome, 'ok' | 'error' | 'status' | 'body'>): Outcome => ({
    via: 'http',
    latencyMs: performance.now() - started,
    ...rest,
  });
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), world.options.ackTimeoutMs ?? 3000);
  try {
    const response = await fetch(appUrl, {
      method: 'POST',
      headers,
      body,
      signal: late.signal,
    });
    const text = await response.text();
    if (!response.ok) {
      violate(world, 'ack', 'dispatch_failed', `HTTP ${response.status} to ${envelope.type}`);
      return outcome({ ok: false, error: 'dispatch_failed', status: response.status });
    }
    // A plain string is a message's text; JSON is what it says.
    const parsed = parseJson(text) ?? { text };
    return outcome({ ok: true, status: response.status, ...(text === '' ? {} : { body: parsed }) });
  } catch (error) {
    const code = late.signal.aborted ? 'operation_timeout' : 'dispatch_failed';
    violate(world, 'ack', code, `${envelope.type}: ${String(error)}`);
    return outcome({ ok: false, error: code });
  } finally {
    clearTimeout(timer);
  }
}

/** Slack's three encodings: slash commands as a form, interactivity as JSON in a form, events as JSON. */
function encode(envelope: Envelope): { body: string; type: string } {
  const form = 'application/x-www-form-urlencoded';
  if (envelope.type === 'events_api')
    return { body: JSON.stringify(envelope.payload), type: 'application/json' };
  if (envelope.type === 'interactive')
    return {
      body: new URLSearchParams({ payload: JSON.stringify(envelope.payload) }).toString(),
      type: form,
    };
  const fields = Object.entries(envelope.payload).map(([key, value]): [string, string] => [
    key,
    String(value),
  ]);
  return { body: new URLSearchParams(fields).toString(), type: form };
}
