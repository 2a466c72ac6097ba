/** The client's end of watch channels (docs/host-protocol.md): a process on the host that blocks until a watched one ends. */
import type { Component } from '../node/component.js';
import type { ChannelStream } from './channel.js';
import type { HostWatch, OnGone } from './host.js';

/** PowerShell takes seconds to start on a slow host. */
const READY_MS = 60_000;
/** No line of it is near as long. In characters. */
const MAX_LINE = 65_536;
/** Beside the interpreter and a plain exec: sshd's MaxSessions refuses long before its 10. One watch follows another, so two overlap. */
const MAX_LIVE = 2;
/** After so many failures in a row a host is taken to be one that can't. */
const TRIES = 2;

/** The watches of one connection. */
export class Watches {
  /** With those that are being started. */
  live = 0;
  private failures = 0;

  /** Null when the host can't, or when there are enough. `open` starts the watcher. */
  async start(
    open: () => Promise<ChannelStream>,
    components: readonly Component[],
    onGone: OnGone,
  ): Promise<HostWatch | null> {
    if (this.live >= MAX_LIVE || this.failures >= TRIES) return null;
    this.live += 1;
    const ended = (): void => {
      this.live -= 1;
    };
    const stream = await open().catch(() => null);
    if (stream) stream.once('close', ended);
    else ended();
    const watch = stream && (await watchOver(stream, components, onGone));
    this.failures = watch ? 0 : this.failures + 1;
    return watch;
  }
}

/** Resolves once the host watches; to null when it can't: the channel ends, or nothing comes. `onGone` is never called before that. */
function watchOver(
  stream: ChannelStream,
  components: readonly Component[],
  onGone: OnGone,
): Promise<HostWatch | null> {
  return new Promise((resolve) => {
    const left = new Set(components);
    let isReady = false;
    let isClosed = false;
    let rest = '';
    const close = (): void => {
      isClosed = true;
      stream.destroy();
    };
    const timer = setTimeout(close, READY_MS);
    // Later, since whoever waits for the watch has to have it first.
    const tell = (what: Component | 'channel'): void => {
      setImmediate(() => {
        if (!isClosed) onGone(what);
      });
    };

    function onLine(line: string): void {
      if (line === '@@READY@@ 1' && !isReady) {
        isReady = true;
        clearTimeout(timer);
        resolve({ close });
        return;
      }
      // What a login's own start files print comes before, and counts for nothing.
      const name = isReady ? /^@@GONE@@ (.+)$/.exec(line)?.[1] : undefined;
      const component = components.find((each) => each === name);
      if (component !== undefined && left.delete(component)) tell(component);
    }

    stream.on('data', (chunk: Buffer) => {
      rest += chunk.toString('latin1');
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line.replace(/\r$/, ''));
      if (rest.length > MAX_LINE) stream.destroy();
    });
    // Unread, it would hold the channel up.
    stream.stderr?.resume();
    stream.on('error', () => stream.destroy());
    stream.on('close', () => {
      clearTimeout(timer);
      resolve(null);
      if (isReady && left.size > 0) tell('channel');
    });
  });
}
