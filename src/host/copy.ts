/** A file from one host to another, through this process and never whole in it. Knows no SSH library. */
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Files of one host, over one channel. */
export interface Files {
  /** From this byte on. */
  read(path: string, from: number): Readable;
  /** What is there before this byte stays, what comes after is written over; from 0 on the file is a new one, which may be run. */
  write(path: string, from: number): Writable;
  end(): void;
}

/** The way there broke: what is over by then is over. */
export class CopyBroken extends Error {}

/** No byte for this long: the connection is taken for broken. */
const SILENCE_MS = 30_000;

/** Copies all from byte `from` on. `onBytes` hears how many bytes are over, and ends it by false: then the answer is false. Throws what the streams do. */
export async function copyFile(
  source: { files: Files; path: string },
  target: { files: Files; path: string },
  from: number,
  onBytes: (bytes: number) => boolean,
): Promise<boolean> {
  const end = new AbortController();
  let isWanted = true;
  let timer = setTimeout(() => end.abort(), SILENCE_MS);
  async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = from;
    for await (const chunk of chunks) {
      clearTimeout(timer);
      timer = setTimeout(() => end.abort(), SILENCE_MS);
      yield chunk;
      bytes += chunk.length;
      isWanted = isWanted && onBytes(bytes);
      if (!isWanted) end.abort();
    }
  }
  try {
    await pipeline(source.files.read(source.path, from), counted, target.files.write(target.path, from), {
      signal: end.signal,
    });
    return true;
  } catch (error) {
    if (!isWanted) return false;
    throw end.signal.aborted ? new CopyBroken(`no byte for ${SILENCE_MS / 1000} s`) : error;
  } finally {
    clearTimeout(timer);
    source.files.end();
    target.files.end();
  }
}
