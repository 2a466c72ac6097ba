/** A binary on its way to a Windows node: what the node is asked, and the path as SFTP has it. Pure. */
import { z } from 'zod';
import type { BinarySpec } from '../plan/plan.js';
import type { HostRequest } from './host.js';
import { parseAnswer } from './platform-parts.js';

/** PowerShell's start, and two sums over 100 MB on a slow disk. */
const BINARY_MS = 120_000;

/** Empty: there is no such file. */
const Sum = z.union([z.string().regex(/^[0-9a-f]{64}$/), z.literal('').transform(() => null)]);
const Answer = z.object({
  ok: z.literal(true),
  data: z.object({ sha256: Sum, partBytes: z.int().min(0), partSha256: Sum }),
});
export type BinarySeen = z.output<typeof Answer>['data'];

/** `look` makes the folder and says what is there; `finish` puts what arrived in its place, and fails with code `SUM` when it is not right. */
export function binaryRequest(
  { path, sha256 }: BinarySpec,
  action: 'look' | 'finish',
  fence: number,
): HostRequest {
  return { script: 'binary', params: { fence, path, sha256, action }, timeoutMs: BINARY_MS };
}

export function parseBinary(data: unknown, host: string): BinarySeen {
  return parseAnswer(Answer, data, host).data;
}

/** Where it is copied to: Windows' sftp server writes `C:\k` as `/C:/k`. */
export function partPath({ path }: BinarySpec): string {
  return `/${path.replaceAll('\\', '/')}.part`;
}
