/** Asking an API server over HTTP or HTTPS: the one door to it. Certificates are always checked. */
import { readFileSync } from 'node:fs';
import { request as http, type IncomingMessage } from 'node:http';
import { request as https } from 'node:https';
import { z } from 'zod';
import { readAtMost } from '../at-most.js';
import type { ClusterLogin, Material } from './kubeconfig.js';
import { type Answer, ApiError, type TroubleKind } from './trouble.js';

/** How long the head of an answer is waited for. */
const HEAD_MS = 10_000;
/** Of an error's body, so many characters are kept. */
const LONGEST_DETAIL = 300;

/** Bounds for one text: how long all of it may take, and how large it may be. */
export interface Bounds {
  withinMs: number;
  mostBytes: number;
}

/** Opens an answer, which the caller reads; there once its head is, and is good. `signal` ends it at any time. Throws an ApiError. */
export async function openAnswer(
  login: ClusterLogin,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const response = await headOf(login, path, signal);
  const { statusCode = 0 } = response;
  if (statusCode === 200) return response;
  const body = await textOf(response, 64 << 10).catch(() => '');
  const detail = `${statusCode} ${messageIn(body)}`.slice(0, LONGEST_DETAIL);
  throw new ApiError(KIND_OF[statusCode] ?? 'status', detail);
}

/** Reads a whole answer. Throws an ApiError, within the bounds. */
export async function askText(
  login: ClusterLogin,
  path: string,
  { withinMs, mostBytes }: Bounds,
  signal?: AbortSignal,
): Promise<string> {
  const limit = AbortSignal.timeout(withinMs);
  try {
    const answer = await openAnswer(login, path, signal ? AbortSignal.any([signal, limit]) : limit);
    return await textOf(answer, mostBytes);
  } catch (error) {
    if (limit.aborted) throw new ApiError('silent', `nothing whole within ${withinMs / 1000} s`);
    throw asApiError(error);
  }
}

/** The same as data, for those who go on without it. */
export async function attempt<T>(ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { said: await ask() };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { trouble: error.trouble };
  }
}

const KIND_OF: Readonly<Record<number, TroubleKind>> = { 401: 'unknown-login', 403: 'forbidden' };

const Status = z.object({ kind: z.literal('Status'), message: z.string() });

/** Kubernetes says no with a Status object, `/healthz` with lines of text. */
function messageIn(body: string): string {
  if (!body.startsWith('{')) return body;
  try {
    return Status.safeParse(JSON.parse(body)).data?.message ?? body;
  } catch {
    return body;
  }
}

function headOf(login: ClusterLogin, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  const { server } = login;
  const url = new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server);
  return new Promise((resolve, reject) => {
    const request = (server.protocol === 'https:' ? https : http)(url, { ...credentials(login), signal });
    request.setTimeout(HEAD_MS, () =>
      request.destroy(new ApiError('silent', `no answer within ${HEAD_MS / 1000} s`)),
    );
    request.once('error', (error) => reject(asApiError(error)));
    request.once('response', (response) => {
      // A watch may be still for minutes.
      request.setTimeout(0);
      resolve(response);
    });
    request.end();
  });
}

/** Read each time: tokens and certificates are renewed in place. */
function credentials({ serverName, ca, cert, key, token, password }: ClusterLogin) {
  const named = password && `${password.user}:${password.password}`;
  try {
    return {
      headers: {
        accept: 'application/json',
        ...(token ? { authorization: `Bearer ${read(token).trim()}` } : {}),
        ...(named ? { authorization: `Basic ${Buffer.from(named).toString('base64')}` } : {}),
      },
      ...(serverName ? { servername: serverName } : {}),
      ...(ca ? { ca: read(ca) } : {}),
      ...(cert ? { cert: read(cert) } : {}),
      ...(key ? { key: read(key) } : {}),
    };
  } catch (error) {
    throw new ApiError('no-login', (error as Error).message);
  }
}

function read(material: Material): string {
  return 'data' in material ? material.data : readFileSync(material.file, 'utf8');
}

async function textOf(answer: IncomingMessage, mostBytes: number): Promise<string> {
  const bytes = await readAtMost(answer as AsyncIterable<Buffer>, mostBytes);
  if (bytes === null) throw new ApiError('too-long', `more than ${mostBytes} bytes`);
  return bytes.toString('utf8');
}

/** What OpenSSL and Node say of certificates. */
const CERTIFICATE = /CERT|SIGNATURE|ISSUER|ALTNAME|HOSTNAME/;

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new ApiError(CERTIFICATE.test(code) ? 'certificate' : 'unreachable', message || code);
}
