/** The client's end of a watch channel (docs/host-protocol.md): a process on the host that blocks until a watched one ends. */
import type { Component } from '../node/component.js';
import type { ChannelStream } from './channel.js';
import type { HostWatch, OnGone } from './host.js';

/** PowerShell takes seconds to start on a slow host. */
const READY_MS = 60_000;
/** No line of it is near as long. In characters. */
const MAX_LINE = 65_536;

/** Resolves once the host watches; to null when it can't: the channel ends, or nothing comes. `onGone` is never called before that. */
export function watchOver(
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
