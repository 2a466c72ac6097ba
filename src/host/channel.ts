/** The client's end of the resident channel (docs/host-protocol.md), over any duplex stream. */
import type { Duplex, Readable } from 'node:stream';
import { readable } from './clixml.js';
import { HostError, type HostRequest } from './host.js';

/** One request's answer: its JSON document (an array of them when there are more), and whatever else was printed meanwhile. */
export interface Answer {
  data: unknown;
  printed: string;
}

/** The channel ended or broke the protocol before it answered. What the host did is unknown. */
export class ChannelBroken extends Error {
  readonly printed: string;
  constructor(message: string, printed: string) {
    super(message);
    this.name = 'ChannelBroken';
    this.printed = printed;
  }
}

export interface Channel {
  readonly isOpen: boolean;
  /**
   * Sends a request and waits for its answer; one at a time. Without `write` the request is one that the interpreter was started with.
   * Throws ChannelBroken, or HostError `timeout` or `language-mode` (the channel is closed then) or `script`.
   */
  request(request: HostRequest, write?: boolean): Promise<Answer>;
  close(): void;
}

/** A channel's stream: ssh2's channels have stderr beside stdout. */
export type ChannelStream = Duplex & { stderr?: Readable };

/** Kept of what a host prints besides its answers, and the most that an answer may be. In characters. */
const MAX_PRINTED = 65_536;
const MAX_ANSWER = 16_777_216;

interface Pending {
  id: number;
  /** Answer lines still to come; null before the answer's header. */
  missing: number | null;
  documents: unknown[];
  resolve(answer: Answer): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** Wraps a stream whose other end is, or is about to be, an interpreter that loops over requests. `host` is for messages. */
export function openChannel(stream: ChannelStream, host: string): Channel {
  let isOpen = true;
  // What a login's own start files print comes before this, and counts for nothing.
  let isReady = false;
  let lastId = 0;
  let rest = '';
  let printed = '';
  let pending: Pending | null = null;
  /** The last documents by their place in the answer: what a host says again is the same one again, and costs no parsing. */
  const last: { line: string; document: unknown }[] = [];

  function keep(text: string): void {
    if (printed.length < MAX_PRINTED) printed += text.slice(0, MAX_PRINTED - printed.length);
  }

  function settle(outcome: { answer: unknown[] } | { error: (printed: string) => Error }): void {
    if (!pending) return;
    const { timer, resolve, reject } = pending;
    clearTimeout(timer);
    const said = readable(printed).trimEnd();
    pending = null;
    printed = '';
    if ('error' in outcome) reject(outcome.error(said));
    else resolve({ data: outcome.answer.length === 1 ? outcome.answer[0] : outcome.answer, printed: said });
  }

  function fail(error: (printed: string) => Error): void {
    isOpen = false;
    settle({ error });
    stream.destroy();
  }

  const broken = (why: string): void => fail((said) => new ChannelBroken(why, said));

  function onLine(line: string): void {
    const header = /^@@(READY|R)@@ (\d{1,15})(?: (\d{1,3}))?$/.exec(line);
    const languageMode = isReady ? undefined : /^@@NO@@ language-mode (\w+)$/.exec(line)?.[1];
    if (languageMode !== undefined)
      fail((said) => new HostError('language-mode', host, languageMode, { printed: said }));
    if (header?.[1] === 'READY') {
      isReady = true;
      if (header[2] !== '1') broken(`protocol version ${header[2]}`);
    } else if (header && isReady && pending && Number(header[2]) === pending.id && pending.missing === null) {
      pending.missing = Number(header[3]);
    } else if (pending?.missing && /^[[{]/.test(line)) {
      onDocument(pending, line);
    } else {
      keep(`${line}\n`);
      // ip says so, and its table may lack routes then.
      if (pending && line.startsWith('Dump was interrupted'))
        broken('the tables changed while they were read');
    }
  }

  function onDocument(answered: Pending, line: string): void {
    const place = answered.documents.length;
    const known = last[place];
    const document = known?.line === line ? known.document : parseJson(line);
    if (document === undefined) {
      broken('an answer that is not JSON');
      return;
    }
    last[place] = { line, document };
    answered.documents.push(document);
    answered.missing = (answered.missing ?? 0) - 1;
    const refused = refusal(document);
    if (refused)
      settle({
        error: (said) => new HostError('script', host, refused.error, { code: refused.code, printed: said }),
      });
    else if (answered.missing === 0) settle({ answer: answered.documents });
  }

  stream.on('data', (chunk: Buffer) => {
    rest += chunk.toString('latin1');
    if (rest.length > MAX_ANSWER) return broken('an endless answer');
    if (!rest.includes('\n')) return;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  });
  stream.stderr?.on('data', (chunk: Buffer) => keep(chunk.toString('latin1')));
  stream.on('error', (error: Error) => broken(error.message));
  stream.on('close', () => broken('the interpreter ended'));

  return {
    get isOpen() {
      return isOpen;
    },
    request({ script, params, timeoutMs }, write = true) {
      if (!isOpen) return Promise.reject(new ChannelBroken('the channel is closed', ''));
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        const late = (said: string): Error =>
          new HostError('timeout', host, `no answer to ${script} within ${timeoutMs / 1000} s`, {
            printed: said,
          });
        const timer = setTimeout(() => fail(late), timeoutMs);
        pending = { id, missing: null, documents: [], resolve, reject, timer };
        if (write) stream.write(`${id} ${script} ${encodeParams(params)}\n`);
      });
    },
    close: () => broken('closed'),
  };
}

/** Parameters as they travel: base64 of JSON in ASCII, so that no quoting of any shell can touch them. */
export function encodeParams(params: HostRequest['params']): string {
  return Buffer.from(JSON.stringify(params)).toString('base64');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(document: unknown): { code: string; error: string } | null {
  if (typeof document !== 'object' || document === null || !('ok' in document) || document.ok !== false)
    return null;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    code: text('code' in document ? document.code : ''),
    error: text('error' in document ? document.error : '') || 'the script said no',
  };
}
