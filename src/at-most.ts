/** Reads what comes from elsewhere, and no more of it than is wanted. Pure. */

/** All of it; null when it is more than `mostBytes`, and then the rest is not taken: leaving the loop ends the source. */
export async function readAtMost(
  chunks: AsyncIterable<Uint8Array>,
  mostBytes: number,
): Promise<Buffer | null> {
  const kept: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.byteLength;
    if (size > mostBytes) return null;
    kept.push(chunk);
  }
  return Buffer.concat(kept);
}
